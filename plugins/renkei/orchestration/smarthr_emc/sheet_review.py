"""A 連携設定シート looked at before it is used: what its Dag would say, and what other tenants' sheets tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path

from renkei import settings
from renkei.clock import TOKYO
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.review import SheetReview
from renkei.links.smarthr_emc.sheet.review import review as look
from renkei.orchestration.link import Link
from renkei.sheets.bounded import Compiler
from renkei.sheets.grants import Grants


def review(
    link: Link,
    file: Path,
    tenant: str,
    grants: Grants,
    neighbours: Collection[Path],
    compiler: Compiler[Mapping],
    templates: Collection[str] | None = None,
) -> SheetReview:
    """As `renkei.orchestration.sheet_review.review`; `templates` are the names of SmartHR's custom fields, if it was asked."""
    return look(
        file,
        tenant,
        grants=grants,
        neighbours=neighbours,
        templates=templates,
        allowed_hosts=settings.allowed_hosts(),
        today=dt.datetime.now(TOKYO).date(),
        cache=settings.index_folder(),
        compiler=compiler,
    )
