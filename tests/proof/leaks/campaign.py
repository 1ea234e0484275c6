"""Secrets and personal data: runs over marked people, then a search of every place where none may be (L6–L8).

Every value that tells who somebody is, and every secret, has a mark that occurs nowhere else. Whatever can quote
them does: SmartHR, EMC, the mail server and the chat services in their refusals, exceptions in their texts. `dag.test`
runs most of the Dags in a process of its own, and `FULL` runs those that matter most under `airflow standalone`.
"""

from __future__ import annotations

import stat
import time
from pathlib import Path

from tests.proof.case import Case, Effort, Say
from tests.proof.leaks.fronts import Letter
from tests.proof.leaks.marks import EVERYTHING, NOT_IN_AIRFLOW
from tests.proof.leaks.scenarios import SCENARIOS, Scenario
from tests.proof.leaks.search import Search
from tests.proof.leaks.world import LeakWorld


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    """The cases of this group; see the module."""
    began = time.monotonic()
    scenarios = [scenario for scenario in SCENARIOS if effort is Effort.FULL or scenario.slice]
    apart = [scenario for scenario in scenarios if effort is Effort.FULL and scenario.standalone]
    pages: dict[str, str] = {}
    with LeakWorld(folder, scenarios) as world:
        say(f"leaks: {len(scenarios)} companies of marked people")
        world.begin_inside([scenario for scenario in scenarios if scenario not in apart])
        endings = world.run_in_standalone(apart, pages, say) if apart else {}
        told = world.finish_inside()
        endings |= told["endings"]
        mails, visits = list(world.sink.mails), world.silent.callers
        messages = world.neighbours.chat_messages()
        search = Search({"private key": _line_of(world.secrets["lineworks"]["private_key"])})
    say("leaks: searching")
    runs = sum(map(len, endings.values()))
    places = [
        ("runs end as meant", "L8", runs, _wrong_endings(scenarios, endings, mails), "each with its mail"),
        ("Airflow's database", "L6 L7", runs, search.databases(world), "no mark in any column"),
        ("task logs, process output", "L6 L7", runs, search.logs(world), "no mark"),
        ("index, temporary files", "L6 L7", runs, search.kept(world), "no mark but the sheet's own"),
        ("the store", "L6 L7", runs, search.store(world.folder / "store"), "only mapped items, no secret"),
        ("mails", "L6 L8", len(mails), search.mails(mails), "user ids and links, nothing else"),
        ("chat messages", "L6 L7", len(messages), search.chats(messages, scenarios), "no mark, in any service"),
        ("rights of files and folders", "L6", runs, _open_to_others(world), "0600 and 0700"),
        ("hosts", "L7", told["tries"], [*told["wrong"], *_visited(visits)], "no request left for another host"),
    ]
    if pages:
        wrong = [
            f"{path}: {kind}"
            for path, text in pages.items()
            for kind in search.kinds(text.encode(), NOT_IN_AIRFLOW if "hitlDetails" in path else EVERYTHING)
        ]
        places.insert(2, ("Airflow's REST answers", "L6 L7", len(pages), wrong, "no mark in any answer"))
    seconds = time.monotonic() - began
    return [
        Case("leaks", case, rules, tries, tuple(wrong), after, seconds) for case, rules, tries, wrong, after in places
    ]


def _wrong_endings(scenarios: list[Scenario], endings: dict[str, list[str]], mails: list[Letter]) -> list[str]:
    wrong = []
    for scenario in scenarios:
        found = endings.get(scenario.tenant, [])[:1]
        subject = next(
            (m.subject.rpartition(" ")[0] for m in mails if scenario.tenant in m.tenants and "HOLD" not in m.subject),
            "",
        )
        if (found, subject) != ([scenario.state], scenario.mail):
            wrong.append(f"{scenario.tenant}: {(scenario.state, scenario.mail)} expected, {(found, subject)} found")
    return wrong


def _visited(visits: int) -> list[str]:
    return [f"a host that is no SmartHR and no EMC was called {visits} times"] if visits else []


def _open_to_others(world: LeakWorld) -> list[str]:
    wrong = []
    for name in ("store", "index", "drop"):
        top = world.folder / name
        if name == "drop" and not top.exists():
            continue  # in the slice nobody loads by file
        for path in (top, *top.rglob("*")):
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077:
                wrong.append(f"{path.relative_to(world.folder)} has the mode {mode:o}")
    return wrong or ([] if (world.folder / "store").exists() else ["there is no store"])


def _line_of(pem: str) -> str:
    """Enough of a private key to know it by."""
    return pem.split("\n")[3][:40]
