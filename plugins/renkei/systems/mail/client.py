"""smtplib's clients, each of whose replies is bounded: smtplib bounds a line, but neither their number nor their time."""

from __future__ import annotations

import smtplib
from typing import Any

from renkei.systems.transport import Meter, metered

MAX_REPLY = 64 * 1024  # bytes


class _Bounded:
    sock: Any
    file: Any
    timeout: float

    def getreply(self) -> tuple[int, bytes]:
        """The next reply, within the client's timeout. Raises: smtplib.SMTPServerDisconnected."""
        meter = Meter(self.timeout, MAX_REPLY)
        if self.file is None:
            self.file = metered(self.sock.makefile("rb"), self.sock, meter)
        self.file.raw.meter = meter
        reply: tuple[int, bytes] = super().getreply()  # type: ignore[misc]
        if self.sock is not None:
            self.sock.settimeout(self.timeout)
        return reply


class BoundedSMTP(_Bounded, smtplib.SMTP):
    pass


class BoundedSMTPoverTLS(_Bounded, smtplib.SMTP_SSL):
    pass
