"""Whether WORKPLACE can be read, calendars written and messages sent; nothing of it is done (C1, C2, N5)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from renkei.channel import Service
from renkei.errors import ConnectionError_
from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.orchestration.channel_connections import registration_of
from renkei.orchestration.channel_hooks import LineHook, LineWorksHook, SlackBotHook
from renkei.orchestration.connection_trial import Trial, tried
from renkei.orchestration.connections import extra_of, find_connection
from renkei.orchestration.workplace_lineworks import connections
from renkei.orchestration.workplace_lineworks.connections import WorkplaceHook

CALENDAR_WELL = "LINE WORKSのカレンダーに登録できます（OAuth Scopes: calendar、user.read）。"
SECRET_LEAST = 32  # characters
REISSUED = "Private Keyを再発行した場合、カレンダー登録とメッセンジャー通知は同じ接続を使うため、この接続だけを直してください。"


def try_systems(mapping: Mapping, dag_file: str) -> Iterator[Trial]:
    """A trial of each Connection that a part in use needs: both parts of the one of LINE WORKS, as one key opens both (C2)."""
    name = connections.lineworks_name(mapping.tenant)
    if mapping.calendar:
        workplace = f"workplace__{mapping.tenant}"
        yield Trial(workplace, *WorkplaceHook(workplace).test_connection())
        trial = tried(name, partial(_try_calendar, mapping.tenant))
        yield trial if trial.well else Trial(name, False, f"カレンダー登録: {trial.said}{REISSUED}")
    if mapping.uses("lineworks"):
        well, said = LineWorksHook(name).test_connection()
        yield Trial(name, well, f"{said}{_bot(name)}" if well else f"メッセンジャー通知: {said}{REISSUED}")
    if any(mapping.messengers.values()):
        yield tried(f"workplace__{mapping.tenant}", partial(_try_events_secret, mapping.tenant))
    for channel, hook in (("slack", SlackBotHook), ("line", LineHook)):
        if mapping.uses(channel):
            name = f"{hook.conn_type}__{mapping.tenant}"
            yield Trial(name, *hook(name).test_connection())


def _try_events_secret(tenant: str) -> str:
    """Raises ConnectionError_: nobody could sign events, or anybody could guess how."""
    name = f"workplace__{tenant}"
    secret = str(extra_of(find_connection(name, "WORKPLACE")).get("events_secret") or "").strip()
    if len(secret) < SECRET_LEAST:
        found = "が短すぎます" if secret else "がありません"
        raise ConnectionError_(
            f"Airflowの接続「{name}」に通知の署名キー（Extra events_secret）{found}。"
            f"推測できない{SECRET_LEAST}文字以上の文字列を、WORKPLACE側と両方に登録してください。"
        )
    return "通知の署名キーが登録されています（WORKPLACE側と同じかは、最初の通知で分かります）。"


def _bot(name: str) -> str:
    """What text 3 shows after saving (W8)."""
    return f"（Bot ID: {registration_of(Service.LINEWORKS, name).fields['bot_id']}）"


def _try_calendar(tenant: str) -> str:
    connections.calendar(tenant).check()
    return CALENDAR_WELL
