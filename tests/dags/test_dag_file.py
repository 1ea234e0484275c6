"""The Dag file: one Dag per sheet, what each Dag is, and what parsing does and does not do."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.sheet.mapping import LinkState, Loader, Reconcile
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.orchestration.approval_tasks import until_next_run
from renkei.orchestration.form import TEST
from renkei.orchestration.link import LINKS
from renkei.orchestration.shards import write_shards
from renkei.orchestration.smarthr_emc.tasks import run_start
from renkei.orchestration.tenant import Tenant
from renkei.orchestration.timetable import DailyInJapan, DailyWithSideRuns
from renkei.sheets.compiled import Compiled
from renkei.sheets.side_run import SideRun
from tests.builders import mapping
from tests.conftest import ROOT

TOKYO = ZoneInfo("Asia/Tokyo")
CHAIN = {
    "fetch_departments": {"fetch_users"},
    "fetch_users": {"snapshot"},
    "snapshot": {"diff"},
    "diff": {"validate"},
    "validate": {"approve", "load"},
    "approve": {"load"},
    "load": {"notify"},
    "notify": {"outcome"},
    "outcome": set(),
}


def parse(folder: Path = ROOT / "dags/smarthr_emc.py") -> dict[str, DAG]:
    """The Dags of a folder or file as Airflow finds them; no file may fail to import."""
    bag = DagBag(str(folder))
    assert bag.import_errors == {}
    return dict(bag.dags)


def graph(dag: DAG) -> dict[str, set[str]]:
    return {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}


def write(folder: Path, *tenants: str, **changes: Any) -> None:
    for tenant in tenants:
        write_yaml(dataclasses.replace(mapping(), **{"emc_account": tenant} | changes), folder / f"{tenant}.yaml")


def serialised(dag: DAG) -> str:
    return json.dumps(DagSerialization.to_dict(dag), ensure_ascii=False, sort_keys=True)


def read_sheet(dag: DAG) -> None:
    """Run the first task of a broken sheet's Dag."""
    kept: dict[str, Any] = {}
    context: Any = {
        "ti": SimpleNamespace(task_id="fetch_departments", xcom_push=lambda **pushed: None),
        "dag": dag,
        "dag_run": SimpleNamespace(run_type="scheduled", conf={}, start_date=None),
        "run_id": "scheduled__1",
        "params": {},
        "task_state_store": SimpleNamespace(get=kept.get, set=lambda key, value, **_: kept.update({key: value})),
    }
    with tempfile.TemporaryDirectory() as store, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RENKEI_STORE", Path(store).as_uri())
        dag.get_task("fetch_departments").execute(context)


@pytest.fixture
def samples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The sample sheets, which are written for the simulator's address."""
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", "127.0.0.1:8181")
    monkeypatch.setenv("RENKEI_INDEX", str(tmp_path / "index"))


@pytest.mark.usefixtures("samples")
def test_e1_every_sample_sheet_is_one_dag() -> None:
    """As many Dags as sheets, named after them, each with all its tasks in a row."""
    sheets = {path.stem for path in (ROOT / "include/mappings/smarthr_emc").iterdir()}
    dags = parse()
    assert set(dags) == {f"smarthr_emc__{tenant}" for tenant in sheets}
    assert len(sheets) >= 3
    assert [graph(dag) for dag in dags.values()] == [CHAIN] * len(sheets)


@pytest.mark.usefixtures("samples")
def test_e1_e2_dag_runs_daily_without_catch_up_one_at_a_time() -> None:
    """The schedule and what the operator sees of a tenant; nothing that starts several runs, or makes one without tasks."""
    dag = parse()["smarthr_emc__minato"]
    changed_at = int((ROOT / "include/mappings/smarthr_emc/minato.yaml").stat().st_mtime)
    begins = dt.datetime.fromtimestamp(changed_at, TOKYO)
    evening = SideRun("check", dt.time(18, 0, 15), dt.timedelta(hours=1))
    assert dag.timetable == DailyWithSideRuns(4, 30, [evening, compared_at(dt.time(5, 30, 30))], begins)
    assert (dag.catchup, dag.max_active_runs, dag.owner) == (False, 1, "renkei")
    assert {str(kind.value) for kind in dag.allowed_run_types or ()} == {"scheduled", "manual", "operator_triggered"}
    assert [thing for thing in (dag, *dag.tasks) if thing.start_date is not None] == []
    assert set(dag.tags) == {"renkei", "smarthr_emc"}
    assert dag.dag_display_name == "SmartHR → EMC: minato"
    assert {task.task_id: task.task_display_name for task in dag.tasks} == {
        "fetch_departments": "部署の受信",
        "fetch_users": "社員の受信",
        "snapshot": "スナップショット",
        "diff": "前回との差分",
        "validate": "検証",
        "approve": "保留の承認",
        "load": "EMCへの登録",
        "notify": "結果通知",
        "outcome": "処理結果",
    }


