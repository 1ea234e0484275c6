"""One tenant, `acme`, run by Airflow itself over the simulators and a real mail server."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from scripts.neighbours import Neighbours
from tests.builders import CONTACT, mapping
from tests.conftest import HOME, ROOT

DAG_ID = "smarthr_emc__acme"
ADDRESS = "soumu@acme.example.jp"
SHEET: dict[str, str | tuple[str, ...]] = {
    "ユーザID": ("社員番号", "登録", "登録しない", "更新しない", "エラー"),
    "パスワード": "社員番号",
    "氏名": ('姓&"　"&名', "登録", "エラー", "更新", "エラー"),
    "氏名(ヨミ)": '姓(ヨミガナ)&"　"&名(ヨミガナ)',
    "所属部署コード": "部署1(コード)",
    **CONTACT,
    "緊急連絡2 媒体": "固定値「電話番号」",
    "緊急連絡2 アドレス": "電話番号",
}
PERSONAL = ("last_name", "first_name", "last_name_yomi", "first_name_yomi", "email", "tel_number")


@dataclass(frozen=True)
class Run:
    """How a run ended."""

    run_id: str
    state: str
    tasks: dict[str, str | None]
    tries: dict[str, int]
    answers: dict[str, Any]  # what tasks returned, by task

    def failed(self) -> list[str]:
        return sorted(task for task, state in self.tasks.items() if state == "failed")


@dataclass
class World:
    """The tenant, everything around it, and the operator's hands."""

    neighbours: Neighbours
    folder: Path
    mappings: Path
    monkeypatch: pytest.MonkeyPatch
    seen: set[str] = field(default_factory=set)  # personal data of everybody who was in SmartHR when a run began

    # --- settings

    def write_sheet(self, **changes: Any) -> Mapping:
        sheet = dataclasses.replace(mapping(SHEET), smarthr_url=self.neighbours.urls["smarthr"], **changes)
        write_yaml(sheet, self.mappings / "acme.yaml")
        return sheet

    def connect(self, conn_id: str, **connection: Any) -> None:
        """Set an Airflow Connection."""
        self.monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    def connect_all(self) -> None:
        self.connect("smarthr__acme", conn_type="smarthr", password="shr_sim_acme")
        self.connect("emc__acme", conn_type="emc", host=self.neighbours.urls["emc"], password="emc_sim_acme")
        self.connect_mail(self.neighbours.smtp_port)

    def connect_mail(self, port: int) -> None:
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@renkei.example.jp", "retry_limit": 1}
        self.connect("smtp_default", conn_type="smtp", host="127.0.0.1", port=port, extra=extra)

    # --- the neighbours

    def call(self, system: str, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.neighbours.urls[system]}/_sim/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def day(self, **changes: int) -> dict[str, list[str]]:
        return self.neighbours.play_day("acme", **changes)

    def crews(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("smarthr", "GET", "companies/acme/crews")
        return found

    def codes(self) -> set[str]:
        """社員番号 of everybody who is not 退職済."""
        return {crew["emp_code"] for crew in self.crews() if crew["emp_status"] != "retired" and crew["emp_code"]}

    def in_emc(self) -> set[str]:
        """The user ids that EMC has."""
        headers = {"Authorization": "Bearer emc_sim_acme"}
        url = f"{self.neighbours.urls['emc']}/api/v1/users"
        answer = requests.get(url, headers=headers, params={"limit": 1000}, timeout=30)
        answer.raise_for_status()
        return {user["ユーザID"] for user in answer.json()["users"]}

    def imports(self) -> dict[str, int]:
        """EMC's imports by state."""
        counts: dict[str, int] = self.call("emc", "GET", "accounts/acme")["imports"]
        return counts

    def mails(self) -> list[dict[str, Any]]:
        return self.neighbours.mails()

    def baseline(self) -> str:
        """The newest baseline's file name; empty before the first."""
        found = sorted((self.folder / "store/smarthr_emc/tenants/acme/baselines").glob("*.json"))
        return found[-1].name if found else ""

    def baseline_summary(self) -> tuple[str, bytes]:
        """The newest baseline, byte for byte: unmoved is unchanged."""
        name = self.baseline()
        path = self.folder / "store/smarthr_emc/tenants/acme/baselines" / name
        return name, path.read_bytes() if name else b""

    # --- runs

    def run(
        self,
        mode: str = "NORMAL",
        *,
        scheduled: bool = False,
        late: dt.timedelta = dt.timedelta(),
        retries: int | None = None,
        answer: tuple[str, str] | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Run:
        """Let Airflow run the Dag as it is now; `answer` is what a person says to the task that waits (option, why)."""
        from airflow.dag_processing.dagbag import DagBag

        self.seen |= {str(crew[item]) for crew in self.crews() for item in PERSONAL if crew.get(item)}
        bag = DagBag(str(HOME / "dags"))
        assert bag.import_errors == {}
        dag = bag.dags[DAG_ID]
        if retries is not None:  # dag.test waits a second for every retry
            for task in dag.tasks:
                task.retries = retries
        kind = "scheduled" if scheduled else "manual"
        run_after = dt.datetime.now(dt.UTC) - late
        with self.monkeypatch.context() as patch:
            patch.setattr("airflow.models.dagrun.get_or_create_dagrun", _create_run(kind))
            person = _Person(answer, meanwhile) if answer else None
            if person:
                person.start()
            done = dag.test(run_after=run_after, logical_date=None, run_conf={"mode": mode})
            if person:
                person.join(timeout=30)
                assert person.error is None, person.error
        instances = done.get_task_instances()
        return Run(
            done.run_id,
            str(done.state),
            {ti.task_id: ti.state and str(ti.state) for ti in instances},
            {ti.task_id: ti.try_number for ti in instances},
            {ti.task_id: ti.xcom_pull(task_ids=ti.task_id) for ti in instances},
        )


def _create_run(kind: str) -> Callable[..., Any]:
    """In place of dag.test's own: that one makes manual runs alone, and removes the run before."""
    from airflow.utils.types import DagRunType

    def create(*, dag: Any, **arguments: Any) -> Any:
        return dag.create_dagrun(run_type=DagRunType(kind), state="running", **arguments)

    return create


class _Person(threading.Thread):
    """The operator at 要対応項目: waits until a task asks, looks around, and answers through Airflow's own route."""

    def __init__(self, answer: tuple[str, str], meanwhile: Callable[[], None] | None) -> None:
        super().__init__(daemon=True)
        self.option, self.why = answer
        self.meanwhile = meanwhile
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._answer(self._wait())
        except BaseException as error:
            self.error = error

    def _wait(self) -> Any:
        from airflow.models.taskinstance import TaskInstance
        from airflow.utils.session import create_session
        from sqlalchemy import select

        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with create_session() as session:
                found = session.scalar(select(TaskInstance).where(TaskInstance.state == "awaiting_input"))
                if found is not None:
                    return found.dag_id, found.run_id, found.task_id
            time.sleep(0.1)
        raise TimeoutError("no task asked for a person")

    def _answer(self, place: tuple[str, str, str]) -> None:
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
        from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
        from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
        from airflow.utils.session import create_session

        if self.meanwhile:
            self.meanwhile()
        payload = UpdateHITLDetailPayload(chosen_options=[self.option], params_input={"reason": self.why})
        user = SimpleAuthManagerUser(username="tanto", role="op")
        with create_session() as session:
            update_hitl_detail(*place, payload, user, session)


@pytest.fixture(scope="session")
def airflow_database() -> Path:
    """Airflow's metadata database, and the Dag folder with our one Dag file."""
    from airflow.utils.db import initdb

    shutil.copyfile(ROOT / "dags/smarthr_emc.py", HOME / "dags/smarthr_emc.py")
    initdb()
    return HOME / "airflow.db"


@pytest.fixture
def world(
    airflow_database: Path, neighbours: Neighbours, mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> World:
    """Thirty people in SmartHR, an empty EMC, an empty mailbox, a sheet and all Connections."""
    world = World(neighbours, tmp_path, mappings, monkeypatch)
    world.call("smarthr", "POST", "companies", {"name": "acme", "seed": 1, "size": 30})
    world.call("smarthr", "DELETE", "faults")
    world.call("emc", "DELETE", "accounts/acme")
    world.call("emc", "DELETE", "faults")
    world.call("mail", "DELETE", "messages")
    world.call("mail", "DELETE", "faults")
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", urlsplit(neighbours.urls["smarthr"]).netloc)
    monkeypatch.setenv("RENKEI_RETRY_DELAY_S", "0")
    world.write_sheet()
    world.connect_all()
    return world
