"""The Dag that deletes old records, run by Airflow itself, and the store that it opens."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import time
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import requests
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from fsspec.implementations.local import LocalFileSystem

from renkei import settings
from renkei.errors import SettingError, StoreError
from renkei.inbox import inbox
from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import MESSAGE, State
from renkei.jobs.records import KEPT, Jobs
from renkei.links.smarthr_emc.connecting import Connecting, Grantor
from renkei.orchestration.connections import open_store
from renkei.orchestration.link import LINKS
from renkei.orchestration.maintenance import prune_all
from renkei.orchestration.timetable import DailyInJapan
from renkei.storage import audit
from renkei.storage.audit import AuditEntry
from renkei.storage.cipher import MAGIC, Cipher
from renkei.storage.database.database import open_database
from renkei.storage.runs import RunRecord
from renkei.storage.source_grants import Grant, GrantEvent, SourceGrants
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.smarthr.oauth import OAuthSettings, SmartHROAuth
from tests.conftest import HOME, ROOT

LINK, DAG_ID = "smarthr_emc", "renkei_maintenance"
KEY, OTHER = "A" * 43 + "=", "B" * 42 + "A="


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store, where Renkei looks for it."""
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("RENKEI_RETRY_DELAY_S", "0")
    return Store(LocalFileSystem(), str(tmp_path / "store"))


def add_run(store: Store, tenant: str, run_id: str, days: int) -> None:
    record = RunRecord(TenantFolder(store, LINK, tenant), run_id)
    began = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    record.write_json("run", {"run_id": run_id, "started_at": began.isoformat()})
    record.write_json("snapshot", {"people": ["山田 太郎"]})


def runs(store: Store, tenant: str) -> list[str]:
    return store.names(f"{LINK}/tenants/{tenant}/runs")


def parse(path: Path) -> dict[str, DAG]:
    bag = DagBag(str(path))
    assert bag.import_errors == {}
    return dict(bag.dags)


# --- the Dag


def test_e1_the_dag_stands_beside_those_of_the_sheets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Beside it the watch, the jobs and the pump; no such file is one of the link's, among which tenants are shared."""
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", "127.0.0.1:8181")
    monkeypatch.setenv("RENKEI_INDEX", str(tmp_path))
    dags = parse(ROOT / "dags")
    sheets = {link: {f"{link}__{path.stem}" for path in (ROOT / "include/mappings" / link).iterdir()} for link in LINKS}
    assert set(dags) == {*chain(*sheets.values()), DAG_ID, "renkei_watch", "renkei_jobs", "renkei_pump"}
    assert set(parse(ROOT / "dags/smarthr_emc.py")) == sheets["smarthr_emc"]


def test_l6_old_records_go_every_night_without_anybody_switching_it_on() -> None:
    """Daily at 03:00 in Japan, before the tenants' runs, one at a time, explained in Japanese."""
    dag = parse(ROOT / "dags/renkei_maintenance.py")[DAG_ID]
    assert dag.timetable == DailyInJapan(3, 0)
    assert (dag.catchup, dag.max_active_runs, dag.owner, dag.is_paused_upon_creation) == (False, 1, "renkei", False)
    assert {task.task_id: task.task_display_name for task in dag.tasks} == {"prune": "処理記録の整理"}
    assert "RENKEI_KEEP_DAYS" in str(dag.doc_md)
    assert not str(dag.description).isascii()


# --- its task, run by Airflow


@pytest.fixture(scope="session")
def database(airflow_database: Path) -> None:
    """Airflow's metadata database, and the Dag file where Airflow looks for it."""
    shutil.copyfile(ROOT / "dags/renkei_maintenance.py", HOME / "dags/renkei_maintenance.py")


def run() -> tuple[str, Any]:
    """How a run of the Dag ended, and what its task returned."""
    dag = parse(HOME / "dags/renkei_maintenance.py")[DAG_ID]
    dag.get_task("prune").retries = 0
    done = dag.test()
    (ti,) = done.get_task_instances()
    return str(done.state), ti.xcom_pull(task_ids="prune")


