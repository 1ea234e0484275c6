"""F1, F2: a company of 11,357 people, linked once and then day after day, in a real Airflow."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from pathlib import Path
from typing import Any

import requests

from scripts.bench.figures import Figure, Say
from scripts.demo import LINK, environment, sample_mappings
from scripts.local_airflow import LocalAirflow
from scripts.neighbours import Neighbours

COMPANY, SIZE = "hinata", 11_357  # requirements/1: 11,357 the day before, 11,285 received, 538 s
DAYS = ({"leavers": 74, "joiners": 2}, {"leavers": 3, "joiners": 4, "moves": 20}, {"retirements": 5, "joiners": 2})
FETCH = ("fetch_departments", "fetch_users")
WORK = ("snapshot", "diff", "validate", "load")
RATE = 10  # SmartHR's requests a second


def measure(folder: Path, say: Say) -> list[Figure]:
    """Trigger to success of three days after the first link, by Airflow's own records."""
    with Neighbours(folder / "neighbours", [f"{COMPANY}:1:{SIZE}"], [COMPANY]) as neighbours:
        mappings = [m for m in sample_mappings(folder / "mappings", neighbours.urls["smarthr"]) if m.tenant == COMPANY]
        with LocalAirflow(folder, environment(folder, neighbours, mappings)) as airflow:
            dag_id = f"{LINK}__{COMPANY}"
            airflow.wait_for_dags([dag_id])
            airflow.unpause(dag_id)
            first = _run(airflow, neighbours, dag_id)
            say(f"first link  {first['total']:5.1f} s")
            days = []
            for changes in DAYS:
                neighbours.play_day(COMPANY, **changes)
                days.append(_run(airflow, neighbours, dag_id))
                say(f"{_words(changes):40} {days[-1]['total']:5.1f} s")
            in_emc, expected = neighbours.emc_head_count(COMPANY)["users"], neighbours.valid_crews(COMPANY)
    if in_emc != expected:
        raise RuntimeError(f"EMC has {in_emc} people, SmartHR {expected}: these were no runs to measure")
    return _figures(first, days)


def _run(airflow: LocalAirflow, neighbours: Neighbours, dag_id: str) -> dict[str, Any]:
    """One run: seconds in total, per task, and what SmartHR counted meanwhile."""
    requests.delete(f"{neighbours.urls['smarthr']}/_sim/requests", timeout=10).raise_for_status()
    run_id, deadline = airflow.trigger(dag_id), time.monotonic() + 900
    while (run := airflow.run(dag_id, run_id))["state"] not in ("success", "failed"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{run_id} is {run['state']} after 900 s; see {airflow.home / 'logs'}")
        time.sleep(1)  # polling takes its share of the same cores
    if run["state"] != "success":
        raise RuntimeError(f"{run_id} failed: {airflow.failure(dag_id, run_id)}")
    tasks = {}
    for task in airflow.tasks(dag_id, run_id):
        if task["state"] == "success":  # one that was skipped has a start of its own, and was never queued
            queued, start, end = (_seconds(task[name]) for name in ("queued_when", "start_date", "end_date"))
            tasks[task["task_id"]] = {"waited": round(start - queued, 3), "ran": round(end - start, 3)}
    counted = requests.get(f"{neighbours.urls['smarthr']}/_sim/requests", timeout=10).json()
    crews = next(row for row in counted if row["path"].endswith("/crews") and row["company"])
    return {
        "total": _seconds(run["end_date"]) - _seconds(run["queued_at"]),
        "tasks": tasks,
        "requests": sum(row["requests"] for row in counted if row["company"]),
        "refused": sum(row["too_many"] for row in counted),
        "crew_requests": crews["requests"],
        "rate": (crews["requests"] - 1) / (crews["last_at"] - crews["first_at"]),
    }


def _figures(first: dict[str, Any], days: list[dict[str, Any]]) -> list[Figure]:
    def shares(run: dict[str, Any], names: tuple[str, ...]) -> float:
        return float(sum(run["tasks"][name]["ran"] for name in names))

    totals = [run["total"] for run in days]
    fetch = [shares(run, FETCH) for run in days]
    work = [shares(run, WORK) for run in days]
    other = [total - f - w for total, f, w in zip(totals, fetch, work, strict=True)]
    crews = [run["crew_requests"] for run in days]
    pages = min(crews)
    per_task = {
        f"{name}: {what}": [run["tasks"][name][what] for run in days if name in run["tasks"]]
        for name in first["tasks"]
        for what in ("waited", "ran")
    }
    floor = f"{pages} pages at {RATE}/s are {pages / RATE:.1f} s; text 1's sample took 538 s"
    figures = [
        Figure("F1", "a day, trigger to success", statistics.median(totals), "s", ("<", 17), _span(totals, floor)),
        Figure("F1", "… of it the tasks that fetch", statistics.median(fetch), note=_span(fetch)),
        Figure(
            "F1", "… the tasks that work", statistics.median(work), note=_span(work, "snapshot, diff, validate, load")
        ),
        Figure("F1", "… Airflow between them, and notify", statistics.median(other), note=_span(other)),
        Figure("F1", "first link, trigger to success", first["total"], detail={"first": first, "days": days}),
    ]
    for name in first["tasks"]:
        waited, ran = (statistics.median(per_task[f"{name}: {what}"]) for what in ("waited", "ran"))
        figures.append(Figure("F1", f"   {name}: start → end", ran, note=f"queued → start {waited:.2f} s"))
    rates = [run["rate"] for run in days]
    figures += [
        Figure(
            "F2",
            "requests a second while fetching crews",
            statistics.median(rates),
            "/s",
            ("≥", 0.95 * RATE),
            _span(rates),
        ),
        Figure("F2", "429 answers, all runs", sum(r["refused"] for r in [first, *days]), "", ("=", 0)),
    ]
    return figures


def _seconds(moment: str) -> float:
    return dt.datetime.fromisoformat(moment).timestamp()


def _span(values: list[float], more: str = "") -> str:
    text = f"{min(values):.1f}–{max(values):.1f}"
    return f"{text}; {more}" if more else text


def _words(changes: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in changes.items())
