"""What the お客様ページ says. No clock, no files."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from renkei.storage.versions import Moved, Origin, Version
from renkei.web.customer.facts import Company, Connected, ConnectionState
from renkei.web.customer.invitations import CustomerRight

# From a word's beginning on, so that a long word is read once.
_ADDRESS = re.compile(
    r"(?<![^\s<>、。（）「」:：])[^\s<>、。（）「」:：][^\s<>、。（）「」:：@＠]*+[@＠][^\s<>、。（）「」]+"
)
_OWN_PATH = "保存先の"  # a line of the summary that names a file of the store: the operator's


@dataclass(frozen=True, slots=True)
class Upload:
    """A version that a customer uploaded."""

    number: int
    version: Version
    label: str
    tone: str
    errors: int = 0  # found at the last look; not known of what nobody decides on any more

    @property
    def waits(self) -> bool:
        """For the operator."""
        return self.tone == "wait"

    @property
    def is_to_mend(self) -> bool:
        """By the customer."""
        return self.tone == "bad"


def uploads(
    versions: Sequence[tuple[int, Version]],
    moves: Sequence[Moved],
    in_force: str,
    errors: Callable[[int], int | None],
) -> list[Upload]:
    """Of those versions the customers' own, in their order, the newest first; so are `moves`.

    `in_force` is a file's digest; `errors` says how many a version has, as far as somebody has looked.
    """
    last = next((one.move.at for one in moves if one.done and not one.is_first_note), None)
    found: list[Upload] = []
    for number, version in versions:
        if version.origin is not Origin.CUSTOMER:
            continue
        if version.digest == in_force:
            found.append(Upload(number, version, "使用中", "good"))
        elif last and version.at <= last:
            found.append(Upload(number, version, "使用していません", "quiet"))
        elif not (count := errors(number)):
            found.append(Upload(number, version, "運用担当者の確認待ち", "wait"))
        elif found:  # the customer has sent another one since
            found.append(Upload(number, version, "使用していません", "quiet", count))
        else:
            found.append(Upload(number, version, "お客様の修正待ち", "bad", count))
    return found


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a company on its way."""

    company: Company
    allowed: Collection[CustomerRight]
    connected: Connected | None
    uploads: Sequence[Upload]
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the customer's: how far it is, and its page; without one it is not his to do here."""

    title: str
    label: str
    tone: str
    text: str
    page: str = ""
    button: str = ""


DONE, NEXT, OPEN = ("完了", "good"), ("次にすること", "wait"), ("未完了", "none")
ASIDE = "この招待では操作できません。運用担当者に確認してください。"


def steps(facts: Facts) -> list[Step]:
    """連携開始までの流れ, the customer's part."""
    found = [_sheet(facts)]
    if facts.connected is not None:
        found.append(_connection(facts, facts.connected))
    return [*found, _result(facts), _beginning(facts)]


def _sheet(facts: Facts) -> Step:
    bad = next((one for one in facts.uploads if one.is_to_mend), None)
    if bad:
        said = f"アップロードしたシート（版{bad.number}）に誤りが{bad.errors}件あります。"
        state, text = NEXT, said + "直したファイルを、もう一度アップロードしてください。"
    elif any(one.waits for one in facts.uploads):
        state, text = ("確認待ち", "cold"), "アップロードしたシートを、運用担当者が確認しています。"
    elif facts.company.sheet:
        state, text = DONE, "誤りのないシートを使っています。変更する場合は、新しいシートをアップロードしてください。"
    else:
        state, text = NEXT, "連携設定シートをアップロードして、誤りがないか確かめてください。"
    return _step("シート", state, text, CustomerRight.SHEET in facts.allowed, "sheets", "シートの画面")


def _connection(facts: Facts, found: Connected) -> Step:
    source = facts.company.source
    texts = {
        ConnectionState.NONE: (NEXT, f"{source}の管理者でログインして、連携を許可してください。"),
        ConnectionState.UNDER_WAY: (NEXT, f"{source}での許可が終わっていません。"),
        ConnectionState.LINKED: (DONE, f"{source}と連携済みです。"),
        ConnectionState.VOID: (NEXT, f"{source}の許可が無効になっています。もう一度ログインして、許可してください。"),
        ConnectionState.OTHERWISE: (DONE, "運用担当者が預かった情報で接続しています。"),
    }
    state, text = texts[found.state]
    return _step(f"{source}の接続", state, text, CustomerRight.CONNECTION in facts.allowed, "connection", "接続の画面")


def _result(facts: Facts) -> Step:
    done = facts.company.last_result is not None
    text = (
        "処理の結果と、誤りの直し方を確かめられます。"
        if done
        else "シートと接続がそろうと、運用担当者が最初の処理を行います。"
    )
    return _step(
        "結果の確認", DONE if done else OPEN, text, CustomerRight.RESULTS in facts.allowed, "results", "結果の画面"
    )


def _beginning(facts: Facts) -> Step:
    begins = facts.company.link_start_on
    if begins is None:
        return Step("連携開始日", *OPEN, "シートの「連携開始日」で決まります。")
    began = (
        facts.company.last_result is not None
        and begins <= facts.now.astimezone(dt.timezone(dt.timedelta(hours=9))).date()
    )
    day = f"{begins.year}年{begins.month}月{begins.day}日"
    return Step("連携開始日", *(DONE if began else OPEN), f"{day}から、自動で処理します。")


def _step(title: str, state: tuple[str, str], text: str, allowed: bool, page: str, button: str) -> Step:
    if allowed:
        return Step(title, *state, text, page, button)
    return Step(title, *state, text if state != NEXT else ASIDE)


def lines_of(summary: Sequence[str], tenant: str) -> tuple[str, list[str]]:
    """The subject of a run and what else is said of it, from its summary; without what is the operator's.

    A summary names nobody (L6); an address in it all the same is left out.
    """
    if not summary:
        return "", []
    subject = summary[0].removesuffix(f" {tenant}")
    return without_addresses(subject), [without_addresses(line) for line in summary[1:] if _OWN_PATH not in line]


def without_addresses(text: str) -> str:
    """A user id may be a mail address; here it is shown to nobody."""
    return _ADDRESS.sub("（メールアドレス）", text)
