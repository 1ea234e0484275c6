"""What a Dag's page says of a sheet that can be used."""

from __future__ import annotations

from renkei.links.lineworks_kot.sheet.mapping import RUNS_AT, Mapping
from renkei.links.lineworks_kot.sheet.settings import CONTAINS, EXACT, HIDDEN, SHOWN, UNUSED, USED
from renkei.orchestration.documentation import Page, channel_table
from renkei.orchestration.markdown import quoted
from renkei.orchestration.tenant import Tenant
from renkei.sheets.information import OFF, ON

PUMP = "打刻はこのDagではなく、Dag「renkei_pump」がメッセージを受け取るたびに行います（通常は数秒以内）。"


def page(tenant: Tenant) -> Page:
    mapping: Mapping = tenant.mapping
    times = "、".join(f"{at:%H:%M}" for at in RUNS_AT)
    shown = {
        "Bot ID": mapping.bot_id or "（接続のもの）",
        "休憩打刻": SHOWN if mapping.breaks else HIDDEN,
        "外出打刻": USED if mapping.outings else UNUSED,
        "打刻メッセージの判定": EXACT if mapping.exact else CONTAINS,
        "返信": ON if mapping.replies else OFF,
        "グループのトーク": USED if mapping.groups else UNUSED,
        "二度押しとみなす秒数": mapping.double_press_s,
        "打刻がないときに知らせる時刻": f"{mapping.silence_at:%H:%M}" if mapping.silence_at else "（知らせない）",
        "連携開始日": mapping.link_start_on.isoformat() if mapping.link_start_on else "",
        "Airflowの接続": f"lineworks__{mapping.tenant}、kingoftime__{mapping.tenant}",
    }
    lines = [PUMP, "", "| 設定 | 値 |", "|---|---|"]
    lines += [f"| {name} | {quoted(str(value))} |" for name, value in shown.items()]
    lines += ["", *channel_table(tenant), ""]
    lines += ["| 所属コード | 日付変更時間 |", "|---|---|"]
    lines += [f"| {quoted(code)} | {at:%H:%M} |" for code, at in mapping.boundaries.items()]
    if mapping.no_break_types:
        lines += ["", f"休憩打刻を許可しない雇用区分: {quoted('、'.join(sorted(mapping.no_break_types)))}"]
    return Page(f"LINE WORKSのトークの打刻をKING OF TIMEへ。毎日 {times} に照合", lines)
