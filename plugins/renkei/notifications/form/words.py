"""The words of 通知: how services, events and switches may be written, and how we write them (N1)."""

from __future__ import annotations

from collections.abc import Mapping

from renkei.channel import LABELS, Channel, Event, Service
from renkei.notifications.services import SPEC, SPECS
from renkei.texts import CHECKS, CIRCLES, CROSSES, fold

EVENT_ALIASES: Mapping[Event, tuple[str, ...]] = {
    Event.SUCCESS: ("正常", "正常終了", "処理成功"),
    Event.FAILURE: ("異常", "エラー", "異常終了", "処理失敗"),
    Event.HOLD: ("承認待ち",),
    Event.UNCHANGED: ("変化無し", "変更なし", "変更無し"),
    Event.DISABLED: ("無効化", "無効", "自動無効化"),
    Event.EXPIRY: ("期限切れ", "期限予告"),
}
YES = (*CIRCLES, *CHECKS, "有", "有り", "あり", "はい", "true", "yes", "on")
NO = (*CROSSES, "-", "ー", "無", "無し", "なし", "いいえ", "false", "no", "off")
MUTED_WORDS = (*YES, "行わない", "通知しない", "通知を行わない", "停止")
UNMUTED_WORDS = (*NO, "行う", "通知する", "通知を行う")
ON_WORDS = (*YES, "する", "通知する")
OFF_WORDS = (*NO, "しない", "通知しない")
EVENT_WORDS = {fold(word): event for event in Event for word in (event, LABELS[event], *EVENT_ALIASES[event])}
SERVICE_WORDS = {
    fold(word): spec.service for spec in SPECS for word in (spec.service, spec.label, *spec.aliases) if fold(word)
}


def service_of(text: str) -> Service | None:
    """The service that a label, an alias or a code names."""
    return SERVICE_WORDS.get(fold(text))


def event_of(text: str) -> Event | None:
    """The event that a column of 通知管理, or a code, names."""
    return EVENT_WORDS.get(fold(text))


def default_connection(service: Service, tenant: str) -> str:
    """The Airflow Connection of a channel that names none."""
    return f"{SPEC[service].connection_type}__{tenant}"


def event_marks(channel: Channel) -> tuple[str, ...]:
    """What the cells of 通知管理 say, in the order of `Event`."""
    if not channel.events:
        return ("×",) * len(Event)
    return tuple("○" if event in channel.events else "" for event in Event)
