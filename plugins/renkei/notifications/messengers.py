"""From a registration to the client that sends (N1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from renkei.channel import Service
from renkei.notifications.registration import Registration
from renkei.notifications.services import SPEC
from renkei.systems.chatwork.client import ChatworkRoom
from renkei.systems.delivery import Delivery, Message, Messenger
from renkei.systems.google_chat.client import GoogleChatSpace
from renkei.systems.line.client import LineMessenger
from renkei.systems.lineworks.auth import LineWorksCredentials
from renkei.systems.lineworks.client import LineWorksBot
from renkei.systems.slack.bot import SlackBot
from renkei.systems.slack.webhook import SlackWebhook
from renkei.systems.teams.client import TeamsWorkflow

SECRET_LEAST = 8  # characters; LINE WORKS' Client Secret has ten
PART_LEAST = 12  # of a URL's path or query: no plain word such as "services", "triggers"


@dataclass(frozen=True, slots=True)
class _RedactedMessenger:
    """A client whose answers quote none of its secrets, whatever the service repeats of them (L7)."""

    inner: Messenger
    secrets: Sequence[str] = dataclasses.field(repr=False)

    def send(self, message: Message, to: str, key: str) -> Delivery:
        return self._without(self.inner.send(message, to, key))

    def check(self) -> Delivery:
        return self._without(self.inner.check())

    def _without(self, delivery: Delivery) -> Delivery:
        reason = delivery.reason
        for secret in self.secrets:
            reason = reason.replace(secret, "(…)")
        return dataclasses.replace(delivery, reason=reason)


def messenger(registration: Registration, sent_s: Iterable[float] = ()) -> Messenger:
    """The client of every service but mail, which Airflow's SMTP Connection sends.

    `sent_s`: how many seconds ago another process has sent messages with it; LINE WORKS' limit counts those, too.
    """
    return _RedactedMessenger(_client(registration, sent_s), _secrets(registration))


def _secrets(registration: Registration) -> list[str]:
    """The secret fields and, of a URL, the parts that make it one; the longest first."""
    found = set[str]()
    for field in SPEC[registration.service].fields:
        text = registration.fields.get(field.key, "") if field.secret else ""
        found.add(text)
        if field.key == "url" and text:
            parts = urlsplit(text)
            within = (*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query)))
            found |= {part for part in within if len(part) >= PART_LEAST}
    return sorted((text for text in found if len(text) >= SECRET_LEAST), key=len, reverse=True)


def _client(registration: Registration, sent_s: Iterable[float]) -> Messenger:
    fields = registration.fields
    base = {"base_url": fields["base_url"]} if "base_url" in fields else {}
    match registration.service:
        case Service.SLACK_WEBHOOK:
            return SlackWebhook(fields["url"])
        case Service.SLACK_BOT:
            return SlackBot(fields["token"], **base)
        case Service.CHATWORK:
            return ChatworkRoom(fields["token"], **base)
        case Service.TEAMS:
            return TeamsWorkflow(fields["url"])
        case Service.GOOGLE_CHAT:
            return GoogleChatSpace(fields["url"])
        case Service.LINEWORKS:
            names = ("client_id", "client_secret", "service_account", "private_key", "bot_id")
            credentials = LineWorksCredentials(**{name: fields[name] for name in names})
            bot = LineWorksBot(credentials, fields.get("base_url", ""))
            bot.sent_before(sent_s)
            return bot
        case Service.LINE:
            return LineMessenger(fields["token"], **base)
        case Service.MAIL:
            raise ValueError("mail is sent by Airflow's SMTP Connection")
