"""A `Mapping` as JSON, for the compiled index and for a run's own record of its sheet."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from typing import Any, Literal

from renkei.links.smarthr_emc.sheet.mapping import (
    Action,
    Cell,
    Cells,
    Constant,
    Conversion,
    Convert,
    CustomField,
    DepartmentRules,
    FieldRule,
    Guards,
    LinkState,
    Loader,
    Mapping,
    RootDepartment,
    Secret,
    Source,
    SourceField,
    Term,
)
from renkei.notifications.channel import Channel, Service
from renkei.notifications.event import Event

_TERMS: dict[str, type[SourceField | CustomField | Constant | Secret]] = {
    "field": SourceField,
    "custom": CustomField,
    "constant": Constant,
    "secret": Secret,
}
_TAGS = {kind: tag for tag, kind in _TERMS.items()}


def mapping_to_json(mapping: Mapping) -> str:
    """One line of JSON; `mapping_from_json` gives an equal mapping back."""
    return json.dumps(to_plain(mapping), ensure_ascii=False, separators=(",", ":"))


def mapping_from_json(text: str | bytes) -> Mapping:
    """The mapping that `mapping_to_json` wrote.

    Raises:
        ValueError, KeyError, TypeError: the text is something else.
    """
    return from_plain(json.loads(text))


def to_plain(mapping: Mapping) -> dict[str, Any]:
    """The mapping as dicts, lists and texts."""
    root = mapping.root_department
    return {
        "tenant": mapping.tenant,
        "smarthr_url": mapping.smarthr_url,
        "result_addresses": list(mapping.result_addresses),
        "link_start_on": mapping.link_start_on.isoformat(),
        "departments": {"name": _source_to_plain(mapping.departments.name), "yomi": mapping.departments.yomi},
        "users": [_rule_to_plain(rule) for rule in mapping.users],
        "emc_account": mapping.emc_account,
        "id_prefix": mapping.id_prefix,
        "root_department": dataclasses.asdict(root) if root else None,
        "run_at": mapping.run_at.isoformat(),
        "state": mapping.state.value,
        "loader": mapping.loader.value,
        "requests_per_second": mapping.requests_per_second,
        "guards": dataclasses.asdict(mapping.guards),
        # Only where there are some: a sheet without any stays the text that it was (E14).
        **({"channels": channels_to_plain(mapping.channels)} if mapping.channels else {}),
    }


def from_plain(plain: dict[str, Any]) -> Mapping:
    """The mapping that `to_plain` was given."""
    root = plain["root_department"]
    return Mapping(
        tenant=plain["tenant"],
        smarthr_url=plain["smarthr_url"],
        result_addresses=tuple(plain["result_addresses"]),
        link_start_on=dt.date.fromisoformat(plain["link_start_on"]),
        departments=DepartmentRules(_source_from_plain(plain["departments"]["name"]), plain["departments"]["yomi"]),
        users=tuple(_rule_from_plain(rule) for rule in plain["users"]),
        emc_account=plain["emc_account"],
        id_prefix=plain["id_prefix"],
        root_department=RootDepartment(**root) if root else None,
        run_at=dt.time.fromisoformat(plain["run_at"]),
        state=LinkState(plain["state"]),
        loader=Loader(plain["loader"]),
        requests_per_second=plain["requests_per_second"],
        guards=Guards(**plain["guards"]),
        channels=channels_from_plain(plain.get("channels", ())),
    )


def channels_to_plain(channels: Iterable[Channel]) -> list[dict[str, Any]]:
    """The channels as lists and texts; `channels_from_plain` gives equal ones back."""
    return [
        {
            "name": channel.name,
            "service": channel.service.value,
            "connection": channel.connection,
            "to": channel.to,
            "muted": channel.muted,
            "events": [event.value for event in Event if event in channel.events],
        }
        for channel in channels
    ]


def channels_from_plain(plain: Iterable[dict[str, Any]]) -> tuple[Channel, ...]:
    """The channels that `channels_to_plain` was given."""
    return tuple(
        Channel(
            one["name"],
            Service(one["service"]),
            one["connection"],
            one["to"],
            one["muted"],
            frozenset(map(Event, one["events"])),
        )
        for one in plain
    )


def _rule_to_plain(rule: FieldRule) -> list[Any]:
    cells = (*_pair(rule.on_create), *_pair(rule.on_update))
    plain = [rule.item, rule.label, _source_to_plain(rule.source), *([c.action.value, c.default] for c in cells)]
    # Only where there are some: a sheet without any keeps the digest that its baseline has (E14).
    return plain + ([[[c.convert.value, c.form] for c in rule.conversions]] if rule.conversions else [])


def _rule_from_plain(plain: list[Any]) -> FieldRule:
    item, label, source, *cells = plain[:7]
    one, two, three, four = (Cell(Action(action), default) for action, default in cells)
    conversions = tuple(Conversion(Convert(convert), form) for found in plain[7:] for convert, form in found)
    return FieldRule(item, _source_from_plain(source), Cells(one, two), Cells(three, four), label, conversions)


def _pair(cells: Cells) -> tuple[Cell, Cell]:
    return cells.when_present, cells.when_blank


def _source_to_plain(source: Source) -> list[list[list[str]]]:
    return [[_term_to_plain(term) for term in terms] for terms in source.alternatives]


def _term_to_plain(term: Term) -> list[str]:
    return [_TAGS[type(term)], term.text if isinstance(term, Constant) else term.name]


def _source_from_plain(plain: list[list[list[str]]]) -> Source:
    return Source(tuple(tuple(_TERMS[tag](text) for tag, text in terms) for terms in plain))


def without_password(mapping: Mapping, instead: str = "") -> Mapping:
    """The mapping without any literal password, for what is shown, or kept longer than a run (L6, L7).

    A password's constants and defaults become `instead`; its SmartHR items and secret names stay.
    """

    def bare(source: Source) -> Source:
        return Source(
            tuple(
                tuple(Constant(instead) if isinstance(t, Constant) else t for t in terms)
                for terms in source.alternatives
            )
        )

    def blank(cells: Cells) -> Cells:
        return Cells(*(Cell(cell.action, instead if cell.default else "") for cell in _pair(cells)))

    users = tuple(
        dataclasses.replace(
            rule, source=bare(rule.source), on_create=blank(rule.on_create), on_update=blank(rule.on_update)
        )
        if rule.item == "password"
        else rule
        for rule in mapping.users
    )
    return dataclasses.replace(mapping, users=users)


def section_digest(mapping: Mapping, section: Literal["departments", "users"]) -> str:
    """SHA-256 (hex) of the rules that decide a data set's values: a changed sheet is a change (E14).

    Labels of search words, guards, addresses, times and 通知 decide no value and stay out.
    """
    plain = to_plain(without_password(mapping))  # a digest of a known sheet would give a short password away (L7)
    deciding: dict[str, Any] = {"id_prefix": plain["id_prefix"]}
    if section == "departments":
        deciding |= {"departments": plain["departments"], "root_department": plain["root_department"]}
    else:
        rules = [rule for rule in plain["users"] if rule[0] != "operation"]
        deciding["users"] = [[item, "", *rest] for item, _, *rest in rules]
    return hashlib.sha256(json.dumps(deciding, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
