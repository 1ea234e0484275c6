"""WORKPLACE → LINE WORKS by Airflow, over the two simulators: from an application to a mass cancellation let through."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from renkei.errors import SettingError
from renkei.links.workplace_lineworks.sheet.compile import compile_sheet
from renkei.orchestration.workplace_lineworks import tasks
from renkei.orchestration.workplace_lineworks.connection_trial import try_systems
from renkei.orchestration.workplace_lineworks.dag import APPROVE
from scripts.chat_connections import chat_connections
from scripts.neighbours import Neighbours
from tests.conftest import ROOT
from tests.end_to_end.airflow_world import Question, _nap
from tests.harness.chat import Chat
from tests.harness.whole_run import whole_run
from tests.harness.workplace import TOKEN, Workplace, days

SHEET = """
company_name: アクメ
result_addresses: [soumu@acme.example.jp]
calendar: 使用する
kinds_shown: 不在の種類
"""
NAME = "workplace_lineworks__acme"
ORDER = ("fetch_absences", "plan", "approve", "write_calendar", "notify", "outcome")


class World:
    """One tenant with both systems, and its Dag."""

    def __init__(self, folder: Path, workplace: Workplace, chat: Chat, neighbours: Neighbours) -> None:
        self.folder, self.workplace, self.chat, self.neighbours = folder, workplace, chat, neighbours
        self.seen = len(neighbours.mails())
        (self.folder / "acme.yaml").write_text(SHEET, encoding="utf-8")

    def run(self, mode: str = "NORMAL", *, by_schedule: bool = False, person: Any = None) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("time.sleep", _nap(time.sleep, [person] if person else []))
            self.ran = whole_run("workplace_lineworks", by_schedule=by_schedule, mode=mode)
        return str(self.ran.state)

    def done(self) -> list[str]:
        """The tasks of the last run that did something, in their order."""
        found = {one.task_id: str(one.state) for one in self.ran.get_task_instances()}
        assert set(found.values()) <= {"success", "skipped"}
        return [name for name in ORDER if found[name] == "success"]

    def calendar(self) -> list[tuple[str, str]]:
        found = self.chat.sim("GET", "lineworks/calendars")
        assert found["notices"] == []
        events = [event[0] for member in found["calendars"].values() for event in member.values()]
        return sorted((one["summary"], one["start"]["date"]) for one in events)

    def mails(self) -> list[dict[str, Any]]:
        """What has come since it was last asked."""
        found = self.neighbours.mails()[self.seen :]
        self.seen += len(found)
        return found


@pytest.fixture(scope="module")
def workplace() -> Iterator[Workplace]:
    with Workplace.start() as running:
        yield running


@pytest.fixture
def world(
    mappings: Path, tmp_path: Path, workplace: Workplace, neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> World:
    workplace.clear()
    chat = Chat(neighbours.urls["chat"])
    chat.clear()
    chat.sim("POST", "lineworks", {"scopes": ["bot", "calendar", "user.read"]})
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("RENKEI_RETRY_DELAY_S", "0")
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", chat.url.removeprefix("http://"))
    mail = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@renkei.example.jp"}
    for conn_id, connection in {
        "workplace__acme": {"conn_type": "workplace", "host": workplace.url, "password": TOKEN},
        "lineworks__acme": chat_connections(neighbours.chat_registrations(), "acme")["lineworks__acme"],
        "smtp_default": {"conn_type": "smtp", "host": "127.0.0.1", "port": neighbours.smtp_port, "extra": mail},
    }.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
    folder = mappings.parent / "workplace_lineworks"
    folder.mkdir()
    return World(folder, workplace, chat, neighbours)


@pytest.mark.usefixtures("airflow_database")
def test_c4_c9_c10_from_an_application_to_a_mass_cancellation(world: World) -> None:
    """One world from beginning to end: each run of a Dag takes seconds."""
    first = world.workplace.apply(days("2030-12-05"), status="APPLIED")
    assert world.run() == "success"
    assert world.calendar() == []
    world.mails()

    world.workplace.change(first, status="APPROVED")
    rest = [world.workplace.apply(days(f"2030-12-{number:02}")) for number in range(6, 14)]
    bad = world.workplace.apply({"unit": "MORNING", "on": "2030-12-20"}, reason="秘密の事由")
    assert world.run(by_schedule=True) == "success"
    assert world.done() == ["fetch_absences", "write_calendar", "notify"]
    assert len(world.calendar()) == 9
    (mail,) = world.mails()  # C10: one is listed, the others are written
    assert mail["subject"] == "CALENDAR-WARN(登録できない不在あり) アクメ"
    assert f"不在 {bad}: 午前の不在ですが" in mail["body"]
    assert "sato" not in mail["body"] + str(mail["subject"])
    assert "秘密の事由" not in mail["body"]

    assert world.run(by_schedule=True) == "success"  # of a quiet run nobody hears, and it takes one process
    assert (world.done(), world.mails()) == (["fetch_absences"], [])

    for number in rest[:6]:
        world.workplace.change(number, status="CANCELLED")
    world.workplace.change(first, periods=[days("2030-12-25")])
    for _ in range(2):
        assert world.run(by_schedule=True) == "success"
    assert len(world.calendar()) == 9
    assert ("年次有給休暇", "2030-12-25") in world.calendar()
    (mail,) = world.mails()  # C9: told once, and everything else goes on
    assert mail["subject"] == "CALENDAR-HOLD(大量の取消を保留) アクメ"

    def approve(question: Question) -> None:
        assert question.task_id == "approve"
        assert rest[0] in question.body
        assert "sato" not in question.body
        question.answer(APPROVE, "拠点の休業が中止")

    assert world.run("RELEASE", person=approve) == "success"
    assert len(world.calendar()) == 3

    assert world.run("RECONCILE") == "success"
    assert "照合: 確認 3件、カレンダーから消えていた予定 0件" in world.mails()[-1]["body"]


@pytest.mark.usefixtures("airflow_database")
def test_c1_c2_both_parts_are_tried_with_the_one_connection(world: World) -> None:
    sheet = compile_sheet("acme.yaml", (SHEET + "messengers: {lineworks: 使用する}\n").encode(), "acme")[0].mapping
    assert sheet is not None
    found = list(try_systems(sheet, ""))
    assert [(one.connection, one.well) for one in found] == [
        *(("workplace__acme", True), ("lineworks__acme", True), ("lineworks__acme", True), ("workplace__acme", False)),
    ]
    world.chat.sim("POST", "lineworks", {"scopes": ["bot"]})
    _, calendar, messenger, signature = try_systems(sheet, "")
    assert "通知の署名キー（Extra events_secret）がありません" in signature.said
    assert (calendar.well, messenger.well) == (False, True)
    assert "calendar、user.read" in calendar.said
    assert "この接続だけを直してください" in calendar.said


def test_the_dag_is_what_a_reader_expects(world: World) -> None:
    bag = DagBag(str(ROOT / "dags/workplace_lineworks.py"))
    assert bag.import_errors == {}
    dag: Any = bag.dags[NAME]
    assert [task.task_id for task in dag.topological_sort()] == [*ORDER]
    assert (dag.catchup, dag.max_active_runs, dag.tags) == (False, 1, {"renkei", "workplace_lineworks"})
    assert dag.description == "5分ごとにWORKPLACEの不在日程をLINE WORKSのカレンダーへ"


@pytest.mark.parametrize("task", [tasks.plan, tasks.write_calendar])
def test_l3_no_task_of_a_run_goes_on_with_a_sheet_that_has_changed_since(
    task: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = SimpleNamespace(read=lambda kind: SimpleNamespace(sheet_digest="of then"))
    monkeypatch.setattr(tasks, "record_of", lambda *_: run)
    monkeypatch.setattr(tasks.connections, "database", lambda: None)
    with pytest.raises(SettingError, match="古いシートでは連携しません"):
        task(SimpleNamespace(sheet=SimpleNamespace(digest="of now")), {})
