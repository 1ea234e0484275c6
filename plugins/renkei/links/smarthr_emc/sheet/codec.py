"""A `Mapping` as JSON, and what is compared of it: the form that the records of runs have kept since version 0.4."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any, Literal

from renkei.adapters import adapter_of
from renkei.links.smarthr_emc.sheet.mapping import Cell, Cells, Constant, Mapping, Source


def mapping_to_json(mapping: Mapping) -> str:
    """One line of JSON; `mapping_from_json` gives an equal mapping back."""
    return adapter_of(Mapping).dump_json(mapping).decode()


def mapping_from_json(text: str | bytes) -> Mapping:
    """The mapping that `mapping_to_json` wrote.

    Raises:
        ValueError, KeyError, TypeError: the text is something else.
    """
    mapping: Mapping = adapter_of(Mapping).validate_json(text)
    # Records of version 0.4 have none.
    return mapping if mapping.company_name else dataclasses.replace(mapping, company_name=mapping.tenant)


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
        return Cells(*(Cell(c.action, instead if c.default else "") for c in (cells.when_present, cells.when_blank)))

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
    bare = without_password(mapping)  # a digest of a known sheet would give a short password away (L7)
    plain = adapter_of(Mapping).dump_python(bare, mode="json")
    deciding: dict[str, Any] = {"id_prefix": plain["id_prefix"]}
    if section == "departments":
        deciding |= {"departments": plain["departments"], "root_department": plain["root_department"]}
    else:
        rules = [rule for rule in plain["users"] if rule[0] != "operation"]
        deciding["users"] = [[item, "", *rest] for item, _, *rest in rules]
    return hashlib.sha256(json.dumps(deciding, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
