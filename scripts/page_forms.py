"""The forms of a page, as a browser would send them: for whoever walks through pages without one."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """Where it goes, and its fields by their names: of several with one name the last. Buttons are not among them."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


def forms_of(html: str) -> list[Form]:
    """In the page's order."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms


def field_of(html: str, name: str) -> str:
    """What the first form with a field of that name has in it. Raises: LookupError."""
    found = [form.fields[name] for form in forms_of(html) if name in form.fields]
    if not found:
        raise LookupError(f"no field {name} in {html[-2000:]}")
    return found[0]


def _is_sent(has: dict[str, str]) -> bool:
    """As it stands, that is: files are for the sender to add."""
    kind = has.get("type", "text")
    return "checked" in has if kind in ("checkbox", "radio") else kind not in ("file", "submit")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._fields: dict[str, str] = {}  # of the form that is open; else nobody's
        self._named = ""  # the list or the long text that is open
        self._is_read = False  # what stands there is its value

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(has.get("action", "")))
            self._fields = self.forms[-1].fields
        elif tag == "input" and "name" in has and _is_sent(has):
            self._fields[has["name"]] = has.get("value", "")
        elif tag == "textarea":
            self._named, self._is_read = has["name"], True
            self._fields[self._named] = ""
        elif tag == "select":
            self._named = has["name"]
        elif tag == "option" and self._named and ("selected" in has or self._named not in self._fields):
            self._fields[self._named], self._is_read = has.get("value", ""), "value" not in has

    def handle_data(self, data: str) -> None:
        if self._is_read:
            self._fields[self._named] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("option", "select", "textarea"):
            self._is_read = False
        if tag in ("select", "textarea"):
            self._named = ""
        if tag == "form":
            self._fields = {}
