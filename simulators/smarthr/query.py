"""Filters and sort orders of the list endpoints; a refused parameter raises `BadParameterError`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from .company import Company, Crew, Record
from .fields import CREW_FIELDS
from .render import Renderer

Test = Callable[[Crew], bool]

_STATUSES = ("employed", "absent", "retired")
_GENDERS = ("male", "female")


class BadParameterError(ValueError):
    """Answered with 400, code 1."""


def crew_ids(company: Company, renderer: Renderer, params: Mapping[str, str]) -> list[str]:
    """Ids of the crews that `params` select, in the order asked for (default: by id)."""
    tests = _crew_tests(company, renderer, params)
    crews = company.crews.values()
    found = [crew for crew in crews if all(test(crew) for test in tests)] if tests else list(crews)
    found.sort(key=lambda crew: str(crew["id"]))
    _sort(found, params.get("sort"), company, set(CREW_FIELDS))
    return [crew["id"] for crew in found]


def departments(company: Company, params: Mapping[str, str]) -> list[Record]:
    """Departments that `params` select, in tree order unless sorted."""
    found = company.department_order()
    if "code" in params:
        found = [department for department in found if department["code"] == params["code"]]
    _sort(found, params.get("sort"), company, {"id", "name", "code", "position", "created_at", "updated_at"})
    return found


def masters(company: Company, master: str, params: Mapping[str, str]) -> list[Record]:
    """A master list in its stored order unless sorted."""
    found = list(company.masters[master])
    _sort(found, params.get("sort"), company, set(found[0]) if found else set())
    return found


def fields(company: Company, params: Mapping[str, str]) -> list[str] | None:
    """Names of `fields=`, or None when all are wanted."""
    if not params.get("fields"):
        return None
    names = [name.strip() for name in params["fields"].split(",")]
    if company.switches.unknown_name == "reject" and not set(names) <= set(CREW_FIELDS):
        raise BadParameterError("fields")
    return names


def _csv(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}


def _day(params: Mapping[str, str], name: str, default: str) -> str:
    if name not in params:
        return default
    try:
        return date.fromisoformat(params[name]).isoformat()
    except ValueError as exc:
        raise BadParameterError(name) from exc


def _one_of(name: str, wanted: set[str]) -> Test:
    return lambda crew: crew.get(name) in wanted


def _in_a_slot(slots: str, wanted: set[str]) -> Test:
    return lambda crew: not wanted.isdisjoint(crew.get(slots) or ())


def _between(name: str, first: str, last: str) -> Test:
    return lambda crew: bool(crew.get(name)) and first <= crew[name] <= last


def _crew_tests(company: Company, renderer: Renderer, params: Mapping[str, str]) -> list[Test]:
    tests: list[Test] = []
    for name, allowed in (("emp_status", _STATUSES), ("gender", _GENDERS)):
        if name in params and params[name] not in allowed:
            raise BadParameterError(name)
    tests += [_one_of(name, {params[name]}) for name in ("emp_code", "emp_status", "gender") if name in params]
    tests += [_one_of(name, _csv(params[name])) for name in ("id", "user_id", "employment_type_id") if name in params]
    for name, slots in (("department_id", "department_ids"), ("position_id", "position_ids")):
        if name in params:
            tests.append(_in_a_slot(slots, _csv(params[name])))
    if "emp_type" in params:
        presets = {m["id"] for m in company.masters["employment_types"] if m["preset_type"] == params["emp_type"]}
        tests.append(_one_of("employment_type_id", presets))
    for name in ("entered_at", "resigned_at"):
        if f"{name}_from" in params or f"{name}_to" in params:
            tests.append(_between(name, _day(params, f"{name}_from", "0"), _day(params, f"{name}_to", "9")))
    if params.get("q"):
        tests.append(_free_word(company, renderer, params["q"]))
    return tests


def _free_word(company: Company, renderer: Renderer, word: str) -> Test:
    titles = {m["id"] for m in company.masters["job_titles"] if word in m["name"]}
    units = {d for d in company.departments if word in renderer.full_name(d)}

    def matches(crew: Crew) -> bool:
        legal = f"{crew.get('last_name') or ''}{crew.get('first_name') or ''}"
        business = f"{crew.get('business_last_name') or ''}{crew.get('business_first_name') or ''}"
        return (
            word in legal
            or word in business
            or not titles.isdisjoint(crew.get("position_ids") or ())
            or not units.isdisjoint(crew.get("department_ids") or ())
        )

    return matches


def _sort(records: list[dict[str, Any]], order: str | None, company: Company, sortable: set[str]) -> None:
    for part in reversed((order or "").split(",")):
        name, descending = part.strip().removeprefix("-"), part.strip().startswith("-")
        if name in sortable:
            records.sort(
                key=lambda record: (
                    (record.get(name) is None) is not descending,
                    "" if record.get(name) is None else record[name],
                ),
                reverse=descending,
            )
        elif name and company.switches.unknown_name == "reject":
            raise BadParameterError("sort")
