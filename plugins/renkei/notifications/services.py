"""What each service needs, as data: a connection form, a sheet's drop-down and a check are drawn from it (N1, L7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from renkei.channel import Service

MEMBER = re.compile(r"(?:社員|member)\s*[:：]\s*(\S+)", re.IGNORECASE)
MAX_MAIL_ADDRESSES = 5
Place = Literal["host", "login", "password", "port", "extra"]


@dataclass(frozen=True, slots=True)
class ConnectionField:
    """One field of a service's Airflow Connection. In `extra` it stands under `key`."""

    key: str
    label: str
    place: Place
    note: str = ""  # shown greyed in the empty field
    required: bool = True
    secret: bool = False
    lines: bool = False  # of several lines, such as a PEM key; else blanks inside are a mistake
    url: bool = True  # of a host: a whole URL, and no name of a machine alone
    plain: bool = False  # any text, such as a company's name: blanks and kanji are no mistake


@dataclass(frozen=True, slots=True)
class Destination:
    """送信先 of a service: what to write, and the pattern that it must match."""

    label: str
    note: str
    pattern: re.Pattern[str]
    member_field: str = ""  # of a `Member` (members.py), where 社員:ID may stand instead


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A service as the sheet, the forms and the messages name it."""

    service: Service
    label: str  # in the sheet
    aliases: tuple[str, ...] = ()
    connection_type: str = ""  # of Airflow; empty: no Connection of its own
    fields: tuple[ConnectionField, ...] = ()
    destination: Destination | None = None  # None: the secret says it all
    member_field: str = ""  # with no `destination`: of a `Member`, whose own secret takes the Connection's place


def _url(label: str, note: str) -> ConnectionField:
    return ConnectionField("url", label, "password", note, secret=True)


def _base(note: str) -> ConnectionField:
    return ConnectionField("base_url", "APIのURL", "host", f"空白なら {note}", required=False)


_EXPIRES = ConnectionField(
    "expires_on", "有効期限", "extra", "2027-03-31（期限があるとき。30日前から予告します）", required=False
)

SPECS: tuple[ServiceSpec, ...] = (
    ServiceSpec(
        Service.MAIL,
        "メール",
        ("mail", "email", "eメール", "電子メール"),
        destination=Destination(
            "メールアドレス", f"カンマ区切りで{MAX_MAIL_ADDRESSES}件まで", re.compile(r"[^@\s]+@[^@\s]+")
        ),
    ),
    ServiceSpec(
        Service.SLACK_WEBHOOK,
        "Slack(Webhook)",
        ("slack", "slackwebhook", "slackincomingwebhook"),
        "slack_webhook",
        (_url("Incoming WebhookのURL", "https://hooks.slack.com/services/T…/B…/…"), _EXPIRES),
    ),
    ServiceSpec(
        Service.SLACK_BOT,
        "Slack(Bot)",
        ("slackbot", "slackdm"),
        "slack_bot",
        (
            ConnectionField("token", "Bot User OAuth Token", "password", "xoxb-…", secret=True),
            _base("https://slack.com/api/"),
            _EXPIRES,
        ),
        Destination(
            "メンバーIDまたはチャンネルID", "例: U012ABCDEF", re.compile(r"[UWCGD][A-Z0-9]{2,40}"), "slack_member_id"
        ),
    ),
    ServiceSpec(
        Service.CHATWORK,
        "チャットワーク",
        ("chatwork", "chatwork(api)"),
        "chatwork",
        (
            ConnectionField("token", "APIトークン", "password", "サービス連携 > API Token", secret=True),
            _base("https://api.chatwork.com/v2"),
            _EXPIRES,
        ),
        Destination("ルームID", "例: 123456789（ルームのURLの #!rid の後の数字）", re.compile(r"[0-9]{1,20}")),
    ),
    ServiceSpec(
        Service.TEAMS,
        "Microsoft Teams",
        ("teams", "microsoftteams", "ms teams"),
        "teams_workflow",
        (
            _url("ワークフローのURL", "https://….api.powerplatform.com/…&sig=… か https://….logic.azure.com/…&sig=…"),
            _EXPIRES,
        ),
    ),
    ServiceSpec(
        Service.LINEWORKS,
        "LINE WORKS",
        ("lineworks", "line works bot"),
        "lineworks",
        (
            ConnectionField("client_id", "Client ID", "login"),
            ConnectionField("client_secret", "Client Secret", "password", secret=True),
            ConnectionField("service_account", "Service Account", "extra", "xxxxx.serviceaccount@example"),
            ConnectionField(
                "private_key", "Private Key", "extra", "-----BEGIN PRIVATE KEY-----", secret=True, lines=True
            ),
            ConnectionField("bot_id", "Bot ID", "extra", "数字"),
            _base("https://www.worksapis.com"),
            _EXPIRES,
        ),
        Destination(
            "ユーザーID、またはトークルーム",
            "例: tanaka@example、channel:0a1b2c…",
            re.compile(r"channel:[0-9A-Za-z_-]{1,100}|[0-9A-Za-z_.+\-]{1,100}(?:@[0-9A-Za-z_.\-]{1,100})?"),
            "lineworks_id",
        ),
    ),
    ServiceSpec(
        Service.GOOGLE_CHAT,
        "Google Chat",
        ("googlechat", "グーグルチャット"),
        "google_chat",
        (_url("WebhookのURL", "https://chat.googleapis.com/v1/spaces/…/messages?key=…&token=…"), _EXPIRES),
        member_field="google_chat_webhook",
    ),
    ServiceSpec(
        Service.LINE,
        "LINE",
        ("line messaging api", "line公式アカウント", "ライン"),
        "line",
        (
            ConnectionField("token", "チャネルアクセストークン", "password", secret=True),
            _base("https://api.line.me"),
            _EXPIRES,
        ),
        Destination("ユーザーID", "例: U + 32桁の英数字", re.compile(r"[UCR][0-9a-f]{32}"), "line_user_id"),
    ),
)
SPEC: Mapping[Service, ServiceSpec] = {spec.service: spec for spec in SPECS}


def member_of(to: str) -> str | None:
    """The user id of `社員:ID`; None where `to` is something else (N4)."""
    found = MEMBER.fullmatch(to.strip())
    return found[1] if found else None


def connection_needed(service: Service, to: str) -> bool:
    """Whether a channel needs an Airflow Connection: not for mail, nor where a member's own webhook is used."""
    spec = SPEC[service]
    return bool(spec.fields) and not (spec.member_field and member_of(to) is not None)


# Connections of these types, which are called like them, open a system: what they hold is no first password.
SYSTEMS = frozenset(
    {
        *(
            "smarthr",
            "smarthr_plus",
            "emc",
            "emc_drop",
            "hotprofile",
            "kingoftime",
            "kintone",
            "line_login",
            "sftp",
            "smtp",
        ),
        "workplace",
        *(spec.connection_type for spec in SPECS if spec.connection_type),
    }
)
