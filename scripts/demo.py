"""`make run`: the whole job on this machine, for real: Airflow, simulators, mails, four endings.

Three companies were linked thirty days ago, and ran every day since (`scripts.past_runs`). Today one has leavers,
joiners and changed ids; one has a row without a name, so that nothing of it is written, and is told so in seven chat
services; from one so many leave that the plan is held until somebody approves. One of them also links its Hot Profile to kintone
(`scripts.demo_sales`). Everything stays up, and what was made
is kept in .run/demo for the next start: `make clean` begins anew. With --once there is no history: Airflow itself
links the companies on the day before, and the script ends, with status 0 only if all of that came out so.
"""

from __future__ import annotations

import argparse
import base64
import dataclasses
import datetime as dt
import fcntl
import hashlib
import itertools
import json
import math
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.links.smarthr_emc.sheet.excel.writer import write_workbook
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.sheets.load import load
from renkei.sheets.tenant_files import tenants
from scripts import demo_absences, demo_events, demo_history, demo_punching, demo_sales
from scripts.chat_connections import chat_connections
from scripts.local_airflow import PASSWORD, PROJECT, USER, LocalAirflow
from scripts.neighbours import Neighbours, sim

LINK = "smarthr_emc"
SIZES = {"hinata": 1200, "minato": 300, "sakura": 150}
NAMES = {"hinata": "ひなた工業株式会社", "minato": "港商事株式会社", "sakura": "さくら印刷株式会社"}
SPARE = "acme"  # a company in SmartHR and an EMC account with their Connections, for a sheet of one's own
TOLD = "minato"  # whose sample sheet has a channel in every chat service
APPROVE = "承認して登録する"
CHAT_SERVICES = ("slack", "chatwork", "teams", "lineworks", "googlechat", "line")  # Slack twice: a channel, a person
# An answer within the second in which a task begins to wait finds Airflow 3.3's scheduler still busy with the
# waiting, and the task is failed. No person is so quick.
THINKING_S = 4.0
BEGINS = dt.date(2020, 4, 1)
STORE_KEY = base64.urlsafe_b64encode(hashlib.sha256(b"make run").digest()).decode()  # of a demo: no secret
steps = itertools.count(1)
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
    parser.add_argument(
        "--once", action="store_true", help="two days by Airflow itself, no history, then end, with a status"
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    start, folder = (_once, PROJECT / ".run/once") if arguments.once else (_stay_up, PROJECT / ".run/demo")
    try:
        with _alone(folder):
            return start(folder)
    except RuntimeError as error:  # of a program that does not start: its log says more than ours
        console.print(f"[red]{error}[/]", soft_wrap=True)
        return 1


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process in a folder: a second one would empty it, or take the ports of the first.

    Raises:
        RuntimeError: there is one.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(
                f"make run is up already in this folder ({PROJECT}), in another terminal: its addresses are printed there. "
                "End it with Ctrl-C before you start it anew."
            ) from None
        yield


def _once(folder: Path) -> int:
    """Both days, from nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    with _everything(folder, {}) as (airflow, neighbours, mappings):
        verdict = Verdict()
        _first_day(airflow, neighbours, mappings, verdict)
        return _show_today(airflow, neighbours, mappings, verdict)


def _stay_up(folder: Path) -> int:
    """The history and today if they were not shown yet, then all that is there until Ctrl-C."""
    shown = folder / "shown.json"  # written when there is something to keep: the ports
    ports: dict[str, int] = json.loads(shown.read_text()) if shown.exists() else {}
    if not ports:
        shutil.rmtree(folder, ignore_errors=True)
    status, verdict = 0, Verdict()

    def play_history(airflow: LocalAirflow, neighbours: Neighbours) -> None:
        if not ports:
            _play_history(airflow, neighbours, verdict)

    with _everything(folder, ports, play_history) as (airflow, neighbours, mappings):
        if ports:
            console.print(
                "      as it was left: the same tenants, Connections, runs and mails (make clean begins anew)"
            )
            demo_history.repeat(neighbours.urls["smarthr"])  # SmartHR's simulator forgets
            _play_second_day(neighbours)
        else:
            status = _show_today(airflow, neighbours, mappings, verdict)
            shown.write_text(json.dumps({**neighbours.ports, "airflow": airflow.port}))
        _write_environment(folder, airflow)
        _show_places(airflow, neighbours)
        console.print("\nStays up until Ctrl-C.")
        try:
            signal.pause()
        except KeyboardInterrupt:
            console.print("stopping …")
    return status


@contextmanager
def _everything(
    folder: Path,
    ports: dict[str, int],
    before: Callable[[LocalAirflow, Neighbours], None] = lambda airflow, neighbours: None,
) -> Iterator[tuple[LocalAirflow, Neighbours, list[Mapping]]]:
    """Simulators and Airflow, with what `folder` holds of an earlier start; `before` has both before Airflow starts."""
    companies = [f"{name}:{number}:{size}" for number, (name, size) in enumerate(SIZES.items(), start=1)]
    companies.append(f"{SPARE}:{len(SIZES) + 1}:60")
    _step("starting the simulators: SmartHR, EMC, Hot Profile, kintone, KING OF TIME, WORKPLACE, mail, chat services")
    accounts = ["hinata", "group", SPARE]
    with Neighbours(
        *(folder / "neighbours", companies, accounts),
        chat=True,
        sales=demo_sales.SIZE,
        punching=True,
        absent=True,
        ports=ports,
    ) as neighbours:
        mappings = sample_mappings(folder / "mappings", neighbours.urls["smarthr"])
        demo_sales.write_sheet(folder / "mappings", neighbours.urls["kintone"])
        demo_events.write_sheet(folder / "mappings")  # the same company's, with its messengers
        demo_absences.write_sheet(folder / "mappings")
        demo_punching.write_sheet(folder / "mappings")
        settings = environment(folder, neighbours, mappings) | connections(neighbours, SPARE, SPARE)
        settings |= demo_sales.connections(neighbours.urls) | demo_punching.connections(neighbours.urls)
        settings |= demo_absences.connections(neighbours.urls) | demo_events.connections(neighbours.urls)
        airflow = LocalAirflow(folder, settings, port=ports.get("airflow", 0))
        callbacks = "console/smarthr/callback", "customer/connection/back"
        app = {"redirect_uris": [f"{airflow.url}/renkei/{callback}" for callback in callbacks]}
        sim("PATCH", neighbours.urls["smarthr"], "oauth", app)
        before(airflow, neighbours)
        _step("starting Airflow (standalone, SQLite) — about 15 seconds")
        with airflow:
            yield airflow, neighbours, mappings


def _step(text: str) -> None:
    console.print(f"[bold]{next(steps)}/9[/] {text}")


def _play_history(airflow: LocalAirflow, neighbours: Neighbours, verdict: Verdict) -> None:
    """Thirty days of the companies, before Airflow starts: see `scripts.past_runs`."""
    _step(f"{demo_history.DAYS} days of {', '.join(SIZES)}, played without waiting — about 40 seconds")
    command = [sys.executable, "-m", "scripts.past_runs", neighbours.urls["smarthr"]]
    played = subprocess.run(command, cwd=PROJECT, env=airflow.environment, stdout=subprocess.PIPE, check=True)
    states: dict[str, int] = json.loads(played.stdout.splitlines()[-1])
    console.print(f"      {states}")
    verdict.expect("the past days: runs that failed", 1, states.get("failed", 0))


def _show_today(airflow: LocalAirflow, neighbours: Neighbours, mappings: list[Mapping], verdict: Verdict) -> int:
    mails, messages = len(neighbours.mails()), len(neighbours.chat_messages())
    _today(airflow, neighbours, mappings, verdict)
    _step("Hot Profile → kintone: 連携テスト, enabled, then changes that flow; one lookup finds nothing; a full day")
    demo_sales.show(airflow, neighbours, verdict.expect, lambda line: console.print(f"      {line}"))
    _step("WORKPLACE → LINE WORKS: an absence is approved, moved and cancelled")
    demo_absences.show(airflow, neighbours, verdict.expect, lambda line: console.print(f"      {line}"))
    _step("WORKPLACE: an approval request reaches one member in all four messengers")
    demo_events.show(airflow, neighbours, verdict.expect, lambda line: console.print(f"      {line}"))
    _step("LINE WORKS → KING OF TIME: registered on the console's pages, then a talk, its punch and its reply")
    demo_punching.show(airflow, neighbours, verdict.expect, lambda line: console.print(f"      {line}"))
    _show_told(neighbours.mails()[mails:], neighbours.chat_messages()[messages:])
    verdict.show()
    return 0 if verdict.good else 1


def sample_mappings(folder: Path, smarthr_url: str) -> list[Mapping]:
    """The sample tenants' sheets, but with names, the simulator's address, and a 連携開始日 that is over on any machine."""
    (folder / LINK).mkdir(parents=True, exist_ok=True)
    mappings = []
    for file in tenants(PROJECT / "include" / "mappings" / LINK):
        compiled = load(SHEETS, file.path, file.tenant, allowed_hosts=("127.0.0.1:8181",))
        assert compiled.mapping is not None, compiled.problems
        mapping = dataclasses.replace(
            compiled.mapping, company_name=NAMES[file.tenant], smarthr_url=smarthr_url, link_start_on=BEGINS
        )
        write = write_workbook if file.path.suffix == ".xlsx" else write_yaml
        if not (folder / LINK / file.path.name).exists():  # else somebody may have changed it
            write(mapping, folder / LINK / file.path.name)
        mappings.append(mapping)
    if not (folder / "operator.yaml").exists():  # what was added to it in an earlier run stays
        shutil.copy(PROJECT / "include/mappings/operator.yaml", folder)
    return mappings


def environment(folder: Path, neighbours: Neighbours, mappings: list[Mapping]) -> dict[str, str]:
    """Renkei's settings, and the Connections that an operator would enter in Airflow's UI."""
    smtp = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": neighbours.smtp_port,
        "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@renkei.example.jp"},
    }
    plus = {  # 連携する: at the simulated SmartHR log in as admin@hinata, with the password smarthr
        "conn_type": "smarthr_plus",
        "host": neighbours.urls["smarthr"],
        "login": "sim_client",
        "password": "sim_client_secret",
        "extra": {"revoke_url": f"{neighbours.urls['smarthr']}/oauth/revoke"},
    }
    environment = {
        "RENKEI_STORE": (folder / "store").as_uri(),
        "RENKEI_INDEX": str(folder / "index"),
        "RENKEI_MAPPINGS": str(folder / "mappings"),
        "RENKEI_ALLOWED_HOSTS": ",".join(
            urlsplit(url).netloc
            for name, url in neighbours.urls.items()
            if name in ("smarthr", "chat", "kintone", "kingoftime", "workplace")
        ),
        "RENKEI_RETRY_DELAY_S": "2",
        "RENKEI_STORE_KEY_CONN_ID": "renkei_store_key",  # members' webhooks are secrets
        "AIRFLOW_CONN_RENKEI_STORE_KEY": json.dumps({"conn_type": "generic", "password": STORE_KEY}),
        "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(smtp),
        "AIRFLOW_CONN_SMARTHR_PLUS": json.dumps(plus),
    }
    for mapping in mappings:
        environment |= connections(neighbours, mapping.tenant, mapping.emc_account)
    chats = chat_connections(neighbours.chat_registrations(), TOLD) if "chat" in neighbours.urls else {}
    for conn_id, connection in chats.items():
        environment[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps(connection)
    return environment


def connections(neighbours: Neighbours, tenant: str, account: str) -> dict[str, str]:
    """Those of a company's SmartHR and of its EMC account."""
    smarthr = {"conn_type": "smarthr", "password": f"shr_sim_{tenant}"}
    emc = {"conn_type": "emc", "host": neighbours.urls["emc"], "password": f"emc_sim_{account}"}
    return {
        f"AIRFLOW_CONN_SMARTHR__{tenant.upper()}": json.dumps(smarthr),
        f"AIRFLOW_CONN_EMC__{account.upper()}": json.dumps(emc),
    }


def _write_environment(folder: Path, airflow: LocalAirflow) -> None:
    """For a shell: with it, `renkei` and `airflow` speak to this demo."""
    wanted = {
        name: value
        for name, value in airflow.environment.items()
        if name.startswith(("AIRFLOW_", "RENKEI_")) and "SECRET" not in name
    }
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in sorted(wanted.items())]
    (folder / "environment").write_text("".join(lines), encoding="utf-8")


