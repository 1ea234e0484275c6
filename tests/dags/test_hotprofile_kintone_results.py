"""What is told of a run of Hot Profile → kintone that began by itself: news once, and of a quiet run nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from renkei.channel import Event
from renkei.errors import RenkeiError
from renkei.links.hotprofile_kintone.stages.finish import finish
from renkei.orchestration.hotprofile_kintone.results import report
from renkei.orchestration.link import LINKS
from renkei.orchestration.report import Report, RunEnd
from renkei.orchestration.tenant import Tenant
from renkei.runs.outcome import Outcome, outcome_of
from renkei.sheets.compiled import Compiled
from renkei.systems.kintone.errors import KintoneAwayError
from tests.harness.hotprofile_kintone import LinkWorld


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LinkWorld:
    monkeypatch.setenv("RENKEI_DATABASE", f"sqlite:///{tmp_path}/renkei.db")
    world = LinkWorld(tmp_path)
    monkeypatch.setattr("renkei.orchestration.hotprofile_kintone.results.utcnow", lambda: world.clock)
    world.start()
    return world


def run(world: LinkWorld, *, by_hand: bool = False, heard: bool = True) -> Report:
    """A run and what is told of it; somebody hears it."""
    world.wait(minutes=5)
    job, outcome, message = world.job(), Outcome.OK, ""
    for step in world.steps(job):
        step()
    try:
        finish(job, world.now)
    except RenkeiError as error:
        outcome, message = outcome_of(error), str(error)
    tenant = Tenant(LINKS["hotprofile_kintone"], "acme", Compiled("acme", "", world.mapping), "acme.yaml", "")
    run_id = "manual__x" if by_hand else "scheduled__x"
    told = report(RunEnd(tenant, job.record, outcome, message, world.clock, world.clock, run_id=run_id))
    if heard and not told.quiet:
        told.heard()
    return told


def test_k20_of_a_quiet_run_nobody_is_told_but_who_started_it(world: LinkWorld) -> None:
    assert run(world).quiet
    told = run(world, by_hand=True)
    assert (told.quiet, told.event) == (False, Event.SUCCESS)


def test_k20_a_run_that_wrote_what_it_should_is_quiet(world: LinkWorld) -> None:
    """Nobody wants 288 mails a day that say that all is well."""
    world.hotprofile.put(1)
    assert run(world).quiet
    assert world.kintone.by_key() == {"1": "会社1"}


def test_k18_a_failed_record_is_told_once_with_its_remedy_and_without_its_value(world: LinkWorld) -> None:
    world.hotprofile.put(7, "名前が十文字より長い会社")
    told = run(world)
    assert (told.quiet, told.event) == (False, Event.FAILURE)
    assert told.message.subject.startswith("KINTONE-WARN(失敗レコードあり)")
    text = "\n".join(told.message.lines)
    assert "会社 ID 7 フィールド「name」" in text
    assert "最大文字数を広げてください" in text
    assert "十文字より" not in text
    assert run(world).quiet


def test_k18_what_nobody_heard_is_told_again(world: LinkWorld) -> None:
    world.hotprofile.put(7, "名前が十文字より長い会社")
    run(world, heard=False)
    assert not run(world).quiet


def test_k17_an_outage_is_told_once_and_once_when_it_is_over(world: LinkWorld) -> None:
    def away() -> None:
        raise KintoneAwayError("kintoneに接続できません", unknown=False)

    world.hotprofile.put(1)
    world.kintone.before = away
    first = run(world)
    assert (first.quiet, first.event) == (False, Event.FAILURE)
    assert "\n".join(first.message.lines).count("kintoneに接続できません") == 1
    assert run(world).quiet
    world.kintone.before = lambda: None
    over = run(world)
    assert (over.quiet, over.event) == (False, Event.SUCCESS)
    assert over.message.subject.startswith("KINTONE-OK(復旧)")
    assert run(world).quiet


def test_k15_a_spent_quota_is_told_once_a_day(world: LinkWorld) -> None:
    world.hotprofile.put(1)
    world.quota = 2
    told = run(world)
    assert told.message.subject.startswith("KINTONE-QUOTA(APIリクエスト数の上限)")
    assert "保留 1件" in "\n".join(told.message.lines)
    assert run(world).quiet


def test_k15_four_fifths_of_the_quota_are_told_once(world: LinkWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    used: Callable[..., int] = lambda quota, now: 4_100  # noqa: E731
    monkeypatch.setattr("renkei.links.hotprofile_kintone.quota.Quota.used", used)
    told = run(world)
    assert told.message.subject.startswith("KINTONE-QUOTA(APIリクエスト数が上限の80%)")
    assert "4,100 / 5,000。上限に達すると、残りは保留し、翌日0:00以降に自動で再開します。" in "\n".join(
        told.message.lines
    )
    assert run(world).quiet


def test_k8_a_setting_to_mend_is_told_once_and_another_one_anew(world: LinkWorld) -> None:
    form = world.kintone.form_
    world.kintone.form_ = type(form)(form.app, "4", {"id": form.fields["id"], "note": form.fields["note"]})
    first = run(world)
    assert first.message.subject.startswith("KINTONE-ERROR-S")
    assert run(world).quiet
    world.kintone.form_ = type(form)(form.app, "5", {"id": form.fields["id"]})
    assert not run(world).quiet


def test_the_counts_of_a_run_are_told(world: LinkWorld) -> None:
    for number in range(3):
        world.hotprofile.put(number + 1)
    text = "\n".join(run(world, by_hand=True).message.lines)
    assert "会社: 受信 3件、追加 3件、更新 0件、変化なし 0件、失敗 0件、保留 0件（APIリクエスト 2回）完了" in text
