"""Hot Profile → kintone by Airflow, over the two simulators: from the first test to a bad record and a full quota."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from renkei.errors import SettingError
from renkei.links.hotprofile_kintone import history
from renkei.links.hotprofile_kintone.history import Processed, State
from renkei.orchestration.hotprofile_kintone import tasks
from renkei.runs.outcome import End
from renkei.settings import database_url
from renkei.storage.database.database import open_database
from scripts.neighbours import Neighbours
from tests.conftest import ROOT
from tests.harness.hotprofile import KEY, HotProfile
from tests.harness.hotprofile_kintone import LinkWorld
from tests.harness.kintone import Kintone
from tests.harness.whole_run import whole_run

FIELDS: dict[str, dict[str, Any]] = {
    "id": {"type": "SINGLE_LINE_TEXT", "unique": True},
    "name": {"type": "SINGLE_LINE_TEXT", "maxLength": "10"},
}
SHEET = """
company_name: アクメ
domain: {domain}
user: tantou
interval_minutes: 5
daily_requests: {quota}
result_addresses: [soumu@acme.example.jp]
companies:
  app: 1
  enabled: true
  items: [{{item: 会社ID, field: id, key: ○}}, {{item: 会社名, field: name}}]
leads:
  app: 2
  enabled: false
  items: [{{item: リードID, field: id, key: ○}}, {{item: 氏名, field: name}}]
"""
NAME = "hotprofile_kintone__acme"
WRITES = ("write_companies", "write_departments", "write_leads")


class World:
    """One tenant with both systems, and its Dag."""

    def __init__(self, folder: Path, hotprofile: HotProfile, kintone: Kintone, neighbours: Neighbours) -> None:
        self.folder, self.hotprofile, self.kintone, self.neighbours = folder, hotprofile, kintone, neighbours
        self.seen = len(neighbours.mails())
        self.write_sheet()

    def write_sheet(self, quota: int = 5_000) -> None:
        text = SHEET.format(domain=self.kintone.url, quota=quota)
        (self.folder / "acme.yaml").write_text(text, encoding="utf-8")

    def run(self, *, by_schedule: bool = False, **conf: Any) -> str:
        self.ran = whole_run("hotprofile_kintone", by_schedule=by_schedule, **conf)
        return str(self.ran.state)

    def states(self) -> dict[str, str]:
        """How each task of the last run ended, in their order."""
        found = {one.task_id: str(one.state) for one in self.ran.get_task_instances()}
        order = ("check", "read", "plan", *WRITES, "notify", "outcome")
        return {name: found[name] for name in order}

    def wait(self) -> None:
        """Hot Profile's clock is five minutes later."""
        self.hotprofile.sim("POST", "clock", {"advance_s": 300})

    def last(self) -> Processed:
        return history.processed(open_database(database_url()), "acme")[0]

    def names(self) -> dict[str, str]:
        return {one["id"]: one["name"] for one in self.kintone.records(1)}

    def mails(self) -> list[dict[str, Any]]:
        """What has come since it was last asked."""
        found = self.neighbours.mails()[self.seen :]
        self.seen += len(found)
        return found


@pytest.fixture(scope="module")
def systems() -> Iterator[tuple[HotProfile, Kintone]]:
    with HotProfile.start() as hotprofile, Kintone.start() as kintone:
        yield hotprofile, kintone


