"""What a member reads of an event: what happened to which document, and where it is; of people it names nobody (L6)."""

from __future__ import annotations

from collections.abc import Collection

from renkei.clock import time_in_japan
from renkei.links.workplace_lineworks.events.event import WorkflowEvent
from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS
from renkei.systems.delivery import Message, Tone, clean, fit

MAX_SUBJECT = 200  # characters of a title

HAPPENED = {
    "requested": ("承認の依頼が届いています", Tone.WAITING),
    "approved": ("申請が承認されました", Tone.GOOD),
    "rejected": ("申請が却下されました", Tone.BAD),
    "returned": ("申請が差し戻されました", Tone.BAD),
    "withdrawn": ("申請が取り下げられました", Tone.PLAIN),
    "completed": ("決裁が完了しました", Tone.GOOD),
    "referenced": ("参照する文書が届いています", Tone.PLAIN),
    "commented": ("文書にコメントが付きました", Tone.PLAIN),
}
MISSING = {
    "slack": "SlackのメンバーIDが登録されていません。",
    "google_chat": "Google ChatのWebhookが登録されていません。",
    "line": "LINEの認証と友だち追加が済んでいません。",
}
UNKNOWN_MEMBER = "メンバー表にいません（退職、または未登録です）。"
NO_USER_ID = "LINE WORKSのユーザーIDではありません（トークルームには送りません）。"
SWITCHED_OFF = "メッセンジャーが「使用しない」になったため、送信しませんでした。"
STALE = "発生から時間がたっているため、送信しませんでした（まとめてお知らせします）。"
TOO_OLD = "発生から時間がたっているため、送信しませんでした。"
SUMMED_UP = "発生から時間がたっているため、送信しませんでした（まとめてお知らせしました）。"
NOT_CHOSEN = "通知管理で選ばれていない通知項目です。"


def told(event: WorkflowEvent, missing: Collection[str] = ()) -> Message:
    """The message; `missing` are the channels in which its reader should have got it too, and cannot."""
    title, tone = HAPPENED[event.kind]
    subject = " ".join(clean(event.document.title).split())
    lines = [f"件名: {fit(subject, MAX_SUBJECT)}"] if subject else []
    lines += [f"文書番号: {event.document.number}"] if event.document.number else []
    lines.append(f"日時: {time_in_japan(event.occurred_at)}")
    if missing:
        names = "、".join(CHANNELS[channel] for channel in missing)
        lines.append(f"※{names}には送信できませんでした。「マイ情報」で登録を確認してください。")
    return Message(f"【WORKPLACE】{title}", tuple(lines), event.document.url, "文書を開く", tone)


def summed_up(number: int) -> Message:
    """What is told of notifications that were too old."""
    lines = (
        f"通知が送れない間に、{number}件の通知がありました。",
        "古い通知のため、1件ずつは送信していません。WORKPLACEのワークフローを確認してください。",
    )
    return Message("【WORKPLACE】お送りできなかった通知があります", lines, tone=Tone.WAITING)
