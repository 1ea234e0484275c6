"""F16: how long a changed absence takes to its member's calendar, by Airflow's own schedule of every five minutes."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from scripts import demo_absences
from scripts.bench.figures import Figure, Say
from scripts.demo import environment
from scripts.local_airflow import LocalAirflow
from scripts.neighbours import Neighbours, sim

INTERVAL_S, ROUNDS, PATIENCE_S = 300, 3, 900


def measure(folder: Path, say: Say) -> list[Figure]:
    """Each round moves an absence right after a run has read: nobody waits longer than that."""
    with Neighbours(folder / "neighbours", [], [], chat=True, absent=True) as neighbours:
        demo_absences.write_sheet(folder / "mappings")
        settings = environment(folder, neighbours, []) | demo_absences.connections(neighbours.urls)
        workplace, chat = (neighbours.urls[name].rstrip("/") for name in ("workplace", "chat"))
        scopes = {"scopes": ["bot", "calendar", "user.read"]}
        sim("POST", chat, "lineworks", scopes)
        with LocalAirflow(folder, settings) as airflow:
            airflow.wait_for_dags([demo_absences.DAG])
            airflow.unpause(demo_absences.DAG)
            waited, after_tick = [], []
            number = _apply(workplace)
            _until(partial(_is_there, chat, "2030-12-05"))
            for day in range(6, 6 + ROUNDS):
                changed = time.time()
                start = f"2030-12-{day:02}"
                period = {"unit": "ALL_DAY", "start_on": start, "end_on": start}
                sim("PATCH", workplace, f"absences/{number}", {"periods": [period]})
                _until(partial(_is_there, chat, start))
                waited.append(time.time() - changed)
                after_tick.append(time.time() % INTERVAL_S)
                say(f"{waited[-1]:.1f} s after the change, {after_tick[-1]:.1f} s after the run was due")
    what = "a changed absence in its member's calendar, in Airflow, every 5 minutes: longest of 3 after the change"
    return [
        Figure("F16", what, max(waited), "s", ("<", INTERVAL_S + 5)),
        Figure("F16", "… after the run was due", max(after_tick), "s", ("<", 5)),
    ]


def _apply(workplace: str) -> str:
    period = {"unit": "ALL_DAY", "start_on": "2030-12-05", "end_on": "2030-12-05"}
    absence = {"user_id": demo_absences.SATO, "status": "APPROVED", "periods": [period]}
    return str(sim("POST", workplace, "absences", [absence])[0])


def _is_there(chat: str, start: str) -> bool:
    return start in _starts(chat)


def _starts(chat: str) -> list[str]:
    members = sim("GET", chat, "lineworks/calendars")["calendars"].values()
    return [event[0]["start"]["date"] for events in members for event in events.values()]


def _until(condition: Callable[[], bool]) -> None:
    """Raises RuntimeError: it does not come."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("no run wrote it; see airflow.log")
        time.sleep(0.1)
