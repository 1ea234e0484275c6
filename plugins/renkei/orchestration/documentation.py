"""What a Dag's page tells the operator about its tenant, in Japanese; no address and no secret (L6, L7)."""

from __future__ import annotations

from renkei.links.smarthr_emc.sheet.expression import format_source
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import LinkState, Loader
from renkei.orchestration.stage import Tenant


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
    settings = {
        "SmartHR": mapping.smarthr_url,
        "EMCアカウント": mapping.emc_account,
        "取込方式": "API" if mapping.loader is Loader.HTTP else "ファイル",
        "ID付与コード": mapping.id_prefix or "なし",
        "最上位部署": mapping.root_department.name if mapping.root_department else "なし",
        "連携開始日": mapping.link_start_on.isoformat(),
        "処理時刻": f"{mapping.run_at:%H:%M}（Asia/Tokyo）",
        "Airflowの接続": f"`smarthr__{mapping.tenant}`、`emc__{mapping.emc_account}`",
    }
    rows = [f"| {name} | {value} |" for name, value in settings.items()]
    items = [
        f"| {USER_ITEM[rule.item].name} | {'（非表示）' if rule.item == 'password' else format_source(rule.source)} |"
        for rule in mapping.users
    ]
    table = ["| 設定 | 値 |", "|---|---|", *rows, "", "| EMC項目 | SmartHR項目 |", "|---|---|", *items]
    warnings = [f"- 注意: {problem}" for problem in sheet.warnings]
    return head + "\n".join([*table, "", *warnings])