@pytest.fixture
def world(
    mappings: Path,
    tmp_path: Path,
    systems: tuple[HotProfile, Kintone],
    neighbours: Neighbours,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    hotprofile, kintone = systems
    hotprofile.clear()
    kintone.clear()
    for app in (1, 2):
        kintone.app(app, FIELDS)
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("RENKEI_RETRY_DELAY_S", "0")
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", kintone.url.removeprefix("http://"))
    mail = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@renkei.example.jp"}
    for conn_id, connection in {
        "hotprofile__acme": {"conn_type": "hotprofile", "host": hotprofile.url, "password": KEY},
        "kintone__acme": {"conn_type": "kintone", "host": kintone.url, "password": "app1,app2"},
        "smtp_default": {"conn_type": "smtp", "host": "127.0.0.1", "port": neighbours.smtp_port, "extra": mail},
    }.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
    folder = mappings.parent / "hotprofile_kintone"
    folder.mkdir()
    return World(folder, hotprofile, kintone, neighbours)


@pytest.mark.usefixtures("airflow_database")
def test_k12_k18_from_the_first_test_to_a_bad_record(world: World) -> None:
    """One world from beginning to end: each run of a Dag takes seconds."""
    assert world.run() == "failed"  # K12: nobody has tested the mapping
    assert "1件テスト" in world.mails()[0]["body"]

    world.hotprofile.add("clients", {"id": 1, "name": "一番"})
    assert world.run(mode="TEST_ONE", data_set="会社", source_id="1") == "failed"  # red until a real run is well
    assert world.names() == {"1": "一番"}
    (mail,) = world.mails()
    assert mail["subject"] == "KINTONE-TEST(連携テスト) アクメ"  # not 確認のみ: it has written one
    assert "正常に処理が行われました。" in mail["body"]

    world.wait()  # what was there some seconds before 有効化 would be read again, however fast this goes
    assert world.run() == "success"  # 有効化
    world.wait()
    world.hotprofile.add("clients", {"id": 2, "name": "二番"}, {"id": 3, "name": "十文字より長い名前の会社"})
    world.wait()
    world.mails()
    assert world.run() == "success"
    assert world.names() == {"1": "一番", "2": "二番"}
    (mail,) = world.mails()
    assert mail["subject"] == "KINTONE-WARN(失敗レコードあり) アクメ"
    assert "会社 ID 3 フィールド「name」" in mail["body"]
    assert "十文字より長い" not in mail["body"]  # L6
    found = world.last()
    assert (found.data_set, found.read, found.added, found.failed, found.state) == ("companies", 2, 1, 1, State.DONE)

    world.write_sheet(quota=world.kintone.requests(1) + 1)  # K15: the form can be read, and nothing be written
    world.hotprofile.change("clients", 3, {"name": "三番"})
    world.wait()
    assert world.run() == "success"
    assert (world.last().state, world.last().held) == (State.HELD, 1)
    assert "上限" in world.mails()[0]["subject"]
    world.write_sheet()
    assert world.run() == "success"
    assert world.names() == {"1": "一番", "2": "二番", "3": "三番"}

    world.mails()
    for done, again in (
        (["check", "read", "plan"], True),
        (["check", "read"], False),
    ):  # what changed lately is read again
        for _ in range(3):
            world.wait()
        assert world.run(by_schedule=True) == "success"
        states = world.states()
        assert [name for name, state in states.items() if state == "success"] == done
        assert set(states.values()) == {"success", "skipped"}
        assert (world.last().state, world.last().read > 0, world.mails()) == (State.DONE, again, [])


def test_the_dag_is_what_a_reader_expects(world: World) -> None:
    bag = DagBag(str(ROOT / "dags/hotprofile_kintone.py"))
    assert bag.import_errors == {}
    dag: Any = bag.dags[NAME]
    assert [task.task_id for task in dag.topological_sort()] == ["check", "read", "plan", *WRITES, "notify", "outcome"]
    assert (dag.catchup, dag.max_active_runs, dag.tags) == (False, 1, {"renkei", "hotprofile_kintone"})
    assert dag.description == "5分ごとにHot Profileの会社をkintoneへ連携"
    assert os.environ["RENKEI_STORE"] not in dag.doc_md


@pytest.mark.parametrize(
    "task", [tasks.read, tasks.plan, tasks.write_companies, tasks.write_departments, tasks.write_leads]
)
def test_l3_no_task_of_a_run_goes_on_with_a_sheet_that_has_changed_since(
    task: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever is cleared by itself: rows of today would be written as of then."""
    run = SimpleNamespace(read=lambda kind: SimpleNamespace(sheet_digest="of then"))
    monkeypatch.setattr(tasks, "record_of", lambda *_: run)
    monkeypatch.setattr(tasks.connections, "database", lambda: None)
    monkeypatch.setattr(tasks.connections, "hotprofile_client", lambda _: pytest.fail("the source was asked"))
    with pytest.raises(SettingError, match="古いシートでは連携しません"):
        task(SimpleNamespace(sheet=SimpleNamespace(digest="of now")), {})


def test_e2_a_read_that_died_after_an_early_end_leaves_no_good_end_to_what_its_second_try_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a run whose `plan` fails afterwards would be green."""
    link = LinkWorld(tmp_path)
    link.start()
    link.wait(minutes=11)
    job, tenant, context = link.job(), SimpleNamespace(), {}
    link.steps(job)[0]()
    monkeypatch.setattr(tasks, "_job", lambda *_: job)
    monkeypatch.setattr(tasks.connections, "hotprofile_client", lambda _: link.hotprofile)
    monkeypatch.setattr(tasks, "skip_remaining", lambda *_: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        tasks.read(tenant, context)
    assert job.record.read_or_none(End) is not None
    link.hotprofile.put(1)
    link.wait(minutes=1)
    assert tasks.read(tenant, context) == {"companies": 1}
    assert job.record.read_or_none(End) is None
