"""What the flow's action takes for an Adaptive Card.

Stricter than Teams where the documents leave it open: an unknown element or a text that is none fails the whole card.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

VERSION = re.compile(r"1\.[0-5]")
SIZES = {"default", "small", "medium", "large", "extralarge"}
WEIGHTS = {"default", "lighter", "bolder"}
COLOURS = {"default", "dark", "light", "accent", "good", "warning", "attention"}
STYLES = {"default", "emphasis", "good", "attention", "warning", "accent"}


class CardError(Exception):
    """Where the card is wrong, in Japanese."""


def check(card: Any) -> None:
    """Nothing, when the card can be posted.

    Raises:
        CardError: it cannot.
    """
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        raise CardError("content.type が AdaptiveCard ではありません")
    version = card.get("version")
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        raise CardError(f"AdaptiveCard の version {version!r} は Teams では使えません (1.0 から 1.5)")
    if not isinstance(card.get("body", []), list) or not (card.get("body") or card.get("actions")):
        raise CardError("AdaptiveCard の body が空です")
    _elements(card.get("body", []), "body")
    _actions(card.get("actions", []), "actions")


def _elements(given: Any, place: str) -> None:
    if not isinstance(given, list):
        raise CardError(f"{place} がリストではありません")
    for number, element in enumerate(given):
        here = f"{place}[{number}]"
        kind = element.get("type") if isinstance(element, dict) else None
        if kind not in ELEMENTS:
            raise CardError(f"{here} の type {kind!r} を知りません")
        ELEMENTS[kind](element, here)


def _actions(given: Any, place: str) -> None:
    if not isinstance(given, list) or len(given) > 6:
        raise CardError(f"{place} は6個までのリストです")
    for number, action in enumerate(given):
        here = f"{place}[{number}]"
        if not isinstance(action, dict) or action.get("type") != "Action.OpenUrl":
            # Workflows answer no other kind: there is no bot behind the card.
            raise CardError(f"{here} は Action.OpenUrl ではありません")
        _text(action, "title", here)
        if not re.match(r"https?://", str(action.get("url", ""))):
            raise CardError(f"{here}.url が URL ではありません")


def _text(element: dict[str, Any], name: str, place: str) -> None:
    if not isinstance(element.get(name), str):
        raise CardError(f"{place}.{name} が文字列ではありません")


def _one_of(element: dict[str, Any], name: str, allowed: set[str], place: str) -> None:
    value = element.get(name, "default")
    if not isinstance(value, str) or value.lower() not in allowed:
        raise CardError(f"{place}.{name} の値 {value!r} を知りません")


def _text_block(element: dict[str, Any], place: str) -> None:
    _text(element, "text", place)
    _one_of(element, "size", SIZES, place)
    _one_of(element, "weight", WEIGHTS, place)
    _one_of(element, "color", COLOURS, place)


def _fact_set(element: dict[str, Any], place: str) -> None:
    facts = element.get("facts")
    if not isinstance(facts, list) or not all(isinstance(fact, dict) for fact in facts):
        raise CardError(f"{place}.facts がリストではありません")
    for number, fact in enumerate(facts):
        _text(fact, "title", f"{place}.facts[{number}]")
        _text(fact, "value", f"{place}.facts[{number}]")


def _container(element: dict[str, Any], place: str) -> None:
    _one_of(element, "style", STYLES, place)
    _elements(element.get("items"), f"{place}.items")


def _column_set(element: dict[str, Any], place: str) -> None:
    columns = element.get("columns")
    if not isinstance(columns, list) or not all(isinstance(column, dict) for column in columns):
        raise CardError(f"{place}.columns がリストではありません")
    for number, column in enumerate(columns):
        _elements(column.get("items", []), f"{place}.columns[{number}].items")


def _rich(element: dict[str, Any], place: str) -> None:
    inlines = element.get("inlines")
    if not isinstance(inlines, list):
        raise CardError(f"{place}.inlines がリストではありません")
    for number, run in enumerate(inlines):
        if not isinstance(run, str):
            _text(run if isinstance(run, dict) else {}, "text", f"{place}.inlines[{number}]")


ELEMENTS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "TextBlock": _text_block,
    "FactSet": _fact_set,
    "Container": _container,
    "ColumnSet": _column_set,
    "RichTextBlock": _rich,
    "Image": lambda element, place: _text(element, "url", place),
    "ActionSet": lambda element, place: _actions(element.get("actions"), f"{place}.actions"),
}
