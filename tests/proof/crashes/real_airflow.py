"""Tasks killed in a real `airflow standalone`, one after the other: they prove the stand-in (process.py) honest."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from scripts.local_airflow import LocalAirflow
from tests.harness.program import ROOT
from tests.proof.crashes.judgement import mails_of, wrong_about_baselines, wrong_about_success
from tests.proof.crashes.world import DAG_ID, DAYS, TODAY, YESTERDAY, CrashWorld
from tests.proof.process import Kill

REAL = "Airflow itself"

# What dies in the two runs.
REAL_KILLS = (
    (
        Kill("load", "Session.request POST /api/v1/imports/ID/commit", "before"),
        Kill("load", "Session.request POST /api/v1/imports/ID/commit", "after"),
        Kill("notify", "SMTP.data", "after"),
    ),
    (
        Kill("fetch_users", "Store.write fetched_users.json", "before"),
        Kill("load", "Store.create 00000002.json", "before"),
    ),
)


def let_airflow_recover(world: CrashWorld) -> Iterator[dict[str, Any]]:
    """Two runs in `airflow standalone`, whose tasks die; nobody lifts a finger, Airflow's own retries do it all."""
    dags = world.folder / "dags"
    dags.mkdir()
    (dags / "smarthr_emc.py").write_text(
        '"""The Dags of Airflow, armed."""\n'
        "from pathlib import Path\n"
        "from renkei.orchestration.dag_builder import build_dags\n"
        "from tests.proof.process import arm_dags\n"
        "dags = build_dags(__file__)\n"
        f"arm_dags(dags, Path({str(world.folder)!r}))\n"
        "globals().update(dags)\n",
        encoding="utf-8",
    )
    kills = [kill for run in REAL_KILLS for kill in run]
    (world.folder / "kills.json").write_text(json.dumps([asdict(kill) for kill in kills]), encoding="utf-8")
    kept = {name: text for name, text in os.environ.items() if name.startswith(("RENKEI_", "AIRFLOW_CONN_", "PROOF_"))}
    began, before, told = time.monotonic(), set[str](), 0
    with LocalAirflow(world.folder, {**kept, "RENKEI_RETRY_DELAY_S": "0.5", "PYTHONPATH": str(ROOT)}, dags) as airflow:
        airflow.wait_for_dags([DAG_ID])
        airflow.unpause(DAG_ID)
        for day, dying in zip((YESTERDAY, TODAY), REAL_KILLS, strict=True):
            run_id = airflow.trigger(DAG_ID)
            wrong = _wrong_in_airflow(airflow, world, run_id, dying, told, before, world.codes[day])
            for kill in dying:
                seconds, began = time.monotonic() - began, time.monotonic()
                yield {"recovery": REAL, "label": f"{kill.side} {kill.step}", "wrong": wrong, "seconds": seconds}
                wrong = []
            told, before = told + len(dying), world.codes[day]
            world.sim("smarthr", "POST", f"companies/{YESTERDAY}/day", DAYS[TODAY])


def _wrong_in_airflow(
    airflow: LocalAirflow,
    world: CrashWorld,
    run_id: str,
    dying: tuple[Kill, ...],
    told: int,
    before: set[str],
    after: set[str],
) -> list[str]:
    deadline = time.monotonic() + 240
    while airflow.run(DAG_ID, run_id)["state"] not in ("success", "failed"):
        if time.monotonic() > deadline:
            return [f"the run does not end: {[(t['task_id'], t['state']) for t in airflow.tasks(DAG_ID, run_id)]}"]
        time.sleep(0.5)
    wrong, tasks = [], {task["task_id"]: task for task in airflow.tasks(DAG_ID, run_id)}
    ended = {name: task["state"] for name, task in tasks.items() if task["state"] != "success"}
    needless = ("approve",) if any(kill.task == "notify" for kill in dying) else ("approve", "outcome")
    if ended != dict.fromkeys(needless, "skipped"):  # a second try of `notify` skips nothing
        wrong.append(f"tasks ended as { ({name: task['state'] for name, task in tasks.items()}) }")
    deaths = Counter(kill.task for kill in dying)
    wrong += [
        f"{name} took {task['try_number']} tries, {1 + deaths[name]} are right"
        for name, task in tasks.items()
        if task["state"] != "skipped" and task["try_number"] != 1 + deaths[name]
    ]
    for number, kill in enumerate(dying, told):
        struck = world.folder / f"struck-{number}"
        last = json.loads(struck.read_text(encoding="utf-8"))[-1][0] if struck.exists() else "nothing"
        if last != kill.step:
            wrong.append(f"{kill.task} died at {last}, not {kill.side} {kill.step}")
    seen = world.see()
    wrong += wrong_about_baselines(seen, world.live / "store")
    if set(seen.emc["users"]) != after:
        wrong.append(f"EMC has {sorted(seen.emc['users'])}, SmartHR {sorted(after)}")
    if seen.note or seen.unfinished:
        wrong.append(f"left: pending.json {seen.note}, imports {seen.unfinished}")
    mails = mails_of(seen, run_id)
    if len(mails) != 1 + deaths["notify"] or len({mail["message_id"] for mail in mails}) != 1:
        wrong.append(f"{len(mails)} mails with {len({mail['message_id'] for mail in mails})} Message-IDs")
    return wrong + [line for mail in mails for line in wrong_about_success(mail, before, after)]
