"""Company state to response JSON.

Crews are written field by field as text: departments, titles and templates are encoded once and shared, so a page of
a hundred costs a few milliseconds however large the company is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Any

from .company import Company, Crew, Record
from .fields import CREW_FIELDS

SLOTS = 10
_JAPAN_TIME = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+09:00)"')
_KEYS = {name: f'"{name}":' for name in CREW_FIELDS}
PLACE, PLACE_ID = "biz_establishment", "biz_establishment_id"
# The records that SmartHR writes in place of their ids, where it is asked to: name, and the list that has them.
REFERENCES = {
    "company": "companies",
    "group": "crew_custom_field_template_groups",
    "crew": "crews",
    "owner": "crews",
    "soc_ins_owner": "crews",
    "lab_ins_owner": "crews",
}

dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(value: Any) -> str:
    """JSON text of any value; the common cases first."""
    if value is None:
        return "null"
    return str(encode_basestring(value)) if type(value) is str else dumps(value)


class Renderer:
    """Writes one company's records; fragments of masters are kept until the departments change."""

    def __init__(self, company: Company) -> None:
        self.company = company
        masters = company.masters
        self._emp_type_text = {m["id"]: encode(m["preset_type"]) for m in masters["employment_types"]}
        self._employment_text = self._fragments("employment_types", ("id", "name", "preset_type", "code"))
        self._titles = {m["id"]: m for m in masters["job_titles"]}
        self._title_text = self._fragments("job_titles", ("id", "name", "rank", "code", "created_at"))
        self._grade_text = self._fragments("grades")
        self._category_text = self._fragments("job_categories")
        self._recruitment_text = self._fragments("recruitment_types")
        self._template_text = self._fragments("crew_custom_field_templates")
        self._places = self._fragments("biz_establishments")
        self._department_version = -1
        self._children: dict[str | None, list[Record]] = {}
        self._department_text: dict[tuple[str, bool], str] = {}
        self._full_names: dict[str, str] = {}
        self._special: dict[str, Callable[[Crew], str]] = {
            "emp_type": lambda crew: self._emp_type_text.get(crew.get("employment_type_id"), "null"),
            "employment_type": lambda crew: self._employment_text.get(crew.get("employment_type_id"), "null"),
            "grade": lambda crew: self._grade_text.get(crew.get("grade_id"), "null"),
            "job_category": lambda crew: self._category_text.get(crew.get("job_category_id"), "null"),
            "recruitment_type": lambda crew: self._recruitment_text.get(crew.get("recruitment_type_id"), "null"),
            "position": lambda crew: encode(self._first_title(crew)),
            "positions": lambda crew: self._slots([self._title_text.get(p) for p in crew.get("position_ids") or ()]),
            "department": lambda crew: encode(self.department_path(crew)),
            "departments": lambda crew: self._slots(
                [self._department(d) if d else None for d in crew.get("department_ids") or ()]
            ),
            "custom_fields": self._custom_fields,
            PLACE: lambda crew: self._places.get(crew.get(PLACE_ID), "null"),
        }
        for part in ("last_name", "first_name", "last_name_yomi", "first_name_yomi"):
            self._special[f"preferred_{part}"] = _preferred(part)

    def crew(self, crew: Crew, fields: Iterable[str] | None = None, *, true_state: bool = False) -> str:
        """One crew, whole or only the named fields (`id` always).

        What the token may not see is left out, unless the true state is asked for. Of an establishment's id and the
        establishment itself there is one.
        """
        switches = self.company.switches
        hidden = () if true_state else switches.hidden_fields
        other = PLACE_ID if PLACE in crew or (PLACE in switches.expanded and not true_state) else PLACE
        names: Iterable[str] = CREW_FIELDS
        if fields is not None:
            wanted = {*fields, "id"}
            names = [name for name in CREW_FIELDS if name in wanted]
        parts = []
        for name in names:
            if name == other:
                continue
            if name in hidden:
                if switches.hidden_as == "null":
                    parts.append(_KEYS[name] + "null")
                continue
            special = self._special.get(name) if name not in crew else None
            parts.append(_KEYS[name] + (special(crew) if special else encode(crew.get(name))))
        return self._zone("{" + ",".join(parts) + "}")

    def department(self, department: Record) -> str:
        """One department as in the list: parent chain upwards, immediate children below."""
        return self._zone(self._department(department["id"]))

    def record(self, record: Record, embed: Iterable[str] = ()) -> str:
        """A master record as it is stored, with the named records in place of their ids."""
        return self._zone(dumps(self._with({*embed, *self.company.switches.expanded}, record)))

    def _with(self, names: Iterable[str], record: Record) -> Record:
        """The record, where `owner_id` has become `owner` if that is among the names; nothing within it becomes so."""
        whole = {f"{name}_id": name for name in names if name in REFERENCES}
        return {
            whole.get(key, key): self._referred(whole[key], value) if key in whole else value
            for key, value in record.items()
        }

    def _referred(self, name: str, record_id: str | None) -> Any:
        if REFERENCES[name] == "crews":
            return json.loads(self.crew(self.company.crews[record_id])) if record_id in self.company.crews else None
        return next((one for one in self.company.masters[REFERENCES[name]] if one["id"] == record_id), None)

    def department_path(self, crew: Crew) -> str | None:
        """The deprecated `department`: full name of the first department."""
        ids = crew.get("department_ids") or [None]
        return self.full_name(ids[0]) if ids[0] else None

    def full_name(self, department_id: str) -> str:
        """Names from the first level down, joined with a slash."""
        self._refresh()
        if department_id not in self._full_names:
            names = [self.company.departments[d]["name"] for d in self.company.ancestry(department_id)]
            self._full_names[department_id] = "/".join(reversed(names))
        return self._full_names[department_id]

    def _refresh(self) -> None:
        if self._department_version != self.company.department_version:
            self._department_version = self.company.department_version
            self._children = self.company.children()
            self._department_text.clear()
            self._full_names.clear()

    def _department(self, department_id: str) -> str:
        self._refresh()
        key = (department_id, "company" in self.company.switches.expanded)
        if key not in self._department_text:
            department = self.company.departments[department_id]
            children = [
                {key: child[key] for key in ("id", "name", "position", "code", "created_at", "updated_at")}
                for child in self._children.get(department_id, [])
            ]
            self._department_text[key] = dumps(
                self._with(self.company.switches.expanded, self._nested(department))
                | {
                    "children": children,
                    "created_at": department["created_at"],
                    "updated_at": department["updated_at"],
                }
            )
        return self._department_text[key]

    def _nested(self, department: Record) -> Record:
        parent_id = department["parent_id"]
        return {
            "id": department["id"],
            "name": department["name"],
            "full_name": self.full_name(department["id"]),
            "position": department["position"],
            "code": department["code"],
            "parent": self._nested(self.company.departments[parent_id]) if parent_id else None,
            "company_id": self.company.masters["companies"][0]["id"],
        }

    def _slots(self, texts: list[str | None]) -> str:
        switches = self.company.switches
        while texts and texts[-1] is None:
            texts.pop()
        if not texts and switches.no_slots == "null":
            return "null"
        if switches.slots == "padded":
            texts += [None] * (SLOTS - len(texts))
        return "[" + ",".join(text or "null" for text in texts) + "]"

    def _first_title(self, crew: Crew) -> str | None:
        ids = crew.get("position_ids") or [None]
        title = self._titles.get(ids[0])
        return title["name"] if title else None

    def _custom_fields(self, crew: Crew) -> str:
        values = crew.get("custom_values") or {}
        return (
            "["
            + ",".join(
                f'{{"value":{encode(values.get(template_id))},"template":{text}}}'
                for template_id, text in self._template_text.items()
            )
            + "]"
        )

    def _fragments(self, master: str, keys: tuple[str, ...] | None = None) -> dict[Any, str]:
        return {m["id"]: dumps({key: m[key] for key in keys} if keys else m) for m in self.company.masters[master]}

    def _zone(self, text: str) -> str:
        if self.company.switches.timestamps == "+09:00":
            return text
        return _JAPAN_TIME.sub(_universal, text)


def _preferred(part: str) -> Callable[[Crew], str]:
    return lambda crew: encode(crew.get(f"business_{part}") or crew.get(part))


def _universal(match: re.Match[str]) -> str:
    moment = datetime.fromisoformat(match[1]).astimezone(UTC)
    return f'"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"'
