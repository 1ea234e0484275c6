"""What is wrong in a members table: cells, and values that two people cannot share (N4)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import Any

import pandas as pd

from renkei.channel import Service
from renkei.errors import Problem
from renkei.notifications.members.table import LABELS, look_up
from renkei.notifications.services import SPEC
from renkei.systems.google_chat.client import url_fault
from renkei.texts import UNSEEN_NAMES

MAX_USER_ID = 40  # E23
_DIGITS_LOST = re.compile(r"[0-9](?:\.[0-9]+)?[Ee]\+[0-9]+")  # what Excel makes of a long number in a CSV
_COMMAND = re.compile(r"[+@-].*[(!|]")
_EXCEL_ERROR = re.compile(r"#(?:N/A|REF!|NAME\?|VALUE!|DIV/0!|NULL!|NUM!)")

Fault = tuple[str, str]  # what was found, the remedy


def _user_id_fault(value: str) -> Fault | None:
    if not value:
        return "ユーザIDがありません", "Emergency CallのユーザIDを入力してください"
    if len(value) > MAX_USER_ID:
        return f"{len(value)}文字あります", f"{MAX_USER_ID}文字以内のユーザIDにしてください"
    if unicodedata.normalize("NFKC", value) != value:
        return (
            f"「{quotable(value)}」に全角の英数字などがあります",
            "Emergency CallのユーザIDと同じ、半角の文字にしてください",
        )
    return None


def _pattern_fault(service: Service, begins: str, *, remedy: str) -> Callable[[str], Fault | None]:
    destination = SPEC[service].destination
    assert destination is not None

    def fault(value: str) -> Fault | None:
        if not value or (destination.pattern.fullmatch(value) and re.match(begins, value)):
            return None
        wide = unicodedata.normalize("NFKC", value) != value
        return f"「{quotable(value)}」は{'全角の文字があり、' if wide else ''}正しい形ではありません", remedy

    return fault


def _webhook_fault(allowed: Collection[str]) -> Callable[[str], Fault | None]:
    def fault(value: str) -> Fault | None:
        found = url_fault(value, allowed) if value else ""
        return (
            (found, "Google Chatの「アプリと統合」で作ったWebhookのURLをそのまま貼り付けてください") if found else None
        )

    return fault


def _any_fault(value: str) -> Fault | None:
    """What is wrong in every column."""
    if value.startswith("="):
        return "数式です", "値だけを貼り付けてください"
    if _COMMAND.match(value):
        return f"「{quotable(value)}」は、表計算ソフトが数式として実行する形です", "値だけを入力し直してください"
    if not value.isprintable() or " " in value:
        place, odd = next((n, c) for n, c in enumerate(value, 1) if c == " " or not c.isprintable())
        name = f"{UNSEEN_NAMES.get(odd, '見えない文字')}(U+{ord(odd):04X})"
        return f"{place}文字目に{name}があります", "セルの内容をすべて消してから、入力し直してください"
    if _EXCEL_ERROR.fullmatch(value):
        return f"Excelのエラー値「{value}」です", "値を入力し直してください"
    if _DIGITS_LOST.fullmatch(value):
        return f"「{value}」は桁が失われた数値です", "Excelで列の表示形式を「文字列」にしてから入力し直してください"
    return None


def cell_problems(table: pd.DataFrame, name: str, allowed: Collection[str]) -> list[Problem]:
    """Every cell that is malformed; the index of `table` are the rows as the spreadsheet numbers them."""
    kinds: dict[str, Callable[[], Callable[[str], Fault | None]]] = {
        "user_id": lambda: _user_id_fault,
        "lineworks_id": lambda: _pattern_fault(
            Service.LINEWORKS, r"(?!channel:)", remedy="LINE WORKSのログインID(例: tanaka@example)にしてください"
        ),
        "slack_member_id": lambda: _pattern_fault(
            Service.SLACK_BOT,
            "[UW]",
            remedy="Slackのプロフィールの「メンバーIDをコピー」で得たID(例: U012ABCDEF)にしてください",
        ),
        "google_chat_webhook": lambda: _webhook_fault(allowed),
        "line_user_id": lambda: _pattern_fault(
            Service.LINE, "U", remedy="U + 32桁の英数字です(LINEアプリの「ID」ではありません)。LINE連携の招待も使えます"
        ),
    }
    problems = []
    for column in table:
        specific = kinds[str(column)]()
        faults = table[column].map(lambda value, fault=specific: _any_fault(value) or fault(value))
        problems += [_at(name, row, str(column), *fault) for row, fault in faults[faults.notna()].items()]
    return problems


def _repeated(column: pd.Series[str]) -> pd.Series[bool]:
    return column.ne("") & column.duplicated(keep="first")


def duplicates(table: pd.DataFrame, name: str) -> list[Problem]:
    """Every row that has what an earlier row has and two people cannot share."""
    return [
        _at(name, row, column, f"{first}行目と同じです", "社員ごとに異なる値にしてください")
        for column in ("user_id", "lineworks_id", "slack_member_id", "line_user_id")
        if column in table
        for row, first in _repeats(table[column])
    ]


def _repeats(column: pd.Series[str]) -> list[tuple[Any, Any]]:
    """Each row that has what an earlier row has, and the first of those."""
    once = ~column.duplicated()
    first = dict(zip(column[once], column.index[once], strict=True))
    again = column[_repeated(column)]
    return [(row, first[value]) for row, value in again.items()]


def line_conflicts(table: pd.DataFrame, whole: pd.DataFrame, linked: Mapping[str, str], name: str) -> list[Problem]:
    """Rows whose LINE id another row already has by login; who linked one uses that, whatever the file says."""
    by_login = look_up(whole["user_id"], linked)
    ids = by_login.where(by_login != "", whole["line_user_id"]).set_axis(table.index)
    return [
        _at(
            name,
            row,
            "line_user_id",
            f"{first}行目の社員とLINEアカウントが同じです",
            "どちらのLINEアカウントか確かめ、誤りならこのIDを直すか、運用担当者に連携の取り消し（renkei members unlink-line）を依頼してください",
        )
        for row, first in _repeats(ids)
    ]


def shared_webhook(table: pd.DataFrame, name: str) -> list[Problem]:
    """A warning where two people have one webhook: a room of several may be meant, and seldom is."""
    if "google_chat_webhook" not in table or not _repeated(table["google_chat_webhook"]).any():
        return []
    found = "同じGoogle Chat Webhookが2名以上にあります"
    return [Problem(name, found, "個人宛ての通知をほかの社員が読めないか確かめてください")]


def _at(name: str, row: Any, column: str, found: str, remedy: str) -> Problem:
    return Problem(f"{name} {row}行目 {LABELS[column]}", found, remedy)


def quotable(value: str) -> str:
    """The value for a message: not where it may be a webhook in the wrong column (L7)."""
    return "(URL)" if "://" in value or len(value) > 60 else value
