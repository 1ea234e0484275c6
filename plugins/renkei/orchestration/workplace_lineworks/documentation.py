"""What a Dag's page says of a sheet that can be used: both parts, and the channels."""

from __future__ import annotations

from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS, EVENTS, Hours, Mapping
from renkei.links.workplace_lineworks.sheet.settings import (
    ABSENT,
    DAILY,
    HIDDEN,
    KEEP,
    KIND,
    NEVER,
    PRIVATE,
    PUBLIC,
    RESTORE,
    SHOWN,
    UNUSED,
    USED,
)
from renkei.orchestration.documentation import Page, channel_table
from renkei.orchestration.markdown import quoted
from renkei.orchestration.tenant import Tenant

ASSUMED = (
    "WORKPLACEの公開APIは確認できていません。不在日程とワークフローの通知は、Renkeiが定めた形式"
    "（include/contracts/workplace.openapi.yaml）で受け取ります。"
)


def page(tenant: Tenant) -> Page:
    mapping: Mapping = tenant.mapping
    name = mapping.tenant
    settings = settings_of(mapping)
    settings["Airflowの接続"] = f"workplace__{name}、lineworks__{name}"
    lines = ["| 設定 | 値 |", "|---|---|", *(f"| {name} | {quoted(value)} |" for name, value in settings.items())]
    lines += ["", *channel_table(tenant), ""]
    used = [label for key, label in CHANNELS.items() if mapping.uses(key)]
    if used:
        lines += [f"| 通知項目 | {' | '.join(used)} |", "|---|" + "---|" * len(used)]
        lines += [
            f"| {EVENTS[kind]} | {' | '.join('○' if key in chosen else '' for key in CHANNELS if mapping.uses(key))} |"
            for kind, chosen in mapping.table.items()
        ]
        lines.append("")
    lines.append(ASSUMED)
    what = (
        "不在日程をLINE WORKSのカレンダーへ" if mapping.calendar else "ワークフローの通知をメンバーのメッセンジャーへ"
    )
    return Page(f"{mapping.interval_minutes}分ごとにWORKPLACEの{what}", lines)


def settings_of(mapping: Mapping) -> dict[str, str]:
    """カレンダー登録 in the sheet's words."""
    return {
        "カレンダー登録": USED if mapping.calendar else UNUSED,
        "連携間隔": f"{mapping.interval_minutes}分",
        "予定名": KIND if mapping.kinds_shown else ABSENT,
        "公開設定": PUBLIC if mapping.public else PRIVATE,
        "申請中の不在": SHOWN if mapping.applied_shown else HIDDEN,
        "午前の時間帯": hours(mapping.morning),
        "午後の時間帯": hours(mapping.afternoon),
        "照合": DAILY if mapping.reconcile else NEVER,
        "手で変えた予定": RESTORE if mapping.restore else KEEP,
        "保留する取消の割合": f"{mapping.held_percent}%",
        "連携開始日": mapping.link_start_on.isoformat() if mapping.link_start_on else "",
    }


def hours(span: Hours | None) -> str:
    return f"{span[0]:%H:%M}-{span[1]:%H:%M}" if span else "（未設定）"
