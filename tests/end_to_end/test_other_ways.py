"""Beside the ordinary day: several addressees, 再連携, files instead of the interface."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from renkei.links.smarthr_emc.sheet.mapping import Loader
from renkei.storage.import_lock import ImportLock, PendingImport
from tests.end_to_end.airflow_world import AirflowWorld, Question

FIVE = tuple(f"soumu{n}@acme.example.jp" for n in range(1, 6))


def test_e4_every_run_mails_all_five_addresses(world: AirflowWorld) -> None:
    """A mail of his own to each addressee after a success, and after a failure: nobody costs another his."""
    world.write_sheet(result_addresses=FIVE)
    world.run()
    world.day(blank_names=1)
    world.run(scheduled=True)
    assert [(mail["subject"], mail["to"]) for mail in world.mails()] == [
        *(("EMC-OK", [address]) for address in FIVE),
        *(("EMC-ERROR-D(Update NG)", [address]) for address in FIVE),
    ]


def test_e25_e32_a_changed_prefix_stops_until_a_relink_is_approved(world: AirflowWorld) -> None:
    """A new ID付与コード fails and names 再連携; that waits for approval, then replaces every id in one import."""
    world.link()
    codes, before = world.codes(), world.state()
    world.write_sheet(id_prefix="new")
    assert world.run(scheduled=True).state == "failed"
    assert "再連携" in world.mails()[-1]["body"]
    assert world.state() == before

    asked: list[str] = []

    def person(question: Question) -> None:
        asked.append(question.body)
        question.answer("承認して登録する", "会社コードの変更")

    run = world.run("RELINK", person=person)
    assert run.state == "success"
    assert f"社員{len(codes)}件" in asked[0]
    assert set(world.users()) == {f"new{code}" for code in codes}
    assert world.record(run, "approval")["why"] == "会社コードの変更"


def test_e38_a_file_drop_moves_the_baseline_when_a_person_confirms_it(world: AirflowWorld, tmp_path: Path) -> None:
    """The files lie there while the run waits; 取込成功 makes them the baseline and takes them away."""
    world.write_sheet(loader=Loader.FILE_DROP)
    world.connect("emc_drop__acme", conn_type="fs", extra={"path": str(tmp_path / "drop")})
    seen: list[str] = []

    def person(question: Question) -> None:
        seen.extend(sorted(path.name.rsplit(".", 2)[-2] for path in (tmp_path / "drop").glob("*.csv")))
        question.answer("取込成功", "")

    run = world.run(person=person)
    assert (run.state, run.tasks["confirm"]) == ("success", "success")
    assert seen == ["departments", "users"]
    assert len(world.baselines()) == 1
    assert [path.name.rsplit(".", 2)[-2] for path in (tmp_path / "drop").iterdir()] == ["result"]
    assert [mail["subject"] for mail in world.mails()] == ["EMC-HOLD(Confirm)", "EMC-OK"]


def test_e38_a_refused_upload_leaves_the_baseline(world: AirflowWorld, tmp_path: Path) -> None:
    """取込失敗 is a failed run; the next day's plan is made against what stood before."""
    world.write_sheet(loader=Loader.FILE_DROP)
    world.connect("emc_drop__acme", conn_type="fs", extra={"path": str(tmp_path / "drop")})
    run = world.run(person=lambda question: question.answer("取込失敗", ""))
    assert run.state == "failed"
    assert world.baselines() == {}
    assert world.mails()[-1]["subject"] == "EMC-ERROR-L(Load NG)"
    (result,) = (tmp_path / "drop").glob("*.result.json")
    assert json.loads(result.read_text())["state"] == "rejected"


def test_l1_compare_mails_what_was_changed_by_hand_and_writes_nothing(world: AirflowWorld) -> None:
    """照合 names the person whom somebody deleted in EMC; SmartHR is not read, EMC and baseline stay."""
    world.link()
    one = sorted(world.codes())[0]
    world.by_hand("DELETE", "users", one)
    before = world.state()
    world.smarthr.sim("POST", "faults", [{"kind": "expired_token"}])
    run = world.run("RECONCILE")

    assert run.state == "success"
    mail = world.mails()[-1]
    assert mail["subject"] == "EMC-NOTICE(Compare)"
    assert "処理結果: 注意（EMCに差異があります）" in mail["body"]
    assert f"- 社員 ユーザID: {one}／EMCにありません／次回の処理で再登録されます" in mail["body"]
    assert world.state() == before


def test_e36_restore_asks_and_brings_back_who_was_deleted(world: AirflowWorld) -> None:
    """復元 shows what it would do and waits; approved, the leaver is in EMC again and the joiners are not."""
    world.link()
    then = set(world.users())
    world.day(leavers=1, joiners=2)
    world.run(scheduled=True)
    assert set(world.users()) != then
    asked: list[str] = []

    def person(question: Question) -> None:
        asked.append(question.body)
        question.answer("承認して登録する", "誤った退職登録")

    run = world.run("RESTORE", person=person)
    assert run.state == "success"
    assert "第1世代" in asked[0]
    assert "- 社員: 新規1、更新29、削除2" in asked[0]
    assert set(world.users()) == then
    assert "復元: 第1世代に戻します。SmartHRは受信していません。" in world.mails()[-1]["body"]


def test_l1_under_the_disaster_freeze_nobody_is_deleted(world: AirflowWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Variable names the tenant: leavers stay and the mail counts them; without it the next run deletes them."""
    world.link()
    before = set(world.users())
    monkeypatch.setenv("AIRFLOW_VAR_RENKEI_DISASTER_FREEZE", "other, acme")
    world.day(leavers=2, joiners=1)
    assert world.run(scheduled=True).state == "success"
    assert before < set(world.users())
    body = world.mails()[-1]["body"]
    assert "注意: 災害時凍結のため削除せずに残している社員: 2名" in body
    assert "注意: 災害時凍結中です。" in body
    monkeypatch.setenv("AIRFLOW_VAR_RENKEI_DISASTER_FREEZE", "")
    world.run(scheduled=True)
    assert set(world.users()) == world.codes()


def test_e27_a_busy_emc_account_is_waited_for_without_a_retry(
    world: AirflowWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another tenant's note stands when the load comes: it looks again until the note is gone, then loads."""
    monkeypatch.setattr("renkei.orchestration.stage.TURN", dt.timedelta(seconds=0.2))
    note = world.folder / "store/smarthr_emc/accounts/acme/pending.json"
    note.parent.mkdir(parents=True)
    other = PendingImport("other", "run", "other.key", "0" * 64, 0, dt.datetime.now(dt.UTC).isoformat())
    note.write_text(json.dumps(asdict(other)))
    looks: list[str] = []
    real = ImportLock.pending

    def pending(lock: ImportLock) -> PendingImport | None:
        found = real(lock)
        if found and found.tenant == "other":
            looks.append(found.run)
            if len(looks) == 4:
                note.unlink()
        return found

    monkeypatch.setattr(ImportLock, "pending", pending)
    run = world.run(retries=0)
    assert run.state == "success"
    assert len(looks) == 4
    assert set(world.users()) == world.codes()
