"""A scene's own program: Airflow and pandas are imported once, every task that dies, and what follows it, is a fork."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from renkei.storage.store import Store
from scripts.neighbours import Neighbours
from tests.harness.folders import in_memory
from tests.harness.program import ROOT
from tests.harness.sheet import full_mapping
from tests.harness.tenant import Tenant
from tests.proof.case import Effort
from tests.proof.crashes.real_airflow import REAL, let_airflow_recover
from tests.proof.crashes.scene import RECOVERIES, SCENES, Point, Scene
from tests.proof.crashes.world import PEOPLE, SEED, CrashWorld


def main(arguments: list[str]) -> None:
    """Play one scene, or let Airflow itself recover; a line of JSON for each try."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.crashes.program", description=__doc__)
    parser.add_argument("--scene", choices=(*SCENES, REAL), required=True)
    parser.add_argument("--effort", type=Effort, default=Effort.FULL)
    parser.add_argument("--point", help="only this one: TASK:STEP:SIDE, as a failure names it")
    parser.add_argument("--recovery", choices=RECOVERIES, help="only this one")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the simulators are ended, too
    sys.stdout = sys.stderr  # Airflow logs there
    with in_memory() as name:
        folder = Path(name)
        _settle_environment(folder)
        limits = ("--per-second", "100000", "--per-hour", "100000000")
        with Neighbours(folder / "neighbours", [], ["acme"], limits) as neighbours:
            world = CrashWorld(folder, neighbours)
            tries = let_airflow_recover(world) if given.scene == REAL else _tries(Scene(given.scene, world), given)
            for found in tries:
                print(json.dumps(found, ensure_ascii=False), file=sys.__stdout__, flush=True)


def _tries(scene: Scene, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The undisturbed run, then one death after the other."""
    _preload(scene.world)
    scene.go_through()
    yield {"points": len(scene.points), "wrong": scene.wrong}
    if scene.wrong:  # then there is nothing to compare with
        return
    pairs = scene.work(given.effort)
    if given.point:  # with whatever recovery, whether the campaign has this pair or not
        pairs = [(point, way) for point in scene.points for way in scene.recoveries(point)]
    for point, recovery in pairs:
        if given.point in (None, str(point)) and given.recovery in (None, recovery):
            began = time.monotonic()
            wrong = _tried(scene, point, recovery)
            seconds = time.monotonic() - began
            yield {"point": str(point), "label": point.label, "recovery": recovery, "wrong": wrong, "seconds": seconds}


def _tried(scene: Scene, point: Point, recovery: str) -> list[str]:
    """What was wrong; that the try broke off, too."""
    try:
        return scene.try_one(point, recovery)
    except Exception as error:
        traceback.print_exc()
        return [f"{type(error).__name__}: {error}"]


def _preload(world: CrashWorld) -> None:
    """Import and build what the tasks need, once; a fork has it, as with Airflow's own workers."""
    import renkei.orchestration.preload  # noqa: F401
    from renkei.systems.smarthr import pacer

    pacer.WINDOW_S = 0.01  # SmartHR's limit of 10 requests a second is not what is tried here
    _run_here(world)
    gc.collect()
    gc.freeze()  # a collection in a fork would copy the whole of Airflow


def _run_here(world: CrashWorld) -> None:
    """A run of somebody else in this process: what it builds on first use, pydantic's readers above all."""
    world.sim("smarthr", "POST", "companies", {"name": "acme", "seed": SEED, "size": PEOPLE})
    urls = world.neighbours.urls
    with tempfile.TemporaryDirectory() as folder:
        tenant = Tenant.over_http(Store(LocalFileSystem(), folder), full_mapping(), urls["smarthr"], urls["emc"])
        tenant.run()
        tenant.close()
    world.sim("emc", "DELETE", "accounts/acme")


def _settle_environment(folder: Path) -> None:
    """Airflow reads its settings when it is imported; nothing of the developer's own Airflow may take part."""
    for name in list(os.environ):
        if name.startswith(("AIRFLOW__", "AIRFLOW_CONN_", "AIRFLOW_VAR_", "RENKEI_")):
            del os.environ[name]
    os.environ |= {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__API__BASE_URL": "http://airflow.example.jp",
        "AIRFLOW_VAR_RENKEI_DISASTER_FREEZE": "",  # there is no database to ask for it
        "OMP_NUM_THREADS": "1",  # twelve people need no pool of threads
        "OPENBLAS_NUM_THREADS": "1",
        "RENKEI_EMC_FORMAT": str(ROOT / "include/contracts/emc_format.yaml"),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
