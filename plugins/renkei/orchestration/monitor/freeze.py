"""A 災害時凍結 that somebody forgot to end: the operator is told once, when it has lasted three days.

Airflow does not tell a task since when a Variable is as it is: so each look notes what it sees for the first time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from renkei.channel import OPERATOR, Channel, Event
from renkei.clock import time_in_japan
from renkei.errors import StoreError
from renkei.orchestration.link import LINKS
from renkei.orchestration.monitor.once import Notices
from renkei.orchestration.monitor.operator_channels import airflow_page, console_page
from renkei.runs import notes
from renkei.runs.freeze import ALL, FORGOTTEN
from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import Store
from renkei.storage.tenant_folder import watch_folder
from renkei.systems.delivery import Message, Tone, key_of

MAX_LINES = 20


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """When a look first found each name in the Variable; those that it has no more are not here."""

    at: dict[str, Moment]


def first_seen(store: Store) -> Mapping[str, dt.datetime]:
    found = notes.read(store, _key(), FirstSeen)
    return found.at if found else {}


def tell_forgotten(notices: Notices, frozen: Callable[[], Collection[str]], operator: Sequence[Channel]) -> None:
    """Note what is frozen, and tell of what has been for long. The Variable is one for all links: it is told with the first."""
    if notices.link.name != next(iter(LINKS)):
        return
    try:
        names = frozen()
    except StoreError as error:
        notices.faults.append(str(error))
        return
    before = first_seen(notices.store)
    seen = {name: before.get(name, notices.now) for name in sorted(names)}
    if seen != before:
        records.write(notices.store, _key(), FirstSeen(seen))
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


def _key() -> str:
    return f"{watch_folder(next(iter(LINKS)))}/freeze.json"
