"""The console inside Airflow's own app: its users and rights, its menu, and what is done by its API.

What a new Airflow answers otherwise shows here: `orchestration/web/guard.py` is the one file that uses its inner modules.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from airflow.models.connection import Connection
from airflow.utils.cli_action_loggers import default_action_log
from airflow.utils.session import create_session
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.testclient import TestClient

from renkei.clock import utcnow
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.orchestration.connections import open_store
from renkei.orchestration.web import registering
from renkei.orchestration.web.actions import AirflowActions
from renkei.orchestration.web.guard import COOKIE, AirflowAuthority
from renkei.orchestration.web.knowledge import AirflowKnowledge
from renkei.runs.hold import Deadline, HeldPlan, Hold
from renkei.sheets.compiled import digest_of
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.services import Refused, Right, User
from scripts.page_forms import field_of, forms_of
from scripts.past_runs import parse_into_database
from tests.builders import mapping
from tests.conftest import ROOT
from tests.harness.airflow_rows import Row, add_runs, emptied

DAG_ID, JOBS = "smarthr_emc__acme", "renkei_jobs"
ROLES = ("viewer", "user", "op", "admin")
BASE = "/renkei/console"
SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"


@pytest.fixture(scope="module")
def airflow(airflow_database: Path, index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Airflow's app as its API server has it, with SimpleAuthManager, and the Dag of acme in its database."""
    from airflow.api_fastapi.app import create_app, purge_cached_app
    from airflow.sdk.execution_time import task_runner

    folder = tmp_path_factory.mktemp("console")
    with pytest.MonkeyPatch.context() as patch:
        sheets = folder / "mappings/smarthr_emc"
        sheets.mkdir(parents=True)
        patch.setenv("RENKEI_MAPPINGS", str(folder / "mappings"))
        patch.setenv("RENKEI_INDEX", str(index))
        patch.setenv("RENKEI_STORE", (folder / "store").as_uri())
        patch.setenv("AIRFLOW__CORE__AUTH_MANAGER", SIMPLE)
        patch.setenv("AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL", "0")  # a parse is a parse
        patch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # as the API server's process says of itself
        patch.delattr(task_runner, "SUPERVISOR_COMMS", raising=False)  # an earlier test's run may have left one
        with emptied():
            write_yaml(mapping(), sheets / "acme.yaml")
            parse_into_database(ROOT / "dags/smarthr_emc.py")
            parse_into_database(ROOT / "dags/renkei_jobs.py")
            app = create_app()
            yield app
            purge_cached_app()


def own(role: str) -> Any:
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return SimpleAuthManagerUser(username=f"{role}さん", role=role)


def browser(airflow: Any, role: str = "") -> TestClient:
    from airflow.api_fastapi.app import get_auth_manager

    client = TestClient(airflow, "http://airflow.example.jp", follow_redirects=False)
    client.headers["Sec-Fetch-Site"] = "same-origin"
    if role:
        client.cookies.set(COOKIE, get_auth_manager().generate_jwt(own(role)))
    return client


@pytest.mark.parametrize(
    ("right", "allowed"),
    [(Right.SEE, ROLES), (Right.EDIT, ROLES[1:]), (Right.RUN, ROLES[1:]), (Right.ANSWER, ROLES[1:])],
    ids=lambda value: getattr(value, "value", ""),
)
def test_rights_are_those_of_airflows_roles(airflow: Any, right: Right, allowed: tuple[str, ...]) -> None:
    """The matrix that was measured with Airflow 3.3; another answer means that Airflow has changed."""
    authority = AirflowAuthority()
    found = {role for role in ROLES if authority.may(User(role, role, own(role)), right, DAG_ID)}
    assert found == set(allowed)
    if right is Right.SEE:
        assert all(authority.visible(User(role, role, own(role))) == {DAG_ID, JOBS} for role in ROLES)


def test_s1_companies_are_added_by_who_may_edit_dags_in_general(airflow: Any) -> None:
    """The matrix that was measured."""
    authority = AirflowAuthority()
    assert {role for role in ROLES if authority.may_create(User(role, role, own(role)))} == set(ROLES[1:])


