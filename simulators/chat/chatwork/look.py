"""A Chatwork message as HTML: its [info], [title], [code], [hr], [To:…] and [toall]."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from simulators.chat.look import URL, Rendered, box, link

ADDRESS = re.compile(URL.pattern.replace("[^", r"[^\["))  # a tag right behind an address ends it


def show(text: str) -> Markup:
    """The message. Who is called stands as `.mention`; an unmatched tag stays text, as in Chatwork."""
    rendered = Rendered()
    held = rendered.fresh(text)
    held = re.sub(
        r"\[code\]\n?(.*?)\n?\[/code\]",
        lambda found: rendered.hold(box("code", escape(found[1]), tag="pre")),
        held,
        flags=re.S,
    )
    held = ADDRESS.sub(lambda found: rendered.hold(link(found[0], found[0])), held)
    held = str(escape(held))
    held = re.sub(r"\[To:(\d+)\]|\[rp aid=(\d+)[^\]]*\]", lambda f: rendered.hold(_mention(f"To {f[1] or f[2]}")), held)
    held = re.sub(r"\[(toall)\]", lambda f: rendered.hold(_mention("To ALL")), held)
    held = held.replace("[hr]", rendered.hold(Markup("<hr>")))
    held = re.sub(r"\[info\]\n?", "[info]", re.sub(r"\n?\[/info\]\n?", "[/info]", held))
    # From the inside out: a box may stand within a box.
    while True:
        held, changed = re.subn(
            r"\[info\]((?:(?!\[info\]).)*?)\[/info\]", lambda f: rendered.hold(_info(f[1], rendered)), held, flags=re.S
        )
        if not changed:
            return rendered.back(held)


def _info(inner: str, rendered: Rendered) -> Markup:
    title = re.search(r"\[title\](.*?)\[/title\]\n?", inner, flags=re.S)
    if title is None:
        return box("info", _lines(inner))
    rest = inner[: title.start()] + inner[title.end() :]
    return box("info", box("title", _lines(title[1]), tag="h4"), box("text", _lines(rest)))


def _lines(escaped: str) -> Markup:
    return Markup(escaped.replace("\r\n", "\n").replace("\n", "<br>"))


def _mention(label: str) -> Markup:
    return box("mention", label, tag="span")
