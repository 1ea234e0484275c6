"""A `Message` as Google Chat takes it: a card, whose text is HTML and can be escaped; that of a text message cannot (N1)."""

from __future__ import annotations

import html
import json
from typing import Any

from renkei.systems.delivery import Message, clean, fit

MAX_TEXT = 4_000  # characters; developers.google.com/workspace/chat, limits of a message: 4,096
MAX_MESSAGE = 32_000  # bytes of JSON; the same page
MAX_TITLE = 200
MAX_LABEL = 75


def content(message: Message) -> bytes:
    """The body of the request, in ASCII. `fallbackText` is what a phone's notification shows."""
    title = fit(f"{message.tone.sign} {' '.join(clean(message.title).split())}", MAX_TITLE)
    text = clean("\n".join(message.shown_lines)).strip("\n")

    def whole(part: str) -> bytes:
        return json.dumps(_message(message, title, part), separators=(",", ":")).encode("ascii")

    text = fit(text, MAX_TEXT - MAX_TITLE, lambda part: len(_escape(part)))
    return whole(fit(text, MAX_MESSAGE, lambda part: len(whole(part))))


def _message(message: Message, title: str, text: str) -> dict[str, Any]:
    widgets: list[dict[str, Any]] = [{"textParagraph": {"text": f"<b>{_escape(title)}</b>"}}]
    if text.strip():
        widgets.append({"textParagraph": {"text": _escape(text)}})
    if message.web_link:
        label = fit(" ".join(clean(message.link_label).split()) or "開く", MAX_LABEL)
        button = {"text": label, "onClick": {"openLink": {"url": message.link}}}
        widgets.append({"buttonList": {"buttons": [button]}})
    return {
        "fallbackText": title,
        "cardsV2": [{"cardId": "renkei", "card": {"sections": [{"widgets": widgets}]}}],
    }


def _escape(text: str) -> str:
    return html.escape(text, quote=False).replace("\n", "<br>")
