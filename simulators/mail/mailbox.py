"""Messages kept as .eml files, and read back decoded."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

STAMP = "%Y%m%dT%H%M%S%f"
LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class Mail:
    """One message, decoded; `to` are the recipients that the sender named to the server, blind copies included."""

    name: str
    subject: str
    sender: str
    to: list[str]
    body: str
    received_at: str
    message_id: str

    def as_json(self) -> dict[str, Any]:
        values = asdict(self)
        values["from"] = values.pop("sender")
        return values


class Mailbox:
    """A folder of messages; the file name begins with the time of receipt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._last = datetime.min.replace(tzinfo=UTC)

    def keep(self, sender: str, recipients: list[str], content: bytes) -> None:
        """Save a message, with the envelope as the headers that a delivering server adds."""
        # Two messages never share a name, even if the clock stands still between them.
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        path = self.folder / f"{self._last.strftime(STAMP)}.eml"
        envelope = [f"Return-Path: <{sender}>", *(f"Delivered-To: {recipient}" for recipient in recipients)]
        partial = path.with_suffix(".partial")
        partial.write_bytes("".join(f"{line}\r\n" for line in envelope).encode() + LINE_END.sub(b"\r\n", content))
        partial.replace(path)

    def newest_first(self) -> list[Mail]:
        return [self._read(path) for path in sorted(self.folder.glob("*.eml"), reverse=True)]

    def find(self, name: str) -> Mail | None:
        return next((mail for mail in self.newest_first() if mail.name == name), None)

    def clear(self) -> None:
        for path in self.folder.glob("*.eml"):
            path.unlink()

    def _read(self, path: Path) -> Mail:
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        received_at = datetime.strptime(path.stem, STAMP).replace(tzinfo=UTC)
        return Mail(
            name=path.stem,
            subject=str(message.get("Subject", "")),
            sender=str(message.get("From", "")),
            to=[str(recipient) for recipient in message.get_all("Delivered-To", [])],
            body=_body(message),
            received_at=received_at.isoformat().replace("+00:00", "Z"),
            message_id=str(message.get("Message-ID", "")),
        )


def _body(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        return str(part.get_content()).replace("\r\n", "\n")
    except LookupError:  # a character set that Python does not know
        return cast(bytes, part.get_payload(decode=True)).decode("ascii", errors="replace")
