"""A Google Chat message as HTML: its text formatting, and cards."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from markupsafe import Markup, escape

from simulators.chat.look import URL, Rendered, box, lines, link, marked


def show(message: dict[str, Any]) -> Markup:
    text = message.get("text") or ""
    parts = [box("text", formatted(text))] if text.strip() else []
    for one in message.get("cardsV2") or message.get("cards_v2") or []:
        parts.append(_card(one.get("card") or {}))
    return Markup("").join(parts)


def formatted(text: str) -> Markup:
    """The signs of a text message; `<users/…>` comes out as `.mention`: it would call people."""
    rendered = Rendered()
    held = rendered.fresh(text)
    held = re.sub(r"```\n?(.+?)\n?```", lambda f: rendered.hold(box("code", escape(f[1]), tag="pre")), held, flags=re.S)
    held = re.sub(r"`([^`\n]+)`", lambda f: rendered.hold(box("code", escape(f[1]), tag="code")), held)
    held = re.sub(r"<users/([^<>\s]+)>", lambda f: rendered.hold(box("mention", f"@{f[1]}", tag="span")), held)
    held = re.sub(r"<(https?://[^<>|\s]+)\|([^<>\n]+)>", lambda f: rendered.hold(link(f[1], f[2])), held)
    held = URL.sub(lambda found: rendered.hold(link(found[0], found[0])), held)
    held = re.sub(r"^[*-] +(.*)$", r"• \1", held, flags=re.M)
    return rendered.back(marked(str(escape(held)), (("*", "b"), ("_", "i"), ("~", "s"))))


def _card(card: dict[str, Any]) -> Markup:
    header = card.get("header") or {}
    parts = []
    if header:
        parts.append(box("title", str(header.get("title", "")), tag="h4"))
        if header.get("subtitle"):
            parts.append(box("context", str(header["subtitle"])))
    for section in card.get("sections") or []:
        inside = [box("label", simple_html(str(section["header"])))] if section.get("header") else []
        inside += [_widget(widget) for widget in section.get("widgets") or []]
        parts.append(box("section", *inside))
    return box("card", *parts)


def _widget(widget: dict[str, Any]) -> Markup:
    if paragraph := widget.get("textParagraph"):
        return box("text", simple_html(str(paragraph.get("text", ""))))
    if decorated := widget.get("decoratedText"):
        parts = [
            box(kind, simple_html(str(decorated[name])))
            for name, kind in (("topLabel", "label"), ("text", "text"), ("bottomLabel", "label"))
            if decorated.get(name)
        ]
        return box("field", *parts, _button(decorated["button"]) if decorated.get("button") else "")
    if buttons := widget.get("buttonList"):
        return box("actions", *(_button(button) for button in buttons.get("buttons") or []))
    return Markup('<hr class="divider">') if "divider" in widget else box("context", "（ウィジェット）")


def _button(button: dict[str, Any]) -> Markup:
    label = str(button.get("text") or button.get("altText") or "")
    return link(str(((button.get("onClick") or {}).get("openLink") or {}).get("url", "")), label, "button")


def simple_html(text: str) -> Markup:
    """The few tags that the text of a card may have; others are dropped, as Google does."""
    reader = _Simple()
    reader.feed(text)
    reader.close()
    return Markup("".join(reader.parts))


class _Simple(HTMLParser):
    TAGS = frozenset({"b", "i", "u", "s", "strike", "strong", "em", "del", "ul", "ol", "li", "p"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._open = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") or ""
        if tag in self.TAGS:
            self.parts.append(f"<{tag}>")
        elif tag == "br":
            self.parts.append("<br>")
        elif tag == "a" and re.match(r"https?://", href):
            self.parts.append(str(Markup('<a href="{}" rel="noreferrer">').format(href)))
            self._open += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in self.TAGS:
            self.parts.append(f"</{tag}>")
        elif tag == "a" and self._open:
            self._open -= 1
            self.parts.append("</a>")

    def handle_data(self, data: str) -> None:
        self.parts.append(str(lines(escape(data))))
