"""Which tenants are silent: no result since the run that should have given one (N6). No clock, no files.

A daily run (tick) is due when its time and a grace have passed; of a link that runs every so many minutes, when half an
hour has passed, or two more runs, and the grace at most. Silence is judged by results alone, so it does not
matter why there is none: a paused Dag, a Dag that does not load, a stopped scheduler, a run that hangs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from pydantic import Field, WrapSerializer

from renkei.clock import TOKYO, time_in_japan
from renkei.storage.records import Moment
from renkei.systems.delivery import Message, Tone, key_of

DAY = dt.timedelta(days=1)
HALF_AN_HOUR = dt.timedelta(minutes=30)
TENANTS_SHOWN = 20
SHEET_GONE = "連携設定シートがありません"
UNREADABLE = "結果の記録を読み取れません"


@dataclass(frozen=True, slots=True)
class Expected:
    """When a tenant is to speak: every day at `run_at`, or `every` so often, from `link_start_on` on."""

    run_at: dt.time  # Asia/Tokyo
    link_start_on: dt.date | None = None
    every: dt.timedelta | None = None


class Schedule(NamedTuple):
    """A daily time, or an interval, and since when the watch knows of it; None: since ever.

    Nobody is late for a tick that was not yet known: a new tenant, a new time, a watch that is new itself.
    """

    run_at: dt.time
    since: Moment | None = None
    every: dt.timedelta | None = None


# A daily one is written as versions without intervals wrote it.
KeptSchedule = Annotated[Schedule, WrapSerializer(lambda one, plain: [*plain(one)][: 3 if one.every else 2])]


@dataclass(frozen=True, slots=True)
class Silence:
    """A tenant without a result of its run at `tick`; `last` is when it last had one."""

    tenant: str
    tick: dt.datetime
    last: dt.datetime | None = None
    cause: str = ""  # SHEET_GONE | UNREADABLE, where it is known


@dataclass(frozen=True, slots=True)
class Notes:
    """What the watch remembers from look to look: the known schedules, and which silence (its tick) was told."""

    schedules: Mapping[str, KeptSchedule]  # no defaults: a file without them is damaged, and not empty (L1)
    told: Mapping[str, Moment]
    whole: Annotated[bool, Field(exclude=True)] = True  # False: what was remembered is lost


@dataclass(frozen=True, slots=True)
class Results:
    """When each tenant last had a result, by tenant, and who was ever linked."""

    at: Mapping[str, Moment]
    linked: Sequence[str] | None = None  # None: an older version did not say


NONE_YET = Notes({}, {})
LOST = Notes({}, {}, whole=False)


def update_schedules(
    notes: Notes, expected: Mapping[str, Expected], unlinked: frozenset[str], now: dt.datetime
) -> dict[str, Schedule]:
    """The schedules to go by: those of the sheets, and the last one known of each tenant whose sheet has vanished.

    A tenant of 連携解除 (`unlinked`) has none. Where the notes are lost, every schedule counts as known since ever:
    rather a false alarm than none.
    """
    gone = notes.schedules.keys() - expected.keys() - unlinked
    schedules = {tenant: notes.schedules[tenant] for tenant in sorted(gone)}
    for tenant, one in expected.items():
        known = notes.schedules.get(tenant)
        if known is not None and known.run_at == one.run_at and known.every in (None, one.every):
            schedules[tenant] = known._replace(every=one.every)  # None: an earlier version did not say
        else:
            schedules[tenant] = Schedule(one.run_at, now if notes.whole else None, one.every)
    return schedules


def newest_due_tick(run_at: dt.time, now: dt.datetime, grace: dt.timedelta) -> dt.datetime:
    """The newest daily run whose grace has passed: yesterday's, as long as today's has not."""
    passed = (now - grace).astimezone(TOKYO)
    tick = dt.datetime.combine(passed.date(), run_at, TOKYO)
    return tick if tick <= passed else tick - DAY


def silent_since(
    schedule: Schedule,
    link_start_on: dt.date | None,
    last_result: dt.datetime | None,
    linked: bool,
    now: dt.datetime,
    grace: dt.timedelta,
) -> dt.datetime | None:
    """The tick since which a tenant is silent (結果なし); None where it is not, or was never linked: it has not begun."""
    return overdue(schedule, link_start_on, last_result, now, grace) if linked else None


def overdue(
    schedule: Schedule,
    link_start_on: dt.date | None,
    last_result: dt.datetime | None,
    now: dt.datetime,
    grace: dt.timedelta,
) -> dt.datetime | None:
    """The tick that should have given a result and did not; None when nothing is late."""
    if schedule.every is not None:
        begins = dt.datetime.combine(link_start_on, dt.time(), TOKYO) if link_start_on else None
        known = [moment for moment in (begins, schedule.since, last_result) if moment is not None]
        if known:
            return _overdue_after(max(known), schedule.every, now, grace)
    tick = newest_due_tick(schedule.run_at, now, grace)
    if link_start_on is not None and tick.date() < link_start_on:
        return None
    if schedule.since is not None and tick < schedule.since:
        return None
    return tick if last_result is None or last_result < tick else None


def _overdue_after(last: dt.datetime, every: dt.timedelta, now: dt.datetime, grace: dt.timedelta) -> dt.datetime | None:
    """The first tick that was missed, anew each day of the silence."""
    tick = last + every
    late = now - tick
    return tick + late // DAY * DAY if late >= min(max(2 * every, HALF_AN_HOUR), grace) else None


def untold(silent: Sequence[Silence], notes: Notes) -> list[Silence]:
    """Those of today's silences that nobody heard of yet: each day of silence is told once."""
    return [one for one in silent if notes.told.get(one.tenant) != one.tick]


