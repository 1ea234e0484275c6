"""What Slack accepts as a message: text, blocks and attachments, with the limits of Block Kit."""

from __future__ import annotations

from typing import Any

from simulators.chat.wire import json_of

MAX_BLOCKS, MAX_ATTACHMENTS, MAX_TEXT = 50, 100, 40_000
MAX_ALL_BLOCKS = 13_200  # characters; undocumented, met in slackapi/bolt-js issue 2509


class RefusedError(Exception):
    """Slack's word for what is wrong."""


def message(given: Any) -> dict[str, Any]:
    """The payload with lists for blocks and attachments, checked; a text over MAX_TEXT is cut, as Slack does.

    Raises:
        RefusedError: invalid_payload, no_text, invalid_blocks, too_many_attachments, msg_blocks_too_long.
    """
    if not isinstance(given, dict):
        raise RefusedError("invalid_payload")
    found = dict(given)
    for name, word in (("blocks", "invalid_blocks_format"), ("attachments", "invalid_attachments")):
        found[name] = _list(found.get(name), word)
    text = found.get("text") or ""
    if not isinstance(text, str):
        raise RefusedError("invalid_payload")
    if len(found["attachments"]) > MAX_ATTACHMENTS:
        raise RefusedError("too_many_attachments")
    if not (text.strip() or found["blocks"] or found["attachments"]):
        raise RefusedError("no_text")
    _check(found["blocks"])
    for attachment in found["attachments"]:
        if not isinstance(attachment, dict):
            raise RefusedError("invalid_attachments")
        _check(_list(attachment.get("blocks"), "invalid_blocks_format"))
    found["text"] = text[:MAX_TEXT]
    return found


def _list(value: Any, word: str) -> list[Any]:
    """A list, also as the JSON text that a form carries."""
    if isinstance(value, str) and value:
        try:
            value = json_of(value.encode())
        except ValueError as error:
            raise RefusedError(word) from error
    if value in (None, ""):
        return []
    if not isinstance(value, list):
        raise RefusedError(word)
    return value


def _check(blocks: list[Any]) -> None:
    if len(blocks) > MAX_BLOCKS or not all(isinstance(block, dict) and _is_valid(block) for block in blocks):
        raise RefusedError("invalid_blocks")
    if sum(len(text) for block in blocks for text in _texts(block)) > MAX_ALL_BLOCKS:
        raise RefusedError("msg_blocks_too_long")


def _is_valid(block: dict[str, Any]) -> bool:
    match block.get("type"):
        case "header":
            return _is_text(block.get("text"), 150, {"plain_text"})
        case "section":
            fields = block.get("fields", [])
            good = isinstance(fields, list) and len(fields) <= 10 and all(_is_text(one, 2000) for one in fields)
            accessory = block.get("accessory")
            has_text = "text" in block
            return (
                good
                and (has_text or bool(fields))
                and (not has_text or _is_text(block["text"], 3000))
                and (accessory is None or _is_button(accessory))
            )
        case "context":
            elements = block.get("elements")
            return isinstance(elements, list) and 1 <= len(elements) <= 10 and all(_is_text(e, 3000) for e in elements)
        case "actions":
            elements = block.get("elements")
            return isinstance(elements, list) and 1 <= len(elements) <= 25 and all(_is_button(e) for e in elements)
        case "markdown":
            return isinstance(block.get("text"), str) and 0 < len(block["text"]) <= 12_000
        case "rich_text":
            return isinstance(block.get("elements"), list)
        case "image":
            return all(isinstance(block.get(name), str) and block[name] for name in ("image_url", "alt_text"))
        case "divider":
            return True
    return False


def _is_text(value: Any, most: int, kinds: frozenset[str] | set[str] = frozenset({"plain_text", "mrkdwn"})) -> bool:
    if not isinstance(value, dict) or value.get("type") not in kinds:
        return False
    allowed = {"type", "text", "emoji"} if value["type"] == "plain_text" else {"type", "text", "verbatim"}
    text = value.get("text")
    return set(value) <= allowed and isinstance(text, str) and 0 < len(text) <= most


def _is_button(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("type") != "button":
        return False
    url = value.get("url", "https://")
    good_url = isinstance(url, str) and len(url) <= 3000 and url.startswith(("http://", "https://", "slack://"))
    return good_url and _is_text(value.get("text"), 75, {"plain_text"})


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for key, child in value.items() if key != "text" or not own for text in _texts(child)]
    return [text for child in value for text in _texts(child)] if isinstance(value, list) else []
