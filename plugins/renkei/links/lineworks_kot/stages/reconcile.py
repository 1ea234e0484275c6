"""照合 (P19): our punches against KING OF TIME's, and a working morning without any. It reads, and changes nothing."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from renkei.clock import TOKYO
from renkei.links.lineworks_kot.kinds import LABELS, Kind
from renkei.links.lineworks_kot.punches import Punch, Punches, State
from renkei.systems.kingoftime.client import Punch as AtKingOfTime
from renkei.systems.kingoftime.client import minute

DAYS = 2  # today and the working day before, whose night may end after midnight
ALIKE = dt.timedelta(seconds=60)  # two punches of one kind that are no further apart are one, pressed twice
WEEKS = 4  # that say whether somebody usually has punched by now
MAX_SAID = 20
MISSING, DOUBLED, SILENT, REFUSED = "missing", "doubled", "silent", "refused"  # kinds of trouble


class PunchSource(Protocol):
    """`KingOfTimeClient`."""

    def punches(self, day: dt.date, keys: Sequence[str] = ()) -> list[AtKingOfTime]: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """`number` is the message's, where it is a punch of ours; `times` how many there are where it is doubled."""

    kind: str
    day: str  # ISO 8601, as the others
    code: str  # 従業員コード
    at: str
    punch: str  # 打刻種別
    number: int | None = None
    times: int = 1

    def __str__(self) -> str:
        what = "KING OF TIMEにありません" if self.kind == MISSING else f"KING OF TIMEに{self.times}件あります"
        local = dt.datetime.fromisoformat(self.at).astimezone(TOKYO)
        return f"従業員コード {self.code}: {local.month}/{local.day} {local.hour}:{local:%M} {LABELS[Kind(self.punch)]}が{what}"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a 照合 found. `others` were punched by other means, which is no fault; `open` are not known yet."""

    FILE: ClassVar[str] = "reconciliation"
    ours: int = 0
    there: int = 0
    others: int = 0
    open: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def troubles(self) -> list[str]:
        """Named so that each new one is told, and the same one once."""
        return sorted({f"{one.kind} {one.day} {one.code}"[:60] for one in self.findings})

    def said(self) -> Iterator[str]:
        """What people read of it: employees by their code alone (L6)."""
        yield f"照合: LINE WORKSの打刻 {self.ours:,}件、KING OF TIMEにあるもの {self.there:,}件、他の方法の打刻 {self.others:,}件"
        if self.open:
            yield f"確認中または送信待ちの打刻: {self.open:,}件"
        yield from map(str, self.findings[:MAX_SAID])
        if len(self.findings) > MAX_SAID:
            yield f"ほか {len(self.findings) - MAX_SAID:,}件"
        if any(one.kind == MISSING for one in self.findings):
            yield "無い打刻は、KING OF TIMEで削除されたものでなければ、KING OF TIMEの打刻編集で登録してください。"
        if any(one.kind == DOUBLED for one in self.findings):
            yield "重複した打刻は、KING OF TIMEの打刻編集でどちらかを削除してください（エラー勤務になります）。"


def reconcile(punches: Punches, king: PunchSource, now: dt.datetime) -> Reconciliation:
    """Of the last two working days. What the client raises, this does.

    Ours are read first: what is punched meanwhile may only be there.
    """
    today = now.astimezone(TOKYO).date()
    days = [today - dt.timedelta(days=back) for back in range(DAYS)]
    ours = {day: punches.of_day(day) for day in days}
    found = [_of_day(day, ours[day], king.punches(day)) for day in days]
    return Reconciliation(
        ours=sum(one.ours for one in found),
        there=sum(one.there for one in found),
        others=sum(one.others for one in found),
        open=sum(one.open for one in found),
        findings=[finding for one in found for finding in one.findings],
    )


def _of_day(day: dt.date, ours: Sequence[Punch], there: Sequence[AtKingOfTime]) -> Reconciliation:
    done = [one for one in ours if one.state is State.DONE]
    codes = {one.key: one.code for one in ours}
    at_king = Counter((one.key, one.kind, minute(one.at)) for one in there)
    sent = Counter(map(_same, done))
    known = set(map(_same, ours))
    findings, matched = [], 0
    for one in done:
        times, wanted = at_king[_same(one)], sent[_same(one)]
        matched += times > 0
        if times != wanted:
            kind = DOUBLED if times > wanted else MISSING
            findings.append(_finding(kind, day, one.code, one.issued_at, _kind(one), one.number, times))
    others = [one for one in there if (one.key, one.kind, minute(one.at)) not in known]
    findings += [
        _finding(DOUBLED, day, codes[one.key], one.at, one.kind, None, 2)
        for one in others
        if _is_pressed_again(one, done)
    ]
    is_open = sum(one.state is not State.DONE for one in ours)
    return Reconciliation(len(done), matched, len(others), is_open, findings)


def _is_pressed_again(other: AtKingOfTime, done: Sequence[Punch]) -> bool:
    """By other means, and within a minute of one of ours: an エラー勤務."""
    return any(
        one.key == other.key and _kind(one) == other.kind and abs(one.issued_at - other.at) <= ALIKE for one in done
    )


def _finding(
    kind: str, day: dt.date, code: str, at: dt.datetime, punch: str, number: int | None, times: int
) -> Finding:
    return Finding(kind, day.isoformat(), code, at.isoformat(), str(punch), number, times)


def _same(punch: Punch) -> tuple[str, str, dt.datetime]:
    """What makes it the same punch at KING OF TIME."""
    return punch.key, _kind(punch), minute(punch.issued_at)


def _kind(punch: Punch) -> str:
    assert punch.kind is not None
    return punch.kind.value


def is_silent(punches: Punches, now: dt.datetime) -> bool:
    """Whether nobody has asked for a punch today, though on that day of the week people usually have by now.

    Usually: in at least half of the four weeks before. A holiday is silent too: people know it for one.
    """
    local = now.astimezone(TOKYO)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if punches.were_received(midnight, local):
        return False
    past = [dt.timedelta(weeks=week) for week in range(1, WEEKS + 1)]
    return sum(punches.were_received(midnight - back, local - back) for back in past) >= WEEKS / 2


NOT_TAKEN = (
    "今日、KING OF TIMEが受け付けなかった打刻: {count:,}件。本人には理由を返信しました。"
    "コンソールの「打刻一覧」の「打刻できません」で理由を確認し、必要ならKING OF TIMEで打刻してください。"
)
HELD = (
    "打刻するかどうか、人が決めるのを待っているメッセージ: {count:,}件。"
    "コンソールの「打刻一覧」を開き、「確認が必要なもの」で「打刻する」か「打刻しない」を押してください。"
)
SILENCE = (
    "今日はまだ、LINE WORKSからの打刻が1件も届いていません。休業日でなければ、LINE WORKSのBotのCallback URL、"
    "Bot Secret、公開サービス（renkei serve）を確認してください。"
)
