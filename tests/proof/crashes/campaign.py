"""Every task's process is killed at every step that others can see, and the run recovers (L2–L4).

One scene is a tenant in front of a run: its first link, or an ordinary day. The run goes through once undisturbed,
which finds its steps (process.py) and how it ends. Then, for each step, the process of its task dies by SIGKILL just
before and just after it, and the run is continued as Airflow or an operator would. Each scene runs in a program of its
own with simulators of its own: `python -m tests.proof.crashes.program --help` repeats a single case.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tests.harness.program import ROOT
from tests.proof.case import Case, Effort, Say
from tests.proof.crashes.real_airflow import REAL
from tests.proof.crashes.scene import FAILED_RUN, NEXT_DAY, RECOVERIES, RETRY, SCENES

AFTERWARDS = {
    RETRY: "EMC as undisturbed, each plan committed once, one baseline per commit, no note, one mail that is right",
    NEXT_DAY: "EMC as after two undisturbed days, each plan committed once, one baseline per commit, no note, mails right",
    FAILED_RUN: "EMC and baseline as before, one EMC-ERROR-X that names the task",
}

Found = dict[str, Any]  # one try, as its program tells it


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    """The scenes and Airflow itself, each in its own program, two side by side."""
    scenes = (*SCENES, REAL) if effort is Effort.FULL else SCENES[-1:]
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(partial(_played, folder, effort, say), scenes)
        return [case for scene, tries in zip(scenes, found, strict=True) for case in _cases(scene, tries)]


def _played(folder: Path, effort: Effort, say: Say, scene: str) -> list[Found]:
    """All that the program of a scene tells."""
    found: list[Found] = []
    command = [sys.executable, "-m", "tests.proof.crashes.program", "--scene", scene, "--effort", effort.value]
    with (
        (folder / f"{scene.replace(' ', '_')}.log").open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True) as program,
    ):
        assert program.stdout is not None
        for line in program.stdout:
            found.append(json.loads(line))
            if "points" in found[-1]:
                say(f"{scene}: {found[-1]['points']} points")
            elif len(found) % 100 == 1:
                say(f"{scene}: {len(found) - 1} deaths")
            for wrong in found[-1]["wrong"]:
                say(f"{scene}: {wrong}")
    if program.returncode or not found:
        found.append({"wrong": [f"{scene}: the program ended with {program.returncode}; its log is {log.name}"]})
    return found


def _cases(scene: str, found: list[Found]) -> Iterator[Case]:
    """A row for the undisturbed runs, and one for each kind of recovery."""
    if scene == REAL:
        right = "EMC as SmartHR, one baseline per commit, no note, one mail (the same twice after SMTP's yes)"
        yield _case(scene, "tasks killed in airflow standalone, retried by Airflow itself", found, right)
        return
    general = tuple(line for one in found if "recovery" not in one for line in one["wrong"])
    right = "EMC as SmartHR, baseline as EMC, one mail with the right figures"
    yield Case("crashes", f"{scene}: undisturbed", "L3 E4 E6", 1, general, right)
    for recovery in RECOVERIES:
        if tried := [one for one in found if one.get("recovery") == recovery]:
            name = f"{scene}: task killed at {len({one['point'] for one in tried})} points, {recovery}"
            yield _case(scene, name, tried, AFTERWARDS.get(recovery, AFTERWARDS[RETRY]))


def _case(scene: str, name: str, tried: list[Found], afterwards: str) -> Case:
    wrong = []
    for one in tried:
        point = f' --point {one["point"]} --recovery "{one["recovery"]}"' if "point" in one else ""
        again = f'python -m tests.proof.crashes.program --scene "{scene}"{point}'
        wrong += [f"{line} (killed at {one.get('label')}; repeat: {again})" for line in one["wrong"]]
    seconds = sum(one.get("seconds", 0.0) for one in tried)
    tries = sum("recovery" in one for one in tried)
    return Case("crashes", name, "L2 L3 L4 E4", tries, tuple(wrong), afterwards, seconds)
