"""What every messenger is given and what it answers, whatever the service: a `Message`, a `Delivery` (N1)."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

MAX_REASON = 200  # characters of a service's own words that are kept
CUT = "…（以下省略）"
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))  # ASCII's: of words, figures and URLs
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # Unicode's category Cc but \n and \t
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_LINK = re.compile(r"https?://[^\s<>|\"\\\x00-\x1f\x7f]{1,2000}")
# A long word of a service (WorkflowTriggerIsNotEnabled, posting_to_general_channel_denied), told from a token.
CODE = re.compile(r"(?:(?:[A-Z][a-z]+){2,}|[a-z]+(?:_[a-z]+)+|[A-Z]+(?:_[A-Z]+)+)\.?")


class Tone(StrEnum):
    """How a message is coloured where a service has colours."""

    GOOD = "GOOD"
    BAD = "BAD"
    WAITING = "WAITING"
    PLAIN = "PLAIN"

    @property
    def sign(self) -> str:
        """In front of a title."""
        return {Tone.GOOD: "✅", Tone.BAD: "⚠️", Tone.WAITING: "⏸️", Tone.PLAIN: "ℹ️"}[self]


@dataclass(frozen=True, slots=True)
class Message:
    """A short message: a title, lines of plain text, and at most one link. Holds no personal data (L6).

    `body` is the long text of a mail; where it is empty, title and lines are the mail.
    """

    title: str
    lines: tuple[str, ...] = ()
    link: str = ""
    link_label: str = "実行結果を開く"
    tone: Tone = Tone.PLAIN
    subject: str = ""  # of a mail; the title where it is empty
    body: str = ""

    @property
    def web_link(self) -> str:
        """The link where it is one that a service can make a button of; else it stands among the lines."""
        return self.link if _LINK.fullmatch(self.link) else ""

    @property
    def shown_lines(self) -> tuple[str, ...]:
        """The lines, with a link that no button can be made of."""
        return self.lines if not self.link or self.web_link else (*self.lines, f"{self.link_label}: {self.link}")

    def text(self) -> str:
        """Title, lines and link as plain text."""
        return "\n".join([self.title, *self.lines, *([f"{self.link_label}: {self.link}"] if self.link else [])])


class Verdict(StrEnum):
    """What became of a message."""

    ACCEPTED = "ACCEPTED"  # the service took it; that a person saw it no service tells
    REFUSED = "REFUSED"  # it did not, and will not take this message again
    LATER = "LATER"  # it did not; the same again may succeed and cannot be sent twice
    UNKNOWN = "UNKNOWN"  # nobody can say; the same again might be sent twice


@dataclass(frozen=True, slots=True)
class Delivery:
    """The answer of a messenger. `reason` is the service's own word or sentence, free of secrets and people."""

    verdict: Verdict
    status: int | None = None  # of HTTP or SMTP
    reason: str = ""
    retry_after_s: float | None = None  # only with LATER, where the service says so
    dead: bool = False  # the registration itself is void (webhook gone, token revoked): no message will pass
    message_id: str = ""

    @property
    def accepted(self) -> bool:
        return self.verdict is Verdict.ACCEPTED


class Messenger(Protocol):
    """One service with one secret. Neither method raises for what the network or the service does."""

    def send(self, message: Message, to: str, key: str) -> Delivery:
        """Try once. `key` is a UUID, the same whenever this message is sent to this channel."""

    def check(self) -> Delivery:
        """Whether the service accepts the secret, without a message; accepted where it has no such request."""


def key_of(*parts: str) -> str:
    """The key of a message: the same for the same news, so that a repetition after a crash is known for one."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def accepted(status: int | None = None, message_id: str = "") -> Delivery:
    return Delivery(Verdict.ACCEPTED, status, message_id=message_id)


def refused(status: int | None, reason: str, *, dead: bool = False) -> Delivery:
    return Delivery(Verdict.REFUSED, status, words(reason), dead=dead)


def later(status: int | None, reason: str, retry_after_s: float | None = None) -> Delivery:
    return Delivery(Verdict.LATER, status, words(reason), retry_after_s)


def unknown(status: int | None, reason: str) -> Delivery:
    return Delivery(Verdict.UNKNOWN, status, words(reason))


def repeatable(delivery: Delivery) -> Delivery:
    """The delivery of what may be sent again whatever became of it: nothing was, or it has a key."""
    return replace(delivery, verdict=Verdict.LATER) if delivery.verdict is Verdict.UNKNOWN else delivery


def words(text: str) -> str:
    """A service's words, in one line of at most MAX_REASON characters, with URLs and long tokens blotted out."""
    line = " ".join(clean(text).split())
    line = re.sub(r"https?://\S+", "(URL)", line)
    line = re.sub(r"[A-Za-z0-9_\-+/=.]{25,}", lambda run: run[0] if CODE.fullmatch(run[0]) else "(…)", line)
    return line[:MAX_REASON]


def clean(text: str) -> str:
    """The text without what no service can take: control characters but line ends and tabs, lone surrogates."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", lines))


def utf16_units(text: str) -> int:
    """Length as LINE and Microsoft count it: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def fit(text: str, most: int, size: Callable[[str], int] = len) -> str:
    """The text, or as many of its first lines as fit within `most` together with CUT; a long line is cut within.

    Never within a URL, and within a word of ASCII only where it is most of what would be left.
    """
    if size(text) <= most:
        return text
    low, high = 0, len(text)  # the longest beginning that fits
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(text[:middle] + CUT) <= most else (low, middle - 1)
    kept = text[:low]
    while kept and (
        unicodedata.combining(text[len(kept)]) or text[len(kept)] in "\u200d\ufe0f" or kept[-1] == "\u200d"
    ):
        kept = kept[:-1]  # not within what is seen as one character
    if text[len(kept)] in _PRINTABLE:
        before = kept.rstrip(_PRINTABLE)
        if len(before) > len(kept) // 2 or "://" in text[len(before) : len(kept) + len("https://")]:
            kept = before
    line_end = kept.rfind("\n")
    return (kept[:line_end] + "\n" if line_end > low // 2 else kept) + CUT
