"""What people read of absences: subjects of mails, and a run in a few lines; nothing names anybody (L6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from renkei.links.workplace_lineworks import tables
from renkei.links.workplace_lineworks.history import NO_EVENT, FailedAbsence
from renkei.links.workplace_lineworks.model import Compared, Fetched, Planned, Written
from renkei.outbox.tables import State
from renkei.runs.outcome import Outcome
from renkei.systems.workplace.client import Status

ABSENCE_STATES = {
    tables.WRITTEN: "登録済み",
    tables.WAITING: "待ち",
    tables.FAILED: "登録できない",
    tables.HELD: "保留",
    NO_EVENT: "登録なし",
}
STATUSES = {
    Status.APPLIED.value: "申請中",
    Status.APPROVED.value: "承認",
    Status.REJECTED.value: "却下",
    Status.CANCELLED.value: "取消",
    tables.GONE: "削除",
}
MESSAGE_STATES = {
    State.WAITING: "送信待ち",
    State.SENDING: "送信中",
    State.SENT: "送信済み",
    State.REFUSED: "届けられない",
    State.UNKNOWN: "不明",
    State.DROPPED: "送信せず",
}
MESSAGE_TONES = {
    State.WAITING: "cold",
    State.SENDING: "cold",
    State.SENT: "good",
    State.REFUSED: "bad",
    State.UNKNOWN: "wait",
    State.DROPPED: "quiet",
}
SUBJECTS = {
    Outcome.OK: "CALENDAR-OK(連携完了)",
    Outcome.CHECKED: "CALENDAR-CHECK(確認のみ)",
    Outcome.COMPARED: "CALENDAR-COMPARE(照合: 違いなし)",
    Outcome.DIFFERS: "CALENDAR-COMPARE(照合: 違いあり)",
    Outcome.DATA: "CALENDAR-ERROR-D(データエラー)",
    Outcome.RECEIVE: "CALENDAR-ERROR-R(WORKPLACE受信エラー)",
    Outcome.LOAD: "CALENDAR-ERROR-L(LINE WORKS接続エラー)",
    Outcome.SETTING: "CALENDAR-ERROR-S(設定エラー)",
    Outcome.BASELINE: "CALENDAR-ERROR-B(記録エラー)",
    Outcome.REFUSED: "CALENDAR-ERROR-G(中止)",
    Outcome.SYSTEM: "CALENDAR-ERROR-X(システムエラー)",
    Outcome.HOLD: "CALENDAR-HOLD(承認待ち)",
    Outcome.CONFIRM: "CALENDAR-CONFIRM(確認待ち)",
}
HELD = "CALENDAR-HOLD(大量の取消を保留)"
FAILED_ABSENCES = "CALENDAR-WARN(登録できない不在あり)"
DOUBTFUL_READ = "CALENDAR-WARN(WORKPLACEの一覧を確認)"
OVER = "CALENDAR-OK(復旧)"
MAX_LISTED = 100
STRAYS_LEFT = (
    "シートの「手で変えた予定」が「残す」か、件数が多いか、WORKPLACEの一覧に疑わしい点があるため、削除していません。"
)
PUT_BACK = "消えていた、変更されていた予定は、WORKPLACEの不在のとおりに登録し直します。"
LEFT_ALONE = "シートの「手で変えた予定」が「残す」のため、消えていた、変更されていた予定は、そのままです。"
RELEASE_HOW = "承認するには、Dagを実行方法「保留中の取消の承認」で実行（Trigger）してください。"


def figures(
    fetched: Fetched | None, planned: Planned | None, written: Written | None, compared: Compared | None
) -> Iterator[str]:
    """What a run came to."""
    if fetched:
        yield f"不在日程: 受信 {fetched.read:,}件" + (f"、WORKPLACEで削除 {fetched.gone:,}件" if fetched.gone else "")
    if compared:
        yield (
            f"照合: 確認 {compared.asked:,}件、カレンダーから消えていた予定 {compared.missing:,}件、"
            f"変更されていた予定 {compared.changed:,}件"
        )
        if compared.strays:
            left = compared.strays - compared.removed
            yield f"  どの不在にも当たらないRenkeiの予定 {compared.strays:,}件（削除 {compared.removed:,}件）" + (
                f"。残りの {left:,}件は、そのままです。{STRAYS_LEFT}" if left else ""
            )
        if compared.left:
            yield f"  残り {compared.left:,}件は、次の照合で確認します。"
    if written:
        yield (
            f"カレンダー: 追加 {written.added:,}件、更新 {written.replaced:,}件、削除 {written.deleted:,}件、"
            f"登録できない不在 {written.failed:,}件、保留 {written.held:,}件、待ち {written.waiting:,}件"
        )
    elif planned:
        yield (
            f"予定: 登録・変更・削除する不在 {planned.waiting:,}件（うち取消 {planned.cancelled:,}件）、"
            f"保留 {planned.held:,}件、登録できない不在 {planned.failed:,}件"
        )
    if planned and planned.held:
        yield f"取消 {planned.held:,}件を保留しています。カレンダーの予定は残しています。{RELEASE_HOW}"
    yield from doubts(fetched)


def doubts(fetched: Fetched | None) -> Iterator[str]:
    """What is doubtful about the list that WORKPLACE gave."""
    if fetched is None:
        return
    if fetched.suspicious:
        yield (
            f"登録済みの不在 {fetched.suspicious:,}件がWORKPLACEの一覧にありません。一覧が完全でない可能性があるため、"
            "カレンダーからは削除していません。WORKPLACEを確認してください。"
        )
    if fetched.malformed:
        yield (
            f"形式が正しくない不在が {len(fetched.malformed):,}件あります（{_some(fetched.malformed)}）。飛ばして、ほかの連携を"
            "続けています。WORKPLACEで、その申請の期間、不在の種類（100文字以内）、ユーザーIDを確認してください。"
        )
    if fetched.older:
        yield (
            f"前に受信した版より古い不在が {len(fetched.older):,}件あります（{_some(fetched.older)}）。新しい版のままにして"
            "います。WORKPLACEの一覧が古くないかを確認してください。"
        )


def _some(numbers: Sequence[str]) -> str:
    return "、".join(numbers[:10]) + ("ほか" if len(numbers) > 10 else "")


def listed(absences: Sequence[FailedAbsence], count: int) -> Iterator[str]:
    """The absences that could not be written, with cause and remedy (C10)."""
    if not absences:
        return
    yield f"登録できない不在 {count:,}件:"
    for one in absences[:MAX_LISTED]:
        yield f"  不在 {one.absence_id}: {one.cause} → {one.remedy}"
    if count > MAX_LISTED:
        yield f"  ほか{count - MAX_LISTED:,}件"
    yield "これらの不在は飛ばし、ほかの不在の連携は続けています。直すと自動で、または「失敗分の再連携」で連携し直します。"
