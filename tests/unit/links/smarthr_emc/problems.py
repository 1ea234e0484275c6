"""What is wrong with small tables of people and departments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.validate import check_departments
from tests.builders import EMC_FORMAT, crew, departments, found, freeze, mapping, plan_day

PLAIN = mapping()


def kinds(sheet: Mapping, *people: dict[str, str], **more: Any) -> list[tuple[str, str, str]]:
    return plan_day(sheet, people, **more).problems()


def each(sheet: Mapping, column: str, values: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Of the values of a column that are wrong, the problems, (item, kind): a new person each, all in one plan."""
    people = {str(n): value for n, value in enumerate(values)}
    wrong: dict[str, list[tuple[str, str]]] = {}
    for user_id, item, kind in kinds(sheet, *(crew(f"c{n}", n, **{column: value}) for n, value in people.items())):
        wrong.setdefault(people[user_id], []).append((item, kind))
    return wrong


def tree(*rows: Any, sheet: Mapping = PLAIN) -> list[tuple[str, str, str]]:
    return found(check_departments(freeze(sheet, [], departments(*rows)).departments, EMC_FORMAT))
