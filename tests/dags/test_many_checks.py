"""確認のみ of many companies, one after another, whatever dies in between (E3, L4, L5)."""

from __future__ import annotations

import datetime as dt
import os
import signal
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException, AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import ErrorResponse
from fsspec.implementations.local import LocalFileSystem

from renkei.clock import utcnow
from renkei.errors import SettingError
from renkei.jobs.records import ConsoleJob, Jobs, JobState
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.orchestration import connection_trial, many_checks
from renkei.orchestration import jobs as job_dag
from renkei.orchestration.jobs import name_of, run_job
from renkei.orchestration.many_checks import LONGEST, SupervisedRuns, run_many_checks
from renkei.orchestration.smarthr_emc import tasks
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.bulk_facts import KIND, PLACE, check_run
from tests.conftest import ROOT
from tests.unit.links.smarthr_emc.people.test_explain import OPTIONAL_ID

LINK = "smarthr_emc"
DAGS = ["smarthr_emc__acme", "hotprofile_kintone__beta", "smarthr_emc__gamma"]


class Airflow:
    """Runs of other Dags, in memory: each is over after so many looks at it."""

    def __init__(self, lasts: int = 2, gone: tuple[str, ...] = ()) -> None:
        self.lasts, self.gone, self.age = lasts, gone, dt.timedelta()
        self.started: list[tuple[str, str, dict[str, str]]] = []
        self.looks: dict[str, int] = {}
        self.most = 0  # under way at once

    def state(self, dag_id: str, run_id: str) -> tuple[str, dt.datetime] | None:
        if dag_id not in [one for one, _, _ in self.started]:
            return None
        self.looks[dag_id] = self.looks.get(dag_id, 0) + 1
        return ("success" if self._is_over(dag_id) else "running"), utcnow() - self.age

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, str]) -> bool:
        if dag_id in self.gone:
            return False
        assert dag_id not in [one for one, _, _ in self.started]
        self.started.append((dag_id, run_id, dict(conf)))
        self.most = max(self.most, sum(not self._is_over(one) for one, _, _ in self.started))
        return True

    def _is_over(self, dag_id: str) -> bool:
        return self.looks.get(dag_id, 0) > self.lasts


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    return Jobs(TenantFolder(Store(LocalFileSystem(), str(tmp_path / "store")), LINK, PLACE))


@pytest.fixture
def tenant(jobs: Jobs, mappings: Path) -> Any:
    return job_dag.find_tenant(job_dag.LINKS[LINK], PLACE, "dags/renkei_jobs.py", 0)


def asked(jobs: Jobs) -> dict[str, str]:
    job, _ = jobs.ask(KIND, {"dags": " ".join(DAGS)}, "u1", "omar", utcnow(), lambda _: True)
    return {**job.request.asked, "run": "job__1__x", "number": str(job.number)}


def quiet(*_: object) -> None:
    """Tells nobody; sleeps no time."""


def test_e3_each_company_in_its_turn_and_never_two_at_once(jobs: Jobs, tenant: Any) -> None:
    """E3: 確認のみ by each link's own word; each run has the job's id, by which it is found again."""
    airflow, told = Airflow(), []
    found = run_many_checks(tenant, asked(jobs), lambda *said: told.append(said[1:]), airflow, quiet)
    assert airflow.started == [(one, check_run("job__1__x"), {"mode": "CHECK_ONLY"}) for one in DAGS]
    assert (airflow.most, told, found.asked, found.refused) == (1, [(0, 3), (1, 3), (2, 3)], 3, [])


