"""An Adaptive Card as Teams shows it."""

from __future__ import annotations

import html
import re
from typing import Any

from markupsafe import Markup, escape

from simulators.chat.look import Rendered, box, link, marked


def show(card: dict[str, Any]) -> Markup:
    """The card. Only mentions that stand in `msteams.entities` call somebody (`.mention`)."""
    entities = card.get("msteams", {}).get("entities", []) if isinstance(card.get("msteams"), dict) else []
    called = {str(e.get("text")): str((e.get("mentioned") or {}).get("name")) for e in entities if isinstance(e, dict)}
    parts = [_element(element, called) for element in card.get("body", [])]
    if card.get("actions"):
        parts.append(_actions(card["actions"]))
    wide = isinstance(card.get("msteams"), dict) and str(card["msteams"].get("width", "")).lower() == "full"
    return box("card wide" if wide else "card", *parts)


def markdown(text: str, called: dict[str, str]) -> Markup:
    """The part of Markdown that cards know. A single line end is a blank, as in Markdown; an empty line parts."""
    rendered = Rendered()
    held = rendered.fresh(text).replace("\r\n", "\n").replace("\r", "\n")
    for tag, name in called.items():
        if tag:
            held = held.replace(tag, rendered.hold(box("mention", name, tag="span")))
    held = re.sub(r"\\([!-/:-@\[-`{-~])", lambda found: rendered.hold(escape(found[1])), held)
    held = re.sub(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z]+);", lambda f: rendered.hold(escape(html.unescape(f[0]))), held)
    held = re.sub(r"\[([^\[\]\n]+)\]\(([^()\s]+)\)", lambda f: rendered.hold(_link(f[1], f[2], rendered)), held)
    held = marked(str(escape(held)), (("**", "b"), ("__", "b"), ("*", "i"), ("_", "i"), ("~~", "s")))
    paragraphs = [_paragraph(part) for part in re.split(r"\n{2,}", held.strip("\n"))]
    return rendered.back("".join(paragraphs))


def _link(label: str, address: str, rendered: Rendered) -> Markup:
    # What was held back within the address is needed as text here.
    return link(html.unescape(re.sub("<[^>]+>", "", str(rendered.back(address)))), rendered.back(str(escape(label))))


def _paragraph(text: str) -> str:
    """One paragraph of escaped text, or a list where each line begins as one."""
    parts = text.split("\n")
    for pattern, tag in ((r"[-*+] +", "ul"), (r"\d+\. +", "ol")):
        if all(re.match(pattern, part) for part in parts):
            return f"<{tag}>" + "".join(f"<li>{re.sub('^' + pattern, '', part)}</li>" for part in parts) + f"</{tag}>"
    return f"<p>{' '.join(parts)}</p>"


def _element(element: dict[str, Any], called: dict[str, str]) -> Markup:
    match element["type"]:
        case "TextBlock":
            words = ["textblock", *(str(element.get(name, "")).lower() for name in ("size", "weight", "color"))]
            words += ["subtle"] if element.get("isSubtle") else []
            words += [] if element.get("wrap") else ["nowrap"]
            return box(" ".join(word for word in words if word), markdown(element["text"], called))
        case "FactSet":
            rows = [
                Markup("<tr><th>{}</th><td>{}</td></tr>").format(
                    markdown(fact["title"], called), markdown(fact["value"], called)
                )
                for fact in element["facts"]
            ]
            return Markup('<table class="facts">{}</table>').format(Markup("").join(rows))
        case "Container":
            style = str(element.get("style", "")).lower()
            return box(f"container {style}".strip(), *(_element(item, called) for item in element["items"]))
        case "ColumnSet":
            columns = ([_element(item, called) for item in column.get("items", [])] for column in element["columns"])
            return box("columns", *(box("column", *items) for items in columns))
        case "RichTextBlock":
            runs = [run if isinstance(run, str) else run["text"] for run in element["inlines"]]
            return box("textblock", *runs)
        case "Image":
            return box("textblock", "🖼 ", str(element.get("altText", "")))
    return _actions(element["actions"])


def _actions(actions: list[dict[str, Any]]) -> Markup:
    return box("actions", *(link(str(one["url"]), str(one["title"]), "button") for one in actions))
