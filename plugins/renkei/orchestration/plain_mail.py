"""Result mails as plain text, through Airflow's SMTP Connection."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import formatdate

from airflow.providers.smtp.hooks.smtp import SmtpHook

from renkei import settings
from renkei.links.smarthr_emc.notify import Mail


class PlainMailHook(SmtpHook):
    """SmtpHook sends HTML; a result mail is plain text, so that its lines stay text 1's lines."""

    def send_text(self, letter: Mail) -> None:
        message = EmailMessage()
        message["Subject"] = letter.subject
        message["From"] = settings.mail_from() or self.from_email or "renkei@localhost"
        message["To"] = ", ".join(letter.addresses)
        message["Date"] = formatdate(localtime=True)
        message["Message-ID"] = letter.message_id
        message.set_content(letter.body, cte="base64")
        assert self._smtp_client is not None  # the context manager opened it
        self._smtp_client.send_message(message)
