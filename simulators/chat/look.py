"""Safe HTML as the services' apps show it, and the plain text that a person reads in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser

from markupsafe import Markup, escape

URL = re.compile(r"https?://[^\s<>\"'「」、。）】\]]+")
BLOCKS = {"p", "div", "h3", "h4", "hr", "blockquote", "pre", "li", "dt", "dd", "footer"}
HOLD, RELEASE = "\ue000", "\ue001"  # around the number of something already rendered


def link(url: str, label: str | Markup, kind: str = "") -> Markup:
    """A link, or only its label where the address is none of the web: a service shows no javascript:."""
    if not re.match(r"https?://|mailto:", url, re.IGNORECASE):
        return escape(label)
    kind_attribute = Markup(' class="{}"').format(kind) if kind else ""
    return Markup('<a href="{}"{} rel="noreferrer">{}</a>').format(url, kind_attribute, label)


def box(kind: str, *parts: Markup | str, tag: str = "div") -> Markup:
    return Markup('<{0} class="{1}">{2}</{0}>').format(Markup(tag), kind, Markup("").join(parts))


def lines(text: Markup) -> Markup:
    return Markup(str(text).replace("\r\n", "\n").replace("\n", "<br>"))


def linked(text: str) -> Markup:
    """Plain text as all the apps show it: lines kept, addresses of the web made links."""
    rendered = Rendered()
    return rendered.back(escape(URL.sub(lambda found: rendered.hold(link(found[0], found[0])), rendered.fresh(text))))


class Rendered:
    """Parts of a text that are already HTML, kept out of the way while the rest is formatted."""

    def __init__(self) -> None:
        self._parts: list[Markup] = []

    @staticmethod
    def fresh(text: str) -> str:
        return text.replace(HOLD, "\ufffd").replace(RELEASE, "\ufffd")

    def hold(self, part: Markup) -> str:
        self._parts.append(part)
        return f"{HOLD}{len(self._parts) - 1}{RELEASE}"

    def back(self, text: str) -> Markup:
        """The text with the parts in their places, within each other too, and its line ends as <br>."""
        done = str(lines(Markup(text)))
        while HOLD in done:
            done = re.sub(f"{HOLD}(\\d+){RELEASE}", lambda found: str(self._parts[int(found[1])]), done)
        return Markup(done)


def marked(text: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Escaped text with its signs, such as * for b, made tags where they hug what they enclose."""
    for sign, tag in pairs:
        quoted = re.escape(sign)
        text = re.sub(
            rf"(?<![\w{quoted}]){quoted}(?=[^\s{quoted}])([^\n]*?)(?<=[^\s{quoted}]){quoted}(?![\w{quoted}])",
            rf"<{tag}>\1</{tag}>",
            text,
        )
    return text


def plain(html: Markup) -> str:
    """What a person reads: tags gone, a line for each block, the address behind a link in brackets."""
    reader = _Reader()
    reader.feed(str(html))
    reader.close()
    return re.sub(r"\n{2,}", "\n", "".join(reader.parts)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._link, self._label = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br" or tag in BLOCKS:
            self.parts.append("\n")
        if tag == "a":
            self._link, self._label = dict(attrs).get("href") or "", ""

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.parts.append("\n")
        if tag == "a" and self._link:
            if self._label.strip() != self._link:
                self.parts.append(f" ({self._link})")
            self._link = ""

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
        self._label += data
