"""連携を追加する: text 1's form, its first sheet in force once, and what is said of clashes (S2, S3, E24–E28)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from airflow.models.dag import DagModel
from airflow.models.dagbag import DagPriorityParsingRequest
from airflow.utils.session import create_session
from httpx import Response
from sqlalchemy import delete, select, update

from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.orchestration.web import sheet_desk
from renkei.sheets import placed
from renkei.storage import records
from renkei.storage.audit import AuditEntry
from renkei.storage.versions import Origin
from renkei.web.services import Right
from tests.builders import mapping
from tests.contract.console.world import BASE, ConsoleWorld, body, dag, text_of
from tests.harness.airflow_rows import add_dags

NEW = "/new/smarthr_emc"
START = (dt.date.today() + dt.timedelta(days=30)).isoformat()  # one that the sheet's own check does not doubt
GIVEN = {
    "tenant": "gamma",
    "company_name": "ガンマ株式会社",
    "smarthr_url": "https://gamma.smarthr.jp/",
    "id_prefix": "abc",
    "root_department.id": "top",
    "root_department.name": "ガンマ株式会社",
    "root_department.yomi": "ガンマカブシキガイシャ",
    "result_addresses": "soumu@gamma.example.jp\njinji@gamma.example.jp",
    "link_start_on": START,
    "user_id": "社員番号",
    "password": "secret",
    "department_yomi": "ブショ",
}


@pytest.fixture
def world(empty: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> ConsoleWorld:
    empty.company("beta", "ベータ商事")
    monkeypatch.setattr(sheet_desk.AirflowSheets, "loaded", lambda *_: "")
    return empty


def send(world: ConsoleWorld, part: str = "", user: str = "omar", **given: str) -> Response:
    return world.browser(user).post(BASE + NEW + part, data={"token": world.token(user)} | GIVEN | given)


def files(world: ConsoleWorld) -> list[str]:
    return sorted(one.name for one in world.sheets.iterdir())


def test_s3_a_company_is_added_and_its_way_begins(world: ConsoleWorld) -> None:
    """S3, S2: the first version in force, noted in both logs; 反映待ち, then 連携開始までの流れ."""
    assert "連携を追加する" in body(world, "/")
    shown = text_of(body(world, NEW))
    for words in ("ID付与コードは後から変更できません", "EMC内でのユーザID abc123456789", "紐づける親部署を登録します"):
        assert words in shown
    answer = send(world)
    assert (answer.status_code, answer.headers.get("location")) == (303, f"{BASE}{NEW}/gamma"), text_of(answer.text)
    assert files(world) == ["beta.yaml", "gamma.xlsx"]
    sheet = world.services.sheets.of(dag("gamma"))
    ((number, version),) = sheet.versions.listed(10)
    assert (number, version.origin, version.by) == (1, Origin.FORM, "omar")
    assert sheet.notice(world.services.now()).number == 1
    looks = [records.read(world.store, key, AuditEntry) for key in world.store.files("console/audit")]
    assert [(one.by, one.dag_id, one.what) for one in looks] == [("omar", dag("gamma"), "company add")]
    assert "反映待ち" in text_of(body(world, f"{NEW}/gamma"))
    world.door.rights["omar"]["gamma"] = set(Right)
    add_dags(dag("gamma"))
    world.services.knowledge.changed()
    answer = world.browser("omar").get(f"{BASE}{NEW}/gamma")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/dag/{dag('gamma')}/start")
    again = world.browser("omar", **{"HX-Request": "true"}).get(f"{BASE}{NEW}/gamma")
    assert again.headers["HX-Refresh"] == "true"


def test_s3_the_sheet_says_what_was_filled_in(world: ConsoleWorld) -> None:
    """E24, E26: read back by the link's own reader."""
    assert send(world).status_code == 303
    content = (world.sheets / "gamma.xlsx").read_bytes()
    found = world.services.sheets.review(dag("gamma"), "gamma.xlsx", content).mapping
    assert (found.company_name, found.smarthr_url, found.id_prefix) == (
        "ガンマ株式会社", "https://gamma.smarthr.jp", "abc",
    )  # fmt: skip
    assert (found.root_department.id, found.root_department.yomi) == ("top", "ガンマカブシキガイシャ")
    assert found.result_addresses == ("soumu@gamma.example.jp", "jinji@gamma.example.jp")
    assert found.link_start_on.isoformat() == START
    assert [rule.item for rule in found.users] == [
        "operation", "user_id", "password_reset", "password", "full_name", "full_name_yomi", "primary_department_id",
        "contact_1_medium", "contact_1_address",
    ]  # fmt: skip


def test_s3_ids_are_shown_with_their_lengths_before_anything_is_kept(world: ConsoleWorld) -> None:
    """E24, E26: 40 and 30 characters with the code; too long is said at its field."""
    shown = text_of(send(world, "/look", id_prefix="x-").text)
    assert "123456789 x-123456789 11/40文字" in shown
    assert "top x-top 5/30文字" in shown
    answer = send(world, "/look", **{"root_department.id": "d" * 28})
    assert "31/30文字 長すぎます" in text_of(answer.text)
    assert "ID付与コードを含めて31文字になります" in text_of(answer.text)
    assert files(world) == ["beta.yaml"]
    assert world.store.files("smarthr_emc/tenants/gamma") == []


