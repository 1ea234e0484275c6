"""Mail as plain text, through Airflow's SMTP Connection `smtp_default`."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate
from typing import cast

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

from renkei import settings
from renkei.systems.delivery import Delivery, Message, Verdict, accepted, later, refused
from renkei.systems.mail.client import BoundedSMTP, BoundedSMTPoverTLS

NO_SERVER = "Airflowの接続「smtp_default」（メールサーバー）がありません。Admin > Connections で登録してください。"
AGAIN_S = 120.0  # a mail server that is away is left to the task's own retries


class PlainMailHook(SmtpHook):
    """SmtpHook sends HTML; a result mail is plain text, so that its lines stay text 1's lines."""

    def _build_client(self) -> smtplib.SMTP_SSL | smtplib.SMTP:
        client = BoundedSMTPoverTLS if self.use_ssl else BoundedSMTP
        return client(**self._build_client_kwargs(is_async=False))

    def send_text(self, message: Message, to: str, message_id: str) -> None:
        """Sends to one address."""
        mail = EmailMessage()
        mail["Subject"] = message.subject or message.title
        mail["From"] = settings.mail_from() or self.from_email or "renkei@localhost"
        mail["To"] = recipient = quoted(to)
        mail["Date"] = formatdate(localtime=True)
        mail["Message-ID"] = message_id
        mail.set_content(message.body or message.text() + "\n", cte="base64")
        client = cast("smtplib.SMTP", self._smtp_client)  # the context manager opened it
        client.send_message(mail, to_addrs=[recipient])


def quoted(address: str) -> str:
    """The address as RFC 5321 wants it written: a carrier's old `a..b@docomo.ne.jp` goes in quotation marks."""
    local, _, domain = address.rpartition("@")
    return address if all(local.split(".")) else f'"{local}"@{domain}'


class MailMessenger:
    """Mail to one address as a `Messenger`. What a mail server says may quote it, so only its codes go on (L6).

    A repetition has the same Message-ID, by which mail systems know it.
    """

    def send(self, message: Message, to: str, key: str) -> Delivery:
        try:
            hook = PlainMailHook()
            with hook:
                hook.send_text(message, to, f"<{key.replace('-', '')}@renkei>")
        except Exception as error:
            return _failed(error)
        return accepted(250)

    def check(self) -> Delivery:
        """Whether the mail server lets us in."""
        try:
            with PlainMailHook():
                return accepted(250)
        except Exception as error:
            return _failed(error)


def _failed(error: Exception) -> Delivery:
    # SmtpHook says "SMTP connection is not found." with an exception of no kind of its own.
    if any(isinstance(e, AirflowNotFoundException | AirflowRuntimeError) for e in (error, error.__context__)):
        # A secrets backend that is away for a moment says the same.
        return Delivery(Verdict.LATER, reason=NO_SERVER, retry_after_s=AGAIN_S)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = min((code for code, _ in error.recipients.values()), default=0)
        return _by_code(code, f"recipients refused: {_codes(error.recipients)}")
    if isinstance(error, smtplib.SMTPAuthenticationError):  # nothing was sent, and some servers refuse in passing
        return later(int(error.smtp_code), type(error).__name__, AGAIN_S)
    if isinstance(error, smtplib.SMTPResponseException):
        return _by_code(int(error.smtp_code), type(error).__name__)
    return later(None, type(error).__name__, AGAIN_S)


def _by_code(code: int, reason: str) -> Delivery:
    return refused(code, reason) if code >= 500 else later(code, reason, AGAIN_S)


def _codes(recipients: Mapping[str, tuple[int, bytes]]) -> str:
    return ", ".join(sorted({str(code) for code, _ in recipients.values()}))
