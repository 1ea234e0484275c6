"""From a registration to the client that sends (N1). Clients are imported when used: a task pays for what it imports."""

from __future__ import annotations

from typing import Protocol

from renkei.notifications.channel import Service
from renkei.notifications.registration import Registration
from renkei.systems.messaging import Delivery, Message


class Messenger(Protocol):
    """One service with one secret. Neither method raises for what the network or the service does."""

    def send(self, message: Message, to: str, key: str) -> Delivery:
        """Try once. `key` is a UUID, the same whenever this message is sent to this channel."""

    def check(self) -> Delivery:
        """Whether the service accepts the secret, without a message; accepted where it has no such request."""


def messenger(registration: Registration) -> Messenger:
    """The client of every service but mail, which Airflow's SMTP Connection sends."""
    fields = dict(registration.fields)
    base = {"base_url": fields["base_url"]} if "base_url" in fields else {}
    match registration.service:
        case Service.SLACK_WEBHOOK:
            from renkei.systems.slack.webhook import SlackWebhook

            return SlackWebhook(fields["url"])
        case Service.SLACK_BOT:
            from renkei.systems.slack.bot import SlackBot

            return SlackBot(fields["token"], **base)
        case Service.CHATWORK:
            from renkei.systems.chatwork.client import ChatworkRoom

            return ChatworkRoom(fields["token"], **base)
        case Service.TEAMS:
            from renkei.systems.teams.client import TeamsWorkflow

            return TeamsWorkflow(fields["url"])
        case Service.GOOGLE_CHAT:
            from renkei.systems.google_chat.client import GoogleChatSpace

            return GoogleChatSpace(fields["url"])
        case Service.LINEWORKS:
            from renkei.systems.lineworks.auth import LineWorksCredentials
            from renkei.systems.lineworks.client import LineWorksBot

            names = ("client_id", "client_secret", "service_account", "private_key", "bot_id")
            return LineWorksBot(
                LineWorksCredentials(**{name: fields[name] for name in names}), fields.get("base_url", "")
            )
        case Service.LINE:
            from renkei.systems.line.client import LineMessenger

            return LineMessenger(fields["token"], **base)
        case Service.MAIL:
            raise ValueError("mail is sent by Airflow's SMTP Connection")
