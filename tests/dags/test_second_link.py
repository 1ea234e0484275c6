"""Whatever is built for every link works for a second one that is registered, and nothing else is done (tests/toy_link)."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import typer
from airflow.dag_processing.dagbag import DagBag
from fsspec.implementations.local import LocalFileSystem
from starlette.testclient import TestClient
from typer.testing import CliRunner

from renkei.channel import OPERATOR
from renkei.commands import app, context
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.orchestration.link import LINKS
from renkei.orchestration.maintenance import prune_all
from renkei.orchestration.monitor.monitor import monitor
from renkei.orchestration.starting import start_now
from renkei.orchestration.timetable import DailyInJapan, EveryMinutes
from renkei.orchestration.web.actions import AirflowActions
from renkei.orchestration.web.knowledge import AirflowKnowledge
from renkei.orchestration.web.link_view import own_pages
from renkei.orchestration.web.sheet_desk import AirflowSheets
from renkei.storage.store import Store
from renkei.web.console.app import build
from renkei.web.services import Right, Services
from scripts.chat_connections import chat_connections
from scripts.neighbours import Neighbours
from tests.builders import mapping
from tests.conftest import HOME, ROOT
from tests.contract.console.world import Door
from tests.toy_link import TOY

NOW = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)


@pytest.fixture
def sheets(mappings: Path, tmp_path: Path, neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The toy's folder of sheets with one tenant, `acme`, as the other link has one, too."""
    monkeypatch.setitem(LINKS, "toy", TOY)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for the child that compiles
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("RENKEI_OPERATOR", str(tmp_path / "operator.yaml"))
    monkeypatch.setenv("RENKEI_RETRY_DELAY_S", "0")
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", neighbours.urls["chat"].removeprefix("http://"))
    for conn_id, connection in chat_connections(neighbours.chat_registrations(), "acme").items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@renkei.example.jp"}
    mail = {"conn_type": "smtp", "host": "127.0.0.1", "port": neighbours.smtp_port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(mail))
    write_yaml(mapping(), mappings / "acme.yaml")
    folder = mappings.parent / "toy"
    folder.mkdir()
    write(folder)
    return folder


def write(folder: Path, tenant: str = "acme", greeting: str = "おはよう") -> Path:
    path = folder / f"{tenant}.yaml"
    path.write_text(
        f"greeting: {greeting}\nminutes: 5\nmail: [soumu@toy.example.jp]\n"
        "notifications:\n- {name: 総務, service: slack_webhook}\n",
        encoding="utf-8",
    )
    return path


def dag_file(folder: Path) -> Path:
    """The Dag file of the toy, made of the other link's: its name says whose it is."""
    (folder / "dags").mkdir(exist_ok=True)
    return Path(shutil.copyfile(ROOT / "dags/smarthr_emc.py", folder / "dags/toy.py"))


def parse(path: Path) -> dict[str, Any]:
    bag = DagBag(str(path))
    assert bag.import_errors == {}
    return dict(bag.dags)


def run(folder: Path, **conf: Any) -> Any:
    file = dag_file(HOME)  # where dag.test looks for it
    try:
        return _test(file, conf)
    finally:
        file.unlink()  # other tests look there too, and do not know the toy


def _test(file: Path, conf: dict[str, Any]) -> Any:
    dag = parse(file)["toy__acme"]
    for task in dag.tasks:
        task.retries = 0
    return dag.test(run_conf={"mode": "NORMAL", **conf}, logical_date=None)


def pages() -> TestClient:
    """The console over this Airflow, before somebody who may do everything."""
    door = Door({"omar": {"acme": set(Right)}})
    services = Services(door, AirflowKnowledge(), AirflowActions(), b"secret", AirflowSheets(), own_pages())
    return TestClient(build(services), raise_server_exceptions=False, cookies={"_token": "omar"})


def store(sheets: Path) -> Store:
    return Store(LocalFileSystem(), str(sheets.parents[1] / "store"))


