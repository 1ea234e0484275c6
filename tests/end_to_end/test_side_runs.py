"""事前確認 and 照合 begin by themselves, write nothing, and tell only what somebody has to see to (E43, E44)."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from renkei.clock import TOKYO, utcnow
from tests.end_to_end.airflow_world import AirflowWorld


def write_evening_sheet(world: AirflowWorld) -> None:
    """It is the company's evening now, whatever the clock says: the next daily run is twelve hours away."""
    now = utcnow().astimezone(TOKYO).replace(second=0, microsecond=0)
    world.write_sheet(check_at=now.time(), run_at=(now + dt.timedelta(hours=12)).time())


def last_result(world: AirflowWorld) -> Any:
    return json.loads((world.folder / "store/smarthr_emc/tenants/acme/last_result.json").read_bytes())


def test_e43_the_evening_tells_what_would_fail_or_be_held_and_nothing_else(world: AirflowWorld) -> None:
    """Before the first link and on a good evening nobody hears of it; no baseline moves."""
    write_evening_sheet(world)
    left_out = world.run(side_run="check")
    assert (left_out.state, left_out.tasks["fetch_users"], world.mails()) == ("success", "skipped", [])
    world.run()
    world.day(joiners=1)
    before, mails, result = world.state(), len(world.mails()), last_result(world)

    assert world.run(side_run="check").state == "success"
    assert len(world.mails()) == mails

    (nameless,) = world.day(blank_names=1)["blank_names"]
    assert world.run(side_run="check").state == "failed"
    mail = world.mails()[-1]
    assert mail["subject"].startswith("EMC-CHECK(NG) 事前確認（書き込みなし）: 次回（")
    assert "の処理は失敗する見込みです" in mail["subject"]
    assert f"/crews/{nameless}" in mail["body"]
    assert "までに直してください。直した内容で、次回の処理を行います。" in mail["body"]

    world.patch(nameless, last_name="山田", first_name="一郎")
    world.day(leavers=8)
    assert world.run(side_run="check").state == "success"  # it asks nobody: it would wait for an answer
    assert world.mails()[-1]["subject"].startswith("EMC-CHECK(HOLD)")
    assert len(world.mails()) == mails + 2
    assert (world.state(), last_result(world)) == (before, result)


def test_e44_a_comparison_by_itself_is_silent_unless_something_differs(world: AirflowWorld) -> None:
    """One task of work; found differences are told as those of a 照合 by hand are, the same ones once a week."""
    write_evening_sheet(world)
    world.run()
    before, mails, result = world.state(), len(world.mails()), last_result(world)

    well = world.run(side_run="reconcile")
    assert (well.state, well.tasks["fetch_departments"], well.tasks["notify"]) == ("success", "skipped", "success")
    assert (len(world.mails()), world.state(), last_result(world)) == (mails, before, result)

    (gone, *_) = sorted(world.users())
    world.by_hand("DELETE", "users", gone)
    assert world.run(side_run="reconcile").state == "success"
    mail = world.mails()[-1]
    assert (len(world.mails()), mail["subject"]) == (mails + 1, "EMC-NOTICE(Compare)")
    assert gone in mail["body"]
    path = world.folder / "store/smarthr_emc/tenants/acme/last_comparison.json"
    note = json.loads(path.read_bytes())
    assert (note["differences"]["missing"], last_result(world)) == (1, result)

    told = json.loads(path.read_bytes())["told"]
    for days, more in ((6, 0), (7, 1)):  # a week is the same from Monday to Monday; nobody reads a mail of every day
        since = dt.datetime.fromisoformat(told) - dt.timedelta(days=days)
        path.write_text(json.dumps(note | {"told": since.isoformat()}), encoding="utf-8")
        before = len(world.mails())
        assert world.run(side_run="reconcile").state == "success"
        assert len(world.mails()) == before + more
    path.write_text(json.dumps(note | {"told": None}), encoding="utf-8")  # the mail server was away: nobody heard
    before = len(world.mails())
    assert world.run(side_run="reconcile").state == "success"
    assert len(world.mails()) == before + 1