def _first_day(airflow: LocalAirflow, neighbours: Neighbours, mappings: list[Mapping], verdict: Verdict) -> None:
    dags = _dags(mappings)
    _step(f"the day before: first link of {', '.join(dags)}")
    for tenant, state in _run_all(airflow, dags).items():
        verdict.expect(f"first link of {tenant}: run", "success", state)
    verdict.expect("result mails", ["EMC-OK"] * 3, sorted(_subjects(neighbours.mails())))


def _today(airflow: LocalAirflow, neighbours: Neighbours, mappings: list[Mapping], verdict: Verdict) -> None:
    dags = _dags(mappings)
    before = _head_counts(neighbours, mappings)
    crews = {tenant: neighbours.valid_crews(tenant) for tenant in dags}
    verdict.expect("before today: people in EMC account hinata", crews["hinata"], before["hinata"])
    verdict.expect("before today: people in EMC account group", crews["minato"] + crews["sakura"], before["group"])
    mails, messages = len(neighbours.mails()), len(neighbours.chat_messages())

    _step("today: hinata changes, a row of minato has no name, half of sakura leaves")
    _play_second_day(neighbours)
    states = _run_all(airflow, dags)
    verdict.expect("today hinata: run", "success", states["hinata"])
    verdict.expect("today minato: run (bad row)", "failed", states["minato"])
    verdict.expect("today sakura: run (held, then approved)", "success", states["sakura"])
    after = _head_counts(neighbours, mappings)
    verdict.expect("today EMC account hinata: people", neighbours.valid_crews("hinata"), after["hinata"])
    sakura = neighbours.valid_crews("sakura")
    verdict.expect(
        "today EMC account group: minato as it was, sakura without leavers", crews["minato"] + sakura, after["group"]
    )
    subjects = sorted(_subjects(neighbours.mails()[mails:]))
    verdict.expect("today's result mails", ["EMC-ERROR-D(Update NG)", "EMC-HOLD", "EMC-OK", "EMC-OK"], subjects)
    failures = [m["service"] for m in neighbours.chat_messages()[messages:] if "EMC-ERROR-D" in m["text"]]
    verdict.expect("minato's failure in chat", sorted([*CHAT_SERVICES, "slack"]), sorted(failures))
    _show_head_counts(before, after)


