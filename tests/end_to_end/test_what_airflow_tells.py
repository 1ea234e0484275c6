"""What an operator sees in Airflow alone: the log of each task, the note on the run's page (E2, E29, L6)."""

from __future__ import annotations

import re
from unittest.mock import Mock

import pytest

from renkei.links.smarthr_emc import stages
from renkei.orchestration import result_notification
from tests.end_to_end.airflow_world import APPROVE, AirflowWorld


def note_of(run_id: str) -> str:
    """The note on a run's page."""
    from airflow.models.dagrun import DagRun, DagRunNote
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = select(DagRunNote.content).join(DagRun, DagRun.id == DagRunNote.dag_run_id)
        return str(session.scalar(found.where(DagRun.run_id == run_id)) or "")


def lines_of(caplog: pytest.LogCaptureFixture, task: str) -> list[str]:
    """The counts that a task wrote."""
    return [r.getMessage() for r in caplog.records if r.getMessage().startswith(f"{task} tenant=acme")]


def test_e29_each_task_writes_one_line_of_counts_and_the_run_has_a_note(
    world: AirflowWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """A good day: figures in the tasks' logs, subject and figures in `outcome`'s log and in the note."""
    caplog.set_level("INFO")
    run = world.run()
    assert lines_of(caplog, "fetch_users") == ["fetch_users tenant=acme users=30"]
    (diff,) = lines_of(caplog, "diff")
    assert "users.created=30" in diff
    assert "users.deleted=0" in diff
    assert [len(lines_of(caplog, task)) for task in ("fetch_departments", "snapshot", "validate", "load")] == [1] * 4
    note = note_of(run.run_id)
    assert "`EMC-OK acme`" in note
    assert "社員: 新規 30件、更新 0件、削除 0件" in note
    assert "EMC-OK acme" in [record.getMessage() for record in caplog.records]


def test_e29_a_bad_row_is_told_with_crew_id_item_remedy_and_where_all_are(
    world: AirflowWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """In the log of `validate` and in the run's note; by crew id, never by user id or name."""
    world.link()
    blank = world.day(blank_names=2)
    run = world.run(scheduled=True)
    assert run.failed() == ["outcome", "validate"]
    crews = [crew["id"] for crew in world.crews().values() if not crew["last_name"] and not crew["first_name"]]
    note, log = note_of(run.run_id), caplog.text
    assert blank
    assert crews
    for told in (note, log):
        assert "EMC-ERROR-D(Update NG) acme" in told
        assert all(crew in told for crew in crews[:2])
        assert "社員 氏名: 値がありません" in told
        assert "を入力してください" in told
    assert re.search(r"全件: 保存先の smarthr_emc/tenants/acme/runs/\S+/problems\.parquet", log)
    assert len(note) <= 1000


def test_l8_a_run_without_a_record_or_a_message_has_its_note(
    world: AirflowWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`notify` dying after an earlier end of the same run, or the store away: its reason now, not what it said before."""
    run = world.run()
    caplog.set_level("INFO")
    with monkeypatch.context() as patch:
        patch.setattr(stages.diff, "make_diff", Mock(side_effect=ValueError("Yamada")))
        patch.setattr(result_notification, "report_run", Mock(side_effect=ValueError("Yamada")))
        note = note_of(world.run(clear=(run, "diff"), retries=0).run_id)
    assert "EMC-ERROR-X(System NG) acme" in note
    assert "EMC-OK" not in note
    monkeypatch.setenv("RENKEI_STORE_KEY_CONN_ID", "nokey")
    assert "Airflowの接続「nokey」" in note_of(world.run(retries=0).run_id)
    assert "Yamada" not in caplog.text


def test_e36_what_waited_and_passed_is_told_as_done(world: AirflowWorld, caplog: pytest.LogCaptureFixture) -> None:
    """The note is that of the end, not that of the question."""
    world.link()
    world.day(leavers=8)
    caplog.set_level("INFO")
    run = world.run(person=lambda question: question.answer(APPROVE, "拠点閉鎖"))
    assert lines_of(caplog, "approve")[-1] == "approve tenant=acme result=approved"
    assert "`EMC-OK acme`" in note_of(run.run_id)
    assert "削除 8件" in note_of(run.run_id)
