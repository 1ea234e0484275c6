"""What a Dag's page says of a sheet that can be used: its settings, channels and items."""

from __future__ import annotations

from renkei.links.smarthr_emc.sheet.expression import format_source
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import LinkState, Loader
from renkei.links.smarthr_emc.sheet.side_runs import RECONCILE
from renkei.orchestration.documentation import Page, channel_table
from renkei.orchestration.markdown import quoted
from renkei.orchestration.tenant import Tenant


def page(tenant: Tenant) -> Page:
    mapping = tenant.mapping
    description = f"毎日 {mapping.run_at:%H:%M} にSmartHRの部署・社員をEmergency Callへ連携"
    if mapping.state is LinkState.FROZEN:
        description = "連携解除中（EMCのデータはそのまま）"
    settings_shown = {
        "SmartHR": mapping.smarthr_url,
        "EMCアカウント": mapping.emc_account,
        "取込方式": "API" if mapping.loader is Loader.HTTP else "ファイル",
        "ID付与コード": mapping.id_prefix,
        "最上位部署": mapping.root_department.name if mapping.root_department else "",
        "連携開始日": mapping.link_start_on.isoformat(),
        "処理時刻": f"{mapping.run_at:%H:%M}（Asia/Tokyo）",
        "事前確認時刻": f"{mapping.check_at:%H:%M}" if mapping.check_at else "",
        "照合": "毎日" if any(one.mark == RECONCILE for one in tenant.sheet.side_runs) else "しない",
        "Airflowの接続": f"smarthr__{mapping.tenant}、emc__{mapping.emc_account}",
    }
    rows = [f"| {name} | {quoted(value)} |" for name, value in settings_shown.items()]
    items = [
        f"| {USER_ITEM[rule.item].name} | {'（非表示）' if rule.item == 'password' else quoted(format_source(rule.source))} |"
        for rule in mapping.users
    ]
    table = ["| 設定 | 値 |", "|---|---|", *rows, "", *channel_table(tenant), ""]
    return Page(description, [*table, "| EMC項目 | SmartHR項目 |", "|---|---|", *items])