@pytest.mark.usefixtures("database")
def test_l6_airflow_gets_numbers_and_logs_no_one(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Tenants, runs deleted and kept; by default 400 days are kept."""
    for tenant in ("acme", "beta"):
        for run_id, days in (("old", 401), ("young", 399)):
            add_run(store, tenant, run_id, days)
    store.write(f"{LINK}/tenants/beta/runs/odd/run.json", b"{")
    assert run() == ("success", {"tenants": 2, "deleted": 2, "kept": 3, "doubtful": 1})
    assert (runs(store, "acme"), runs(store, "beta")) == (["young"], ["odd", "young"])
    assert "山田" not in capsys.readouterr().out


@pytest.mark.usefixtures("database")
def test_l6_the_days_are_a_setting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """RENKEI_KEEP_DAYS."""
    monkeypatch.setenv("RENKEI_KEEP_DAYS", "30")
    for run_id, days in (("old", 31), ("young", 29)):
        add_run(store, "acme", run_id, days)
    assert run()[0] == "success"
    assert runs(store, "acme") == ["young"]


def test_l6_records_of_a_link_that_runs_every_few_minutes_go_sooner(store: Store) -> None:
    """A hundred thousand folders a year of each company are more than anybody looks at."""
    now = dt.datetime.now(dt.UTC)
    folder = TenantFolder(store, "hotprofile_kintone", "acme")
    for run_id, days in (("old", 32), ("young", 30)):
        began = {"run_id": run_id, "started_at": (now - dt.timedelta(days=days)).isoformat()}
        RunRecord(folder, run_id).write_json("run", began)
    add_run(store, "acme", "daily", 32)
    prune_all(store, now, dt.timedelta(days=400), lambda dag_id, run_id: False)
    assert (store.names(folder.runs), runs(store, "acme")) == (["young"], ["daily"])


@pytest.mark.usefixtures("database")
def test_l4_what_airflow_works_on_is_left_alone(store: Store) -> None:
    """Old runs that were cleared, or wait for a person, by Airflow's own word; another tenant's run is no reason."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunType

    states = {"r1": DagRunState.RUNNING, "r2": DagRunState.QUEUED, "r3": DagRunState.SUCCESS, "r4": DagRunState.FAILED}
    for run_id in (*states, "unknown"):
        add_run(store, "waiting", run_id, 500)
        add_run(store, "other", run_id, 500)
    with create_session() as session:
        for run_id, state in states.items():
            session.add(
                DagRun(
                    dag_id="smarthr_emc__waiting",
                    run_id=run_id,
                    run_type=DagRunType.MANUAL,
                    state=state,
                    run_after=dt.datetime.now(dt.UTC),
                )
            )
    assert run()[0] == "success"
    assert (runs(store, "waiting"), runs(store, "other")) == (["r1", "r2"], [])


@pytest.mark.usefixtures("database")
def test_l6_who_looked_at_people_is_kept_as_long_as_records_are(store: Store) -> None:
    """L6: a year of looks at a thousand companies would else stay for ever."""
    now = dt.datetime.now(dt.UTC)
    for days in (401, 399):
        audit.note(store, AuditEntry(now - dt.timedelta(days=days), "yuki", f"{LINK}__acme", "search"))
    assert run()[0] == "success"
    assert store.names(audit.FOLDER) == [f"{now - dt.timedelta(days=399):%Y-%m-%d}"]


@pytest.mark.usefixtures("database")
def test_l6_a_file_that_nobody_confirms_goes_after_a_day(store: Store) -> None:
    keys = [f"{TenantFolder(store, LINK, tenant).imports}/{name}" for tenant in ("acme", "operator") for name in "ab"]
    for key, hours in zip(keys, (25, 23, 25, 23), strict=True):
        store.write(key, "山田".encode())
        at = time.time() - hours * 3600
        os.utime(store.path(key), (at, at))
    assert run()[0] == "success"
    assert [key for key in keys if store.exists(key)] == keys[1::2]


def test_l6_messages_that_are_over_go_after_35_days_whichever_link_they_are_of(store: Store) -> None:
    now = dt.datetime.now(dt.UTC)
    receiver, rows = Receiver(settings.database_url(), store), open_database(settings.database_url())
    for event in ("done", "waiting"):
        receiver.accept("toy", "acme", event, "山田", now - inbox.KEPT - dt.timedelta(days=1), b"").result(60)
    with rows.writing() as connection:
        connection.execute(MESSAGE.update().where(MESSAGE.c.number == 1).values(state=State.DONE))
    prune_all(store, now, dt.timedelta(days=400), lambda dag_id, run_id: False)
    counts = inbox.Inbox(rows, store, "toy", "acme").counts()
    assert (counts[State.DONE], counts[State.WAITING]) == (0, 1)


@pytest.mark.usefixtures("database")
def test_l5_a_fault_of_one_tenant_stops_no_other_and_is_told_at_the_end(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """First and last are pruned, the one between is named with its reason, the task fails, nothing of it is deleted."""
    for tenant in ("acme", "beta", "gamma", "zeta"):
        add_run(store, tenant, "old", 500)
    store.write(f"{LINK}/tenants/beta/baselines/00000001.json", b"{")
    store.write(f"{LINK}/accounts/gamma/tenants/gamma.json", b"{}")
    store.write(f"{LINK}/accounts/gamma/pending.json", "山田".encode())
    begun = dt.datetime.now(dt.UTC) - KEPT - dt.timedelta(days=1)
    Jobs(TenantFolder(store, LINK, "beta")).ask("person", {"text": "山田"}, "u", "u", begun, lambda run_id: None)
    assert run() == ("failed", None)
    assert not store.files(f"{LINK}/tenants/beta/jobs")  # what is promised to go in a week goes all the same
    assert [runs(store, tenant) for tenant in ("acme", "beta", "gamma", "zeta")] == [[], ["old"], ["old"], []]
    told = capsys.readouterr().out
    for part in (
        "2社の処理記録を整理できませんでした",
        "beta: 前回データの記録",
        "gamma: 保存先の smarthr_emc/accounts/gamma/pending.json が壊れています",
    ):
        assert part in told
    assert "山田" not in told


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("days", ["0", "-1", "400日", "1.5", "1000000", "４００"])
def test_l1_a_mistyped_number_of_days_deletes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    """It fails at once, and says which setting."""
    monkeypatch.setenv("RENKEI_KEEP_DAYS", days)
    add_run(store, "acme", "old", 5000)
    with pytest.raises(SettingError, match="RENKEI_KEEP_DAYS"):
        settings.keep_days()
    assert run() == ("failed", None)
    assert runs(store, "acme") == ["old"]


# --- the key of the store


def connect(monkeypatch: pytest.MonkeyPatch, password: str | None) -> None:
    monkeypatch.setenv("RENKEI_STORE_KEY_CONN_ID", "renkei_store_key")
    connection = {"conn_type": "generic"} | ({} if password is None else {"password": password})
    monkeypatch.setenv("AIRFLOW_CONN_RENKEI_STORE_KEY", json.dumps(connection))


def test_l6_the_store_is_encrypted_with_the_key_of_a_connection(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain without one; with several, the first writes and all read."""
    open_store().write("plain", b"1")
    connect(monkeypatch, OTHER)
    open_store().write("old", b"2")
    connect(monkeypatch, f"{KEY}, {OTHER}")
    opened = open_store()
    opened.write("new", b"3")
    assert [opened.read(key) for key in ("plain", "old", "new")] == [b"1", b"2", b"3"]
    kept = [Path(store.path(key)).read_bytes() for key in ("plain", "old", "new")]
    assert [content.startswith(MAGIC) for content in kept] == [False, True, True]
    connect(monkeypatch, OTHER)
    with pytest.raises(StoreError, match=r"「new」は鍵 .* で暗号化されています"):
        open_store().read("new")


@pytest.mark.parametrize("password", [None, "", "geheim-4711", f"{KEY};{OTHER}", f"{KEY},"])
def test_l7_a_connection_without_a_key_opens_no_store(monkeypatch: pytest.MonkeyPatch, password: str | None) -> None:
    """Never a plain one instead; the message names the Connection and quotes nothing."""
    connect(monkeypatch, password)
    with pytest.raises(StoreError, match=r"renkei_store_key.*RENKEI_STORE_KEY_CONN_ID.*44文字") as caught:
        open_store()
    assert [secret for secret in ("geheim-4711", KEY) if secret in str(caught.value)] == []
    assert caught.value.__cause__ is None


def test_l7_a_missing_connection_opens_no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store error, so that a result mail still goes out, with the Connection's name."""
    monkeypatch.setenv("RENKEI_STORE_KEY_CONN_ID", "no_such_key")
    with pytest.raises(StoreError, match=r"no_such_key.*RENKEI_STORE_KEY_CONN_ID.*Connections で登録"):
        open_store()


def test_l7_log_ins_that_are_over_and_grants_long_replaced_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that counts stays, and its number is never given again."""
    monkeypatch.setenv("AIRFLOW_CONN_STORE_KEY", json.dumps({"conn_type": "generic", "password": KEY}))
    monkeypatch.setenv("RENKEI_STORE_KEY_CONN_ID", "store_key")
    sealed = Store(store.fs, store.root, Cipher(KEY))
    folder, now = TenantFolder(sealed, LINK, "acme"), dt.datetime.now(dt.UTC)
    oauth = SmartHROAuth(OAuthSettings("client", "secret"), requests.Session())
    Connecting(folder, oauth).begin(Grantor("yuki", "結城"), "https://airflow.example.jp/", now - dt.timedelta(hours=1))
    grants = SourceGrants(folder)
    for number in range(12):
        assert grants.follow(number, Grant(GrantEvent.RENEWED, now, "yuki", "結城", now, f"access-{number}"))
    prune_all(sealed, now, dt.timedelta(days=400), lambda *_: False)
    assert sealed.names(folder.source_logins) == []
    assert (len(sealed.names(folder.source_grants)), grants.newest()[0]) == (10, 12)