def _dags(mappings: list[Mapping]) -> dict[str, str]:
    """The Dags' ids, by company."""
    return {mapping.tenant: f"{LINK}__{mapping.tenant}" for mapping in mappings}


def _head_counts(neighbours: Neighbours, mappings: list[Mapping]) -> dict[str, int]:
    accounts = sorted({mapping.emc_account for mapping in mappings})
    return {account: neighbours.emc_head_count(account)["users"] for account in accounts}


def _play_second_day(neighbours: Neighbours) -> None:
    neighbours.play_day("hinata", joiners=5, leavers=4, retirements=6, moves=20, renumbered=3, reorganised=1)
    neighbours.play_day("minato", joiners=2, blank_names=1)
    neighbours.play_day("sakura", leavers=60)


def _run_all(airflow: LocalAirflow, dags: dict[str, str]) -> dict[str, str]:
    """Trigger every tenant as the operator does, approve what is held, and wait; the runs' states."""
    airflow.wait_for_dags(list(dags.values()))
    for dag_id in dags.values():
        airflow.unpause(dag_id)
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


def _show_head_counts(before: dict[str, int], after: dict[str, int]) -> None:
    table = Table("EMC account", "before", "today", title="People in EMC")
    for account in before:
        table.add_row(account, str(before[account]), str(after[account]))
    console.print(table)