def test_e1_each_sheet_is_a_dag_and_a_broken_one_a_red_one(sheets: Path, tmp_path: Path) -> None:
    """Named after link and tenant, so that a tenant of the same name of the other link is another one (L5)."""
    write(sheets, "beta", greeting="")
    dags = parse(dag_file(tmp_path))
    assert set(dags) == {"toy__acme", "toy__beta"}
    assert [task.task_id for task in dags["toy__acme"].topological_sort()] == ["read", "post", "notify", "outcome"]
    assert (dags["toy__acme"].tags, dags["toy__beta"].tags) == ({"renkei", "toy"}, {"renkei", "toy", "設定エラー"})
    assert "挨拶がありません" in dags["toy__beta"].doc_md
    assert dags["toy__acme"].dag_display_name == "名簿 → 掲示板: acme"


def test_e1_it_runs_every_so_many_minutes_and_a_broken_sheet_once_a_day(sheets: Path, tmp_path: Path) -> None:
    """The link says when, by the sheet; nobody is told of a mistake every five minutes. No backfill, no catch-up."""
    changed_at = dt.datetime(2026, 11, 22, 4, 30, tzinfo=dt.UTC)
    for path in (sheets / "acme.yaml", write(sheets, "beta", greeting="")):
        os.utime(path, (changed_at.timestamp(),) * 2)
    dags = parse(dag_file(tmp_path))
    assert dags["toy__acme"].timetable == EveryMinutes(5, changed_at)
    assert dags["toy__beta"].timetable == DailyInJapan(4, 30, changed_at)
    assert {(dag.catchup, dag.max_active_runs) for dag in dags.values()} == {(False, 1)}
    assert "backfill" not in dags["toy__acme"].allowed_run_types


@pytest.mark.usefixtures("airflow_database")
def test_e4_a_run_is_recorded_and_told_by_mail_and_chat(sheets: Path, neighbours: Neighbours) -> None:
    """Its record lies in the link's own part of the store; a run that fails is told as one."""
    heard, mailed = len(neighbours.chat_messages()), len(neighbours.mails())
    done = run(sheets)
    assert str(done.state) == "success"
    (folder,) = store(sheets).names("toy/tenants/acme/runs")
    assert store(sheets).read_json(f"toy/tenants/acme/runs/{folder}/posted.json") == {"greeting": "おはよう"}
    assert store(sheets).read_json("toy/tenants/acme/last_result.json")["outcome"] == "TOY-OK"
    (mail,) = neighbours.mails()[mailed:]
    assert (mail["subject"], "掲示: おはよう" in mail["body"]) == ("TOY-OK acme", True)
    (message,) = neighbours.chat_messages()[heard:]
    assert "【成功】名簿 → 掲示板: acme TOY-OK" in message["text"]
    console = pages()
    for path, said in (
        ("/", "名簿 → 掲示板"),
        ("/dag/toy__acme", "TOY-OK"),
        (f"/dag/toy__acme/runs/{quote(done.run_id, safe='')}", "TOY-OK"),
        ("/dag/toy__acme/sheets", "acme.yaml"),
        ("/dag/toy__acme/channels", "総務"),
    ):
        assert said in console.get(path).text, path
    write(sheets, greeting="")
    assert str(run(sheets).state) == "failed"
    assert neighbours.mails()[-1]["subject"] == "TOY-SETTING acme"
    assert str(run(sheets, mode="notify_test").state) == "failed"  # it tells, and does not hide the broken sheet