def test_s1_connections_are_filled_in_by_who_may_change_them_in_airflow(airflow: Any) -> None:
    """The matrix that was measured."""
    authority = AirflowAuthority()
    found = {role for role in ROLES if authority.may_register(User(role, role, own(role)), "emc__acme")}
    assert found == {"op", "admin"}


def test_s4_all_are_frozen_by_who_may_write_variables(airflow: Any) -> None:
    """The matrix that was measured; a company is frozen by who may edit its Dag, though he may write no Variable."""
    authority = AirflowAuthority()
    assert [role for role in ROLES if authority.may_freeze_all(User(role, role, own(role)))] == ["op", "admin"]
    client, path, form = browser(airflow, "user"), f"{BASE}/dag/{DAG_ID}/freeze", {"on": "1", "reason": "地震"}
    form["token"] = token(client, f"/dag/{DAG_ID}/freeze")
    assert client.post(f"{BASE}/freeze", data=form).status_code == 403
    assert client.post(path, data=form).status_code == 303
    admin = browser(airflow, "admin")
    assert admin.get("/api/v2/variables/renkei_disaster_freeze").json()["value"] == "acme"
    (event,) = admin.get("/api/v2/eventLogs?event=renkei_freeze_on").json()["event_logs"]
    assert (event["owner"], event["dag_id"]) == ("userさん", DAG_ID)
    assert "この会社は、災害時凍結中です" in client.get(path).text
    assert client.post(path, data=form | {"on": "0"}).status_code == 303
    assert admin.get("/api/v2/variables/renkei_disaster_freeze").json()["value"] == ""


def test_nobody_and_a_forged_token_are_led_to_airflows_log_in(airflow: Any) -> None:
    nobody, forged = browser(airflow), browser(airflow)
    forged.cookies.set(COOKIE, "e30.e30.e30")
    for client in (nobody, forged):
        answer = client.get(f"{BASE}/dag/{DAG_ID}?x=1")
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/auth/login?next=%2Frenkei%2Fconsole%2Fdag%2F{DAG_ID}%3Fx%3D1"


def test_the_pages_for_line_still_answer_beside_the_console(airflow: Any) -> None:
    """The longer prefix stands first, or the other app would take its requests; neither is Airflow's own page."""
    shown = browser(airflow, "viewer").get(f"{BASE}/")
    assert (shown.status_code, "連携一覧" in shown.text) == (200, True)
    line = browser(airflow).get("/renkei/line/acme/" + "x" * 43)
    assert (line.status_code, "このURLは使えません" in line.text) == (404, True)


def test_the_menu_and_the_tab_lead_to_the_console(airflow: Any) -> None:
    """Relative, so that they hold below a prefix; the icon is a file of ours."""
    client = browser(airflow, "admin")
    plugins = client.get("/api/v2/plugins").json()["plugins"]
    views = next(plugin["external_views"] for plugin in plugins if plugin["name"] == "renkei")
    assert [(view["name"], view["destination"], view["href"]) for view in views] == [
        ("連携", "nav", "renkei/console/"),
        ("連携の状態", "dag", "renkei/console/dag/{DAG_ID}"),
    ]
    icon = browser(airflow).get(f"/{views[0]['icon']}")
    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")
    assert client.get("/" + views[1]["href"].format(DAG_ID=DAG_ID)).status_code == 200


def token(client: TestClient, path: str) -> str:
    return field_of(client.get(BASE + path).text, "token")


def test_a_run_is_started_by_airflow_as_the_user(airflow: Any) -> None:
    """Its audit log names him, and its own rules hold: a viewer cannot even see the form."""
    path, user = f"/dag/{DAG_ID}/run", browser(airflow, "user")
    assert browser(airflow, "viewer").get(BASE + path).status_code == 403
    answer = user.post(BASE + path, data={"mode": "CHECK_ONLY", "token": token(user, path)})
    assert answer.status_code == 303, answer.text
    (run,) = user.get(f"/api/v2/dags/{DAG_ID}/dagRuns").json()["dag_runs"]
    assert (run["conf"], run["triggering_user_name"]) == ({"mode": "CHECK_ONLY"}, "userさん")
    shown = user.get(answer.headers["location"])
    assert "確認のみ" in shown.text
    assert "userさん" in shown.text
    events = browser(airflow, "admin").get("/api/v2/eventLogs?event=trigger_dag_run").json()["event_logs"]
    assert {event["owner"] for event in events} == {"userさん"}


