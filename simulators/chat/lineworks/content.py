"""The content of a LINE WORKS message: what is taken, and how it looks."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup, escape

from simulators.chat.lineworks.wire import invalid
from simulators.chat.look import box, link, linked

MAX_TEXT = 2000
MAX_LABEL, MAX_CONTENT = 20, 1000  # of templates; as remembered, the stored pages do not show them
MENTION = re.compile(r'<m userId="([^"]*)">(?:</m>)?')


def check_message(body: dict[str, Any]) -> dict[str, Any]:
    """The content of a message; the parts of a flex message are not looked at."""
    properties(body, "", {"content"})
    content = body["content"]
    match content.get("type") if isinstance(content, dict) else None:
        case "text":
            properties(content, "content.", {"type", "text"}, {"quickReply", "i18nTexts"})
            text(content, "text", MAX_TEXT)
        case "link":
            properties(content, "content.", {"type", "contentText", "linkText", "link"})
            text(content, "contentText", MAX_CONTENT)
            text(content, "linkText", MAX_CONTENT)
            address(content, "link")
        case "button_template":
            properties(content, "content.", {"type", "contentText", "actions"}, {"i18nContentTexts"})
            text(content, "contentText", MAX_CONTENT)
            actions = content["actions"]
            if not isinstance(actions, list) or not 1 <= len(actions) <= 10:
                raise invalid("content.actions must have 1 to 10 items.")
            for action in actions:
                check_action(action)
        case "flex":
            properties(content, "content.", {"type", "altText", "contents"}, {"quickReply"})
            text(content, "altText", 400)
            contents = content["contents"]
            if not isinstance(contents, dict) or contents.get("type") not in ("bubble", "carousel"):
                raise invalid("content.contents must be a bubble or a carousel.")
        case _:
            raise invalid("content.type is invalid.")
    return dict(content)


def check_action(action: Any) -> None:
    match action.get("type") if isinstance(action, dict) else None:
        case "uri":
            properties(action, "action.", {"type", "label", "uri"}, {"i18nLabels"})
            address(action, "uri")
        case "message":
            properties(action, "action.", {"type", "label"}, {"text", "postback", "i18nLabels", "i18nTexts"})
        case _:
            raise invalid("action.type is invalid.")
    text(action, "label", MAX_LABEL)


def properties(
    given: dict[str, Any], place: str, needed: set[str], allowed: frozenset[str] | set[str] = frozenset()
) -> None:
    for name in sorted(needed - set(given)):
        raise invalid(f"{place}{name} is required.")
    for name in sorted(set(given) - needed - allowed):
        raise invalid(f"{place}{name} is an unknown property.")


def text(given: dict[str, Any], name: str, most: int) -> None:
    value = given[name]
    if not isinstance(value, str) or not value.strip():
        raise invalid(f"{name} is required.")
    if len(value.encode("utf-16-le")) // 2 > most:
        raise invalid(f"{name} exceeds the maximum length of {most}.")


def address(given: dict[str, Any], name: str) -> None:
    text(given, name, MAX_CONTENT)
    if not re.match(r"https?://[^\s/]", given[name]):
        raise invalid(f"{name} is not a URL.")


def text_of(content: dict[str, Any]) -> str:
    return str(content.get("text") or content.get("contentText") or content.get("altText"))


def html_of(content: dict[str, Any]) -> Markup:
    """The message as a bubble. A mention comes out as `.mention`: it would call that person."""
    parts = MENTION.split(text_of(content))
    shown = [box("mention", f"@{part}", tag="span") if place % 2 else linked(part) for place, part in enumerate(parts)]
    buttons = [link(content["link"], escape(content["linkText"]), "button")] if content["type"] == "link" else []
    for action in content.get("actions", []):
        label = escape(action["label"])
        buttons.append(link(action["uri"], label, "button") if "uri" in action else box("button", label, tag="span"))
    return box("bubble", *shown, *([box("actions", *buttons)] if buttons else []))