def test_n3_the_monitor_sees_it_silent_and_broken(sheets: Path, neighbours: Neighbours, tmp_path: Path) -> None:
    """Told to the operator under its own name, once per link."""
    (tmp_path / "operator.yaml").write_text("channels:\n- {name: 運用, service: mail, to: ops@example.jp}\n", "utf-8")
    write(sheets, "beta", greeting="")
    kept = store(sheets)
    kept.write_json("toy/tenants/acme/last_result.json", {"at": "2026-11-20T19:38:00+00:00"})
    known = {"schedules": {"acme": ["04:30:00", "2026-11-01T00:00:00+00:00"]}, "told": {}}
    kept.write_json("toy/watch/silence.json", known)
    started: list[tuple[str, str]] = []
    told: list[tuple[str, str, str]] = []

    def tell(link: str, tenant: str, channels: Any, event: Any, message: Any, key: str) -> list[Any]:
        told.append((link, tenant, message.title))
        return []

    with pytest.raises(Exception, match="届けられませんでした"):
        monitor(kept, str(ROOT / "dags/renkei_watch.py"), NOW, tell, start=lambda *run: started.append(run))
    assert ("toy", OPERATOR, "【警告】名簿 → 掲示板: 1社から結果が届いていません") in told
    assert ("toy", OPERATOR, "【警告】名簿 → 掲示板: 1社の連携設定シートに誤りがあります") in told
    assert {link for link, _, _ in told} == {"toy"}
    assert [dag_id for dag_id, _ in started] == ["toy__beta"]


def test_l6_its_old_records_go(sheets: Path) -> None:
    """RENKEI_KEEP_DAYS, as for every link; what Airflow works on is asked by its own Dag's id."""
    kept, asked = store(sheets), []
    for link in ("toy", "smarthr_emc"):
        began = {"run_id": "r", "started_at": "2025-01-01T00:00:00+00:00"}
        kept.write_json(f"{link}/tenants/acme/runs/old/run.json", began)

    def ongoing(dag_id: str, run_id: str) -> bool:
        asked.append(dag_id)
        return dag_id == "smarthr_emc__acme"

    assert prune_all(kept, NOW, dt.timedelta(days=30), ongoing)["deleted"] == 1
    assert (kept.names("toy/tenants/acme/runs"), kept.names("smarthr_emc/tenants/acme/runs")) == ([], ["old"])
    assert sorted(asked) == ["smarthr_emc__acme", "toy__acme"]


def test_e1_its_runs_never_wait_for_a_moment_ahead(sheets: Path) -> None:
    """The listeners know its Dags."""
    from types import SimpleNamespace

    started: Any = SimpleNamespace(
        dag_id="toy__acme", run_type="manual", conf={}, logical_date=NOW + dt.timedelta(days=1), run_after=NOW
    )
    start_now(started, NOW)
    assert (started.logical_date, [*started.conf]) == (None, ["未来の日時"])


def renkei(*words: str) -> Any:
    found = CliRunner().invoke(app.app, [*words])
    if found.exception and not isinstance(found.exception, SystemExit | typer.Exit):
        raise found.exception
    return found


def test_e15_renkei_check_reads_its_sheets(sheets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which link's sheet a file is, the folder says that it lies in."""
    monkeypatch.setattr(context, "as_airflow", lambda: None)  # it is for a process of its own
    assert renkei("check", str(sheets / "acme.yaml")).exit_code == 0
    found = renkei("check", str(write(sheets, "beta", greeting="")))
    assert (found.exit_code, "挨拶がありません" in found.stdout) == (1, True)


def test_n5_renkei_notify_test_and_connections_test_find_its_tenants(
    sheets: Path, neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where both links have a tenant of the name, its Dag's name tells which is meant."""
    monkeypatch.setattr(context, "as_airflow", lambda: None)
    both = renkei("notify", "test", "acme")
    assert (both.exit_code, "toy__acme" in both.stderr) == (2, True)
    found = renkei("notify", "test", "toy__acme", "総務")
    assert (found.exit_code, "Slack" in neighbours.chat_messages()[-1]["service"].capitalize()) == (0, True)
    write(sheets, "alone")
    assert "toy_board" in renkei("connections", "test", "alone").stdout
    assert "toy_board" in renkei("connections", "test", "toy__alone").stdout
