"""A `Message` as a Teams workflow takes it: one Adaptive Card (N1)."""

from __future__ import annotations

import json
import re
from typing import Any

from renkei.systems.delivery import Message, Tone, clean, fit

MAX_CARD = 28_000  # bytes of JSON; learn.microsoft.com, "Format cards in Teams": about 28 KB. More fails after the 202
MAX_TITLE = 300
MAX_LABEL = 75
COLORS = {Tone.GOOD: "Good", Tone.BAD: "Attention", Tone.WAITING: "Warning", Tone.PLAIN: "Default"}

ZERO = "\u200b"  # nothing to be seen
_MARKS = str.maketrans("*`", "＊｀")
_BREAKS = (  # Markdown that is none with ZERO in it, or with a full-width sign in its place
    (re.compile(r"(?<![0-9A-Za-z_])_+|(?<!_)_++(?![0-9A-Za-z])"), lambda m: "＿" * len(m[0])),
    (re.compile(r"\](?=[(\[])|~(?=~)|<(?=\S)|&(?=#?\w+;)|\\(?=[!-/:-@\[-`{-~])|\{(?=\{)"), lambda m: m[0] + ZERO),
    (re.compile(r"^(?=\s*(?:[-+#>=|]|[0-9]+[.)]))"), lambda m: ZERO),
)


def content(message: Message) -> bytes:
    """The body of the request, in ASCII: whoever reads or rewrites it on the way finds no character to break."""
    title = " ".join(clean(message.title).split())
    text = clean("\n".join(message.shown_lines))

    def card(part: str) -> bytes:
        return json.dumps(_card(message, title, part), separators=(",", ":")).encode("ascii")

    rough = fit(text, MAX_CARD)  # a character is a byte at least
    return card(fit(rough, MAX_CARD, lambda part: len(card(part))))


def _card(message: Message, title: str, text: str) -> dict[str, Any]:
    title = plain(fit(f"{message.tone.sign} {title}", MAX_TITLE))
    body: list[dict[str, Any]] = [
        {"type": "TextBlock", "text": title, "wrap": True, "weight": "Bolder", "size": "Medium",
         "color": COLORS[message.tone]}
    ]  # fmt: skip
    # A block for each line: a line's end within a block is a space on some of Teams' clients.
    spacing = "Medium"
    for line in text.split("\n"):
        if not line.strip():
            spacing = "Medium"
            continue
        body.append({"type": "TextBlock", "text": plain(line), "wrap": True, "spacing": spacing})
        spacing = "Small"
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }
    if message.web_link:
        label = fit(" ".join(clean(message.link_label).split()) or "開く", MAX_LABEL)
        card["actions"] = [{"type": "Action.OpenUrl", "title": label, "url": message.link}]
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}


def plain(line: str) -> str:
    """A line that no client of Teams takes for Markdown, as its reader sees it.

    Not by backslashes: Teams on phones shows them (microsoft/AdaptiveCards issues 5590, 4677).
    """
    line = line.translate(_MARKS)
    for pattern, instead in _BREAKS:
        line = pattern.sub(instead, line)
    return line
