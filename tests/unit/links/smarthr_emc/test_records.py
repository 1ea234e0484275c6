"""What is kept of a run: the form in which older versions wrote it is read."""

import json
from typing import Any

import pytest

from renkei.links.smarthr_emc import records
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.records import FetchedDepartments, Plan, PlanWarnings, RunSheet, RunStart, ValueWarnings
from renkei.links.smarthr_emc.sheet.codec import mapping_to_json
from renkei.storage.records import from_plain, to_plain
from tests.builders import mapping

OLD: list[tuple[Any, dict[str, Any], Any]] = [
    (
        RunStart,
        {
            "run_id": "r",
            "mode": "RELINK",
            "manual": True,
            "started_at": "2026-04-01T04:30:00+09:00",
            "sheet_digest": "d",
        },
        RunStart("r", Mode.RELINK, True, "2026-04-01T04:30:00+09:00", "d"),
    ),
    (
        FetchedDepartments,
        {"read_id": "r", "masters": {"departments": {}}},
        FetchedDepartments("r", {"departments": {}}),
    ),
    (
        PlanWarnings,
        {"people": [["no_id", "", "c1"]], "id_changes": [["c2", "1", "2"]], "prefixes": ["b"], "hygiene": {}},
        PlanWarnings([("no_id", "", "c1")], ["b"], [("c2", "1", "2")]),
    ),
    (
        Plan,
        {"digest": "d", "generation": 1, "departments": False, "users": True, "users_after": 2, "departments_after": 3},
        Plan("d", 1, False, True, 2, 3, ""),
    ),
]


@pytest.mark.parametrize(("model", "kept", "found"), OLD, ids=lambda value: getattr(value, "__name__", ""))
def test_what_an_older_version_kept_is_read(model: Any, kept: dict[str, Any], found: Any) -> None:
    """A field that it did not write has the value that it meant."""
    assert from_plain(model, kept) == found


def test_the_sheet_is_kept_as_one_text() -> None:
    """As every version has written it."""
    assert to_plain(RunSheet(mapping())) == {"mapping": mapping_to_json(mapping())}
    assert from_plain(RunSheet, {"mapping": mapping_to_json(mapping())}).mapping == mapping()


@pytest.mark.parametrize(
    ("part", "broken"), [("users", [None]), ("departments", {"name": None}), ("users", [["a", "", [[["new", "x"]]]]])]
)
def test_n3_a_sheet_of_another_version_is_damaged_and_nothing_else(part: str, broken: Any) -> None:
    """N3: whoever tells of a run knows this one kind of error."""
    plain = json.loads(mapping_to_json(mapping()))
    with pytest.raises(ValueError, match="RunSheet is damaged"):
        from_plain(RunSheet, {"mapping": json.dumps(plain | {part: broken})})


def test_every_file_has_a_name_of_its_own() -> None:
    """Two classes of one name would write over each other."""
    names = [one.FILE for one in vars(records).values() if hasattr(one, "FILE")]
    assert len(names) == len(set(names)) > 10


def test_warnings_of_values_are_those_of_the_mail() -> None:
    """Counts by kind, and the people who are shown."""
    kept = {"hygiene": {"counts": {"variant": 1}, "shown": [["variant", "1", "c1", "氏名"]]}}
    assert from_plain(PlanWarnings, kept).hygiene == ValueWarnings({"variant": 1}, [("variant", "1", "c1", "氏名")])
