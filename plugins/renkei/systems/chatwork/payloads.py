"""A `Message` as Chatwork takes it: a form with one box (N1)."""

from __future__ import annotations

from renkei.systems.delivery import Message, clean, fit, utf16_units

MAX_BODY = 65_535  # characters; chatwork/api, RAML/api-ja.raml. Counted as an emoji of two, to be safe
MAX_TITLE = 200
MAX_LABEL = 75
BRACKETS = str.maketrans("[]", "［］")
ENCODED = str.maketrans({"[": "%5B", "]": "%5D"})  # in a URL


def form(message: Message) -> dict[str, str]:
    """The form of POST /rooms/{id}/messages; unread for everybody else, as `self_unread` 0 leaves it.

    Every tag of Chatwork's, `[toall]` and `[To:1]` too, stands in square brackets, and there is no way to escape
    them: those of the text become full-width ones.
    """
    title = fit(f"{message.tone.sign} {' '.join(_plain(message.title).split())}", MAX_TITLE, utf16_units)
    label = fit(" ".join(_plain(message.link_label).split()) or "開く", MAX_LABEL, utf16_units)
    start, end = f"[info][title]{title}[/title]", "[/info]"
    link = f"{label}: {message.link}".translate(ENCODED) if message.web_link else ""
    text = fit(
        _plain("\n".join(message.shown_lines)).strip("\n"),
        MAX_BODY - utf16_units(f"{start}\n{link}{end}"),
        utf16_units,
    )
    return {"body": start + "\n".join(filter(None, (text, link))) + end, "self_unread": "0"}


def _plain(text: str) -> str:
    return clean(text).translate(BRACKETS)
