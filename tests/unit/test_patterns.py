"""No pattern of ours takes time by the square of a text: whoever fills in a sheet, or answers a call, may make it long."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator

import renkei

LONG = 10_000  # by the square: a second and more; as it should be: less than a millisecond
TEXTS = {
    "blanks": " " * LONG + "x",
    "blanks-between": "2026-04-01" + "\u3000" * LONG + "x",
    "letters": "a" * LONG,
    "capitals": "A" * LONG + "!",
    "words": "aA" * (LONG // 2) + "!",
    "digits": "1" * LONG + "x",
    "digits-dashes": "1-" * (LONG // 2) + "x",
    "underscores": "a" + "_" * LONG + "a",
    "dots": "a." * (LONG // 2),
    "brackets": "(" * LONG,
    "quotes": "「" * LONG,
    "at": "a@" * (LONG // 2),
    "slashes": "https://" * (LONG // 8),
    "backslashes": "\\" * LONG,
    "lines": "\n" * LONG + "x",
    "kana": "ア" * LONG + "x",
    "angles": "<" * LONG,
    "percent": "%" * LONG,
}


ELSEWHERE = ("renkei.commands", "renkei.orchestration")  # they read no text but through the others, and bring Airflow
FROM_THE_START = (
    "expression._SECRET",
    "linking._STATE",
    "emc.client.KEY",
    "delivery.CODE",
    "checks._COMMAND",
)  # never looked for inside


def _patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in pkgutil.walk_packages(renkei.__path__, "renkei."):
        if module.name.startswith(ELSEWHERE):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for found in _inside(value):
                yield f"{module.name}.{name}", found


def _inside(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _inside(each)


def test_l5_a_long_text_is_searched_in_a_moment() -> None:
    """L5: every pattern of every module, whether it is matched at the start or looked for anywhere."""
    slow = []
    for pattern, name in {found: name for name, found in _patterns()}.items():
        for kind, text in TEXTS.items():
            began = time.process_time()
            pattern.fullmatch(text)
            if not name.endswith(FROM_THE_START):
                pattern.sub("", text)
            if time.process_time() - began > 0.3:
                slow.append((name, kind))
    assert slow == []