def test_e36_a_held_plan_is_answered_by_airflow_as_the_user(airflow: Any) -> None:
    """E36: its rules and its audit log hold: one answer, by whom, with the reason and the plan that he saw."""
    folder = "held.0123456789ab"
    record = RunRecord(TenantFolder(open_store(), "smarthr_emc", "acme"), folder)
    record.write(HeldPlan("digest", [Hold("delete_users", "社員の削除が6件あります。", 6, 12)]))
    record.write(Deadline(utcnow() + dt.timedelta(hours=5)))
    said = {("fetch_departments", "run"): folder}
    add_runs([Row(DAG_ID, "held", "running", utcnow(), said, asks="approve", run_type="manual")])
    path, user = f"/dag/{DAG_ID}/approval/held", browser(airflow, "user")
    form = {"plan": "digest", "answer": "approve", "reason": "拠点閉鎖", "token": token(user, f"/dag/{DAG_ID}")}
    assert browser(airflow, "viewer").get(BASE + path).status_code == 403
    answer = user.post(BASE + path, data=form)
    assert (answer.status_code, answer.headers.get("location")) == (303, BASE + path), answer.text
    detail = f"/api/v2/dags/{DAG_ID}/dagRuns/held/taskInstances/approve/-1/hitlDetails"
    kept = user.get(detail).json()
    assert (kept["responded_by_user"]["name"], kept["chosen_options"]) == ("userさん", ["承認して登録する"])
    assert kept["params_input"] == {"reason": "拠点閉鎖", "plan": "digest"}
    admin = browser(airflow, "admin")
    again = admin.post(BASE + path, data=form | {"token": token(admin, f"/dag/{DAG_ID}"), "answer": "refuse"})
    assert again.status_code == 409
    assert "userさんさんが承認しました。理由: 拠点閉鎖" in again.text
    events = admin.get("/api/v2/eventLogs?event=update_hitl_detail").json()["event_logs"]
    assert [event["owner"] for event in events] == ["userさん"]


