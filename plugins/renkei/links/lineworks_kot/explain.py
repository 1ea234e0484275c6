"""なぜ打刻になった／ならなかったのか: of one employee and one day, each message's way, by what the database knows.

KING OF TIME is not asked. Of a message without a word of 打刻メッセージ its time is left, and not what it says (L6).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from renkei.clock import TOKYO
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.accounts import Account, Accounts, AccountState
from renkei.links.lineworks_kot.deciding import Reason
from renkei.links.lineworks_kot.punch_list import PunchFilter, PunchList, remedy, why
from renkei.links.lineworks_kot.punches import Punch, State
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.links.lineworks_kot.wording import REPLY_STEPS
from renkei.outbox.tables import OUTGOING
from renkei.outbox.tables import State as Outboxed
from renkei.runs.steps import Step, StepResult
from renkei.storage.database.database import Database
from renkei.storage.store import Store

MAX_MESSAGES = 50  # messages of a person on a day
_NOT_DECIDED = (Reason.NO_WORD, Reason.TWO_KINDS, Reason.OFF, Reason.NO_BREAKS, Reason.NOT_YET)


@dataclass(frozen=True, slots=True)
class Explained:
    """One message's way, or that there was none."""

    title: str
    answer: str  # one sentence
    steps: Sequence[Step]


def explain(
    database: Database, store: Store, mapping: Mapping, code: str, day: dt.date
) -> tuple[Account | None, list[Explained]]:
    """The employee with this 従業員コード, and each of their messages of the day; where there is none, how far it came."""
    account = Accounts(database, store, mapping.tenant).of_code(code)
    first = _account_step(account, mapping)
    punches = PunchList(database, store, mapping.tenant).listed(PunchFilter(day, code), 0, MAX_MESSAGES)
    if not punches:
        none = Step("受信", StepResult.NO, *_nothing_came(mapping))
        if first.passed is StepResult.NO:
            return account, [Explained("", "打刻できる状態ではありません。" + first.reason, [first])]
        answer = f"{day.month}/{day.day}に、この人のメッセージは届いていません。"
        return account, [Explained("", answer, [first, none])]
    return account, [_explained(database, mapping, punch) for punch in reversed(punches)]


def _account_step(account: Account | None, mapping: Mapping) -> Step:
    name = "アカウント"
    if account is None:
        remedy_ = "従業員コードを確認し、KING OF TIMEに登録したばかりの場合は「従業員を読み込む」を押してください"
        return Step(name, StepResult.NO, "この従業員コードの従業員がいません。", remedy_)
    if account.gone:
        return Step(
            name, StepResult.NO, "KING OF TIMEにいない従業員です。", "KING OF TIMEの従業員設定を確認してください"
        )
    if account.state is None:
        return Step(
            name, StepResult.NO, "LINE WORKSアカウントIDが登録されていません。", "アカウント設定で登録してください"
        )
    if account.state not in (AccountState.LINKED, AccountState.NEW):
        return Step(name, StepResult.NO, f"LINE WORKSアカウントの状態: {account.state.label}", account.state.remedy)
    if account.employee.division not in mapping.boundaries:
        said = f"所属 {account.employee.division_name or account.employee.division} の日付変更時間がありません。"
        return Step(name, StepResult.NO, said, "連携設定シートの「所属」に加えてください")
    return Step(name, StepResult.YES, f"LINE WORKSアカウントは{account.state.label}です。")


def _nothing_came(mapping: Mapping) -> tuple[str, str]:
    said = "メッセージがありません。スタンプや画像、グループでの文言のない会話は記録していません。"
    return said, "Botのトークに送ったか（グループではないか）、スタンプや画像ではなかったかを確認してください"


def _explained(database: Database, mapping: Mapping, punch: Punch) -> Explained:
    local = punch.issued_at.astimezone(TOKYO)
    at = f"{local.month}/{local.day} {local.hour}:{local:%M:%S}"
    kind = punch.kind.label if punch.kind else "打刻"
    steps = [Step("受信", StepResult.YES, f"{at} のメッセージを受け取りました。")]
    if punch.reason in _NOT_DECIDED:
        steps.append(Step("文言", StepResult.NO, why(punch), remedy(punch)))
        return Explained(
            f"{at} {kind}", f"{kind}は打刻していません。{why(punch)}", [*steps, _reply(database, mapping, punch)]
        )
    steps.append(Step("文言", StepResult.YES, f"「{punch.word}」は{kind}です。"))
    if punch.day is None or punch.reason in (Reason.NO_BOUNDARY, Reason.FUTURE, Reason.NO_TIME):
        steps.append(Step("勤務日", StepResult.NO, why(punch), remedy(punch)))
        return Explained(
            f"{at} {kind}", f"{kind}は打刻していません。{why(punch)}", [*steps, _reply(database, mapping, punch)]
        )
    boundary = mapping.boundaries.get(punch.division)
    by = f"（日付変更時間 {boundary:%H:%M}）" if boundary else ""
    steps.append(Step("勤務日", StepResult.YES, f"{punch.day.month}/{punch.day.day} の勤務です{by}。"))
    passed, answer = _standing(punch, kind)
    steps.append(Step("KING OF TIME", passed, why(punch) or answer, remedy(punch)))
    return Explained(f"{at} {kind}", answer, [*steps, _reply(database, mapping, punch)])


def _standing(punch: Punch, kind: str) -> tuple[StepResult, str]:
    done = f"{punch.done_at.astimezone(TOKYO):%H:%M:%S} に" if punch.done_at else ""
    return {
        State.DONE: (StepResult.YES, f"{done}{kind}をKING OF TIMEに打刻しました。"),
        State.DOUBLE: (StepResult.YES, f"直前の{kind}と同じ打刻として受け付けました。"),
        State.SENDING: (StepResult.NOT, f"{kind}をKING OF TIMEに送っています。"),
        State.UNKNOWN: (StepResult.NOT, f"{kind}がKING OF TIMEに登録されたかどうかを確認しています。"),
        State.HELD: (StepResult.NOT, f"{kind}は管理者の判断を待っています。{why(punch)}"),
        State.APPROVED: (StepResult.NOT, f"{kind}は{punch.by}さんが認め、送信を待っています。"),
    }.get(punch.state, (StepResult.NO, f"{kind}は打刻していません。{why(punch)}"))


def _reply(database: Database, mapping: Mapping, punch: Punch) -> Step:
    if not mapping.replies:
        return Step("返信", StepResult.NOT, "返信しない設定です。")
    mine = (OUTGOING.c.link == LINK, OUTGOING.c.tenant == mapping.tenant, OUTGOING.c.source == punch.number)
    newest = select(OUTGOING.c.state, OUTGOING.c.note).where(*mine).order_by(OUTGOING.c.number.desc()).limit(1)
    with database.reading() as connection:
        row = connection.execute(newest).first()
    if row is None:
        return Step("返信", StepResult.NOT, "返信の記録はありません（1日1回だけ返信するもの、または35日より前）。")
    passed, said = REPLY_STEPS[Outboxed(row.state)]
    return Step("返信", passed, f"{said}{row.note}")
