"""A tenant's ordinary life in Airflow: the first link, quiet days, changes, a bad row, a look without writing."""

from __future__ import annotations

import re

from renkei.channel import Channel, Event, Service
from tests.end_to_end.airflow_world import ADDRESS, NOTHING, AirflowWorld

TASKS = [
    "approve",
    "diff",
    "fetch_departments",
    "fetch_users",
    "load",
    "notify",
    "outcome",
    "snapshot",
    "validate",
]


def test_e31_first_run_brings_every_valid_person_into_emc(world: AirflowWorld) -> None:
    """After the first manual run EMC has exactly SmartHR's valid people, and the customer has a mail that says so."""
    run = world.run()
    assert (run.state, sorted(run.tasks)) == ("success", TASKS)
    # Nothing is held, so nobody is asked, and `notify` has said that the run is well: no process is spent on either.
    assert {name: state for name, state in run.tasks.items() if state != "success"} == {
        "approve": "skipped",
        "outcome": "skipped",
    }
    assert set(world.users()) == world.codes()
    (mail,) = world.mails()
    assert (mail["subject"], mail["to"]) == ("EMC-OK", [ADDRESS])
    assert f"社員データ 新規件数: {len(world.codes())}\n" in mail["body"]
    assert f"http://airflow.example.jp/dags/smarthr_emc__acme/runs/{run.run_id}" in mail["body"]


def test_e14_quiet_day_imports_nothing(world: AirflowWorld) -> None:
    """When nothing changed the next day, EMC sees no import, and the mail says 変化なし."""
    world.link()
    before = world.state()
    run = world.run(scheduled=True)
    assert (run.state, run.tasks["load"]) == ("success", "skipped")
    assert world.state() == before
    mail = world.mails()[-1]
    assert mail["subject"] == "EMC-OK"
    assert "- 前回処理とデータに変化なし[部署 ][社員 ]\n" in mail["body"]
    assert "登録処理を行います" not in mail["body"]


def test_e3_write_all_writes_an_unchanged_day(world: AirflowWorld) -> None:
    """全件書き込み by hand imports although nothing changed."""
    world.link()
    before = world.imports()
    assert world.run("WRITE_ALL").state == "success"
    assert world.imports()["committed"] == before["committed"] + 1


def test_e6_joiners_leavers_and_changed_ids_arrive_on_a_scheduled_day(world: AirflowWorld) -> None:
    """EMC follows joiners, leavers, 退職済 and a changed 社員番号; the mail counts them, and lists ID変更 apart."""
    world.link()
    before = world.codes()
    touched = world.day(joiners=2, leavers=1, retirements=1, moves=2, renumbered=1)
    run = world.run(scheduled=True)
    assert run.state == "success"
    assert set(world.users()) == world.codes() != before
    body = world.mails()[-1]["body"]
    assert "社員データ 新規件数: 3\n" in body
    assert "社員データ 削除件数: 3\n" in body
    (renumbered,) = touched["renumbered"]
    code = next(crew["emp_code"] for crew in world.crews().values() if crew["id"] == renumbered)
    (line,) = re.findall(rf"^  (\S+) → {code}  \S+/crews/{renumbered}$", body, re.MULTILINE)
    assert line in before - set(world.users())


def test_e30_one_bad_row_stops_everything_and_is_named(world: AirflowWorld) -> None:
    """A person without a name: nothing is loaded, the baseline stays, the mail names row and person; mended, all of it arrives."""
    world.link()
    (nameless,) = world.day(joiners=2, leavers=1, blank_names=1)["blank_names"]
    before = world.state()
    run = world.run(scheduled=True)
    assert (run.state, run.failed()) == ("failed", ["outcome", "validate"])
    assert (run.tasks["load"], run.tasks["notify"]) == ("upstream_failed", "success")
    assert world.state() == before
    mail = world.mails()[-1]
    line = world.line_of(nameless)
    assert mail["subject"] == "EMC-ERROR-D(Update NG)"
    lines = mail["body"].splitlines()
    at = lines.index(f"- 受信社員情報ファイル、氏名の設定値が異常です。[line:{line}]")
    assert f"/crews/{nameless}" in lines[at + 1]
    assert lines[at + 2 : at + 4] == [
        "- 社員データ加工処理に失敗しました(必須項目チェック、コード設定)",
        "- 機能は処理を中断、もしくは異常終了しました。",
    ]
    assert "社員データ 新規件数:\n" in mail["body"]
    world.patch(nameless, last_name="山田", first_name="一郎")
    assert world.run(scheduled=True).state == "success"
    assert set(world.users()) == world.codes()


def test_e3_check_only_writes_nothing_and_says_so(world: AirflowWorld) -> None:
    """確認のみ shows the figures of a first link and touches neither EMC nor the baseline."""
    kept = Channel("当番", Service.SLACK_WEBHOOK, "slack_webhook__nowhere__acme", events=frozenset({Event.FAILURE}))
    world.write_sheet(channels=(kept,))
    before = world.state()
    run = world.run("CHECK_ONLY")
    assert run.state == "success"
    assert world.state() == before == NOTHING
    (mail,) = world.mails()
    assert mail["subject"] == "EMC-OK(Check Only)"
    assert "- 確認のみの実行です。EMCへの登録処理と前回データの更新は行っていません。\n" in mail["body"]
    # Which a good run never speaks to.
    assert "注意: 通知先「当番」には、通知が届きません（接続を運用担当者が確認します）。" in mail["body"]
    assert f"社員データ 新規件数: {len(world.codes())}\n" in mail["body"]
