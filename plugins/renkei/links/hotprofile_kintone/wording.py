"""What people read of this link: subjects of mails, and a run in a few lines; nothing names anybody (L6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from renkei.clock import time_in_japan
from renkei.links.hotprofile_kintone import conflicts
from renkei.links.hotprofile_kintone.conflicts import Conflict
from renkei.links.hotprofile_kintone.history import FailedRecord, Processed, State
from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS
from renkei.runs.outcome import Outcome

SUBJECTS = {
    Outcome.OK: "KINTONE-OK(連携完了)",
    Outcome.CHECKED: "KINTONE-CHECK(確認のみ)",
    Outcome.COMPARED: "KINTONE-COMPARE(照合)",
    Outcome.DATA: "KINTONE-ERROR-D(データエラー)",
    Outcome.RECEIVE: "KINTONE-ERROR-R(Hot Profile受信エラー)",
    Outcome.LOAD: "KINTONE-ERROR-L(kintone接続エラー)",
    Outcome.SETTING: "KINTONE-ERROR-S(設定エラー)",
    Outcome.BASELINE: "KINTONE-ERROR-B(記録エラー)",
    Outcome.REFUSED: "KINTONE-ERROR-G(中止)",
    Outcome.SYSTEM: "KINTONE-ERROR-X(システムエラー)",
    Outcome.HOLD: "KINTONE-HOLD(承認待ち)",
    Outcome.CONFIRM: "KINTONE-CONFIRM(確認待ち)",
}
FAILED_RECORDS = "KINTONE-WARN(失敗レコードあり)"
QUOTA_SPENT = "KINTONE-QUOTA(APIリクエスト数の上限)"
QUOTA_NEAR = "KINTONE-QUOTA(APIリクエスト数が上限の80%)"
OVER = "KINTONE-OK(復旧)"
CONFLICTS = "KINTONE-WARN(kintoneで変更された項目あり)"
TESTED = "KINTONE-TEST(連携テスト)"
MAX_LISTED = 100
MAX_CAUSES = 20  # that a mail names
CONFLICT_STATES = {
    conflicts.FOUND: "次に連携するときに、シートのとおり上書きするか残します",
    conflicts.OVERWRITTEN: "Hot Profileの値で上書きしました",
    conflicts.KEPT: "kintoneの値を残しました",
}
MAX_REQUESTS = 3  # for a hundred records that people change (stages/checked_writes)
STATES = {
    State.RUNNING: "処理中",
    State.DONE: "完了",
    State.HELD: "保留",
    State.AWAY: "kintone接続不可",
    State.STOPPED: "停止",
}


def figures(line: Processed, *, is_watched: bool = False) -> Iterator[str]:
    """What one data set came to; of one with 競合検知 also what an estimate may cost at most."""
    if line.mode in ("CHECK_ONLY", "ESTIMATE"):
        requests = -(-line.held // 100)
        most = f"、kintoneで変更されたレコードが多いと最大 約{MAX_REQUESTS * requests:,}回" if is_watched else ""
        yield f"{line.label}: 受信 {line.read:,}件、書き込み予定 {line.held:,}件（APIリクエスト 約{requests:,}回{most}）、変化なし {line.unchanged:,}件"
    elif line.mode == "RECONCILE":
        yield f"{line.label}: 照合 {line.read:,}件（APIリクエスト {line.requests:,}回）"
    else:
        yield (
            f"{line.label}: 受信 {line.read:,}件、追加 {line.added:,}件、更新 {line.updated:,}件、変化なし {line.unchanged:,}件、"
            f"失敗 {line.failed:,}件、保留 {line.held:,}件（APIリクエスト {line.requests:,}回）{STATES[line.state]}"
        )
    if line.since and line.until and line.until >= line.since:
        yield f"  対象: {time_in_japan(line.since)}～{time_in_japan(line.until)} に更新されたデータ"
    if line.said:
        yield from (f"  {text}" for text in line.said.splitlines())


def conflict_lines(found: Sequence[Conflict], count: int) -> Iterator[str]:
    """競合 that nobody was told about yet: fields that people changed in kintone (K23)."""
    if not found:
        return
    yield f"kintoneで変更された項目 {count:,}件:"
    for one in found[:MAX_LISTED]:
        yield f"  {DATA_SETS[one.data_set]} ID {one.source_id} フィールド「{one.field}」: {CONFLICT_STATES[one.state]}"
    if count > MAX_LISTED:
        yield f"  ほか{count - MAX_LISTED:,}件"
    yield "上書きするか残すかは、連携設定シートの「競合」の列で項目ごとに決められます。"


def listed(records: Sequence[FailedRecord], count: int, causes: Sequence[tuple[str, str, int]] = ()) -> Iterator[str]:
    """失敗レコード, with cause and remedy (K18); of more than can be read, their `history.causes` first."""
    if not records:
        return
    yield f"失敗レコード {count:,}件:"
    if count > MAX_LISTED:
        for field, cause, its in causes[:MAX_CAUSES]:
            yield f"  {f'フィールド「{field}」: ' if field else ''}{cause} {its:,}件"
        if len(causes) > MAX_CAUSES:
            yield f"  ほか{len(causes) - MAX_CAUSES:,}種類の原因"
        yield f"はじめの{MAX_LISTED}件:"
    for one in records[:MAX_LISTED]:
        field = f" フィールド「{one.field}」" if one.field else ""
        yield f"  {DATA_SETS[one.data_set]} ID {one.source_id}{field}: {one.cause} → {one.remedy}"
    if count > MAX_LISTED:
        yield f"  ほか{count - MAX_LISTED:,}件。すべては「失敗レコード」の画面から、ファイル（CSV）で保存できます"
    yield "これらのレコードは飛ばし、ほかのレコードの連携は続けています。Hot Profileで直すと自動で、または「失敗分の再連携」で連携し直します。"