def test_a_job_is_a_run_in_the_name_of_the_user(airflow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may change his company's Dag needs no right on the Dag of all; its runs name neither him nor anybody else."""
    monkeypatch.setattr(
        f"{SIMPLE}.is_authorized_dag", lambda *_, details=None, **__: details is None or details.id == DAG_ID
    )
    path, user = f"/dag/{DAG_ID}/rehearsal", browser(airflow, "user")
    assert user.post(f"/api/v2/dags/{JOBS}/dagRuns", json={"logical_date": None}).status_code == 403
    form = {"read": "stored", "mode": "NORMAL", "token": token(user, path)}
    first, second = (user.post(BASE + path, data=form) for _ in range(2))
    assert (first.status_code, first.headers["location"]) == (303, f"{BASE}/dag/{DAG_ID}/jobs/1"), first.text
    assert second.headers["location"] == first.headers["location"]
    assert "順番を待っています" in user.get(first.headers["location"]).text
    monkeypatch.undo()
    (run,) = browser(airflow, "admin").get(f"/api/v2/dags/{JOBS}/dagRuns").json()["dag_runs"]
    assert (run["conf"], run["triggering_user_name"]) == ({"job": f"{DAG_ID}/1"}, "userさん")


def test_what_airflow_refuses_is_said(airflow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A right that was taken away between the page and the press: Airflow itself asks again."""
    path, user = f"/dag/{DAG_ID}/run", browser(airflow, "user")
    given = token(user, path)
    monkeypatch.setattr(AirflowAuthority, "may", lambda *_: True)
    viewer = browser(airflow, "viewer")
    answer = viewer.post(BASE + path, data={"mode": "CHECK_ONLY", "token": token(viewer, path)})
    assert (answer.status_code, "この操作の権限がありません" in answer.text) == (409, True)
    assert user.post(BASE + path, data={"mode": "CHECK_ONLY", "token": token(viewer, path)}).status_code == 403
    assert given


def test_a_company_is_paused_and_resumed(airflow: Any) -> None:
    client, path = browser(airflow, "user"), f"/dag/{DAG_ID}"
    for paused in ("0", "1"):
        answer = client.post(f"{BASE}{path}/pause", data={"paused": paused, "token": token(client, path)})
        assert (answer.status_code, answer.headers["location"]) == (303, BASE + path)
        assert client.get(f"/api/v2/dags/{DAG_ID}").json()["is_paused"] is (paused == "1")
        assert ("一時停止を解除" in client.get(BASE + path).text) is (paused == "1")


def test_only_one_file_uses_airflows_inner_modules() -> None:
    files = [*(ROOT / "plugins").rglob("*.py"), *(ROOT / "dags").glob("*.py")]
    using = [file for file in files if re.search(r"^\s*(from|import) airflow\.api_fastapi", file.read_text(), re.M)]
    assert [str(file.relative_to(ROOT)) for file in using] == ["plugins/renkei/orchestration/web/guard.py"]


def test_l7_who_changed_a_connection_is_read_from_airflows_audit_log(airflow: Any) -> None:
    """L7: the names of fields and no value, for those who may edit the Dag; nobody else's Connections."""
    admin, start = browser(airflow, "admin"), utcnow()
    body = {
        "connection_id": "smarthr__acme",
        "conn_type": "smarthr",
        "host": "acme.example.jp",
        "password": "hunter22",
        "extra": '{"tokens": "s3cr3t"}',
    }
    assert admin.post("/api/v2/connections", json=body).status_code == 201
    other = {"connection_id": "smarthr__xacme", "conn_type": "smarthr"}
    assert admin.post("/api/v2/connections", json=other).status_code == 201
    change = {"actions": [{"action": "update", "entities": [body | {"extra": None, "login": "x"}]}]}
    assert admin.patch("/api/v2/connections", json=change).status_code == 200
    assert admin.patch("/api/v2/connections/smarthr__acme", json=body | {"host": "b.example.jp"}).status_code == 200
    assert admin.delete("/api/v2/connections/smarthr__acme").status_code == 204
    assert admin.delete("/api/v2/connections/smarthr__xacme").status_code == 204
    command = ["airflow", "connections", "add", "emc__acme", "--conn-password", "*****"]
    default_action_log("connections_add", "root", None, None, None, "host", str(command))

    found = AirflowKnowledge().connection_changes(DAG_ID, start)
    fields = ["conn_type", "host", "password", "extra.tokens"]
    assert [(one.by, one.name, one.done, one.fields) for one in found] == [
        ("root", "emc__acme", "登録", []),
        ("adminさん", "smarthr__acme", "削除", []),
        ("adminさん", "smarthr__acme", "変更", fields),
        ("adminさん", "smarthr__acme", "変更", ["conn_type", "host", "password", "login"]),
        ("adminさん", "smarthr__acme", "登録", fields),
    ]
    add_runs([Row(DAG_ID, "before", "success", start - dt.timedelta(hours=1), {})])
    shown = {role: browser(airflow, role).get(f"{BASE}/dag/{DAG_ID}").text for role in ("user", "viewer")}
    assert "接続「smarthr__acme」の削除（adminさんさん）" in shown["user"]
    assert not any(value in shown["user"] for value in ("hunter22", "s3cr3t", "b.example.jp", "xacme"))
    assert "接続「smarthr__acme」" not in shown["viewer"]


def test_s2_an_enabled_sheet_is_in_use_when_airflows_dag_has_it(airflow: Any) -> None:
    """S2: 反映待ち until the Dag in Airflow's database was made from it; its file is asked to be parsed next."""
    from airflow.models.dagbag import DagPriorityParsingRequest
    from airflow.utils.session import create_session
    from sqlalchemy import select

    file = Path(os.environ["RENKEI_MAPPINGS"]) / "smarthr_emc/acme.yaml"
    before, client, path = file.read_bytes(), browser(airflow, "user"), f"{BASE}/dag/{DAG_ID}/sheets"
    form = {"token": token(client, f"/dag/{DAG_ID}/sheets"), "reason": "試験", "digest": digest_of(before)}
    assert "使用中" in client.get(path).text
    sent = {"file": ("acme.yaml", before + "company_name: 新しい名前\n".encode())}
    assert client.post(path, data=form, files=sent).headers["location"] == f"{path}/2"
    assert client.post(f"{path}/2/enable", data=form).status_code == 303
    assert "反映待ち" in client.get(f"{path}/2").text
    asked_for = "/api/v2/eventLogs?event=renkei_sheet_enabled&order_by=-id"
    event = browser(airflow, "admin").get(asked_for).json()["event_logs"][0]
    assert (event["owner"], event["dag_id"]) == ("userさん", DAG_ID)
    with create_session() as session:
        (asked,) = session.scalars(select(DagPriorityParsingRequest.relative_fileloc)).all()
    assert Path(asked).name == "smarthr_emc.py"
    parse_into_database(ROOT / "dags/smarthr_emc.py")
    assert "AirflowのDagは、この版で動いています" in client.get(f"{path}/2").text
    file.write_bytes(before)
    parse_into_database(ROOT / "dags/smarthr_emc.py")


def test_p3_s2_a_connection_is_registered_as_the_user_and_added_to(airflow: Any) -> None:
    """What is not given stays, secrets among it; who may write no Connection is refused; the environment is not overruled."""

    def register(role: str, name: str, values: dict[str, str], extra: dict[str, str], kind: str = "lineworks") -> None:
        cookie = f"{COOKIE}={browser(airflow, role).cookies[COOKIE]}".encode()
        scope = {"type": "http", "headers": [(b"cookie", cookie)], "airflow_app": airflow}
        stands = registering.digest(name)
        asyncio.run(AirflowActions().register(Request(scope), name, kind, values, extra, stands))

    name, login = "lineworks__acme", {"login": "client", "password": "first-secret"}
    register("admin", name, login, {"private_key": "pem", "bot_id": "1"})
    register("admin", name, {}, {"bot_secret": "hidden"})
    assert registering.extra_of(name) == {"private_key": "pem", "bot_id": "1", "bot_secret": "hidden"}
    with create_session() as session:
        kept = session.scalars(select(Connection).where(Connection.conn_id == name)).one()
        assert (kept.conn_type, kept.login, kept.password) == ("lineworks", "client", "first-secret")
    register("admin", name, login | {"password": "second-secret"}, {"bot_id": "2"})
    assert registering.extra_of(name) == {"private_key": "pem", "bot_id": "2", "bot_secret": "hidden"}
    for port in ("2222", ""):
        register("admin", "emc_drop__acme", {"host": "sftp.example.jp", "port": port}, {}, "sftp")
        drop = registering.stored("emc_drop__acme")
        assert drop is not None
        assert (drop.type, drop.values["host"], drop.values["port"]) == ("sftp", "sftp.example.jp", port)
    with pytest.raises(Refused, match="この操作の権限がありません"):
        register("user", name, login, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_LINEWORKS__ACME", "{}")
        with pytest.raises(Refused, match="この画面では変えられません"):
            register("admin", name, login, {})


def test_s2_n1_of_two_who_register_at_once_one_does_and_the_other_changes_nothing(
    airflow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have the form of a first webhook before them, and both pass every look at the sheet."""
    both, turns, real = threading.Barrier(2), threading.Lock(), AirflowActions.register
    page = f"{BASE}/dag/{DAG_ID}/channels"

    async def together(self: AirflowActions, *given: Any) -> None:
        await run_in_threadpool(both.wait, 150)
        await run_in_threadpool(turns.acquire)  # two at the same instant: Airflow itself would refuse the second
        try:
            await real(self, *given)
        finally:
            turns.release()

    shown = browser(airflow, "admin").get(f"{page}/new?service=SLACK_WEBHOOK").text
    hidden = next(form.fields for form in forms_of(shown) if "digest" in form.fields)
    clients = {number: browser(airflow, "admin") for number in (1, 2)}

    def post(number: int) -> int:
        url = f"https://hooks.slack.com/services/T0/B0/secret{number}"
        form = hidden | {"name": f"通知{number}", "field.url": url, "field.expires_on": ""}
        return clients[number].post(page, data=form).status_code

    monkeypatch.setattr(AirflowActions, "register", together)
    with ThreadPoolExecutor(2) as people:
        answers = list(people.map(post, (1, 2)))
    assert sorted(answers) == [303, 409]
    won = answers.index(303) + 1
    kept = registering.stored("slack_webhook__acme")
    assert kept is not None
    assert kept.values["password"].endswith(f"secret{won}")
    sheet = next(Path(os.environ["RENKEI_MAPPINGS"]).rglob("acme.*")).read_text(encoding="utf-8")
    assert re.findall(r"通知\d", sheet) == [f"通知{won}"]
    assert not open_store().files("console/registering")  # the turn is over, whoever had it


def test_s2_a_turn_whose_holder_died_is_taken_over(airflow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """And until then whoever comes is told to wait."""

    async def turn() -> None:
        async with registering.form_lock("emc__nobody", ""):
            assert open_store().files("console/registering")

    async def dies() -> None:
        async with registering.form_lock("emc__nobody", ""):
            monkeypatch.setattr(registering, "PATIENCE_S", 0.0)
            with pytest.raises(Refused, match="ほかの人が変更しています"):
                await turn()
            monkeypatch.setattr(registering, "utcnow", lambda: utcnow() + 2 * registering.MAX_HELD)
            await turn()

    asyncio.run(dies())
    asyncio.run(turn())


def test_s2_a_turn_is_over_whatever_becomes_of_it(airflow: Any) -> None:
    """Its record is torn, or of a clock that was ahead; and whoever held it gave up waiting for Airflow's answer."""
    name = "emc__turn"

    async def turn(lasts_s: float = 0) -> None:
        async with registering.form_lock(name, ""):
            await asyncio.sleep(lasts_s)

    async def gives_up() -> None:
        task = asyncio.create_task(turn(150))
        while not (found := open_store().files("console/registering")):
            await asyncio.sleep(0.01)
        kept.append((found[0], open_store().read(found[0])))
        while not task.done():  # as Starlette's own do
            task.cancel()
            await asyncio.sleep(0)

    kept: list[tuple[str, bytes]] = []
    asyncio.run(gives_up())
    assert not open_store().files("console/registering")
    key, content = kept[0]
    ahead = str(utcnow().year + 1).encode()
    for left in (b"torn", content.replace(str(utcnow().year).encode(), ahead)):
        open_store().write(key, left)
        asyncio.run(turn())
        assert not open_store().exists(key)


def test_s2_of_two_who_change_a_secret_at_once_one_does(airflow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at what stands there and the write nobody else writes."""
    name, real, both = "emc__both", registering.digest, threading.Barrier(2)

    def seen(name: str) -> str:
        found = real(name)
        with suppress(threading.BrokenBarrierError):  # the other one waits for its turn, and comes later
            both.wait(1)
        return found

    async def register(secret: str, drawn_over: str) -> None:
        cookie = f"{COOKIE}={browser(airflow, 'admin').cookies[COOKIE]}".encode()
        scope = {"type": "http", "headers": [(b"cookie", cookie)], "airflow_app": airflow}
        await AirflowActions().register(Request(scope), name, "emc", {"password": secret}, {}, drawn_over)

    async def at_once(*secrets: str) -> list[BaseException | None]:
        return await asyncio.gather(*(register(one, stood) for one in secrets), return_exceptions=True)

    asyncio.run(register("first", ""))
    stood = real(name)
    monkeypatch.setattr(registering, "digest", seen)
    answers = asyncio.run(at_once("second", "third"))
    assert sorted(type(one) for one in answers if one) == [Refused]
    kept = registering.stored(name)
    assert kept is not None
    assert kept.values["password"] == ("second", "third")[answers.index(None)]
