"""`make run`: the whole job on this machine, for real: Airflow, simulators, mails, two days, four endings.

Day 1 links three companies for the first time. On day 2 one has leavers, joiners and changed ids; one has a
row without a name, so that nothing of it is written, and is told so in seven chat services; from one so many leave
that the plan is held until somebody approves. With --once the script ends by itself, with status 0 only if all of that came out so.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import shutil
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from renkei.links.smarthr_emc.sheet.excel.writer import write_workbook
from renkei.links.smarthr_emc.sheet.index import load, tenants
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from scripts.chat_connections import chat_connections
from scripts.local_airflow import PASSWORD, PROJECT, USER, LocalAirflow
from scripts.neighbours import Neighbours

LINK = "smarthr_emc"
SIZES = {"hinata": 1200, "minato": 300, "sakura": 150}
TOLD = "minato"  # whose sample sheet has a channel in every chat service
APPROVE = "承認して登録する"
CHAT_SERVICES = ("slack", "chatwork", "teams", "lineworks", "googlechat", "line")  # Slack twice: a channel, a person
# An answer within the second in which a task begins to wait finds Airflow 3.3's scheduler still busy with the
# waiting, and the task is failed. No person is so quick.
THINKING_S = 4.0
console = Console(highlight=False, width=110)


@dataclass
class Verdict:
    """What was expected, and whether it came."""

    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def expect(self, what: str, expected: object, seen: object) -> None:
        self.rows.append((what, str(expected), str(seen), expected == seen))

    @property
    def good(self) -> bool:
        return all(row[3] for row in self.rows)

    def show(self) -> None:
        table = Table("", "what", "expected", "seen", title="Outcome")
        for what, expected, seen, good in self.rows:
            table.add_row("[green]ok[/]" if good else "[red]NO[/]", what, expected, seen)
        console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the two days, with a status")
    arguments = parser.parse_args()
    folder = PROJECT / ".run"
    shutil.rmtree(folder, ignore_errors=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    companies = [f"{name}:{number}:{size}" for number, (name, size) in enumerate(SIZES.items(), start=1)]
    console.print("[bold]1/5[/] starting the simulators: SmartHR, EMC, mail, chat services")
    with Neighbours(folder / "neighbours", companies, ["hinata", "group"], chat=True) as neighbours:
        mappings = sample_mappings(folder / "mappings", neighbours.urls["smarthr"])
        console.print("[bold]2/5[/] starting Airflow (standalone, SQLite) — about 15 seconds")
        with LocalAirflow(folder, environment(folder, neighbours, mappings)) as airflow:
            verdict = _two_days(airflow, neighbours, mappings)
            _show_mails(neighbours)
            verdict.show()
            _show_places(airflow, neighbours)
            if not arguments.once:
                console.print("\nStays up until Ctrl-C.")
                try:
                    signal.pause()
                except KeyboardInterrupt:
                    console.print("stopping …")
    return 0 if verdict.good else 1


def sample_mappings(folder: Path, smarthr_url: str) -> list[Mapping]:
    """The sample tenants' sheets, with the simulator's address in place of the one written in them."""
    (folder / LINK).mkdir(parents=True)
    mappings = []
    for file in tenants(PROJECT / "include" / "mappings" / LINK):
        compiled = load(file.path, file.tenant, allowed_hosts=("127.0.0.1:8181",))
        assert compiled.mapping is not None, compiled.problems
        mapping = dataclasses.replace(compiled.mapping, smarthr_url=smarthr_url)
        write = write_workbook if file.path.suffix == ".xlsx" else write_yaml
        write(mapping, folder / LINK / file.path.name)
        mappings.append(mapping)
    return mappings


def environment(folder: Path, neighbours: Neighbours, mappings: list[Mapping]) -> dict[str, str]:
    """Renkei's settings, and the Connections that an operator would enter in Airflow's UI."""
    smtp = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": neighbours.smtp_port,
        "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@renkei.example.jp"},
    }
    environment = {
        "RENKEI_STORE": (folder / "store").as_uri(),
        "RENKEI_INDEX": str(folder / "index"),
        "RENKEI_MAPPINGS": str(folder / "mappings"),
        "RENKEI_ALLOWED_HOSTS": ",".join(
            urlsplit(url).netloc for name, url in neighbours.urls.items() if name in ("smarthr", "chat")
        ),
        "RENKEI_RETRY_DELAY_S": "2",
        "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(smtp),
    }
    for mapping in mappings:
        smarthr = {"conn_type": "smarthr", "password": f"shr_sim_{mapping.tenant}"}
        emc = {"conn_type": "emc", "host": neighbours.urls["emc"], "password": f"emc_sim_{mapping.emc_account}"}
        environment[f"AIRFLOW_CONN_SMARTHR__{mapping.tenant.upper()}"] = json.dumps(smarthr)
        environment[f"AIRFLOW_CONN_EMC__{mapping.emc_account.upper()}"] = json.dumps(emc)
    chats = chat_connections(neighbours.chat_registrations(), TOLD) if "chat" in neighbours.urls else {}
    for conn_id, connection in chats.items():
        environment[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps(connection)
    return environment


def _two_days(airflow: LocalAirflow, neighbours: Neighbours, mappings: list[Mapping]) -> Verdict:
    verdict = Verdict()
    dags = {mapping.tenant: f"{LINK}__{mapping.tenant}" for mapping in mappings}
    accounts = sorted({mapping.emc_account for mapping in mappings})
    airflow.wait_for_dags(list(dags.values()))
    console.print(f"[bold]3/5[/] day 1: first link of {', '.join(dags)}")
    for dag_id in dags.values():
        airflow.unpause(dag_id)
    before = {account: neighbours.emc_head_count(account)["users"] for account in accounts}
    states = _run_all(airflow, dags)
    for tenant, state in states.items():
        verdict.expect(f"day 1 {tenant}: run", "success", state)
    day1 = {account: neighbours.emc_head_count(account)["users"] for account in accounts}
    crews1 = {tenant: neighbours.valid_crews(tenant) for tenant in dags}
    verdict.expect("day 1 EMC account hinata: people", crews1["hinata"], day1["hinata"])
    verdict.expect("day 1 EMC account group: people", crews1["minato"] + crews1["sakura"], day1["group"])

    console.print("[bold]4/5[/] day 2: hinata changes, a row of minato has no name, half of sakura leaves")
    neighbours.play_day("hinata", joiners=5, leavers=4, retirements=6, moves=20, renumbered=3, reorganised=1)
    neighbours.play_day("minato", joiners=2, blank_names=1)
    neighbours.play_day("sakura", leavers=60)
    states = _run_all(airflow, dags)
    verdict.expect("day 2 hinata: run", "success", states["hinata"])
    verdict.expect("day 2 minato: run (bad row)", "failed", states["minato"])
    verdict.expect("day 2 sakura: run (held, then approved)", "success", states["sakura"])
    day2 = {account: neighbours.emc_head_count(account)["users"] for account in accounts}
    verdict.expect("day 2 EMC account hinata: people", neighbours.valid_crews("hinata"), day2["hinata"])
    sakura = neighbours.valid_crews("sakura")
    verdict.expect(
        "day 2 EMC account group: minato as it was, sakura without leavers", crews1["minato"] + sakura, day2["group"]
    )
    expected = ["EMC-ERROR-D(Update NG)", "EMC-HOLD", *["EMC-OK"] * 5]
    verdict.expect("result mails", expected, sorted(mail["subject"] for mail in neighbours.mails()))
    failures = [m["service"] for m in neighbours.chat_messages() if "EMC-ERROR-D" in m["text"]]
    verdict.expect("minato's failure in chat", sorted([*CHAT_SERVICES, "slack"]), sorted(failures))
    _show_head_counts(accounts, before, day1, day2)
    return verdict


def _run_all(airflow: LocalAirflow, dags: dict[str, str]) -> dict[str, str]:
    """Trigger every tenant as the operator does, approve what is held, and wait; the runs' states."""
    started = time.monotonic()
    runs = {tenant: airflow.trigger(dag_id) for tenant, dag_id in dags.items()}
    states: dict[str, str] = {}
    shown: dict[str, str] = {}
    asked: dict[str, float] = {}
    while len(states) < len(runs) and time.monotonic() - started < 300:
        for tenant, run_id in runs.items():
            if tenant in states:
                continue
            tasks = airflow.tasks(dags[tenant], run_id)
            busy = [task["task_id"] for task in tasks if task["state"] in ("running", "queued", "awaiting_input")]
            if busy and shown.get(tenant) != busy[0]:
                shown[tenant] = busy[0]
                console.print(f"      {time.monotonic() - started:5.1f} s  {tenant:8} {busy[0]}")
            waits = any(task["state"] == "awaiting_input" for task in tasks)
            if waits and time.monotonic() - asked.setdefault(tenant, time.monotonic()) > THINKING_S:
                asked[tenant] = math.inf  # once
                console.print(f"               {tenant:8} held by a guard; the operator approves")
                airflow.answer(dags[tenant], run_id, "approve", APPROVE, "拠点閉鎖による退職を確認済み")
            state = airflow.run(dags[tenant], run_id)["state"]
            if state in ("success", "failed"):
                states[tenant] = state
                console.print(f"      {time.monotonic() - started:5.1f} s  {tenant:8} [bold]{state}[/]")
        time.sleep(0.3)
    return {tenant: states.get(tenant, "not finished") for tenant in runs}


