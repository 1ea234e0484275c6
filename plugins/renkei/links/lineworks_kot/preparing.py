"""What punching needs before anybody punches: employees, the userIds of accounts, the bot's menu (P1, P5, P18)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from renkei.errors import FetchError, RetriableFetchError, SettingError
from renkei.links.lineworks_kot.accounts import Account, Accounts, AccountState
from renkei.links.lineworks_kot.kinds import switched_on
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.links.lineworks_kot.words_store import WordList
from renkei.systems.delivery import Delivery, Verdict
from renkei.systems.kingoftime.client import Employee
from renkei.systems.kingoftime.hours import reading_opens_in
from renkei.systems.lineworks.menu import MAX_BUTTONS, MAX_TEXT
from renkei.systems.lineworks.users import User, UserStatus

ASKED_AGAIN = dt.timedelta(days=7)  # an account that was there may be suspended by now
GONE_LEAST, MAX_GONE = 5, 0.1  # so many, and such a part of all, are not gone by a read that nobody asked for
SCOPES_WANTED = "bot、bot.read、user.email.read"
CLOSED = "KING OF TIMEを読み取れない時間帯（8:30～10:00、17:30～18:30）のため、従業員の読み込みは次の実行で行います。"
_STATES = {
    UserStatus.ACTIVE: AccountState.LINKED,
    UserStatus.UNKNOWN: AccountState.UNKNOWN,
    UserStatus.PENDING: AccountState.PENDING,
    UserStatus.SUSPENDED: AccountState.SUSPENDED,
    UserStatus.DELETED: AccountState.DELETED,
}


class Employees(Protocol):
    """KING OF TIME, as far as its employees go."""

    def employees(self) -> list[Employee]: ...


FindUser = Callable[[str], User | Delivery]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class EmployeeRead:
    """What a read of KING OF TIME's employees came to."""

    employees: int
    gone: int


def read_employees(
    accounts: Accounts, source: Employees, now: dt.datetime, *, asked_by_person: bool = False
) -> EmployeeRead | None:
    """Takes over KING OF TIME's employees; None in the hours in which it must not be read.

    Raises:
        StoppedError, KingOfTimeAwayError: KING OF TIME does not answer, or refuses.
        FetchError: it has nobody, which is never believed (L1); or lacks so many that only a person's press is believed,
            for who is gone cannot punch.
    """
    if reading_opens_in(now):
        return None
    found = source.employees()
    if not found:
        raise FetchError(
            "KING OF TIMEの従業員が0人と返されました。登録済みの従業員を消さないよう、何も変えていません。"
            "アクセストークンに「従業員」の閲覧(Read)の権限があるか確認してください。"
        )
    known = set(accounts.employees.keys().values())
    gone = len(known - {one.key for one in found})
    if not asked_by_person and gone >= GONE_LEAST and gone > len(known) * MAX_GONE:
        raise FetchError(
            f"KING OF TIMEの従業員が{len(known):,}名から{gone:,}名減っています。いない従業員は打刻できなくなるため、何も変えていません。"
            "アクセストークンの権限が減っていないか確認してください。退職などで本当に減った場合は、"
            "「アカウント設定」の「従業員を読み込む」を押すと、その内容に変わります。"
        )
    return EmployeeRead(len(found), accounts.employees.refresh(found, now))


def check_accounts(
    accounts: Accounts, find: FindUser, now: Callable[[], dt.datetime], progress: Progress = lambda *_: None
) -> int:
    """Asks LINE WORKS for the userId of each account that is new or unusable, or was asked about a week ago; how many.

    Each answer is kept as it comes, so what breaks off goes on where it was.

    Raises:
        SettingError: the app may not ask (P1).
        RetriableFetchError: LINE WORKS does not answer.
    """
    begun, asked = now(), 0
    while waiting := accounts.to_check(begun - ASKED_AGAIN, begun):  # what is entered meanwhile, too
        for number, account in enumerate(waiting):
            progress("LINE WORKSにアカウントを確認しています", number, len(waiting))
            found = find(account.entered)
            if isinstance(found, Delivery):
                raise _unanswered(found)
            accounts.note_user(account, _STATES[found.status], found.user_id, now())
        asked += len(waiting)
    return asked


def _unanswered(delivery: Delivery) -> FetchError | SettingError:
    if delivery.verdict is Verdict.REFUSED:
        return SettingError(refused_by_line_works(delivery))
    return RetriableFetchError(f"LINE WORKSが応答しません（{delivery.reason}）。")


def refused_by_line_works(delivery: Delivery) -> str:
    """What to look at: each of text 4's preconditions by its name (P1)."""
    return (
        f"LINE WORKSがアプリの利用を拒否しています（{delivery.reason}）。次を確認してください。"
        f"(1) Developer Consoleのアプリの「OAuth Scopes」に {SCOPES_WANTED} の3つがあり、[保存]をしたか。"
        "(2)「Service Account」を[発行]したか。(3)「LINE WORKSのAPI登録」の内容が、Developer Consoleと同じか。"
        "(4) Botが削除されていないか、Bot IDが同じか。"
    )


def menu_of(mapping: Mapping, words: WordList) -> list[str]:
    """The texts of up to four buttons: of each kind that is punched its first word that fits on one (P18)."""
    found = []
    for kind in switched_on(mapping):
        texts = [text for text in words.of(kind) if len(text) <= MAX_TEXT]
        found += texts[:1]
    return found[:MAX_BUTTONS]


def unusable(states: dict[AccountState, int]) -> int:
    """How many accounts LINE WORKS knows nothing good of."""
    return sum(count for state, count in states.items() if state not in (AccountState.NEW, AccountState.LINKED))


def accounts_said(states: dict[AccountState, int]) -> list[str]:
    """The accounts by their states, for a report."""
    lines = [f"{state.label} {states[state]:,}件" for state in AccountState if states.get(state)]
    return [f"LINE WORKSアカウント: {'、'.join(lines)}" if lines else "LINE WORKSアカウント: 登録なし"]


def with_trouble(shown: list[Account]) -> list[Account]:
    """Accounts that somebody has to see to."""
    return [one for one in shown if one.state not in (None, AccountState.NEW, AccountState.LINKED)]
