"""即応証明 over HTTP: what records of real runs state, what they do not, who may read it, and that it names nobody."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import shutil
import time
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.records import FetchedDepartments, FetchedUsers, Plan, Reach, RunStart
from renkei.orchestration.link import LINKS
from renkei.runs.current_baseline import current_baseline
from renkei.runs.notes import LastComparison, LastWritingRun
from renkei.runs.outcome import note_end
from renkei.settings import index_folder
from renkei.sheets.compiled import digest_of
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants
from renkei.storage import records
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder
from tests.builders import EMC_FORMAT, crew, crews, mapping
from tests.contract.console.world import BAD, BASE, LINK, TICK, ConsoleWorld, dag
from tests.unit.links.smarthr_emc.rehearsal.test_rehearsal import SHEET, TREE, Taker, person

MINUTE = dt.timedelta(minutes=1)
ONE, ALL = f"/dag/{dag('acme')}/readiness", "/readiness"
CLAIM = "2026年11月30日 4:31 時点で EMC は SmartHR と一致"
PEOPLE = [person(1), person(2, 姓="小鳥遊"), person(3, メールアドレス=""), crew("c9", "9", "retired")]
RULES = mapping(SHEET)


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the store of `world` is kept for the next test: it takes a second to make."""
    return tmp_path_factory.mktemp("first") / "store"


@pytest.fixture
def world(empty: ConsoleWorld, first_day: Path) -> ConsoleWorld:
    """acme, whose three people EMC has, and is seen to have; beta, which never ran."""
    empty.company("acme", "株式会社アクメ")
    empty.company("beta", "ベータ商事")
    if first_day.exists():
        shutil.copytree(first_day, empty.folder / "store")
        empty.ran("acme", run_id="scheduled__0")
    else:
        loaded(empty)
        compared(empty)
        shutil.copytree(empty.folder / "store", first_day)
    return empty


def loaded(world: ConsoleWorld, people: list[dict[str, str]] = PEOPLE, **start: object) -> RunRecord:
    """A daily run as its tasks take it, and what Airflow and the tenant's notes know of it."""
    folder = TenantFolder(world.store, LINK, "acme")
    generation = current_baseline(folder).generation
    record, at = RunRecord(folder, f"day{generation}"), TICK + MINUTE
    run_id = world.ran("acme", run_id=f"scheduled__{generation}")
    records.write(world.store, folder.last_real, LastWritingRun(run_id, record.run))
    digest = digest_of((world.sheets / "acme.yaml").read_bytes())
    begun = dataclasses.replace(RunStart(run_id, Mode.NORMAL, True, at.isoformat(), digest), **start)  # type: ignore[arg-type]
    target = Taker()
    job = stages.open_run.open_run(record, RULES, begun, target, at)
    record.write_table("fetched_departments", TREE)
    record.write_table("fetched_users", crews(RULES, people))
    record.write(FetchedDepartments("read", {}, current_baseline(folder).run, at))
    record.write(FetchedUsers("read"))
    stages.snapshot.take_snapshot(job)
    stages.diff.make_diff(job, target, at)
    stages.validate.validate(job, target, EMC_FORMAT, at)
    note_end(record, stages.load.apply(job, target, EMC_FORMAT, lambda _: "", at + MINUTE), at + MINUTE)
    return record


def compared(world: ConsoleWorld, at: dt.datetime = TICK + 5 * MINUTE, address: str = "", **differences: int) -> None:
    """What a 照合 leaves behind."""
    folder = TenantFolder(world.store, LINK, "acme")
    baseline = current_baseline(folder).baseline
    assert baseline
    note = LastComparison("manual__1", "compared", at, baseline.generation, baseline.plan_digest, differences)
    note = dataclasses.replace(note, address=address)
    records.write(world.store, folder.last_comparison, note)


def read(world: ConsoleWorld, path: str = ONE, user: str = "yuki", status: int = 200) -> str:
    """What a reader sees, without blanks between tags."""
    world.services.knowledge.changed()
    answer = world.browser(user).get(BASE + path)
    assert answer.status_code == status, answer.text[:2000]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def test_l1_a_whole_record_states_that_the_target_is_as_its_source(world: ConsoleWorld) -> None:
    """The figures are those of the last confirmed run, its contacts and the 照合; nobody is named (L6)."""
    shown = read(world)
    assert CLAIM in shown
    for words in (
        "対象者（SmartHRの在籍者） 3名 うちユーザIDがあり登録の対象 3名",
        "EMC登録 3名 EMCが 2026年11月30日 4:32 に確認（第1世代）",
        "連絡先あり 2名 アプリ 0名、メールアドレス 2名、電話番号 0名（重複あり）",
        "連絡先なし 1名",
        "部署 2件",
        "最後の照合 差異なし 2026年11月30日 4:35",
        "30日間の成功率 100% 登録する処理 1回のうち成功 1回",
        "直近の誤り 0回 30日間に失敗はありません",
        "保留 なし",
        "通知先 有効 1",
        "災害時凍結 なし",
    ):
        assert words in shown
    assert len(re.findall(r"\b[0-9a-f]{64}\b", shown)) == 4, "digests of sheet, plan, departments and people"
    assert not re.search("小鳥遊|p1@|scheduled__|day0", shown)


