"""打刻一覧: what was asked for on a day, what became of it, how long it took; and a person's word about held ones (P10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select

from renkei.clock import TOKYO
from renkei.inbox.inbox import Inbox
from renkei.inbox.tables import State as Inboxed
from renkei.links.lineworks_kot import LINK, replies
from renkei.links.lineworks_kot.deciding import Reason
from renkei.links.lineworks_kot.punches import Punch, Punches, State, punch_of
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.links.lineworks_kot.tables import PUNCH
from renkei.links.lineworks_kot.wording import REPLY_STATES
from renkei.links.lineworks_kot.words_store import Word
from renkei.outbox.outbox import Entry, Outbox
from renkei.storage.database.database import Database
from renkei.storage.store import Store
from renkei.systems.delivery import Message

QUARTER_MIN = 15
REPLY_WORTH = dt.timedelta(hours=24)
MAX_TIMED = 50_000  # punches of a day whose times are looked at


@dataclass(frozen=True, slots=True)
class PunchFilter:
    """Which messages of a day in Japan: of one employee, in one state; empty: all."""

    day: dt.date
    code: str = ""
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Quarter:
    """Quarter of an hour: its beginning, and how many punches were done, and how many were not."""

    begins: dt.time
    done: int
    others: int


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from the receipt of a message to KING OF TIME's answer, of what was punched at once."""

    count: int
    half: float  # that took no longer
    nearly_all: float  # 99 of 100


