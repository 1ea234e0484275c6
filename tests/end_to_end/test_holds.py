"""What waits for a person: a held plan, and the first link."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from tests.end_to_end.airflow_world import APPROVE, NOTHING, REFUSE, AirflowWorld, Question


def test_e36_held_plan_waits_and_passes_when_a_person_approves(world: AirflowWorld) -> None:
    """Eight of thirty leave: mail and question name figures and people, EMC waits; approved, it follows."""
    world.link()
    gone = world.day(leavers=8)["leavers"]
    before = world.state()

    def approve(question: Question) -> None:
        assert world.state() == before
        assert question.task_id == "approve"
        assert "社員の削除が8件（前回30件の26.7%）あります" in question.body
        assert [crew for crew in gone if f"/crews/{crew}" not in question.body] == []
        mail = world.mails()[-1]
        assert mail["subject"] == "EMC-HOLD"
        assert f"/runs/{question.run_id}/tasks/approve/required_actions" in mail["body"]
        page = f"/renkei/console/dag/smarthr_emc__acme/approval/{question.run_id}"
        assert page in mail["body"]
        assert f"{page})では、氏名を確認して回答できます" in question.body
        question.answer(APPROVE, "拠点閉鎖")

    run = world.run(scheduled=True, person=approve)
    assert run.state == "success"
    assert set(world.users()) == world.codes()
    assert world.mails()[-1]["subject"] == "EMC-OK"
    approval = world.record(run, "approval")
    assert (approval["approved"], approval["by"], approval["why"]) == (True, "tanto", "拠点閉鎖")
    assert approval["digest"] == world.record(run, "plan")["digest"]


def test_e36_question_ends_shortly_before_the_next_scheduled_run(world: AirflowWorld) -> None:
    """Nobody answers until a quarter past four: that is a refusal, nothing is written, and the mail says so."""
    world.link()
    world.day(leavers=8)
    before = world.state()

    def sleep_through(question: Question) -> None:
        until = question.until.astimezone(ZoneInfo("Asia/Tokyo"))
        assert (until.hour, until.minute) == (4, 15)
        assert dt.timedelta() < until - dt.datetime.now(dt.UTC) <= dt.timedelta(days=1)
        question.expire()

    run = world.run(scheduled=True, person=sleep_through)
    assert (run.state, run.failed()) == ("failed", ["approve", "outcome"])
    assert world.state() == before
    assert world.mails()[-1]["subject"] == "EMC-ERROR-G(Guard NG)"
    assert world.record(run, "approval")["approved"] is False


def test_e36_refused_plan_writes_nothing(world: AirflowWorld) -> None:
    """A person says no: failed run, mail, everything as it was."""
    world.link()
    world.day(leavers=8)
    before = world.state()
    run = world.run(person=lambda question: question.answer(REFUSE, "誤った操作"))
    assert (run.state, run.failed()) == ("failed", ["approve", "outcome"])
    assert world.state() == before
    mail = world.mails()[-1]
    assert mail["subject"] == "EMC-ERROR-G(Guard NG)"
    assert "- 保留された処理は承認されませんでした。EMCには何も書き込んでいません。\n" in mail["body"]


def test_e31_scheduled_run_before_the_first_link_is_refused(world: AirflowWorld) -> None:
    """The first link must be asked for by hand: the clock alone brings a mail that says how."""
    run = world.run(scheduled=True)
    assert (run.state, run.failed()) == ("failed", ["fetch_departments", "outcome"])
    assert run.tries["fetch_departments"] == 1
    assert world.state() == NOTHING
    (mail,) = world.mails()
    assert mail["subject"] == "EMC-ERROR-S(Setting NG)"
    assert "手動で実行（Trigger）してください。" in mail["body"]


def test_e3_schedule_never_takes_a_mode(world: AirflowWorld) -> None:
    """Only a manual trigger may ask for 再連携; a scheduled run with such a setting is an ordinary one."""
    world.link()
    before = world.state()
    run = world.run("RELINK", scheduled=True)
    assert run.state == "success"
    assert world.state() == before
    assert world.record(run, "run")["mode"] == "NORMAL"