def _subjects(mails: list[dict[str, str]]) -> list[str]:
    """Of EMC's result mails, without the company at their end."""
    return [mail["subject"].rpartition(" ")[0] for mail in mails if mail["subject"].startswith("EMC-")]


def _show_told(mails: list[dict[str, str]], messages: list[dict[str, Any]]) -> None:
    _step("today's result mails, as the customers read them; then what the chat services received")
    for mail in mails:
        to = mail["to"] if isinstance(mail["to"], str) else ", ".join(mail["to"])
        console.print(Panel(Text(mail["body"].rstrip()), title=f"{mail['subject']}  →  {to}", title_align="left"))
    for message in messages:
        title = f"{message['service']}  →  {message['place']}"
        console.print(Panel(Text(message["text"].rstrip()), title=title, title_align="left"))


def _invitation(airflow: LocalAirflow, tenant: str) -> str:
    """The address at which a customer's administrator would come in; a new one for each start."""
    command = [sys.executable, "-m", "scripts.demo_invitation", tenant]
    done = subprocess.run(command, cwd=PROJECT, env=airflow.environment, stdout=subprocess.PIPE, check=False)
    return done.stdout.decode().splitlines()[-1] if done.returncode == 0 else "could not be made"


def _show_places(airflow: LocalAirflow, neighbours: Neighbours) -> None:
    console.print(f"\nAirflow  {airflow.url}  (user {USER}, password {PASSWORD})")
    console.print(f"連携     {airflow.url}/renkei/console/  (in Airflow's menu: 連携)")
    console.print(f"お客様ページ  {_invitation(airflow, TOLD)}", soft_wrap=True)
    console.print(f"         (by an invitation to {NAMES[TOLD]} alone, without a log-in)")
    console.print(
        f"EMC      {neighbours.urls['emc']}   mails  {neighbours.urls['mail']}   chat  {neighbours.urls['chat']}"
    )
    console.print(
        f"Hot Profile  {neighbours.urls['hotprofile']}   kintone  {neighbours.urls['kintone']}"
        "   (a company changed in the one is in the other five minutes later)"
    )
    console.print(
        f"WORKPLACE  {neighbours.urls['workplace']}   calendars  {neighbours.urls['chat']}/calendar/lineworks"
        "   (likewise: an absence that is approved)"
    )
    console.print(
        f"talk     {neighbours.urls['chat']}/talk/lineworks   KING OF TIME  {neighbours.urls['kingoftime']}"
        "   (出勤 written in the one is punched in the other)"
    )
    folder = airflow.home.parent
    console.print(
        f"SmartHR  {neighbours.urls['smarthr']}/apps/emc   (連携する in a company's SmartHRの接続: admin@hinata, smarthr)"
    )
    console.print(f"         {neighbours.urls['smarthr']}/_sim/companies   records  {folder / 'store'}")
    console.print(f"sheets   {folder / 'mappings' / LINK}   for renkei and airflow:  . {folder / 'environment'}")


if __name__ == "__main__":
    sys.exit(main())
