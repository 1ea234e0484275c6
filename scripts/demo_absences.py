"""What `make run` shows of WORKPLACE → LINE WORKS: an absence that is approved, moved and cancelled; one of nobody there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from scripts.local_airflow import LocalAirflow
from scripts.neighbours import Neighbours, sim
from scripts.sample_sheets import write_sample

LINK, TENANT = "workplace_lineworks", "minato"  # whose Connections of the chat services there are
DAG = f"{LINK}__{TENANT}"
SATO = "sato@acme.example"

Expect = Callable[[str, object, object], None]
Say = Callable[[str], None]


def write_sheet(mappings: Path, tenant: str = TENANT) -> Path:
    own = {"company_name": "港商事株式会社", "result_addresses": ["soumu@minato.example.jp"]}
    return write_sample(mappings, LINK, tenant, lambda sheet: sheet.update(own))


def connections(urls: dict[str, str], tenant: str = TENANT) -> dict[str, str]:
    """As an operator would enter them in Airflow's UI, beside those of the chat services."""
    workplace = {"conn_type": "workplace", "host": urls["workplace"], "password": "workplace_sim_token"}
    return {f"AIRFLOW_CONN_WORKPLACE__{tenant.upper()}": json.dumps(workplace)}


def show(airflow: LocalAirflow, neighbours: Neighbours, expect: Expect, say: Say) -> None:
    """What members do on WORKPLACE's page is in their calendars after the next run."""
    workplace, chat = neighbours.urls["workplace"], neighbours.urls["chat"]
    sim("POST", chat, "lineworks", {"scopes": ["bot", "bot.message", "bot.read", "user.read", "calendar"]})
    airflow.wait_for_dags([DAG])
    airflow.unpause(DAG)
    form = {"kind": "年次有給休暇", "unit": "ALL_DAY", "start_on": "2030-12-05", "end_on": "", "start_time": ""}
    for user in (SATO, "takahashi@acme.example"):  # the latter is suspended in LINE WORKS
        _post(f"{workplace}/apply", data={**form, "user_id": user, "end_time": "", "title": "", "reason": "私用"})
    expect("WORKPLACE, applied for: run", "success", airflow.run_through(DAG, say, "applied for"))
    expect("calendars, while nobody has approved", [], _calendar(chat))
    for number in ("A-000001", "A-000002"):
        _post(f"{workplace}/absences/{number}/approve")
    expect("WORKPLACE, approved: run", "success", airflow.run_through(DAG, say, "approved"))
    expect("calendars, approved", [("年次有給休暇", "2030-12-05")], _calendar(chat))
    told = [mail for mail in neighbours.mails() if mail["subject"].startswith("CALENDAR-WARN")]
    expect("mail of the one who has no calendar", [True], ["不在 A-000002: " in mail["body"] for mail in told])
    _post(f"{workplace}/absences/A-000001/later")
    expect("WORKPLACE, moved: run", "success", airflow.run_through(DAG, say, "moved"))
    expect("calendars, moved", [("年次有給休暇", "2030-12-06")], _calendar(chat))
    _post(f"{workplace}/absences/A-000001/cancel")
    expect("WORKPLACE, cancelled: run", "success", airflow.run_through(DAG, say, "cancelled"))
    expect("calendars, cancelled", [], _calendar(chat))


def _calendar(chat: str) -> list[tuple[str, str]]:
    found = sim("GET", chat, "lineworks/calendars")["calendars"]
    return sorted((event[0]["summary"], event[0]["start"]["date"]) for one in found.values() for event in one.values())


def _post(url: str, **body: Any) -> None:
    requests.post(url, timeout=60, **body).raise_for_status()
