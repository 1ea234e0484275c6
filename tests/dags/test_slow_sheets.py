"""L5: sheets that nobody can read in time cost no other tenant its Dag."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization

from renkei.errors import SheetPendingError
from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.orchestration import dag_builder
from renkei.orchestration.documentation import Page, page_of
from renkei.orchestration.link import LINKS
from renkei.orchestration.smarthr_emc import documentation
from renkei.orchestration.stage import RETRIABLE
from renkei.orchestration.tenant import Tenant
from renkei.sheets.bounded import Compiler
from renkei.sheets.load import _pending, load, load_all
from renkei.sheets.tenant_files import TenantFile, tenants
from tests.conftest import ROOT
from tests.dags.test_dag_file import CHAIN, graph, write
from tests.harness.patience import within
from tests.unit.links.smarthr_emc.sheet.hostile import slow_workbook

SOUND = [f"t{number:02d}" for number in range(12)]
HOSTILE = [f"a{number:02d}" for number in range(20)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "mappings" / "smarthr_emc"
    folder.mkdir(parents=True)
    write(folder, *SOUND)
    monkeypatch.setenv("RENKEI_MAPPINGS", str(folder.parent))
    monkeypatch.setenv("RENKEI_INDEX", str(tmp_path / "index"))
    load_all(SHEETS, tenants(folder), tmp_path / "index")
    return folder


def parsed() -> dict:
    bag = DagBag(str(ROOT / "dags/smarthr_emc.py"))
    assert bag.import_errors == {}
    return dict(bag.dags)


def test_l5_twenty_slow_sheets_take_nobodys_dag_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known tenants are as before, the new sheets are shown as 確認中; Airflow would give up after 30 s."""
    began = []
    monkeypatch.setattr(dag_builder, "WAIT_S", 5)
    monkeypatch.setattr(dag_builder, "compile_beside", lambda *args: began.append(args))
    for tenant in HOSTILE:
        (folder / f"{tenant}.xlsx").write_bytes(slow_workbook())

    with within(25):  # 6 on an idle machine
        dags = parsed()

    assert len(dags) == len(SOUND) + len(HOSTILE)
    assert [graph(dags[f"smarthr_emc__{tenant}"]) for tenant in SOUND] == [CHAIN] * len(SOUND)
    assert all(dags[f"smarthr_emc__{tenant}"].schedule is not None for tenant in SOUND)
    for tenant in HOSTILE:
        dag = dags[f"smarthr_emc__{tenant}"]
        assert (dag.schedule, "確認中" in dag.tags) == (None, True)
        assert "確認中" in (dag.doc_md or "")
        DagSerialization.to_dict(dag)
    assert len(began) == 1  # what is left is compiled beside


@pytest.mark.parametrize(
    "name", ["連携設定シート.xlsx".encode("cp932"), "会社.xls".encode("cp932"), b"\xed\xa0\x80.yaml"]
)
def test_l5_a_file_name_of_another_system_takes_nobodys_dag_away(folder: Path, name: bytes) -> None:
    """As unzip leaves the names in an archive that was made on Windows."""
    (folder / os.fsdecode(name)).write_bytes(b"")

    dags = parsed()

    assert len(dags) == len(SOUND) + 1
    (odd,) = (dag for dag in dags.values() if "設定エラー" in dag.tags)
    json.dumps(DagSerialization.to_dict(odd), ensure_ascii=False).encode()


def test_l5_a_fault_in_making_one_dag_is_that_tenants(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is, the tenant's Dag says so, and the others are as before."""
    describe = documentation.page

    def fails_for_one(tenant: Tenant) -> Page:
        assert tenant.name != "t03" or 1 // 0
        return describe(tenant)

    monkeypatch.setattr(documentation, "page", fails_for_one)
    change = dag_builder._changed_at
    monkeypatch.setattr(dag_builder, "_changed_at", lambda path: change(path) if path.stem != "t04" else 1 // 0)

    dags = parsed()

    assert {dag_id for dag_id, dag in dags.items() if "設定エラー" in dag.tags} == {
        "smarthr_emc__t03",
        "smarthr_emc__t04",
    }
    assert "ZeroDivisionError" in (dags["smarthr_emc__t03"].doc_md or "")
    assert len(dags) == len(SOUND)


def test_l5_a_sheet_that_takes_too_long_is_a_broken_one(folder: Path) -> None:
    """Once that is known, it is read from the index like any other form."""
    path = folder / "slow.xlsx"
    path.write_bytes(slow_workbook())
    with Compiler(SHEETS, cpu_s=1) as compiler:
        load(SHEETS, path, "slow", folder.parents[1] / "index", (), compiler)

    dag = parsed()["smarthr_emc__slow"]

    assert graph(dag) == CHAIN
    assert "設定エラー" in dag.tags
    assert "時間がかかりすぎます" in (dag.doc_md or "")


def test_l1_a_changed_sheet_is_not_acted_on_before_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its Dag keeps its shape and time; a task that runs meanwhile stops, and is tried again."""
    before = parsed()["smarthr_emc__t00"]
    (folder / "t00.yaml").write_text((folder / "t00.yaml").read_text() + "\n# changed")
    monkeypatch.setattr(dag_builder, "WAIT_S", 0)
    monkeypatch.setattr(dag_builder, "compile_beside", lambda *args: True)

    dag = parsed()["smarthr_emc__t00"]

    assert graph(dag) == graph(before)
    assert dag.schedule.description == before.schedule.description
    tenant = dag.get_task("notify").tenant
    with pytest.raises(SheetPendingError):
        _ = tenant.mapping
    with pytest.raises(SheetPendingError):
        _ = tenant.channels
    assert issubclass(SheetPendingError, RETRIABLE)


def test_l8_a_tenant_that_is_being_read_says_so() -> None:
    sheet = _pending(SHEETS, TenantFile(Path("acme.xlsx"), "acme"), None)
    description, page = page_of(Tenant(LINKS["smarthr_emc"], "acme", sheet, "acme.xlsx", ""))
    assert "確認中" in description
    assert "前のシートの内容でEMCに登録することはありません" in page
