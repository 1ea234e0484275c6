"""A Slack message as HTML: mrkdwn, blocks, and attachments with their colour bar."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup, escape

from simulators.chat.look import URL, Rendered, box, lines, link, marked

COLOURS = {"good": "#2eb886", "warning": "#daa038", "danger": "#a30200"}
EMOJI = {
    "white_check_mark": "✅",
    "x": "❌",
    "warning": "⚠️",
    "pause_button": "⏸️",
    "double_vertical_bar": "⏸️",
    "rotating_light": "🚨",
    "information_source": "ℹ️",
    "bell": "🔔",
    "tada": "🎉",
}  # fmt: skip


def show(message: dict[str, Any]) -> Markup:
    """The message; its `text` only where there are no blocks, which is when Slack shows it."""
    body = blocks(message["blocks"]) if message["blocks"] else box("text", mrkdwn(message["text"]))
    return body + Markup("").join(_attachment(one) for one in message["attachments"])


def mrkdwn(text: str) -> Markup:
    """Slack's own markup. `<!channel>`, `<@U…>` and the like come out as `.mention`: they would call people."""
    rendered = Rendered()
    held = re.sub(r"<([^<>\n]+)>", lambda found: rendered.hold(_angled(found[1])), rendered.fresh(text))
    held = URL.sub(lambda found: rendered.hold(link(_decoded(found[0]), _decoded(found[0]))), held)
    held = str(escape(_decoded(held)))
    held = re.sub(r"```\n?(.+?)\n?```", lambda f: rendered.hold(box("code", Markup(f[1]), tag="pre")), held, flags=re.S)
    held = re.sub(r"`([^`\n]+)`", lambda f: rendered.hold(box("code", Markup(f[1]), tag="code")), held)
    held = marked(held, (("*", "b"), ("_", "i"), ("~", "s")))
    held = re.sub(r"^&gt; ?(.*)(?:\n|\Z)", r"<blockquote>\1</blockquote>", held, flags=re.M)
    return rendered.back(_emoji(held))


def _decoded(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _angled(inner: str) -> Markup:
    target, _, label = inner.partition("|")
    target, label = _decoded(target), _decoded(label)
    match target[:1]:
        case "!":
            if target.startswith("!date"):
                return escape(label or target)
            return box("mention", label or "@" + target[1:].partition("^")[0], tag="span")
        case "@":
            return box("mention", "@" + (label or target[1:]), tag="span")
        case "#":
            return box("place", "#" + (label or target[1:]), tag="span")
    return link(target, label or target)


def _emoji(text: str) -> str:
    return re.sub(r":([a-z_]+):", lambda found: EMOJI.get(found[1], found[0]), text)


def blocks(given: list[dict[str, Any]]) -> Markup:
    return Markup("").join(_block(block) for block in given)


def _block(block: dict[str, Any]) -> Markup:
    match block["type"]:
        case "header":
            return box("header", _text(block["text"]), tag="h3")
        case "section":
            text = box("text", _text(block["text"])) if "text" in block else Markup()
            fields = [box("field", _text(field)) for field in block.get("fields", [])]
            button = _button(block["accessory"]) if "accessory" in block else Markup()
            return text + (box("fields", *fields) if fields else "") + button
        case "context":
            return box("context", *(box("text", _text(element)) for element in block["elements"]))
        case "actions":
            return box("actions", *(_button(element) for element in block["elements"]))
        case "markdown":
            return box("text", lines(escape(block["text"])))
        case "image":
            return box("context", "🖼 ", block["alt_text"])
        case "rich_text":
            return box("text", _rich(block["elements"]))
    return Markup('<hr class="divider">')


def _text(text: dict[str, Any]) -> Markup:
    return mrkdwn(text["text"]) if text["type"] == "mrkdwn" else lines(Markup(_emoji(str(escape(text["text"])))))


def _button(button: dict[str, Any]) -> Markup:
    label = _text(button["text"])
    kind = "button " + str(button.get("style", ""))
    return link(button["url"], label, kind.strip()) if "url" in button else box(kind.strip(), label, tag="span")


def _rich(value: Any) -> Markup:
    if isinstance(value, list):
        return Markup("").join(_rich(one) for one in value)
    if not isinstance(value, dict):
        return Markup()
    if value.get("type") == "link":
        return link(str(value.get("url", "")), str(value.get("text") or value.get("url", "")))
    if value.get("type") in ("user", "usergroup", "broadcast"):
        called = value.get("range") or value.get("user_id") or value.get("usergroup_id")
        return box("mention", f"@{called}", tag="span")
    if value.get("type") == "text":
        return lines(escape(value.get("text", "")))
    return _rich(value.get("elements", []))


def _attachment(given: dict[str, Any]) -> Markup:
    parts = [Markup("")]
    if given.get("pretext"):
        parts.append(box("text", mrkdwn(str(given["pretext"]))))
    inside = []
    if given.get("title"):
        title = str(given["title"])
        inside.append(
            box("title", link(str(given["title_link"]), title) if given.get("title_link") else title, tag="h4")
        )
    if given.get("text"):
        inside.append(box("text", mrkdwn(str(given["text"]))))
    fields = [f for f in given.get("fields") or [] if isinstance(f, dict)]
    rows = [box("field", box("label", str(f.get("title", ""))), mrkdwn(str(f.get("value", "")))) for f in fields]
    inside += [box("fields", *rows)] if rows else []
    inside.append(blocks(given.get("blocks") or []))
    if given.get("footer"):
        inside.append(box("context", str(given["footer"])))
    if not Markup("").join(inside):
        inside = [box("text", str(given.get("fallback", "")))]
    colour = str(given.get("color", ""))
    colour = COLOURS.get(colour, colour if re.fullmatch(r"#[0-9a-fA-F]{6}", colour) else "#dddddd")
    parts.append(
        Markup('<div class="attachment" style="border-left-color:{}">{}</div>').format(colour, Markup("").join(inside))
    )
    return Markup("").join(parts)