def back_again(notes: Notes, last_results: Mapping[str, dt.datetime | None]) -> dict[str, dt.datetime]:
    """Tenants that were told to be silent and have a result since, with its moment."""
    return {
        tenant: last
        for tenant, tick in notes.told.items()
        if (last := last_results.get(tenant)) is not None and last >= tick
    }


def message_key(kind: str, link: str, parts: Mapping[str, dt.datetime]) -> str:
    """The same for the same news, so that a repetition after a crash can be recognised."""
    return key_of(kind, link, *(f"{tenant} {at.isoformat()}" for tenant, at in sorted(parts.items())))


def silence_message(label: str, silent: Sequence[Silence], link: str = "") -> Message:
    """For the operator: who is silent since when, and what to look at."""
    lines = [_silence_line(one) for one in silent[:TENANTS_SHOWN]]
    if len(silent) > TENANTS_SHOWN:
        lines.append(f"ほか{len(silent) - TENANTS_SHOWN}社")
    if any(not one.cause for one in silent):
        lines += [
            "Airflowのスケジューラが動いているか、Dagが一時停止・読み込みエラーになっていないか、前の処理が終わらずに"
            "止まっていないか、結果通知が届いているかを確認してください。",
            "原因を除いたあと、本日分が必要な場合はDagを手動で実行（Trigger）してください。",
        ]
    if any(one.cause == SHEET_GONE for one in silent):
        lines.append(
            "連携設定シートが無い会社は、シートを元に戻してください。連携をやめた会社であれば、連携状態を「連携解除」にした"
            "シートを1時間ほど置いてから取り除いてください。"
        )
    if any(one.cause == UNREADABLE for one in silent):
        lines.append("記録を読み取れない会社は、保存先(RENKEI_STORE)の last_result.json を確認してください。")
    return Message(
        title=f"【警告】{label}: {len(silent)}社から結果が届いていません",
        lines=tuple(lines),
        link=link,
        link_label="Airflowを開く",
        tone=Tone.BAD,
    )


def back_message(label: str, back: Mapping[str, dt.datetime], link: str = "") -> Message:
    """For the operator: the silence is over."""
    lines = [f"{tenant}: {time_in_japan(at)} に結果が届きました" for tenant, at in sorted(back.items())]
    more = len(lines) - TENANTS_SHOWN
    return Message(
        title=f"【復旧】{label}: 結果が届いていなかった{len(back)}社の結果が届きました",
        lines=(*lines[:TENANTS_SHOWN], *([f"ほか{more}社"] if more > 0 else [])),
        link=link,
        link_label="Airflowを開く",
        tone=Tone.GOOD,
    )


def _silence_line(one: Silence) -> str:
    last = f"最後の結果 {time_in_japan(one.last)}" if one.last else "結果の記録なし"
    return f"{one.tenant}: {time_in_japan(one.tick)} の処理（{one.cause or last}）"