def _show_head_counts(accounts: list[str], *days: dict[str, int]) -> None:
    table = Table("EMC account", "before", "day 1", "day 2", title="People in EMC")
    for account in accounts:
        table.add_row(account, *(str(day[account]) for day in days))
    console.print(table)


def _show_mails(neighbours: Neighbours) -> None:
    console.print("[bold]5/5[/] the result mails, as the customers read them; then what the chat services received")
    for mail in neighbours.mails():
        to = mail["to"] if isinstance(mail["to"], str) else ", ".join(mail["to"])
        console.print(Panel(Text(mail["body"].rstrip()), title=f"{mail['subject']}  →  {to}", title_align="left"))
    for message in neighbours.chat_messages():
        title = f"{message['service']}  →  {message['place']}"
        console.print(Panel(Text(message["text"].rstrip()), title=title, title_align="left"))


def _show_places(airflow: LocalAirflow, neighbours: Neighbours) -> None:
    console.print(f"\nAirflow  {airflow.url}  (user {USER}, password {PASSWORD})")
    console.print(
        f"EMC      {neighbours.urls['emc']}   mails  {neighbours.urls['mail']}   chat  {neighbours.urls['chat']}"
    )
    console.print(f"SmartHR  {neighbours.urls['smarthr']}/_sim/companies   records  {PROJECT / '.run' / 'store'}")


if __name__ == "__main__":
    sys.exit(main())