def test_e1_time_and_start_are_the_tenants_own(mappings: Path) -> None:
    """処理時刻 and 連携開始日 of the sheet."""
    write(mappings, "acme", run_at=dt.time(23, 5), link_start_on=dt.date(2099, 1, 31))
    dag = parse()["smarthr_emc__acme"]
    compared = [compared_at(dt.time(0, 5, 30))]
    assert dag.timetable == DailyWithSideRuns(23, 5, compared, dt.datetime(2099, 1, 31, tzinfo=TOKYO))


def compared_at(at: dt.time) -> SideRun:
    return SideRun("reconcile", at, dt.timedelta(hours=12))


@pytest.mark.parametrize("settings", [{"loader": Loader.FILE_DROP}, {"reconcile": Reconcile.NEVER}], ids=str)
def test_e44_nothing_is_compared_where_it_cannot_be_or_is_not_wanted(mappings: Path, settings: dict[str, Any]) -> None:
    """取込方式 ファイル has no export; 照合 しない. The daily time is what it was."""
    write(mappings, "acme", run_at=dt.time(23, 5), link_start_on=dt.date(2099, 1, 31), **settings)
    dag = parse()["smarthr_emc__acme"]
    assert dag.timetable == DailyInJapan(23, 5, dt.datetime(2099, 1, 31, tzinfo=TOKYO))


@pytest.mark.parametrize("seconds", [-86400, -1, 3600], ids=["yesterday", "now", "clock ahead"])
def test_e1_a_time_that_had_passed_when_the_sheet_changed_starts_nothing(mappings: Path, seconds: int) -> None:
    """A new 処理時刻 or 連携開始日 holds from when the sheet was saved; a file from a fast clock changes nothing."""
    write(mappings, "acme", run_at=dt.time(23, 5), link_start_on=dt.date(2026, 1, 31))
    saved = int(time.time()) + seconds
    os.utime(mappings / "acme.yaml", (saved, saved))
    begins = dt.datetime(2026, 1, 31, tzinfo=TOKYO) if seconds > 0 else dt.datetime.fromtimestamp(saved, TOKYO)
    compared = [compared_at(dt.time(0, 5, 30))]
    assert parse()["smarthr_emc__acme"].timetable == DailyWithSideRuns(23, 5, compared, begins)


def test_e32_frozen_tenant_is_not_scheduled(mappings: Path) -> None:
    """連携解除: the Dag stays in sight and nothing starts it."""
    write(mappings, "acme", state=LinkState.FROZEN)
    dag = parse()["smarthr_emc__acme"]
    assert dag.schedule is None
    assert graph(dag) == CHAIN
    assert dag.description == "連携解除中（EMCのデータはそのまま）"


def test_e38_file_drop_asks_for_confirmation(mappings: Path) -> None:
    """取込方式 ファイル: one more task, between the load and the mail."""
    write(mappings, "acme", loader=Loader.FILE_DROP)
    assert graph(parse()["smarthr_emc__acme"]) == CHAIN | {"load": {"confirm"}, "confirm": {"notify"}}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bad.yaml", b"users: [", "YAMLとして読み取れません"),
        ("bad.yaml", b"", "ファイルが空です"),
        ("bad.yaml", b"\xff\xfe\x00", "UTF-8"),
        ("bad.yaml", b"smarthr_url: https://acme.smarthr.jp\n", "departments がありません"),
        ("bad.xlsx", b"not a workbook", "bad.xlsx"),
        ("bad.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "古い形式"),
        ("bad.csv", b"a,b\n", "文字だけのファイル"),
        ("bad.ods", b"PK", "表計算の文書"),
    ],
    ids=["yaml", "empty", "encoding", "incomplete", "workbook", "xls", "csv", "ods"],
)
def test_l5_broken_sheet_fails_alone(mappings: Path, name: str, content: bytes, message: str) -> None:
    """Its Dag is there, marked, and its one work task says what to mend; the neighbours are as ever."""
    write(mappings, "acme", "zeta")
    (mappings / name).write_bytes(content)
    dags = parse()
    assert {dag_id: graph(dag) for dag_id, dag in dags.items()} == {
        "smarthr_emc__acme": CHAIN,
        "smarthr_emc__bad": CHAIN,
        "smarthr_emc__zeta": CHAIN,
    }
    broken = dags["smarthr_emc__bad"]
    assert "設定エラー" in broken.tags
    assert message in (broken.doc_md or "")
    with pytest.raises(Exception, match=message) as failure:
        read_sheet(broken)
    assert "連携設定シートに誤りがあります。" in str(failure.value)


