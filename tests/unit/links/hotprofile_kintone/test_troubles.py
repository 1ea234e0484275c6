"""What is told once, until it is over."""

from __future__ import annotations

import datetime as dt

from renkei.links.hotprofile_kintone import history, troubles
from tests.harness.hotprofile_kintone import LinkWorld


def test_k18_a_failed_record_is_told_once_until_it_fails_of_something_else(world: LinkWorld) -> None:
    world.hotprofile.put(1, "名前が十文字より長い会社")
    world.wait(minutes=5)
    world.run()
    assert troubles.count_untold_records(world.database, "acme") == 1
    troubles.note_records_told(world.database, "acme", world.clock)
    world.wait(minutes=5)
    world.run()
    assert troubles.count_untold_records(world.database, "acme") == 0
    world.kintone.refuses = {"1"}
    world.hotprofile.put(1, "短い")
    world.wait(minutes=5)
    world.run()
    assert troubles.count_untold_records(world.database, "acme") == 1


def test_old_lines_go_and_quiet_ones_sooner(world: LinkWorld) -> None:
    """A link that runs every five minutes makes a hundred thousand lines a year, nearly all of them empty."""
    world.hotprofile.put(1)
    world.wait(minutes=5)
    world.run()
    world.wait(hours=1)
    world.run()
    assert len(history.processed(world.database, "acme")) == 3
    history.tidy(world.database, world.clock + dt.timedelta(days=8), dt.timedelta(days=400))
    (kept,) = history.processed(world.database, "acme")
    assert kept.added == 1
    history.tidy(world.database, world.clock + dt.timedelta(days=401), dt.timedelta(days=400))
    assert history.processed(world.database, "acme") == []
