"""The persistent menu of a bot. https://developers.worksmobile.com/en/docs/bot-persistentmenu-create"""

from __future__ import annotations

from typing import Any

from simulators.chat.lineworks.content import address, properties, text
from simulators.chat.lineworks.wire import invalid

MAX_BUTTONS, MAX_LABEL, MAX_TEXT = 4, 1000, 300


def check_menu(body: dict[str, Any]) -> dict[str, Any]:
    """The content of a menu; a line end in a text is a blank on the button."""
    properties(body, "", {"content"})
    content = body["content"]
    if not isinstance(content, dict):
        raise invalid("content is required.")
    properties(content, "content.", {"actions"})
    actions = content["actions"]
    if not isinstance(actions, list) or not 1 <= len(actions) <= MAX_BUTTONS:
        raise invalid(f"content.actions must have 1 to {MAX_BUTTONS} items.")
    return {"actions": [_checked(action) for action in actions]}


def _checked(action: Any) -> dict[str, Any]:
    match action.get("type") if isinstance(action, dict) else None:
        case "message":
            properties(action, "action.", {"type", "label"}, {"text", "postback", "i18nLabels", "i18nTexts"})
            for name, most in {"text": MAX_TEXT, "postback": MAX_LABEL}.items():
                if name in action:
                    text(action, name, most)
        case "uri":
            properties(action, "action.", {"type", "label", "uri"}, {"i18nLabels"})
            address(action, "uri")
        case "copy":
            properties(action, "action.", {"type", "label", "copyText"}, {"i18nLabels"})
            text(action, "copyText", MAX_LABEL)
        case _:
            raise invalid("action.type is invalid.")
    text(action, "label", MAX_LABEL)
    return {name: value.replace("\n", " ") if isinstance(value, str) else value for name, value in action.items()}