def test_e41_a_sheet_that_takes_what_is_not_given_fails_alone(
    mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another's EMC account: no work task of that Dag exists, it says what to enter where; given, it is a Dag as any."""
    operator = tmp_path / "operator.yaml"
    monkeypatch.setenv("RENKEI_OPERATOR", str(operator))
    write(mappings, "victim")
    write(mappings, "zeta", emc_account="victim")
    operator.write_text("tenants:\n")
    dags = parse()
    assert {dag_id: graph(dag) for dag_id, dag in dags.items()} == {
        "smarthr_emc__victim": CHAIN,
        "smarthr_emc__zeta": CHAIN,
    }
    with pytest.raises(Exception, match=r"EMCアカウント「victim」は.*zeta: \{emc_accounts: \[victim\]\}"):
        read_sheet(dags["smarthr_emc__zeta"])
    operator.write_text("tenants:\n  zeta: {emc_accounts: [victim]}\n")
    assert graph(parse()["smarthr_emc__zeta"]) == CHAIN


@pytest.mark.parametrize(
    "name", ["Acme Corp.yaml", "a__b.yaml", "株式会社.yaml", "a.b.yaml", "-x.yaml", f"{'a' * 120}.yaml"]
)
def test_l5_file_name_that_names_no_tenant_is_a_red_dag(mappings: Path, name: str) -> None:
    """Such a file runs nothing, and its Dag tells the file's name."""
    write(mappings, "acme", "other")
    (mappings / "other.yaml").rename(mappings / name)
    dags = parse()
    (red,) = [dag for dag_id, dag in dags.items() if dag_id != "smarthr_emc__acme"]
    assert len(dags) == 2
    assert graph(red) == CHAIN
    assert name in (red.doc_md or "")


def test_l5_two_sheets_of_one_tenant_run_neither(mappings: Path) -> None:
    """Nobody knows which of acme.xlsx and acme.yaml is meant: one red Dag, under the tenant's id, names both."""
    write(mappings, "acme", "zeta")
    shutil.copyfile(ROOT / "include/mappings/smarthr_emc/hinata.xlsx", mappings / "acme.xlsx")
    dags = parse()
    assert {dag_id: graph(dag) for dag_id, dag in dags.items()} == {
        "smarthr_emc__acme": CHAIN,
        "smarthr_emc__zeta": CHAIN,
    }
    with pytest.raises(Exception, match=r"acme\.xlsx.*acme\.yaml"):
        read_sheet(dags["smarthr_emc__acme"])


def test_files_that_are_no_sheets_are_passed_over(mappings: Path) -> None:
    """What Excel, editors and people leave in the folder makes no Dag."""
    write(mappings, "acme")
    for name in ("~$acme.xlsx", ".acme.yaml.swp", ".hidden.yaml", "readme.txt", "acme.yaml~"):
        (mappings / name).write_text("x")
    (mappings / "folder.yaml").mkdir()
    assert set(parse()) == {"smarthr_emc__acme"}


def test_l6_l7_dag_tells_no_address_and_no_password(mappings: Path) -> None:
    """Neither result addresses nor a literal password are in what Airflow stores of a Dag."""
    sheet = mapping({"パスワード": "固定値「Geheim-4711」"})
    write_yaml(sheet, mappings / "acme.yaml")
    broken = (mappings / "acme.yaml").read_text(encoding="utf-8").replace("ユーザID", "ユーザのID")
    (mappings / "bad.yaml").write_text(broken, encoding="utf-8")
    malformed = broken.replace(sheet.result_addresses[0], "soumu@@acme.example.jp").replace("ユーザのID", "ユーザID")
    (mappings / "malformed.yaml").write_text(malformed, encoding="utf-8")
    dags = parse()
    stored = "".join(serialised(dag) for dag in dags.values())
    assert [len(dag.tasks) for _, dag in sorted(dags.items())] == [9, 9, 9]
    assert "パスワード" in stored
    assert [word for word in ("Geheim-4711", "acme.example.jp") if word in stored] == []


def test_two_parses_give_the_same_dags(mappings: Path) -> None:
    """A Dag that differed from parse to parse would be a new version every minute."""
    write(mappings, "acme", "zeta")
    (mappings / "bad.yaml").write_text("users: [")
    first, second = ({dag_id: serialised(dag) for dag_id, dag in parse().items()} for _ in range(2))
    assert first == second
    assert len(first) == 3


WATCH = """
import json, sys
touched = []
def watch(event, arguments):
    if event in ("open", "socket.connect", "socket.getaddrinfo"):
        touched.append([event, str(arguments[0] if event == "open" else arguments[1:])])
sys.path.insert(0, sys.argv[2])
from renkei.orchestration.dag_builder import build_dags
sys.addaudithook(watch)
dags = build_dags(sys.argv[1])
print(json.dumps({"dags": sorted(dags), "touched": touched}))
"""


def watched_parse(dag_id: str | None) -> dict[str, Any]:
    """What parsing in a process of its own, as for a task of `dag_id`, gives and touches."""
    environment = dict(os.environ)
    if dag_id:
        environment["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = dag_id
    command = [sys.executable, "-c", WATCH, str(ROOT / "dags/smarthr_emc.py"), str(ROOT / "plugins")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def opened(found: dict[str, Any], folder: Path) -> set[str]:
    return {Path(path).name for event, path in found["touched"] if event == "open" and Path(path).parent == folder}


def test_a_tasks_process_opens_its_own_sheet_alone(mappings: Path) -> None:
    """With a thousand tenants, every task would else read a thousand sheets."""
    write(mappings, "acme", "beta", "gamma")
    found = watched_parse("smarthr_emc__beta")
    assert found["dags"] == ["smarthr_emc__beta"]
    assert opened(found, mappings) == {"beta.yaml"}


@pytest.mark.parametrize("content", [None, b"users: ["], ids=["away", "broken"])
def test_e36_a_waiting_run_finds_its_task_while_its_sheet_is_away(
    mappings: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    """A sheet is being saved when a person answers: the task that takes the answer is there all the same."""
    write(mappings, "acme")
    if content:
        (mappings / "beta.yaml").write_bytes(content)
    assert set(parse()) == {"smarthr_emc__acme", *(["smarthr_emc__beta"] if content else [])}
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "smarthr_emc__beta")
    assert {dag_id: graph(dag) for dag_id, dag in parse().items()} == {"smarthr_emc__beta": CHAIN}


def test_parsing_opens_sheets_and_no_connection(mappings: Path) -> None:
    """No network while parsing; a second parse needs the sheets' compiled forms only."""
    write(mappings, "acme", "beta")
    found = watched_parse(None)
    assert found["dags"] == ["smarthr_emc__acme", "smarthr_emc__beta"]
    assert opened(found, mappings) == {"acme.yaml", "beta.yaml"}
    assert [event for event, _ in found["touched"] if event.startswith("socket")] == []


def test_shards_share_the_tenants(mappings: Path, tmp_path: Path) -> None:
    """Three copies of the Dag file: every tenant in exactly one of them, none empty-handed."""
    tenants = [f"tenant{number:02d}" for number in range(20)]
    write(mappings, *tenants)
    (tmp_path / "dags").mkdir()
    dag_file = tmp_path / "dags/smarthr_emc.py"
    shutil.copyfile(ROOT / "dags/smarthr_emc.py", dag_file)
    files = write_shards(dag_file, 3)
    shares = [sorted(DagBag(str(file)).dags) for file in files]
    assert len(shares) == 3
    assert all(shares)
    assert sorted(dag_id for share in shares for dag_id in share) == [f"smarthr_emc__{tenant}" for tenant in tenants]
    assert write_shards(dag_file, 1) == [dag_file]
    assert list(dag_file.parent.glob("*.py")) == [dag_file]
    assert len(parse(dag_file.parent)) == 20


def test_e3_every_choice_of_the_form_is_a_mode(mappings: Path) -> None:
    """The trigger form offers the modes and 通知テスト, each by a Japanese name; a form value is taken only by hand."""
    write(mappings, "acme")
    schema = parse()["smarthr_emc__acme"].params.get_param("mode").schema
    assert schema["enum"] == list(schema["values_display"]) == [*(mode.value for mode in Mode), TEST]
    assert [name for name in schema["values_display"].values() if name.isascii()] == []
    tenant = Tenant(LINKS["smarthr_emc"], "acme", Compiled("acme", "0", None), "acme.yaml", "")
    for value in map(str, Mode):
        for run_type, expected in (("manual", Mode(value)), ("scheduled", Mode.NORMAL)):
            start = dt.datetime(2026, 11, 2, tzinfo=TOKYO)
            run = SimpleNamespace(run_type=run_type, start_date=start, conf={"mode": value})
            context = {"dag_run": run, "run_id": "r"}
            assert run_start(tenant, context).mode is expected


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        ("2026-11-02T04:31", 23 + 44 / 60),
        ("2026-11-02T04:14", 1 / 60),
        ("2026-11-02T04:15", 24),
        ("2026-11-02T20:15", 8),
    ],
)
def test_e36_an_answer_may_take_until_a_quarter_before_the_next_run(now: str, hours: float) -> None:
    """For a tenant of 04:30: until 04:15, today's or tomorrow's."""
    left = until_next_run(dt.time(4, 30), dt.datetime.fromisoformat(f"{now}+09:00").astimezone(dt.UTC))
    assert left == dt.timedelta(hours=hours)
