"""Beside the ordinary day: several addressees, 再連携, files instead of the interface."""

from __future__ import annotations

import json
from pathlib import Path

from renkei.links.smarthr_emc.sheet.mapping import Loader
from tests.end_to_end.conftest import Question, World

FIVE = tuple(f"soumu{n}@acme.example.jp" for n in range(1, 6))


def test_e4_every_run_mails_all_five_addresses(world: World) -> None:
    """One mail to each addressee after a success, and after a failure."""
    world.write_sheet(result_addresses=FIVE)
    world.run()
    world.day(blank_names=1)
    world.run(scheduled=True)
    assert [(mail["subject"], tuple(mail["to"])) for mail in world.mails()] == [
        ("EMC-OK", FIVE),
        ("EMC-ERROR-D(Update NG)", FIVE),
    ]


def test_e25_e32_a_changed_prefix_stops_until_a_relink_is_approved(world: World) -> None:
    """A new ID付与コード fails and names 再連携; that waits for approval, then replaces every id in one import."""
    world.run()
    codes, before = world.codes(), world.now()
    world.write_sheet(id_prefix="new")
    assert world.run(scheduled=True).state == "failed"
    assert "再連携" in world.mails()[-1]["body"]
    assert world.now() == before

    asked: list[str] = []

    def person(question: Question) -> None:
        asked.append(question.body)
        question.answer("承認して登録する", "会社コードの変更")

    run = world.run("RELINK", person=person)
    assert run.state == "success"
    assert f"社員{len(codes)}件" in asked[0]
    assert world.in_emc() == {f"new{code}" for code in codes}
    assert world.record(run, "approval")["why"] == "会社コードの変更"


def test_e38_a_file_drop_moves_the_baseline_when_a_person_confirms_it(world: World, tmp_path: Path) -> None:
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


def test_e38_a_refused_upload_leaves_the_baseline(world: World, tmp_path: Path) -> None:
    """取込失敗 is a failed run; the next day's plan is made against what stood before."""
    world.write_sheet(loader=Loader.FILE_DROP)
    world.connect("emc_drop__acme", conn_type="fs", extra={"path": str(tmp_path / "drop")})
    run = world.run(person=lambda question: question.answer("取込失敗", ""))
    assert run.state == "failed"
    assert world.baselines() == {}
    assert world.mails()[-1]["subject"] == "EMC-ERROR-L(Load NG)"
    (result,) = (tmp_path / "drop").glob("*.result.json")
    assert json.loads(result.read_text())["state"] == "rejected"
