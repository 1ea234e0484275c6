"""LINE WORKS of one tenant: the app that LINE WORKSのAPI登録 registered, in Connection `lineworks__<tenant>`."""

from __future__ import annotations

from dataclasses import dataclass

from renkei.channel import Service
from renkei.errors import ConnectionError_
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.orchestration.channel_connections import registration_of
from renkei.systems.lineworks.api import LineWorksApi
from renkei.systems.lineworks.auth import LineWorksCredentials
from renkei.systems.lineworks.client import LineWorksBot
from renkei.systems.lineworks.pace import LineWorksPace
from renkei.systems.lineworks.users import SCOPES

_NAMES = ("client_id", "client_secret", "service_account", "private_key", "bot_id")


@dataclass(frozen=True, slots=True)
class LineWorks:
    """The app with text 4's scopes, and its bot."""

    api: LineWorksApi
    bot: LineWorksBot
    bot_id: str


def connection_of(tenant: str) -> str:
    return f"lineworks__{tenant}"


def lineworks(mapping: Mapping, pace: LineWorksPace | None = None) -> LineWorks:
    """Raises ConnectionError_: the Connection is missing or unsound, or is another bot's than the sheet names."""
    name = connection_of(mapping.tenant)
    fields = registration_of(Service.LINEWORKS, name).fields
    credentials = LineWorksCredentials(*(fields[one] for one in _NAMES))
    if mapping.bot_id and mapping.bot_id != credentials.bot_id:
        raise ConnectionError_(
            f"Airflowの接続「{name}」のBot IDと、連携設定シートのBot IDが異なります。別の会社のBotを使わないよう中止しました。"
            "どちらかを直してください。"
        )
    base = fields.get("base_url", "")
    api = LineWorksApi(credentials, base, scopes=SCOPES, pace=pace)
    return LineWorks(api, LineWorksBot(credentials, base, api=api), credentials.bot_id)