def test_l1_an_emc_that_is_reached_elsewhere_now_is_not_vouched_for(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L1: what was compared is at the Connection's address of then; one that is gone leads nowhere."""
    compared(world, address="emc__acme https://a.emc.example.jp")
    shown = {}
    for host in ("https://a.emc.example.jp", "https://b.emc.example.jp", ""):
        connection = json.dumps({"conn_type": "emc", "host": host, "password": "x"})
        monkeypatch.setenv("AIRFLOW_CONN_EMC__ACME", connection)
        shown[host] = read(world)
    monkeypatch.delenv("AIRFLOW_CONN_EMC__ACME")
    moved = "最後の照合の後に、EMCの接続先（Airflowの接続のURL）が変わったか、接続が使えなくなりました"
    assert [moved in page for page in (*shown.values(), read(world))] == [False, True, True, True]
    assert CLAIM in shown["https://a.emc.example.jp"]


def test_l1_an_unchanged_day_states_it_for_its_own_read(world: ConsoleWorld) -> None:
    """Nothing was written, and what EMC had is what was read."""
    records_of_first = loaded(world, PEOPLE)
    assert not records_of_first.read(Plan).writes
    compared(world)
    assert CLAIM in read(world)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("differs", "照合で2件の差異が見つかっています"),
        ("later load", "最後の照合は、最後の登録より前のものです"),
        ("no comparison", "照合の記録がありません"),
        ("restored", "最後の処理は復元です"),
        ("frozen then", "最後の処理のとき、災害時凍結中でした"),
        ("sheet", "最後の処理の後に、連携設定シートが変わりました"),
        ("failed", "直近の処理が失敗しています"),
        ("no end", "最後の処理が実行中か、完了した記録がありません"),
        ("no record", "最後の処理の記録がありません"),
        ("no table", "前回データの記録が保存先から失われているか、合いません"),
        ("no figures", "連絡先の件数の記録がありません"),
        ("damaged", "保存先の記録を読み取れません"),
        ("out of reach", "保存先の記録を読み取れません"),
        ("older store", "Airflowの実行履歴と保存先の記録が合いません"),
    ],
)
def test_l1_what_a_record_does_not_say_is_not_stated(
    world: ConsoleWorld, what: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L1: of whatever is missing, damaged, older or contradicts, and on the sheet of all companies too."""
    record = RunRecord(TenantFolder(world.store, LINK, "acme"), "day0")
    folder = record.tenant_folder
    match what:
        case "differs":
            compared(world, missing=1, extra=1)
        case "later load":
            loaded(world, [*PEOPLE, person(4)])
        case "no comparison":
            world.store.delete(folder.last_comparison)
        case "restored":
            record.write(dataclasses.replace(record.read(RunStart), mode=Mode.RESTORE))
        case "frozen then":
            record.write(dataclasses.replace(record.read(RunStart), disaster=True))
        case "sheet":
            with (world.sheets / "acme.yaml").open("a") as file:
                file.write("\n# changed\n")
            load_all(LINKS[LINK].sheets(), tenants(world.sheets), index_folder(), ())
        case "failed":
            world.ran("acme", run_id="scheduled__x", state="failed", subject=BAD)
        case "no end":
            records.write(world.store, folder.last_real, LastWritingRun("scheduled__0", "begun"))
            record.sibling("begun").write(record.read(RunStart))
        case "no record":
            records.write(world.store, folder.last_real, LastWritingRun("scheduled__0", "gone"))
        case "no table":
            record.delete_table("users_target")
        case "no figures":
            record.delete(Reach)
        case "damaged":
            world.store.write(folder.last_comparison, b"{")
        case "out of reach":
            monkeypatch.setenv("RENKEI_STORE_KEY_CONN_ID", "nosuch")
        case "older store":
            world.ran("acme", run_id="scheduled__x")
    shown = read(world)
    assert f"証明できません: {says}" in shown
    assert "と一致" not in shown.replace("「一致」", "")
    assert "証明できません" in read(world, ALL)


def test_l1_a_frozen_or_paused_company_states_nothing(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_RENKEI_DISASTER_FREEZE", "acme")
    shown = read(world)
    assert "証明できません: 災害時凍結中です" in shown
    assert "災害時凍結 凍結中" in shown


def test_s1_each_reads_of_his_own_companies_alone(world: ConsoleWorld) -> None:
    """S1: those who may see the Dag; another company answers as none."""
    assert CLAIM in read(world, user="ken")
    theirs, nobodys = (world.browser("ken").get(BASE + ONE.replace("acme", name)) for name in ("beta", "nosuch"))
    assert (theirs.status_code, theirs.text) == (404, nobodys.text)
    assert world.browser().get(BASE + ALL).status_code == 303
    assert "ベータ商事" not in read(world, ALL, "ken")


def test_the_sheet_of_all_says_how_many_cannot_be_stated(world: ConsoleWorld) -> None:
    assert "この書面の1社すべてで一致" in read(world, ALL, "ken")
    shown = read(world, ALL, "omar")
    assert "証明できません: この書面の2社のうち1社" in shown
    assert "ベータ商事 証明できません まだ一度も連携していません" in shown
    assert "株式会社アクメ 一致 11/30(月) 4:31 時点 3 3 2 1 11/30(月) 4:35 差異 0件 100%" in shown
    assert "この書面の1社すべてで一致" in read(world, f"{ALL}?q=アクメ", "omar")


def test_nothing_of_a_table_is_read(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A company of a million people costs what a small one does: the figures are records."""

    def refused(*_: object) -> pd.DataFrame:
        raise AssertionError("a table was read")

    for name in ("read_table", "table_parts", "find_rows"):
        monkeypatch.setattr(type(world.store), name, refused)
    began = time.process_time()
    assert CLAIM in read(world)
    assert "この書面の1社すべてで一致" in read(world, ALL, "ken")
    assert time.process_time() - began < 20
