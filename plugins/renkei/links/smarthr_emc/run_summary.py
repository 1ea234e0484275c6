"""A run in a few lines, for Airflow's logs and pages: subject, figures, the first errors by kind (E29, L8).

Nobody is named (L6): a person is a SmartHR crew id. The mail has the user ids, the record every error.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from renkei.links.smarthr_emc import chat
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.records import RefusedRow
from renkei.links.smarthr_emc.run_report import RunReport
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, DEPARTMENT_ITEMS, USER_ITEM, USER_ITEMS
from renkei.links.smarthr_emc.validate import remedy_of
from renkei.links.smarthr_emc.wording import EMC_REMEDIES, PROBLEMS, RECORD_SETS

KINDS_SHOWN = 10
SHOWN_PER_KIND = 3
_ITEM_NAMES = {item.name for item in (*USER_ITEMS, *DEPARTMENT_ITEMS)}


def summary(
    report: RunReport,
    tenant: str,
    folder: str,
    problems: pd.DataFrame | None = None,
    refused: Sequence[RefusedRow] = (),
) -> list[str]:
    """The lines; `folder` is the run's record, `problems` its table, `refused` all that EMC refused."""
    lines = figures(report, tenant)
    if problems is not None:
        lines += errors(problems)
        lines.append(f"全件: 保存先の {folder}/problems.parquet")
    if refused and report.emc_problems:
        lines += emc_errors(refused)
        lines.append(f"全件: 保存先の {folder}/emc_problems.json")
    return lines


def figures(report: RunReport, tenant: str) -> list[str]:
    """Subject, figures and reasons, without the chat message's last line, which points to the very page."""
    return [f"{report.subject} {tenant}", *chat.message(report, tenant).lines[:-1]]


def errors(problems: pd.DataFrame) -> list[str]:
    """「氏名: 値がありません: 従業員 … line:14 → …」, the first few of each item and kind of the table `problems`."""
    kinds = list(problems.groupby(["record_set", "item", "kind"], sort=False))
    lines = []
    for key, found in kinds[:KINDS_SHOWN]:
        name, item, kind = map(str, key)
        record_set = RecordSet(name)
        label = (DEPARTMENT_ITEM if record_set is RecordSet.DEPARTMENTS else USER_ITEM)[item].name
        who = "部署" if record_set is RecordSet.DEPARTMENTS else "従業員"
        shown = found.head(SHOWN_PER_KIND)
        some = "、".join(
            f"{crew or '(IDなし)'} line:{line}" for crew, line in zip(shown["crew_id"], shown["line"], strict=True)
        )
        more = f" ほか{len(found) - len(shown)}件" if len(found) > len(shown) else ""
        remedy = remedy_of(kind, label, shown["source"].iloc[0])
        lines.append(f"{RECORD_SETS[record_set]} {label}: {PROBLEMS[kind]}: SmartHRの{who} {some}{more} → {remedy}")
    rest = sum(len(found) for _, found in kinds[KINDS_SHOWN:])
    return [*lines, *([f"ほか{len(kinds) - KINDS_SHOWN}種類 {rest}件"] if rest else [])]


def emc_errors(refused: Sequence[RefusedRow]) -> list[str]:
    """What EMC refused, the first few by code and item; of departments their ids in EMC, which are nobody's."""
    kinds: dict[tuple[str, str, str], list[str]] = {}
    for row in refused:
        of_department = row.file == RecordSet.DEPARTMENTS
        # What is none of our names may quote what was sent (L6).
        key = ("部署" if of_department else "従業員", row.code, row.item if row.item in _ITEM_NAMES else "")
        who = (row.id if of_department else row.crew_id) or "(IDなし)"
        kinds.setdefault(key, []).append(f"{who} line:{row.line}")
    return [
        f"EMC {code} {item}: {who} {'、'.join(found[:SHOWN_PER_KIND])}"
        + (f" ほか{len(found) - SHOWN_PER_KIND}件" if len(found) > SHOWN_PER_KIND else "")
        + f" → {EMC_REMEDIES.get(code, '運用担当者が対応します')}"
        for (who, code, item), found in list(kinds.items())[:KINDS_SHOWN]
    ]
