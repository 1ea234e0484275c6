"""What Airflow's page of a held plan says (E36): enough to judge it by, and no name and no address of anybody (L6)."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from renkei.clock import time_in_japan
from renkei.links.smarthr_emc import affected, restore
from renkei.links.smarthr_emc.affected import Group
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.records import DiffSummary
from renkei.links.smarthr_emc.report import crew_page
from renkei.links.smarthr_emc.wording import RECORD_SETS
from renkei.orchestration.markdown import quoted
from renkei.runs.hold import HeldPlan
from renkei.texts import masked_address

if TYPE_CHECKING:
    from renkei.links.smarthr_emc.stages.job import Job

PEOPLE_SHOWN = 100
DEPARTMENTS_SHOWN = 50
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # what SmartHR's ids are


def plan_body(job: Job, until: dt.datetime, page: str = "") -> str:
    """Markdown: who asks and until when, why, the figures, and the people by user id, department and reason.

    `page` is the console's, which names them.
    """
    held = job.record.read(HeldPlan)
    lines = [
        f"**会社**: {quoted(_company(job))}　**回答の期限**: {time_in_japan(until)}"
        "（過ぎると「登録しない」と同じ扱いになります）",
        "",
        *([f"[連携の承認の画面]({page})では、氏名を確認して回答できます。", ""] if page else []),
        "**保留の理由**",
        "",
        *(f"- {quoted(hold.text)}" for hold in held.holds),
        "",
        "**登録すると**",
        "",
    ]
    for record_set, one in job.record.read(DiffSummary).sets.items():
        counts = one.counts
        figures = f"新規{counts.created}、更新{counts.updated}、削除{counts.deleted}"
        lines.append(f"- {RECORD_SETS[record_set]}: {figures}（前回 有効{counts.previous_valid}）")
    if job.mode is Mode.RESTORE:
        lines.append(f"- 指定できる世代: {restore.generations(job.record)}")
        lines.append(
            "- 復元の後も、次回の処理でSmartHRの現在の内容が再び登録されます。望まない場合は、先にSmartHRか"
            "連携設定シートを直すか、Dagを一時停止してください。"
        )
    for group in affected.held(job.record, PEOPLE_SHOWN):
        lines += _table(group, job)
    for group in affected.departments_gone(job.record, DEPARTMENTS_SHOWN):
        lines += ["", f"**{group.title}: {group.count}件**", "", *(f"- {quoted(one.user_id)}" for one in group.people)]
        lines += [f"- ほか{rest}件"] if (rest := group.count - len(group.people)) else []
    lines += ["", f"処理記録: {quoted(job.record.folder)}　計画: {quoted(held.digest[:16])}", ""]
    return "\n".join(lines)


def _company(job: Job) -> str:
    tenant, company = job.mapping.tenant, job.mapping.company_name
    return tenant if company in ("", tenant) else f"{company}（{tenant}）"


def _table(group: Group, job: Job) -> list[str]:
    rows = []
    for one in group.people:
        crew = crew_link(job.mapping.smarthr_url, one.crew_id) if one.crew_id else "（不明）"
        cells = (quoted(masked_address(one.user_id)), quoted(one.department), crew, one.reason or "-")
        rows.append(f"| {' | '.join(cells)} |")
    head = ["| ユーザID | 部署 | SmartHRの従業員 | 理由 |", "|---|---|---|---|"]
    rest = group.count - len(group.people)
    more = ["", f"ほか{rest}名は処理記録にあります。"] if rest else []
    return ["", f"**{group.title}: {group.count}名**", "", *head, *rows, *more]


def crew_link(smarthr_url: str, crew_id: str) -> str:
    """A crew's id with the link to its page; what is no id of SmartHR's is shown and not linked."""
    known = _UUID.fullmatch(crew_id) and re.fullmatch(r"[A-Za-z0-9.:-]+", urlsplit(smarthr_url).netloc)
    return f"[{crew_id}]({crew_page(smarthr_url, crew_id)})" if known else quoted(crew_id)
