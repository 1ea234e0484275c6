"""What the bot answers (P16): the time, the kind, what became of it, and what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from renkei.clock import TOKYO
from renkei.links.lineworks_kot.deciding import Reason
from renkei.links.lineworks_kot.kinds import Kind
from renkei.links.lineworks_kot.words_store import Word

TO_ADMINISTRATOR = "勤怠の管理者に連絡してください。"
BY_OTHER_MEANS = "KING OF TIMEの画面などで打刻するか、" + TO_ADMINISTRATOR


def done(at: dt.datetime, kind: Kind, day: dt.date) -> str:
    of = "" if day == at.astimezone(TOKYO).date() else f"（{day.month}/{day.day}の勤務）"
    return f"{_what(at, kind)}を記録しました{of}"


def being_confirmed(at: dt.datetime, kind: Kind, opens_in_s: float) -> str:
    when = "KING OF TIMEに確認できる時間（10:00、18:30）になってから" if opens_in_s else "まもなく"
    return f"{_what(at, kind)}を確認中です。結果は{when}お知らせします。もう一度送る必要はありません。"


def unsure(at: dt.datetime, kind: Kind) -> str:
    return f"{_what(at, kind)}が記録されたかどうかを確認できません。管理者が確認します。もう一度送らないでください。"


def refused(at: dt.datetime, kind: Kind, why: str) -> str:
    return f"{_what(at, kind)}は記録されていません。{why}"


def no_punch(at: dt.datetime, words: Sequence[Word], reason: Reason) -> str:
    """What is said of a message that is no punch, or waits for a person."""
    if reason is Reason.TWO_KINDS:
        named = "」「".join(word.text for word in words)
        return f"「{named}」の両方が含まれているため、打刻していません。どちらか1つだけを送ってください。"
    if reason is Reason.NO_WORD:
        named = "」「".join(word.text for word in words)
        return f"打刻の文言がないため、打刻していません。打刻するには「{named}」のどれかを送ってください。"
    if reason is Reason.NO_TIME:
        return f"メッセージの時刻を読み取れないため、打刻していません。{BY_OTHER_MEANS}"
    if reason is Reason.STRANGER:
        return f"あなたのアカウントは打刻連携に登録されていないため、打刻していません。{BY_OTHER_MEANS}"
    if reason is Reason.NOT_YET:
        return f"LINE WORKSからの打刻はまだ始まっていないため、打刻していません。{BY_OTHER_MEANS}"
    kind = words[0].kind
    what = {
        Reason.OFF: f"この会社では{kind.label}の打刻を使用していません。{TO_ADMINISTRATOR}",
        Reason.NO_BREAKS: "あなたの雇用区分では休憩打刻が許可されていません。",
        Reason.NO_BOUNDARY: f"あなたの所属の日付変更時間が設定されていません。{BY_OTHER_MEANS}",
        Reason.FUTURE: f"メッセージの時刻が未来になっています。{BY_OTHER_MEANS}",
        Reason.BY_HAND: f"管理者が確認し、打刻しないことにしました。{TO_ADMINISTRATOR}",
    }
    if reason is Reason.UNSURE:
        return f"{_what(at, kind)}は管理者が確認しました。これ以上の記録は行いません。{TO_ADMINISTRATOR}"
    if reason is Reason.DOUBLE:
        return f"{_what(at, kind)}は受付済みです。"
    if reason is Reason.OLD:
        local = at.astimezone(TOKYO)
        return f"{local.month}/{local.day} {_what(at, kind)}は24時間より前のものです。管理者が確認してから記録します。"
    return refused(at, kind, what.get(reason, BY_OTHER_MEANS))


def _what(at: dt.datetime, kind: Kind) -> str:
    local = at.astimezone(TOKYO)
    return f"{local.hour}:{local:%M} {kind.label}"
