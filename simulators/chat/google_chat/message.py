"""What Google Chat takes for a message: known fields only, of their types, within its sizes."""

from __future__ import annotations

import re
from typing import Any

MAX_TEXT, MAX_BYTES = 4096, 32_000

# Type name → field → type: "str", "bool", "any", another type, or [type] for a list of it.
# Widgets that nobody here writes are taken as they are ("any").
TYPES: dict[str, dict[str, Any]] = {
    "Message": {
        "text": "str",
        "fallbackText": "str",
        "cardsV2": ["CardWithId"],
        "thread": "Thread",
        "accessoryWidgets": "any",
        "messageReplyOption": "str",
    },
    "Thread": {"name": "str", "threadKey": "str"},
    "CardWithId": {"cardId": "str", "card": "Card"},
    "Card": {
        "header": "Header",
        "sections": ["Section"],
        "sectionDividerStyle": "str",
        "name": "str",
        "cardActions": "any",
        "fixedFooter": "any",
        "displayStyle": "str",
    },
    "Header": {"title": "str", "subtitle": "str", "imageType": "str", "imageUrl": "str", "imageAltText": "str"},
    "Section": {
        "header": "str",
        "widgets": ["Widget"],
        "collapsible": "bool",
        "uncollapsibleWidgetsCount": "any",
        "collapseControl": "any",
    },
    "Widget": {
        "horizontalAlignment": "str",
        "textParagraph": "TextParagraph",
        "decoratedText": "DecoratedText",
        "buttonList": "ButtonList",
        "divider": "any",
        "image": "any",
        "grid": "any",
        "columns": "any",
        "chipList": "any",
    },
    "TextParagraph": {"text": "str", "maxLines": "any", "textSyntax": "str"},
    "DecoratedText": {
        "icon": "any",
        "startIcon": "any",
        "startIconVerticalAlignment": "str",
        "topLabel": "str",
        "text": "str",
        "contentText": "any",
        "wrapText": "bool",
        "bottomLabel": "str",
        "onClick": "OnClick",
        "button": "Button",
        "endIcon": "any",
    },
    "ButtonList": {"buttons": ["Button"]},
    "Button": {
        "text": "str",
        "icon": "any",
        "color": "any",
        "onClick": "OnClick",
        "disabled": "bool",
        "altText": "str",
        "type": "str",
    },
    "OnClick": {"openLink": "OpenLink", "action": "any"},
    "OpenLink": {"url": "str", "openAs": "str", "onClose": "str"},
}


class InvalidError(Exception):
    """Google's sentence for what is wrong."""


def check(given: Any, size: int, space: str) -> None:
    """Nothing, when the message of `size` bytes can be posted.

    Raises:
        InvalidError: it cannot.
    """
    if not isinstance(given, dict):
        raise InvalidError('Invalid JSON payload received. Unknown name "": Root element must be a message.')
    _fields(given, "Message", "message")
    text = given.get("text") or ""
    if not text.strip() and not (given.get("cardsV2") or given.get("cards_v2")):
        raise InvalidError(f"Message cannot be empty. Discarding empty create message request in {space}.")
    if len(text) > MAX_TEXT:
        raise InvalidError(f"Message text is longer than {MAX_TEXT} characters.")
    if size > MAX_BYTES:
        raise InvalidError(f"Message is larger than {MAX_BYTES} bytes.")


def _fields(value: dict[str, Any], kind: str, place: str) -> None:
    known = TYPES[kind]
    # Protocol buffers take the field's own name, with underscores, as well.
    names = {_snake(name): name for name in known} | {name: name for name in known}
    for name, child in value.items():
        if name not in names:
            known_as = f"Unknown name \"{name}\" at '{place}': Cannot find field."
            raise InvalidError(f"Invalid JSON payload received. {known_as}")
        _value(child, known[names[name]], f"{place}.{_snake(names[name])}")


def _value(value: Any, kind: Any, place: str) -> None:
    if value is None or kind == "any":
        return
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise InvalidError(f"Invalid value at '{place}' (list expected)")
        for number, one in enumerate(value):
            _value(one, kind[0], f"{place}[{number}]")
    elif kind in TYPES:
        if not isinstance(value, dict):
            raise InvalidError(f"Invalid value at '{place}' (message expected)")
        _fields(value, kind, place)
    elif not isinstance(value, {"str": str, "bool": bool}[kind]):
        raise InvalidError(
            f"Invalid value at '{place}' (TYPE_{'STRING' if kind == 'str' else 'BOOL'}), {value!r}"[:200]
        )


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
