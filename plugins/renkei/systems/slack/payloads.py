"""A `Message` as Slack takes it: blocks to be seen, and `text` for the notification of a phone (N1)."""

from __future__ import annotations

import re
from typing import Any

from renkei.systems.delivery import Message, clean, fit, utf16_units

MAX_HEADER = 150  # characters; docs.slack.dev, Block Kit, header block. Counted as an emoji of two, to be safe
MAX_SECTION = 3000  # Block Kit, text object
MAX_LABEL = 75
HEADERS = {"Content-Type": "application/json;charset=utf-8"}
WORD = re.compile(r"[a-z][a-z_]{1,59}")  # an error of Slack's; anything else might echo a secret


def payload(message: Message) -> dict[str, Any]:
    """The arguments of an incoming webhook, and with a channel those of chat.postMessage.

    Title and lines are `plain_text`, in which neither formatting nor a mention has a meaning; `text` and the link
    are mrkdwn, where a mention needs a `<` that `_escape` takes away. The link is text, not a button: Slack marks a
    button with ⚠ where the app answers no interaction.
    """
    title = fit(f"{message.tone.sign} {' '.join(clean(message.title).split())}", MAX_HEADER, utf16_units)
    text = fit(clean("\n".join(message.shown_lines)).strip("\n"), MAX_SECTION, utf16_units)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(title)}]
    if text.strip():
        blocks.append({"type": "section", "text": _plain(text)})
    if message.web_link:
        label = fit(" ".join(clean(message.link_label).split()) or "開く", MAX_LABEL)
        link = {"type": "mrkdwn", "text": f"<{_escape(message.link)}|{_escape(label)}>", "verbatim": True}
        blocks.append({"type": "section", "text": link})
    return {
        "text": _escape(fit(f"{title}\n{text}".strip(), MAX_SECTION, lambda part: utf16_units(_escape(part)))),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _plain(text: str) -> dict[str, Any]:
    """`emoji` false: ":roger:" stays what it is."""
    return {"type": "plain_text", "text": text, "emoji": False}


def _escape(text: str) -> str:
    """Docs, "Formatting text for app surfaces": these three, and only these."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
