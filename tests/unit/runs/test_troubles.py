"""What is told once, until it is over."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from renkei.runs.troubles import Troubles
from renkei.storage.database.database import Database, open_database

NINE = dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(f"sqlite:///{tmp_path}/renkei.db")


def test_k17_k20_p15_trouble_is_told_once_and_its_end_once(database: Database) -> None:
    troubles = Troubles(database, "link", "acme")
    assert troubles.untold({"LOAD"}, NINE) == {"LOAD"}
    troubles.note_told({"LOAD"}, NINE)
    assert troubles.untold({"LOAD"}, NINE + dt.timedelta(minutes=5)) == set()
    assert troubles.untold({"LOAD"}, NINE + dt.timedelta(days=1)) == {"LOAD"}  # it lasts
    assert troubles.over(set()) == {"LOAD"}
    troubles.note_told(set(), NINE)
    assert troubles.over(set()) == set()


def test_one_tenants_trouble_is_not_anothers_nor_another_links(database: Database) -> None:
    Troubles(database, "link", "acme").note_told({"LOAD"}, NINE)
    assert Troubles(database, "link", "other").untold({"LOAD"}, NINE) == {"LOAD"}
    assert Troubles(database, "other", "acme").untold({"LOAD"}, NINE) == {"LOAD"}
