"""The connection types of chat services, with their test buttons; their forms are drawn from `services.py` (N1, N5)."""

from __future__ import annotations

from typing import ClassVar

from airflow.sdk import BaseHook

from renkei.channel import Service
from renkei.errors import RenkeiError
from renkei.notifications.diagnosis import explain, own_words
from renkei.notifications.messengers import messenger
from renkei.notifications.services import SPEC
from renkei.orchestration.channel_connections import registration_of


class ChannelHook(BaseHook):
    """One chat service. Messages are sent by `channel_connections.py`; this is for Airflow's connection form."""

    service: ClassVar[Service]
    conn_type: ClassVar[str]
    hook_name: ClassVar[str]
    conn_name_attr = "channel_conn_id"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.conn_type, cls.hook_name = SPEC[cls.service].connection_type, SPEC[cls.service].label

    def __init__(self, channel_conn_id: str = "") -> None:
        super().__init__()
        self.channel_conn_id = channel_conn_id

    def test_connection(self) -> tuple[bool, str]:
        """The form's test button: the shape of everything, and the secret where the service can be asked about it."""
        try:
            delivery = messenger(registration_of(self.service, self.channel_conn_id)).check()
        except RenkeiError as error:
            return False, str(error)
        if not delivery.accepted:
            found, remedy = explain(self.service, delivery)
            return False, f"{found}（{own_words(delivery)}）{remedy}"
        if delivery.status is None:
            return True, "URLの形は正しいです。届くかどうかは、Dagの「通知テスト」で確認してください。"
        return True, f"{SPEC[self.service].label}に接続できました。"


class SlackWebhookHook(ChannelHook):
    service = Service.SLACK_WEBHOOK


class SlackBotHook(ChannelHook):
    service = Service.SLACK_BOT


class ChatworkHook(ChannelHook):
    service = Service.CHATWORK


class TeamsWorkflowHook(ChannelHook):
    service = Service.TEAMS


class LineWorksHook(ChannelHook):
    service = Service.LINEWORKS


class GoogleChatHook(ChannelHook):
    service = Service.GOOGLE_CHAT


class LineHook(ChannelHook):
    service = Service.LINE