def test_l4_who_begins_anew_starts_nothing_a_second_time(
    jobs: Jobs, tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L4: a stretch is over, a worker died: `start` of the stand-in refuses a second run of one company."""
    airflow, said = Airflow(lasts=3), asked(jobs)
    monkeypatch.setattr(many_checks, "STRETCH_S", -1.0)
    rounds = 0
    while rounds < 50:
        rounds += 1
        try:
            run_many_checks(tenant, said, quiet, airflow, quiet)
        except AirflowRescheduleException:
            continue
        break
    assert (rounds > len(DAGS), airflow.most, [one for one, _, _ in airflow.started]) == (True, 1, DAGS)


def test_l5_a_company_that_airflow_does_not_start_keeps_no_other_waiting(jobs: Jobs, tenant: Any) -> None:
    airflow = Airflow(gone=(DAGS[1],))
    found = run_many_checks(tenant, asked(jobs), quiet, airflow, quiet)
    assert ([one for one, _, _ in airflow.started], found.refused) == ([DAGS[0], DAGS[2]], [DAGS[1]])


def test_l1_a_run_that_does_not_end_is_not_overtaken(jobs: Jobs, tenant: Any) -> None:
    airflow = Airflow(lasts=10**6)
    airflow.age = LONGEST + dt.timedelta(minutes=1)
    with pytest.raises(SettingError, match="smarthr_emc__acme の確認のみが2時間"):
        run_many_checks(tenant, asked(jobs), quiet, airflow, quiet)
    assert len(airflow.started) == 1


def test_who_stops_it_stops_what_has_not_begun(jobs: Jobs, tenant: Any) -> None:
    airflow, said = Airflow(), asked(jobs)

    def tell(_: str, place: int, __: int) -> None:
        if place == 1:
            jobs.fail(1, "中止しました。", utcnow())

    with pytest.raises(SettingError, match="中止"):
        run_many_checks(tenant, said, tell, airflow, quiet)
    assert [one for one, _, _ in airflow.started] == DAGS[:1]


def test_l4_the_job_is_begun_again_by_its_own_run_and_by_no_other(
    jobs: Jobs, mappings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L4: the Dag's task passes Airflow's word on, and the job is still under way; a second begin of its run goes on."""
    airflow = Airflow()
    monkeypatch.setattr(many_checks, "SupervisedRuns", lambda: airflow)
    monkeypatch.setattr(many_checks, "STRETCH_S", -1.0)
    job, _ = jobs.ask(KIND, {"dags": " ".join(DAGS)}, "u1", "omar", utcnow(), lambda _: True)
    named = name_of(f"{LINK}__{PLACE}", job.number)
    monkeypatch.setattr(many_checks, "POLL_S", 0.0)
    with pytest.raises(AirflowRescheduleException):
        run_job(named, job.request.run, "dags/renkei_jobs.py")
    assert jobs.read(1).state(utcnow(), lambda _: True) is JobState.RUNNING
    with pytest.raises(AirflowFailException, match="別の実行"):
        run_job(named, "job__1__other", "dags/renkei_jobs.py")
    monkeypatch.setattr(many_checks, "STRETCH_S", 1_000.0)
    run_job(named, job.request.run, "dags/renkei_jobs.py")
    assert jobs.read(1).state(utcnow(), lambda _: True) is JobState.DONE
    assert [one for one, _, _ in airflow.started] == DAGS


class SharedAirflow:
    """Runs of other Dags, in files that outlive whoever asks; the process that asks is killed at its step `dies`."""

    def __init__(self, folder: Path, dies: int) -> None:
        self.folder, self.dies, self.steps = folder, dies, 0

    def state(self, dag_id: str, run_id: str) -> tuple[str, dt.datetime] | None:
        self._step()
        path = self.folder / dag_id
        if not path.exists():
            return None
        with path.open("a") as looks:
            looks.write("x")
        return ("success" if path.stat().st_size > 2 else "running"), utcnow()

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, str]) -> bool:
        self._step()
        (self.folder / dag_id).open("x").close()  # a second run of a company would be refused here
        with (self.folder / "started").open("a") as started:
            under_way = [one for one in DAGS[: DAGS.index(dag_id)] if (self.folder / one).stat().st_size <= 2]
            started.write(f"{dag_id} {len(under_way)}\n")
        self._step()
        return True

    def _step(self) -> None:
        if self.steps == self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        self.steps += 1


