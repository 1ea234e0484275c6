"""A run is told of, whatever became of its record."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.links.smarthr_emc import records
from renkei.orchestration import channel_connections
from renkei.orchestration.airflow_run import AirflowRun
from renkei.orchestration.link import LINKS
from renkei.orchestration.result_notification import report_end
from renkei.orchestration.tenant import Tenant
from renkei.runs.failure import Failure
from renkei.runs.outcome import Outcome
from renkei.sheets.compiled import Compiled
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder

NOW = dt.datetime(2026, 4, 1, 4, 38, tzinfo=dt.UTC)
FILES = sorted({model.FILE for model in vars(records).values() if isinstance(getattr(model, "FILE", None), str)})


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"{}", b'{"sets": 1}', b"[" * 50_000], ids=repr)
def test_n3_a_damaged_record_keeps_no_message_back(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N3: each file of a run in turn; a bad end is told as one, and never as a good one (L1)."""
    told: list[str] = []
    monkeypatch.setenv("RENKEI_STORE", str(tmp_path))
    monkeypatch.setattr(channel_connections, "notify_channels", lambda *args, **_: told.append(args[4].title) or [])
    sheet: Compiled[Any] = Compiled("acme", "", None, result_addresses=("soumu@acme.example.jp",))
    tenant = Tenant(LINKS["smarthr_emc"], "acme", sheet, "", str(tmp_path / "dags/smarthr_emc.py"))
    folder = TenantFolder(Store(LocalFileSystem(), str(tmp_path)), "smarthr_emc", "acme")
    run = AirflowRun("smarthr_emc__acme", "manual__1", NOW)
    names = [*FILES, "result", "hold", "answer"]
    for name in names:
        record = RunRecord(folder, f"{name}.000000000000")
        record.store.write(f"{record.folder}/{name}.json", content)
        report_end(tenant, run, record, Failure(Outcome.RECEIVE, "m", NOW))
    assert len(told) == 2 * len(names)  # the operator hears of it too
    assert all("EMC-ERROR-R(Receive NG)" in title for title in told)
