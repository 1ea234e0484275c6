"""Proves docs/operations.md's "A role for one tenant" over Airflow's API: its commands, its one tenant, nobody else's."""

from __future__ import annotations

import re
import secrets
import shlex
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "operations.md"
APPROVE = "承認して登録する"


class RoleFailed(Exception):
    """The role may less, or more, than is written of it."""


def make_user(tenant: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """Run the document's commands for this tenant; name and password of the user."""
    text = DOCUMENT.read_text(encoding="utf-8").partition("### A role for one tenant")[2]
    block = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    assert block
    password = secrets.token_hex(16)
    for line in block[1].replace("acme", tenant).splitlines():
        command = shlex.split(line)
        asked = f"{password}\n{password}\n" if "users" in command else ""
        done = subprocess.run(
            command, env=environment, input=asked, text=True, capture_output=True, start_new_session=True
        )
        if done.returncode:
            raise RoleFailed(f"{line}\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
    return "hanako", password


def log_in(address: str, username: str, password: str) -> requests.Session:
    answer = requests.post(f"{address}/auth/token", json={"username": username, "password": password}, timeout=30)
    answer.raise_for_status()
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return session


def prove_role(address: str, admin: requests.Session, dag_id: str, environment: Mapping[str, str]) -> float:
    """Seconds until a held 再連携 of `dag_id`, approved by a user of that tenant's role alone, had succeeded.

    Raises:
        RoleFailed: the user may not do what the role is for, or reaches another tenant.
    """
    start = time.monotonic()
    user = log_in(address, *make_user(dag_id.rpartition("__")[2], environment))
    api = f"{address}/api/v2"
    seen = [dag["dag_id"] for dag in user.get(f"{api}/dags", timeout=30).json()["dags"]]
    if seen != [dag_id]:
        raise RoleFailed(f"the user sees {seen}")
    others = {dag["dag_id"] for dag in admin.get(f"{api}/dags", timeout=30).json()["dags"]} - {dag_id}
    for other in sorted(others):
        for method, path, body in (
            ("GET", "", None),
            ("PATCH", "", {"is_paused": False}),
            ("POST", "/dagRuns", {"logical_date": None}),
            ("GET", "/dagRuns/x/taskInstances/approve/-1/hitlDetails", None),
            ("PATCH", "/dagRuns/x/taskInstances/approve/-1/hitlDetails", {"chosen_options": [APPROVE]}),
        ):
            status = user.request(method, f"{api}/dags/{other}{path}", json=body, timeout=30).status_code
            if status != 403:
                raise RoleFailed(f"{method} {other}{path}: {status}")
    _approve(user, f"{api}/dags/{dag_id}")
    return time.monotonic() - start


def _approve(user: requests.Session, dag: str) -> None:
    answer = user.post(f"{dag}/dagRuns", json={"logical_date": None, "conf": {"mode": "RELINK"}}, timeout=30)
    answer.raise_for_status()
    run = f"{dag}/dagRuns/{answer.json()['dag_run_id']}"
    question = f"{run}/taskInstances/approve/-1/hitlDetails"
    _wait(lambda: user.get(question, timeout=30).status_code == 200, "nothing waits for an answer")
    time.sleep(5)  # an answer in the second in which the task begins to wait finds the scheduler busy
    answer = user.patch(question, json={"chosen_options": [APPROVE], "params_input": {"reason": "-"}}, timeout=30)
    if not answer.ok:
        raise RoleFailed(f"the approval was answered {answer.status_code} {answer.text[:300]}")
    _wait(lambda: _state(user, run) != "running", "the approved run does not end")
    if _state(user, run) != "success":
        raise RoleFailed(f"the approved run is {_state(user, run)}")


def _state(user: requests.Session, run: str) -> str:
    return str(user.get(run, timeout=30).json()["state"])


def _wait(until: Any, otherwise: str) -> None:
    deadline = time.monotonic() + 300
    while not until():
        if time.monotonic() > deadline:
            raise RoleFailed(otherwise)
        time.sleep(0.5)
