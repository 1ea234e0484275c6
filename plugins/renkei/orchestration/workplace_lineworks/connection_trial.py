"""Whether WORKPLACE can be read, calendars written and messages sent; nothing of it is done (C1, C2, N5)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.orchestration.channel_hooks import LineHook, LineWorksHook, SlackBotHook
from renkei.orchestration.connection_trial import Trial, tried
from renkei.orchestration.workplace_lineworks import connections
from renkei.orchestration.workplace_lineworks.connections import WorkplaceHook

CALENDAR_WELL = "LINE WORKSのカレンダーに登録できます（OAuth Scopes: calendar、user.read）。"
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
        yield Trial(name, well, said if well else f"メッセンジャー通知: {said}{REISSUED}")
    for channel, hook in (("slack", SlackBotHook), ("line", LineHook)):
        if mapping.uses(channel):
            name = f"{hook.conn_type}__{mapping.tenant}"
            yield Trial(name, *hook(name).test_connection())


def _try_calendar(tenant: str) -> str:
    connections.calendar(tenant).check()
    return CALENDAR_WELL