def test_s3_what_is_wrong_is_said_at_its_field(world: ConsoleWorld) -> None:
    """S3, L8: and nothing is kept."""
    wrong = [("tenant", name) for name in ("Gamma", "../x", "a__b", "operator", "", "beta")]
    for name, value in (*wrong, ("smarthr_url", "https://gamma.example.com"), ("root_department.name", "")):
        answer = send(world, **{name: value})
        assert answer.status_code == 400, value
        assert f'id="{name}-fault"' in answer.text
    assert files(world) == ["beta.yaml"]
    assert world.store.files("smarthr_emc/tenants") == []


def test_e27_a_clash_is_named_and_begun_only_when_it_was_seen(world: ConsoleWorld) -> None:
    """E27: beta loads into the account called gamma with the same code; the second press begins."""
    (world.sheets.parent / "operator.yaml").write_text("tenants:\n  beta: {emc_accounts: [gamma]}\n")
    found = mapping(settings={"会社名": "ベータ", "ID付与コード": "ab", "EMCアカウント": "gamma"})
    write_yaml(dataclasses.replace(found, tenant="beta"), world.sheets / "beta.yaml")
    answer = send(world)
    assert answer.status_code == 409
    assert "「beta:ab」は、片方がもう片方の先頭です" in text_of(answer.text)
    assert files(world) == ["beta.yaml"]
    known = answer.text.partition('name="known" value="')[2].partition('"')[0]
    world.door.create.add("yuki")
    hidden = send(world, user="yuki", tenant="gamma")
    assert hidden.status_code == 303, "who may not see beta is told nothing of it"
    (world.sheets / "gamma.xlsx").unlink()
    assert send(world, known=known).status_code == 303


def test_s2_two_clicks_and_a_death_make_one_version(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """S2: one file, one version, whoever dies where."""

    def dies(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(placed, "_write", dies)
        assert send(world).status_code == 409
    assert files(world) == ["beta.yaml"]
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: send(world), range(2)))
    assert [one.status_code for one in answers] == [303, 303]
    assert send(world).status_code == 303
    assert world.services.sheets.of(dag("gamma")).versions.numbers() == [1]
    assert send(world, company_name="別の会社").status_code == 400, "the name is taken"


def test_s2_a_read_only_folder_offers_the_file(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """S2: kept in Git; nothing is kept by us."""
    monkeypatch.setattr("renkei.sheets.placed.os.access", lambda *_: False)
    shown = body(world, NEW)
    assert "読み取り専用です" in shown
    assert ">連携を開始する</button>" not in shown
    assert send(world).status_code == 409
    answer = send(world, "/file")
    assert (answer.status_code, answer.headers["Content-Disposition"]) == (
        200, "attachment; filename*=UTF-8''gamma.xlsx",
    )  # fmt: skip
    assert world.services.sheets.review(dag("gamma"), "gamma.xlsx", answer.content).usable
    assert world.store.files("smarthr_emc/tenants/gamma") == []


def test_s1_companies_are_added_by_those_who_may_edit_all(world: ConsoleWorld) -> None:
    """S1: for others neither the button nor the form is there; another's new company answers as none."""
    assert "連携を追加する" not in body(world, "/", "yuki")
    assert world.browser("yuki").get(BASE + NEW).status_code == 403
    for part in ("", "/look", "/file"):
        assert send(world, part, user="yuki").status_code == 403, part
    foreign = world.browser("omar", **{"Sec-Fetch-Site": "cross-site"})
    assert foreign.post(BASE + NEW, data={"token": world.token("omar")} | GIVEN).status_code == 403
    assert files(world) == ["beta.yaml"]
    assert send(world).status_code == 303
    world.door.create.add("yuki")
    for tenant in ("gamma", "beta", "nosuch", "A"):
        assert world.browser("yuki").get(f"{BASE}{NEW}/{tenant}").status_code == 404, tenant


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ({"smarthr_emc__beta": "smarthr_emc.py", "renkei_jobs": "renkei_jobs.py"}, {"smarthr_emc.py"}),
        ({"smarthr_emc__beta": "smarthr_emc.py", "smarthr_emc__c": "smarthr_emc_01.py"}, {"smarthr_emc.py", "smarthr_emc_01.py"}),
        ({"renkei_jobs": "sub/renkei_jobs.py"}, {"sub/smarthr_emc.py"}),
        ({}, set()),
    ],
)  # fmt: skip
def test_s3_the_file_of_a_new_dag_is_parsed_next(empty: ConsoleWorld, known: dict[str, str], asked: set[str]) -> None:
    """S3: any file of the link's may hold it; in an empty installation the one beside the Dag of jobs."""
    with create_session() as session:
        session.execute(delete(DagPriorityParsingRequest))
    if known:
        add_dags(*known)
    with create_session() as session:
        for dag_id, file in known.items():
            session.execute(update(DagModel).where(DagModel.dag_id == dag_id).values(relative_fileloc=file))
    for _ in range(2):
        empty.services.sheets.enabled(dag("gamma"), "omar", {})
    with create_session() as session:
        assert set(session.scalars(select(DagPriorityParsingRequest.relative_fileloc))) == asked
        session.execute(delete(DagPriorityParsingRequest))
