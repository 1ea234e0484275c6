"""What `make run` shows of WORKPLACE's notifications: an approval request reaches one member in all four messengers."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from scripts.local_airflow import PROJECT, LocalAirflow
from scripts.neighbours import Neighbours, sim
from scripts.sample_sheets import write_sample

LINK, TENANT = "workplace_lineworks", "minato"
MEMBER = "sato@acme.example"  # of the simulated LINE WORKS
SECRET = "workplace_sim_events_secret_0123456789"
SERVICES = ("googlechat", "line", "lineworks", "slack")
CHANNELS = ("lineworks", "slack", "google_chat", "line")
WAITS_S = 240.0  # for the first run of the pump, too

Expect = Callable[[str, object, object], None]
Say = Callable[[str], None]


def write_sheet(mappings: Path, tenant: str = TENANT) -> Path:
    """The sample sheet with every messenger."""
    kinds = ("申請", "承認", "却下", "差し戻し", "取り下げ", "決裁完了", "参照", "コメント")
    own = {
        "company_name": "港商事株式会社",
        "result_addresses": ["soumu@minato.example.jp"],
        "messengers": dict.fromkeys(CHANNELS, "使用する"),
        "events": [{"event": kind, **dict.fromkeys(CHANNELS, "○")} for kind in kinds],
    }
    return write_sample(mappings, LINK, tenant, lambda sheet: sheet.update(own))


def connections(urls: dict[str, str], tenant: str = TENANT) -> dict[str, str]:
    """WORKPLACE's; those of the messengers are the chat services' (`chat_connections`)."""
    workplace = {
        "conn_type": "workplace",
        "host": urls["workplace"],
        "password": "workplace_sim_token",
        "extra": {"events_secret": SECRET},
    }
    return {f"AIRFLOW_CONN_WORKPLACE__{tenant.upper()}": json.dumps(workplace)}


def show(airflow: LocalAirflow, neighbours: Neighbours, expect: Expect, say: Say) -> None:
    """The members table is imported, WORKPLACE aimed at us, and a document goes its way."""
    import_members(airflow, neighbours)
    workplace = neighbours.urls["workplace"]
    target = {"url": f"{airflow.url}/renkei/workplace/{TENANT}/events", "secret": SECRET}
    sim("PUT", workplace, "events/target", target)
    number = f"WF-{int(time.time())}"
    began = time.monotonic()
    pushed = sim(
        "POST",
        workplace,
        "events",
        [{"document": number, "kind": kind, "recipients": [MEMBER], "times": 2} for kind in ("requested", "completed")],
    )
    expect("WORKPLACE, two events, each pushed twice: answers", [[200, 200]] * 2, [one["answers"] for one in pushed])
    arrived: dict[str, list[str]] = {}
    while time.monotonic() - began < WAITS_S:
        arrived = _arrived(neighbours, number)
        if all(len(arrived[service]) == 2 for service in SERVICES):
            break
        time.sleep(0.5)
    say(f"{time.monotonic() - began:5.1f} s  {number}: {arrived}")
    expect("WORKPLACE, what one member reads", {service: ["承認の依頼", "決裁が完了"] for service in SERVICES}, arrived)


def import_members(airflow: LocalAirflow, neighbours: Neighbours) -> None:
    """`renkei members import`, as an operator types it."""
    found = neighbours.chat_registrations()
    slack, google = found["slack_bot"]["members"][0], found["google_chat"]["url"]
    file = airflow.home.parent / "members.csv"
    head = "ユーザID,SlackメンバーID,Google Chat Webhook,LINEユーザーID"
    file.write_text(f"{head}\n{MEMBER},{slack},{google},{found['line']['friends'][0]}\n", encoding="utf-8")
    command = [sys.executable, "-m", "renkei.commands", "members", "import", f"{LINK}__{TENANT}", str(file)]
    subprocess.run(command, cwd=PROJECT, env=airflow.environment, stdout=subprocess.DEVNULL, check=True)


def _arrived(neighbours: Neighbours, number: str) -> dict[str, list[str]]:
    """What each service was given of a document, in its order."""
    arrived: dict[str, list[str]] = {service: [] for service in SERVICES}
    for message in neighbours.chat_messages():
        if number in message["text"] and message["service"] in arrived:
            words = [word for word in ("承認の依頼", "決裁が完了") if word in message["text"]]
            arrived[message["service"]] += words
    return arrived
