"""What a Dag's page tells the operator about its tenant, in Japanese; no address and no secret (L6, L7)."""

from __future__ import annotations

from renkei import settings
from renkei.links.smarthr_emc.sheet.expression import format_source
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import LinkState, Loader
from renkei.notifications import board
from renkei.notifications.channel import Service
from renkei.notifications.event import Event
from renkei.notifications.services import SPEC
from renkei.orchestration.stage import LINK, Tenant


def display_name(tenant: Tenant) -> str:
    return f"SmartHR → EMC: {tenant.name}"


def description(tenant: Tenant) -> str:
    if tenant.sheet.mapping is None:
        return f"連携設定シート {tenant.sheet_file} に誤りがあります"
    if tenant.sheet.mapping.state is LinkState.FROZEN:
        return "連携解除中（EMCのデータはそのまま）"
    return f"毎日 {tenant.sheet.mapping.run_at:%H:%M} にSmartHRの部署・社員をEmergency Callへ連携"


def of_dag(tenant: Tenant) -> str:
    """Markdown: the tenant's settings and items, or what is wrong with its sheet."""
    sheet = tenant.sheet
    head = f"# {display_name(tenant)}\n\n連携設定シート: `{tenant.sheet_file}`（`{sheet.digest[:12]}`）\n\n"
    if sheet.mapping is None:
        return head + "**シートを直すまで処理は失敗します。**\n\n" + "\n".join(f"- {p}" for p in sheet.problems)
    mapping = sheet.mapping
    settings_shown = {
        "SmartHR": mapping.smarthr_url,
        "EMCアカウント": mapping.emc_account,
        "取込方式": "API" if mapping.loader is Loader.HTTP else "ファイル",
        "ID付与コード": mapping.id_prefix or "なし",
        "最上位部署": mapping.root_department.name if mapping.root_department else "なし",
        "連携開始日": mapping.link_start_on.isoformat(),
        "処理時刻": f"{mapping.run_at:%H:%M}（Asia/Tokyo）",
        "Airflowの接続": f"`smarthr__{mapping.tenant}`、`emc__{mapping.emc_account}`",
    }
    rows = [f"| {name} | {value} |" for name, value in settings_shown.items()]
    items = [
        f"| {USER_ITEM[rule.item].name} | {'（非表示）' if rule.item == 'password' else format_source(rule.source)} |"
        for rule in mapping.users
    ]
    table = ["| 設定 | 値 |", "|---|---|", *rows, "", *_channels(tenant), ""]
    table += ["| EMC項目 | SmartHR項目 |", "|---|---|", *items]
    warnings = [f"- 注意: {problem}" for problem in sheet.warnings]
    return head + "\n".join([*table, "", *warnings])


def _channels(tenant: Tenant) -> list[str]:
    """通知 as the sheet has it, with the channels that are disabled; no address of a mail (L6)."""
    stopped = board.disabled(settings.index_folder(), LINK, tenant.name) if tenant.sheet.channels else {}
    rows = []
    for channel in tenant.channels:
        events = "、".join(event.label for event in Event if event in channel.events)
        if channel.muted:
            state = "通知を行わない"
        elif channel.name in stopped:
            state = f"**無効**（{stopped[channel.name]}から。直した後に通知テストで有効に戻る）"
        else:
            state = "有効"
        conn_id = "smtp_default" if channel.service is Service.MAIL else channel.connection
        rows.append(f"| {channel.name} | {SPEC[channel.service].label} | {conn_id or '-'} | {events} | {state} |")
    return ["| 通知先 | サービス | Airflowの接続 | 通知 | 状態 |", "|---|---|---|---|---|", *rows] if rows else []
