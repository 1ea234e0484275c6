"""What is right about any sheet, told from its result alone."""

from __future__ import annotations

import dataclasses
import enum
import unicodedata
from collections.abc import Iterator
from typing import Any

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.sheets.compiled import Compiled
from renkei.sheets.load import form_of
from tests.proof.fuzz.workbook import PASSWORD


def judge(compiled: Compiled[Mapping], name: str, secret: bool = True) -> str:
    """What is wrong with what became of a file, or nothing. `secret`: the password stood in its own cell."""
    if (compiled.mapping is None) != bool(compiled.problems):
        return "neither a mapping nor problems, or both"
    for problem in (*compiled.problems, *compiled.warnings):
        for text in (problem.where, problem.found, problem.remedy):
            if len(text) > 400 or any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
                return f"a problem that cannot be shown: {ascii(text)[:120]}"
        if wrong := judge_problem(problem, name, secret):
            return wrong
    form = form_of(SHEETS)
    if form.validate_json(form.dump_json(compiled)) != compiled:
        return "kept in a file, it is another"
    return judge_mapping(compiled.mapping) if compiled.mapping else ""


def judge_problem(problem: Problem, name: str, secret: bool) -> str:
    if not problem.where.startswith(name) or not problem.found or not problem.remedy:
        return f"a problem without a place, a finding or a remedy: {ascii(problem)[:200]}"
    if not any("ぁ" <= c <= "ん" for c in problem.found + problem.remedy):
        return f"a problem that is not in Japanese: {ascii(problem)[:200]}"
    if secret and PASSWORD in str(problem):
        return "the password in a problem"
    return ""


def judge_mapping(mapping: Mapping) -> str:
    """The rules of the sheet that can be told from its result alone."""
    url = mapping.smarthr_url
    if not url.startswith("https://") or not url.endswith((".smarthr.jp", ".daruma.space")):
        return f"SmartHR URL {ascii(url)[:100]}"
    addresses = mapping.result_addresses
    if not 1 <= len(addresses) <= 5 or any(a.count("@") != 1 or a.split() != [a] for a in addresses):
        return f"addresses {ascii(addresses)[:100]}"
    if len(mapping.id_prefix) > 20 or any(not "!" <= c <= "~" for c in mapping.id_prefix):
        return f"prefix {ascii(mapping.id_prefix)[:100]}"
    items = [rule.item for rule in mapping.users]
    if "user_id" not in items or len(items) != len(set(items)):
        return "no user id, or an item twice"
    if not mapping.departments.yomi.strip():
        return "a blank 部署名(ヨミ)"
    for text in _texts(mapping):
        if len(text) > 33_000 or any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
            return f"a text that EMC cannot take: {ascii(text)[:100]}"
    return ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        yield value
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            yield from _texts(getattr(value, each.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from _texts(each)
