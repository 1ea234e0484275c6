"""The SMTP side: takes messages into the mailbox, or fails as it was told to."""

from __future__ import annotations

import asyncio
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import BaseModel, ConfigDict, Field

from simulators.mail.mailbox import Mailbox


class Fault(BaseModel):
    """What happens `times` times, after `after` undisturbed occasions.

    refuse_recipient: 550 to a RCPT whose address matches `recipient`; temporary: 451 to the message; disconnect: the
    connection ends when the message has been sent, and it is not kept; disconnect_after: the same, but it is kept.
    """

    model_config = ConfigDict(extra="forbid")
    kind: Literal["refuse_recipient", "temporary", "disconnect", "disconnect_after"]
    recipient: str = "*"
    times: Annotated[int, Field(ge=1)] = 1
    after: Annotated[int, Field(ge=0)] = 0


class Receiver:
    """aiosmtpd's handler, bound to a mailbox."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.faults: list[Fault] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._take("refuse_recipient", address):
            return "550 5.1.1 No such user here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str | None:
        if self._take("temporary"):
            return "451 4.3.0 Try again later"
        if self._take("disconnect"):
            return self._hang_up(server)
        content = envelope.original_content or b""
        self.mailbox.keep(envelope.mail_from or "", list(envelope.rcpt_tos), content)
        if self._take("disconnect_after"):
            return self._hang_up(server)
        return "250 2.0.0 OK: kept"

    def _hang_up(self, server: SMTP) -> str:
        if isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        return "421 4.3.2 Closing"  # goes nowhere: the connection is gone

    def _take(self, kind: str, address: str | None = None) -> bool:
        for fault in self.faults:
            if fault.kind != kind or (address is not None and not fnmatchcase(address, fault.recipient)):
                continue
            if fault.after:
                fault.after -= 1
                continue
            fault.times -= 1
            if not fault.times:
                self.faults.remove(fault)
            return True
        return False
