"""What a Dag's page says of a sheet that can be used: its settings, channels and items."""

from __future__ import annotations

from renkei.links.hotprofile_kintone.sheet.mapping import Mapping
from renkei.orchestration.documentation import Page, channel_table
from renkei.orchestration.markdown import quoted
from renkei.orchestration.tenant import Tenant

ASSUMED = (
    "Hot Profileには部署の一覧を取得するAPIがないため、部署はリードにある部署（organization_id）から連携します。"
    "リードのない部署は連携されません。"
)


def page(tenant: Tenant) -> Page:
    mapping: Mapping = tenant.mapping
    labels = "、".join(one.label for one in mapping.enabled) or "（連携なし）"
    description = f"{mapping.interval_minutes}分ごとにHot Profileの{labels}をkintoneへ連携"
    shown = {
        "サブドメイン": mapping.domain,
        "ゲストスペースID": mapping.guest_space,
        "連携ユーザー": mapping.user,
        "連携間隔": f"{mapping.interval_minutes}分",
        "連携開始日": mapping.link_start_on.isoformat() if mapping.link_start_on else "",
        "1日のAPIリクエスト数の上限": f"{mapping.daily_requests:,}（1アプリあたり）",
        "同時アクセス数": mapping.at_once,
        "Airflowの接続": f"hotprofile__{mapping.tenant}、kintone__{mapping.tenant}",
    }
    lines = ["| 設定 | 値 |", "|---|---|", *(f"| {name} | {quoted(value)} |" for name, value in shown.items())]
    lines += ["", *channel_table(tenant), ""]
    for data_set in mapping.data_sets:
        state = "連携を行う" if data_set.enabled else "連携を行わない"
        lines += [f"**{data_set.label}**: アプリID {quoted(data_set.app)}、{state}", ""]
        lines += ["| Hot Profileの項目 | kintoneのフィールドコード | 更新キー |", "|---|---|---|"]
        lines += [
            f"| {quoted(item.item)} | {quoted(f'{item.table} > {item.field}' if item.table else item.field)} | {'○' if item.item == data_set.key else ''} |"
            for item in data_set.items
        ]
        lines.append("")
    if any(one.name == "departments" for one in mapping.data_sets):
        lines.append(ASSUMED)
    return Page(description, lines)