class PunchList:
    """The messages of one tenant that asked for a punch."""

    def __init__(self, database: Database, store: Store, tenant: str) -> None:
        self._database, self._store, self._tenant = database, store, tenant

    def listed(self, wanted: PunchFilter, start: int, most: int) -> list[Punch]:
        """The newest first."""
        rows = select(PUNCH).where(self._of(wanted)).order_by(PUNCH.c.number.desc()).offset(start).limit(most)
        with self._database.reading() as connection:
            return [punch_of(row) for row in connection.execute(rows)]

    def counts(self, wanted: PunchFilter) -> dict[State, int]:
        """By state, whichever `wanted` names."""
        of = self._of(PunchFilter(wanted.day, wanted.code))
        rows = select(PUNCH.c.state, func.count()).where(of).group_by(PUNCH.c.state)
        with self._database.reading() as connection:
            found = {State(state): count for state, count in connection.execute(rows)}
        return {state: found[state] for state in State if state in found}

    def open(self, most: int) -> list[Punch]:
        """Of any day: what a person decides about, and what KING OF TIME is yet to be asked about. The oldest first."""
        waiting = PUNCH.c.state.in_((State.HELD, State.UNKNOWN))
        rows = select(PUNCH).where(PUNCH.c.tenant == self._tenant, waiting).order_by(PUNCH.c.number).limit(most)
        with self._database.reading() as connection:
            return [punch_of(row) for row in connection.execute(rows)]

    def replies(self, punches: Sequence[Punch]) -> dict[int, str]:
        """By number what became of the bot's last answer, in a word; nothing where there is none (to a stranger: P20)."""
        outbox = Outbox(self._database, self._store, LINK, self._tenant)
        found = outbox.led_to([one.number for one in punches], {one.key for one in punches if one.key})
        return {number: REPLY_STATES[state] for number, state in found.items()}

    def quarters(self, day: dt.date) -> list[Quarter]:
        """Of the day, from the first to the last one in which anything came."""
        found: dict[int, list[int]] = {}
        for received, state in self._times(day):
            local = received.astimezone(TOKYO)
            counts = found.setdefault((local.hour * 60 + local.minute) // QUARTER_MIN, [0, 0])
            counts[0 if state in (State.DONE, State.DOUBLE) else 1] += 1
        if not found:
            return []
        return [
            Quarter(dt.time(number // 4, number % 4 * QUARTER_MIN), *found.get(number, [0, 0]))
            for number in range(min(found), max(found) + 1)
        ]

    def times(self, day: dt.date) -> Times | None:
        """How long the day's immediate punches took; None where there were none. What waited for a person or a read-back is not counted."""
        rows = select(PUNCH.c.received_at, PUNCH.c.done_at).where(
            self._of(PunchFilter(day, state=State.DONE)),
            PUNCH.c.done_at.is_not(None),
            PUNCH.c.by == "",
            PUNCH.c.note == "",
        )
        with self._database.reading() as connection:
            took = sorted((done - got).total_seconds() for got, done in connection.execute(rows.limit(MAX_TIMED)))
        if not took:
            return None
        return Times(len(took), took[len(took) // 2], took[min(len(took) - 1, len(took) * 99 // 100)])

    def _times(self, day: dt.date) -> Sequence[tuple[dt.datetime, State]]:
        rows = select(PUNCH.c.received_at, PUNCH.c.state).where(self._of(PunchFilter(day))).limit(MAX_TIMED)
        with self._database.reading() as connection:
            return [(received, State(state)) for received, state in connection.execute(rows)]

    def _of(self, wanted: PunchFilter) -> ColumnElement[bool]:
        begins = dt.datetime.combine(wanted.day, dt.time(), TOKYO)
        within = PUNCH.c.received_at >= begins, PUNCH.c.received_at < begins + dt.timedelta(days=1)
        found = and_(PUNCH.c.tenant == self._tenant, *within)
        if wanted.code:
            found = and_(found, PUNCH.c.code == wanted.code)
        return and_(found, PUNCH.c.state == wanted.state) if wanted.state else found

    def decide(self, mapping: Mapping, number: int, approve: bool, by: str, now: dt.datetime) -> bool:
        """A person's word about a held message; whether it was held. Both rows have it, or neither."""
        punches = Punches(self._database, self._store, self._tenant)
        punch = punches.of(number)
        if punch is None or punch.kind is None:
            return False
        reply = [] if approve or not mapping.replies else [self._refusal(punches, punch, now)]
        state = State.APPROVED if approve else State.REFUSED
        inbox = Inbox(self._database, self._store, LINK, self._tenant)
        inboxed = Inboxed.WAITING if approve else Inboxed.REFUSED
        with self._database.writing() as connection:
            if not inbox.decide(connection, number, inboxed, f"{by}が決めました。"):
                return False
            if not punches.decide(connection, number, state, by, reply, now):
                connection.rollback()
                return False
        return True

    def _refusal(self, punches: Punches, punch: Punch, now: dt.datetime) -> Entry:
        assert punch.kind is not None
        reason = Reason.UNSURE if punch.reason is Reason.UNSURE else Reason.BY_HAND
        text = replies.no_punch(punch.issued_at, [Word(punch.kind, punch.word)], reason)
        return Entry(
            event=f"reply {punch.number} {Reason.BY_HAND}",
            key=punch.key,
            channel="lineworks",
            purpose="reply",
            recipient=punch.key,
            to=punches.sender_of(punch),
            message=Message(text),
            not_after=now + REPLY_WORTH,
            priority=2,
            source=punch.number,
        )


def why(punch: Punch) -> str:
    """Why a message is what it is, in a sentence that names nobody; empty where the state says it all."""
    said = {
        Reason.STRANGER: "打刻連携に登録されていないアカウントからのメッセージです。",
        Reason.NO_WORD: "打刻の文言がありません（内容は残していません）。",
        Reason.NO_TIME: "メッセージの時刻を読み取れません（表示しているのは受信した時刻です）。",
        Reason.TWO_KINDS: f"2種類以上の文言（{punch.word}）があり、どの打刻か決められません。本人に聞き返しました。",
        Reason.OFF: "この打刻種別は、連携設定シートで使用しない設定です。",
        Reason.NO_BREAKS: "この従業員の雇用区分は、休憩打刻を許可していません。",
        Reason.NO_BOUNDARY: f"所属コード {punch.division} の日付変更時間が、連携設定シートにありません。",
        Reason.FUTURE: "メッセージの時刻が未来です。",
        Reason.NOT_YET: "連携設定シートの「連携開始日」より前のメッセージです。",
        Reason.OLD: "24時間より前のメッセージです。",
        Reason.UNSURE: "KING OF TIMEに送りましたが、応答と照会の結果が合わず、登録されたかどうか分かりません。",
        Reason.DOUBLE: "同じ打刻が直前にあるため、1回として扱いました。",
        Reason.BY_HAND: f"{punch.by}さんが打刻しないことにしました。",
    }
    return said.get(punch.reason, "") if punch.reason and punch.reason is not Reason.REFUSED else punch.note


def remedy(punch: Punch) -> str:
    """What to do about it; empty: nothing."""
    said = {
        Reason.STRANGER: "従業員であれば、アカウント設定に登録し、もう一度送ってもらってください。",
        Reason.NO_WORD: "打刻にしたい文言であれば、「打刻メッセージ編集」に追加してください。",
        Reason.NO_TIME: "LINE WORKSの形式が変わった可能性があります。運用担当者に連絡し、KING OF TIMEで打刻してください。",
        Reason.NO_BOUNDARY: "シートの「所属」に加えてください。それまでの分はKING OF TIMEで打刻してください。",
        Reason.NOT_YET: "もう始める場合は、シートの「連携開始日」を直してください。それまではKING OF TIMEで打刻してください。",
        Reason.OFF: "使用する場合は、シートの「休憩打刻」「外出打刻」を直してください。",
        Reason.NO_BREAKS: "許可する場合は、KING OF TIMEの雇用区分設定とシートの両方を直してください。",
        Reason.FUTURE: "サーバーの時計が遅れていないか運用担当者に確認し、KING OF TIMEで打刻してください。",
    }
    if punch.state is State.HELD and punch.reason is Reason.UNSURE:
        return "KING OF TIMEでこの人の打刻を見てください。あれば「打刻しない」、なければ「打刻する」を押してください。"
    if punch.state is State.HELD:
        return "打刻するかどうかを決めてください。"
    if punch.state is State.UNKNOWN:
        return "KING OF TIMEを読み取れる時間（10:00、18:30以降）に自動で確認し、なければ送り直します。"
    return said.get(punch.reason, "") if punch.reason else ""
