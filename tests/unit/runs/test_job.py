"""What a run was asked to do is kept as each link says it: its own 実行方法, its own sheet."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from renkei.links.hotprofile_kintone import model as hotprofile_kintone
from renkei.links.lineworks_kot import model as lineworks_kot
from renkei.links.workplace_lineworks import model as workplace_lineworks
from renkei.storage import records

AT = dt.datetime(2026, 11, 22, 4, 38, 1, tzinfo=dt.UTC)
LINKS = [hotprofile_kintone, lineworks_kot, workplace_lineworks]


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.__name__.split(".")[-2])
@pytest.mark.parametrize(
    "damage", [{"mode": "SOMETHING"}, {"mapping": "acme"}, {"mapping": {"tenant": "acme"}}], ids=str
)
def test_a_run_of_another_mode_or_sheet_is_not_read(link: Any, damage: dict[str, Any]) -> None:
    """Nor would a link's run be if its class left the types open (docs/store.md)."""
    start = {"run_id": "r", "mode": "NORMAL", "started_at": AT.isoformat(), "mapping": {}, **damage}
    with pytest.raises(ValueError, match="RunStart is damaged") as refused:
        records.from_plain(link.RunStart, start)
    assert next(iter(damage)) in str(refused.value)