def test_l4_a_worker_that_is_killed_at_any_step_is_followed_by_one_that_goes_on(
    jobs: Jobs, mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L4: real processes and SIGKILL; no company is checked twice, none is forgotten, never two at once."""
    monkeypatch.setattr(many_checks, "POLL_S", 0.0)
    deaths = 0
    while True:
        job, _ = jobs.ask(KIND, {"dags": " ".join(DAGS)}, "u1", "omar", utcnow(), lambda _: True)
        folder = tmp_path / f"runs{job.number}"
        folder.mkdir()
        statuses = [_worker(job, folder, dies) for dies in (deaths, -1)]
        assert statuses[1] == 0, "the next worker ends it"
        assert jobs.read(job.number).state(utcnow(), lambda _: True) is JobState.DONE
        assert (folder / "started").read_text().split("\n")[:-1] == [f"{one} 0" for one in DAGS], deaths
        if statuses[0] == 0:
            break
        assert os.waitstatus_to_exitcode(statuses[0]) == -signal.SIGKILL, (
            "it was killed, and did not break off by itself"
        )
        deaths += 1
    assert deaths > 3 * len(DAGS)


def _worker(job: ConsoleJob, folder: Path, dies: int) -> int:
    """A process of its own does the job; its wait status."""
    child = os.fork()
    if not child:
        try:
            many_checks.SupervisedRuns = lambda: SharedAirflow(folder, dies)  # type: ignore[assignment,misc]
            run_job(name_of(f"{LINK}__{PLACE}", job.number), job.request.run, "dags/renkei_jobs.py")
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitpid(child, 0)[1]


def test_l7_all_connections_of_a_sheet_are_tried_the_one_that_was_filled_in_first(
    jobs: Jobs, mappings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job of the page of Connections: what is missing is said for each, and nothing keeps another from its trial."""
    for name in ("SMARTHR__ACME", "EMC__ACME", "SMTP_DEFAULT"):
        monkeypatch.delenv(f"AIRFLOW_CONN_{name}", raising=False)
    write_yaml(OPTIONAL_ID, mappings / "acme.yaml")
    found = job_dag.find_tenant(job_dag.LINKS[LINK], "acme", str(ROOT / "dags/renkei_jobs.py"), 60)
    tried = connection_trial.run_connection_test(found, {"name": "emc__acme"}, quiet).trials
    assert [one.name for one in tried][:2] == ["emc__acme", "smarthr__acme"]
    assert {one.name: one.well for one in tried} == dict.fromkeys(("emc__acme", "smarthr__acme", "smtp_default"), False)
    assert all(one.said for one in tried)


@pytest.mark.parametrize(
    ("detail", "there"), [({"status_code": 404}, False), ({"status_code": 503}, True), (None, True)]
)
def test_l1_while_airflow_cannot_say_nothing_is_overtaken(
    monkeypatch: pytest.MonkeyPatch, detail: dict[str, int] | None, there: bool
) -> None:
    """L1: only a run that Airflow says is not there is none; of any other trouble the job comes back later."""

    class Supervisor:
        def send(self, _: object) -> None:
            raise AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail=detail))

    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", Supervisor(), raising=False)
    runs = SupervisedRuns()
    if there:
        for ask in (lambda: runs.state("a", "b"), lambda: runs.start("a", "b", {})):
            with pytest.raises(AirflowRescheduleException):
                ask()
    else:
        assert (runs.state("a", "b"), runs.start("a", "b", {})) == (None, False)


@pytest.mark.parametrize(
    ("run_type", "mode", "by_hand"),
    [
        ("manual", "NORMAL", True),
        ("operator_triggered", "CHECK_ONLY", True),
        ("operator_triggered", "NORMAL", False),
        ("scheduled", "NORMAL", False),
    ],
)
def test_e31_a_look_of_many_companies_is_asked_for_and_no_other_first_link_begins_by_itself(
    monkeypatch: pytest.MonkeyPatch, run_type: str, mode: str, by_hand: bool
) -> None:
    """E31: 確認のみ before the first link works on the page of many companies as on that of one."""
    monkeypatch.setattr(tasks.connections, "disaster_freeze", lambda _: False)
    form = job_dag.LINKS[LINK].form()
    asked_for = SimpleNamespace(mode=form.modes[mode], settings={})
    tenant: Any = SimpleNamespace(name="acme", run_request=lambda _: asked_for, sheet=SimpleNamespace(digest="d"))
    run = SimpleNamespace(run_type=run_type, start_date=utcnow(), run_after=utcnow())
    context = {"run_id": "r", "dag_run": run, "ti": SimpleNamespace(start_date=utcnow())}
    assert tasks.run_start(tenant, context).manual is by_hand
