"""A 災害時凍結 that somebody forgot to end: the operator is told once, when it has lasted three days.

Airflow does not tell a task since when a Variable is as it is: so each look notes what it sees for the first time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence

from renkei.channel import OPERATOR, Channel, Event
from renkei.clock import time_in_japan
from renkei.errors import StoreError
from renkei.orchestration.disaster_freeze import FirstSeen, first_seen, first_seen_key
from renkei.orchestration.link import LINKS
from renkei.orchestration.monitor.once import Notices
from renkei.orchestration.monitor.operator_channels import airflow_page, console_page
from renkei.runs.freeze import ALL, FORGOTTEN
from renkei.storage import records
from renkei.systems.delivery import Message, Tone, key_of

MAX_LINES = 20


def tell_forgotten(notices: Notices, frozen: Callable[[], Collection[str]], operator: Sequence[Channel]) -> None:
    """Note what is frozen, and tell of what has been for long. The Variable is one for all links: it is told with the first."""
    if notices.link.name != next(iter(LINKS)):
        return
    try:
        names, before = frozen(), first_seen(notices.store)
    except StoreError as error:
        notices.faults.append(str(error))
        return
    seen = {name: before.get(name, notices.now) for name in sorted(names)}
    if seen != before:
        records.write(notices.store, first_seen_key(), FirstSeen(seen))
    told = notices.told_before(OPERATOR)
    long = {name: at for name, at in seen.items() if notices.now - at >= FORGOTTEN}
    new = {key: name for name, at in long.items() if (key := key_of("freeze", name, at.isoformat())) not in told}
    if new:
        notices.tell_once(OPERATOR, operator, _message(new.values(), seen), [*new], Event.FAILURE)


def _message(names: Collection[str], seen: Mapping[str, dt.datetime]) -> Message:
    shown = [f"{'全社' if name == ALL else name}: {time_in_japan(seen[name])} から" for name in [*names][:MAX_LINES]]
    more = [f"ほか{len(names) - MAX_LINES}社"] if len(names) > MAX_LINES else []
    return Message(
        title="【確認】災害時凍結が72時間を超えて続いています",
        lines=(
            *shown,
            *more,
            "凍結している間は、削除と値の消去を行いません（退職した人も残ります）。続ける必要がなければ、連携の画面の"
            "「災害時凍結」で解除してください。続ける場合は、操作は不要です。",
        ),
        link=console_page("freeze") or airflow_page("/variables"),
        link_label="災害時凍結の画面を開く",
        tone=Tone.WAITING,
    )
