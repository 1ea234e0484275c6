"""災害時凍結: the banner that stands on every page while it lasts, and whether it was forgotten. No clock, no files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from renkei.clock import time_in_japan
from renkei.runs.freeze import ALL, FORGOTTEN
from renkei.web.facts import Company, Freeze

MEANS = "削除と値の消去を行いません。新規と更新は続けます。"
UNKNOWN = "災害時凍結の状態を確認できません。確認できるまで、処理は登録の前に止まります。"
REMINDER = "72時間を超えて続いています。解除を忘れていないか確認してください。"


@dataclass(frozen=True, slots=True)
class Banner:
    """What is said, and to which company's page it leads; empty: to that of all."""

    text: str
    tone: str
    dag_id: str = ""


def is_forgotten(freeze: Freeze, now: dt.datetime) -> bool:
    return freeze.at is not None and now - freeze.at >= FORGOTTEN


def since(freeze: Freeze) -> str:
    """Since when, by whom and why, as far as anybody knows."""
    at = f"{time_in_japan(freeze.at)} から" if freeze.at else "いつからかの記録はありません"
    by = f"{freeze.by}さんが設定" if freeze.by else "Airflowの変数で設定"
    return "、".join([at, by, *([f"理由: {freeze.why}"] if freeze.why else [])])


def banner(
    freezes: Mapping[str, Freeze] | None, company: Company | None, frozen: int, now: dt.datetime
) -> Banner | None:
    """Of all, else of the company whose page it is, else how many of those that one may see are frozen."""
    if freezes is None:
        return Banner(UNKNOWN, "bad")
    one = freezes.get(ALL) or (freezes.get(company.tenant) if company and company.frozen else None)
    if one is None:
        return Banner(f"災害時凍結中の会社が{frozen}社あります。{MEANS}", "cold") if frozen else None
    whose = "全社が" if one.tenant == ALL else "この会社は、"
    late = is_forgotten(one, now)
    text = f"{whose}災害時凍結中です。{MEANS}（{since(one)}）{REMINDER if late else ''}"
    return Banner(text, "wait" if late else "cold", company.dag_id if company and one.tenant != ALL else "")
