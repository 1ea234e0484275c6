"""Every task's process is killed at every step that others can see, and the run recovers (L2–L4).

One scene is a tenant in front of a run: its first link, or an ordinary day. The run goes through once undisturbed,
which finds its steps (process.py) and how it ends. Then, for each step, the process of its task dies by SIGKILL just
before and just after it, and the run is continued as Airflow or an operator would. Each scene runs in a program of its
own with simulators of its own: `python -m tests.proof.crashes --help` repeats a single case.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from scripts.local_airflow import LocalAirflow
from scripts.neighbours import Neighbours
from tests.proof.case import Case, Effort, Say
from tests.proof.process import ROOT, AirflowRun, Kill, dag_of, forked

DAG_ID = "smarthr_emc__acme"
TENANT = "smarthr_emc/tenants/acme"
YESTERDAY, TODAY, TOMORROW = "yesterday", "today", "tomorrow"
SEED, PEOPLE = 4, 12
DAYS = {
    TODAY: {"joiners": 2, "leavers": 1, "renumbered": 1, "moves": 1},
    TOMORROW: {"joiners": 1, "leavers": 1, "moves": 1},
}
SCENES = ("first link", "ordinary day")
REAL = "Airflow itself"
SLICE_POINTS = 10

# What dies in real Airflow, one after the other, by run: the rest is told by the stand-in.
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

RETRY, AGAIN, NEXT_DAY = "retried", "retried, killed again, retried", "next day's run"
FAILED_RUN = "retried, in a run whose load was killed for good"  # notify alone: it has another mail to send
ITSELF = "cleared from the killed task"
CLEARED = {task: f"cleared from {task}" for task in ("validate", "diff", "fetch_departments")}
RECOVERIES = (RETRY, AGAIN, FAILED_RUN, ITSELF, *CLEARED.values(), NEXT_DAY)

Export = dict[str, dict[str, dict[str, str]]]
TIME = re.compile(r"\d{4}/\d\d/\d\d \d+:\d\d(?::\d\d)?")
COUNTS = ("前回 有効件数", "受信 有効件数", " 新規件数", " 更新件数", " 削除件数")


@dataclass(frozen=True, slots=True)
class Point:
    """A step of the undisturbed run, and on which side of it the process dies."""

    kill: Kill
    label: str

    def __str__(self) -> str:
        return f"{self.kill.task}:{self.kill.step}:{self.kill.side}"


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a run leaves behind."""

    emc: Export
    committed: list[str]  # import keys
    plans: list[str]  # digests of the plans committed, one per import
    unfinished: list[str]  # imports open or being applied
    baselines: list[dict[str, Any]]  # oldest first
    note: bool  # pending.json
    mails: list[dict[str, Any]]  # oldest first


class Stage:
    """One tenant, `acme`, with everything around it; all of it can be kept and put back."""

    def __init__(self, folder: Path, neighbours: Neighbours) -> None:
        self.folder, self.neighbours = folder, neighbours
        self.live, self.runs, self.kept = folder / "live", folder / "runs", folder / "kept"
        for path in (self.live, self.runs, folder / "mappings/smarthr_emc"):
            path.mkdir(parents=True)
        self.session = requests.Session()
        self.codes: dict[str, set[str]] = {}  # user ids that SmartHR has, by day
        self._set_environment()
        self._write_sheet()
        for day in (YESTERDAY, TODAY, TOMORROW):
            self._found_company(day)
        self.use_day(YESTERDAY)

    def _set_environment(self) -> None:
        urls, mail = self.neighbours.urls, {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@example.jp"}
        connections = {
            "emc__acme": {"conn_type": "emc", "host": urls["emc"], "password": "emc_sim_acme"},
            "smtp_default": {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": self.neighbours.smtp_port,
                "extra": {**mail, "retry_limit": 1},
            },
        }
        for name, connection in connections.items():
            os.environ[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps(connection)
        os.environ |= {
            "PROOF_FOLDER": str(self.live),
            "RENKEI_STORE": (self.live / "store").as_uri(),
            "RENKEI_MAPPINGS": str(self.folder / "mappings"),
            "RENKEI_INDEX": str(self.folder / "index"),
            "RENKEI_ALLOWED_HOSTS": urlsplit(urls["smarthr"]).netloc,
        }

    def _write_sheet(self) -> None:
        from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
        from tests.builders import CONTACT, mapping

        lines: dict[str, Any] = {
            "ユーザID": ("社員番号", "登録", "登録しない", "更新しない", "エラー"),
            "パスワード": "社員番号",
            "氏名": ('姓&"　"&名', "登録", "エラー", "更新", "エラー"),
            "氏名(ヨミ)": '姓(ヨミガナ)&"　"&名(ヨミガナ)',
            "所属部署コード": "部署1(コード)",
            **CONTACT,
            "検索ワード1:勤務地": "事業所",
        }
        sheet = dataclasses.replace(mapping(lines), smarthr_url=self.neighbours.urls["smarthr"])
        write_yaml(sheet, self.folder / "mappings/smarthr_emc/acme.yaml")

    def _found_company(self, day: str) -> None:
        """The same seed gives the same people: three companies are one company on three days."""
        self.sim("smarthr", "POST", "companies", {"name": day, "seed": SEED, "size": PEOPLE})
        for passed in (TODAY, TOMORROW)[: (YESTERDAY, TODAY, TOMORROW).index(day)]:
            self.sim("smarthr", "POST", f"companies/{day}/day", DAYS[passed])
        crews = self.sim("smarthr", "GET", f"companies/{day}/crews")
        self.codes[day] = {crew["emp_code"] for crew in crews if crew["emp_status"] != "retired" and crew["emp_code"]}

    def use_day(self, day: str) -> None:
        """Let SmartHR be as it is on that day."""
        os.environ["AIRFLOW_CONN_SMARTHR__ACME"] = json.dumps({"conn_type": "smarthr", "password": f"shr_sim_{day}"})

    def sim(self, system: str, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.neighbours.urls[system]}/_sim/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def run(self, day: str) -> AirflowRun:
        return AirflowRun(self.runs / f"{day}.json", DAG_ID)

    # --- kept and put back

    def keep(self, name: str) -> None:
        copy = self.kept / name
        for part in (self.live, self.runs, self.mail_folder):
            shutil.copytree(part, copy / part.name)
        _copy_database(self.database, copy / "emc.sqlite")

    def put_back(self, name: str) -> None:
        copy = self.kept / name
        for part in (self.live, self.runs, self.mail_folder):
            for old in part.iterdir():
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            shutil.copytree(copy / part.name, part, dirs_exist_ok=True)
        _copy_database(copy / "emc.sqlite", self.database)

    @property
    def database(self) -> Path:
        return self.neighbours.folder / "emc.sqlite"

    @property
    def mail_folder(self) -> Path:
        return self.neighbours.folder / "mails"

    # --- looked at

    def see(self) -> Seen:
        imports = self._emc("imports", limit=100)["imports"]
        committed = [one for one in imports if one["state"] == "committed"]
        return Seen(
            emc=self.export(),
            committed=sorted(one["key"] for one in committed),
            plans=sorted(one["plan_digest"] for one in committed),
            unfinished=[one["state"] for one in imports if one["state"] in ("open", "applying")],
            baselines=self.baselines(),
            note=(self.live / "store/smarthr_emc/accounts/acme/pending.json").exists(),
            mails=self.neighbours.mails(),
        )

    def export(self) -> Export:
        found = {}
        for name, key in (("departments", "部署ID"), ("users", "ユーザID")):
            rows = self._emc(name, limit=1000)["items"]
            found[name] = {row[key]: {item: value for item, value in row.items() if value} for row in rows}
        return found

    def _emc(self, path: str, **query: Any) -> Any:
        headers = {"Authorization": "Bearer emc_sim_acme"}
        url = f"{self.neighbours.urls['emc']}/api/v1/{path}"
        answer = self.session.get(url, params=query, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def baselines(self) -> list[dict[str, Any]]:
        files = sorted((self.live / "store" / TENANT / "baselines").glob("*.json"))
        return [json.loads(file.read_bytes()) for file in files]

    def mail_noted(self, run: AirflowRun) -> bool:
        (folder,) = self._run_folder(run)
        told = folder / "told.json"
        entries = json.loads(told.read_bytes()).values() if told.exists() else ()
        return any((entry["service"], entry["verdict"]) == ("MAIL", "ACCEPTED") for entry in entries)

    def _run_folder(self, run: AirflowRun) -> list[Path]:
        """By the run's own record, so that the folder's name is the product's business."""
        files = (self.live / "store" / TENANT / "runs").glob("*/run.json")
        return [file.parent for file in files if json.loads(file.read_bytes())["run_id"] == run.run_id]


def _copy_database(source: Path, target: Path) -> None:
    """SQLite's own backup: whole, under locks, while the simulator runs."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


# --- what must hold, told without the product


def wrong_about_baselines(seen: Seen, store: Path) -> list[str]:
    """One baseline per confirmed load, and the newest one names exactly whom EMC has (L3)."""
    wrong = []
    keys = sorted(baseline["import_key"] for baseline in seen.baselines)
    if keys != seen.committed:
        wrong.append(f"baselines are of the imports {keys}, EMC committed {seen.committed}")
    if [baseline["generation"] for baseline in seen.baselines] != list(range(1, len(seen.baselines) + 1)):
        wrong.append(f"the baselines' generations are {[baseline['generation'] for baseline in seen.baselines]}")
    if len(set(seen.plans)) != len(seen.plans):
        wrong.append("EMC committed a plan twice")
    if seen.baselines:
        newest = seen.baselines[-1]
        ids = baseline_ids(store / TENANT / "runs" / newest["run"])
        wrong += [
            f"the baseline's {name} are {sorted(found)}, EMC has {sorted(seen.emc[name.removesuffix('_target')])}"
            for name, found in ids.items()
            if found != set(seen.emc[name.removesuffix("_target")])
        ]
        if (newest["users"], newest["departments"]) != (len(seen.emc["users"]), len(seen.emc["departments"])):
            wrong.append(f"the baseline counts {newest['users']} people and {newest['departments']} departments")
    elif seen.emc["users"] or seen.emc["departments"]:
        wrong.append("EMC has people, and there is no baseline")
    return wrong


def baseline_ids(folder: Path) -> dict[str, set[str]]:
    """The ids in the tables of a baseline's run, which docs/store.md describes."""
    import pandas as pd

    users, departments = pd.read_parquet(folder / "users.parquet"), pd.read_parquet(folder / "departments.parquet")
    target = pd.read_parquet(folder / "users_target.parquet", columns=["user_id"])
    valid = set(users.loc[users["valid"] & (users["user_id"] != ""), "user_id"])
    return {
        "users": valid,
        "users_target": set(target["user_id"]),
        "departments": set(departments["department_id"]),
    }


def counts_of(before: set[str], after: set[str]) -> list[int]:
    """前回有効, 受信有効, 新規, 更新, 削除 (E6, E11)."""
    return [len(before), len(after), len(after - before), len(after & before), len(before - after)]


def wrong_about_success(mail: dict[str, Any], before: set[str], after: set[str]) -> list[str]:
    """A mail that says that all went well, with the right figures (E4, E39)."""
    body = mail["body"]
    wrong = [] if mail["subject"].split()[0] == "EMC-OK" else [f"the mail's subject is {mail['subject']}, not EMC-OK"]
    if not body.startswith("処理結果: 成功\n"):
        wrong.append("the mail does not say 成功")
    found = [int(number) for name in COUNTS for number in re.findall(f"^社員データ{name}: (\\d+)$", body, re.MULTILINE)]
    if found != counts_of(before, after):
        wrong.append(f"the mail counts {found}, right is {counts_of(before, after)}")
    return wrong


def wrong_about_death(mail: dict[str, Any], task: str) -> list[str]:
    """The mail of a run whose task was killed for good: names the task, promises nothing about EMC."""
    body = mail["body"]
    wrong = []
    if not mail["subject"].startswith("EMC-ERROR-X(System NG) ") or not body.startswith("処理結果: 失敗\n"):
        wrong.append(f"{task} was killed for good, the mail's subject is {mail['subject']}")
    if f"タスク {task} が途中で終了しました" not in body:
        wrong.append(f"the mail does not name {task}")
    if "書き込んでいません" in body or "反映されていません" in body:
        wrong.append("the mail says that nothing was written, which nobody knew")
    return wrong


# --- one scene


@dataclass
class Scene:
    """A run found to have these steps, and where every way of continuing it must end."""

    name: str
    stage: Stage
    order: list[str] = field(default_factory=list)  # the tasks
    retries: dict[str, int] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    before: dict[str, Seen] = field(default_factory=dict)  # by task: as it finds everything
    ends: dict[str, Seen] = field(default_factory=dict)  # by day, undisturbed
    wrong: list[str] = field(default_factory=list)  # about the undisturbed runs

    @property
    def first(self) -> bool:
        return self.name == "first link"

    @property
    def base(self) -> set[str]:
        """Whom EMC has before the run."""
        return set() if self.first else self.stage.codes[YESTERDAY]

    def go_through(self) -> None:
        """The undisturbed runs: they find the steps, and are checked against what SmartHR has."""
        stage = self.stage
        tasks = dag_of(DAG_ID).topological_sort()
        self.order, self.retries = [task.task_id for task in tasks], {task.task_id: task.retries for task in tasks}
        if not self.first:
            stage.run(YESTERDAY).begin("manual__yesterday", manual=True).play()
            self._check(YESTERDAY, set())
        stage.use_day(TODAY)
        run = stage.run(TODAY).begin("manual__today" if self.first else "scheduled__today", manual=self.first)
        trace = stage.folder / "trace.json"
        for task in self.order:
            stage.keep(task)
            self.before[task] = stage.see()
            run.play(until=task)
            run.attempt(task, trace=trace)
            for step, (label, depth) in enumerate(json.loads(trace.read_text(encoding="utf-8"))):
                self.points.append(Point(Kill(task, step, "before"), label))
                if depth == 0:  # after a part of a step is before its next part, or after the step
                    self.points.append(Point(Kill(task, step, "after"), label))
        self._check(TODAY, self.base)
        stage.use_day(TOMORROW)
        stage.run(TOMORROW).begin("scheduled__tomorrow", manual=False).play()
        self._check(TOMORROW, stage.codes[TODAY])

    def _check(self, day: str, before: set[str]) -> None:
        seen = self.ends[day] = self.stage.see()
        codes = self.stage.codes[day]
        wrong = wrong_about_baselines(seen, self.stage.live / "store")
        if set(seen.emc["users"]) != codes:
            wrong.append(f"EMC has {sorted(seen.emc['users'])}, SmartHR {sorted(codes)}")
        if set(self.stage.run(day).states().values()) != {"success"}:
            wrong.append(f"tasks ended as {self.stage.run(day).states()}")
        wrong += wrong_about_success(seen.mails[-1], before, codes)
        self.wrong += [f"{self.name}, {day}, undisturbed: {line}" for line in wrong]

    def recoveries(self, point: Point) -> list[str]:
        """The ways in which this run can be continued, the most ordinary first."""
        task = point.kill.task
        ways = [RETRY] if self.retries[task] else []
        ways += {"load": [AGAIN], "notify": [FAILED_RUN]}.get(task, [])
        ways.append(ITSELF)
        ways += [name for start, name in CLEARED.items() if self._before(start, task)]
        return [*ways, NEXT_DAY]

    def work(self, effort: Effort) -> list[tuple[Point, str]]:
        """What is tried: each point with one recovery, by turns; from load's first request on with three.

        Those are the most ordinary one, the next day's run, and one of the others by turns.
        """
        if effort is Effort.SLICE:
            early = [point for point in self.points if self._before(point.kill.task, "load")]
            late = self.points[len(early) :]
            points = _spread(early, SLICE_POINTS // 3) + _spread(late, SLICE_POINTS - SLICE_POINTS // 3)
            return [(p, (ways := self.recoveries(p))[n % len(ways)]) for n, p in enumerate(points)]
        pairs = []
        for number, point in enumerate(self.points):
            ways = self.recoveries(point)
            if number < self._first_request_of_load():
                ways = [ways[number % len(ways)]]
            else:
                first, *others, last = ways
                ways = [first, *others[number % len(others) :][:1], last]
            pairs += [(point, way) for way in ways]
        return pairs

    def _first_request_of_load(self) -> int:
        return next(
            number
            for number, point in enumerate(self.points)
            if point.kill.task == "load" and point.label.startswith("Session.request")
        )

    def try_one(self, point: Point, recovery: str) -> list[str]:
        """Kill, recover, compare; what was wrong."""
        stage, task, kill = self.stage, point.kill.task, point.kill
        stage.use_day(TODAY)
        if recovery == FAILED_RUN:
            return self._try_in_failed_run(point)
        stage.put_back(task)
        run = stage.run(TODAY)
        trace = stage.folder / "killed.json"
        before = self.before[task]
        if not run.attempt(task, kill, trace):
            return [f"the process was not killed; it should have died {kill.side} {point.label}"]
        label = json.loads(trace.read_text(encoding="utf-8"))[kill.step][0]
        dead = stage.see()
        noted = task in ("notify", "outcome") and stage.mail_noted(run)
        wrong = [] if label == point.label else [f"died at {label}, counted was {point.label}"]
        wrong += self._wrong_after_death(before, dead)
        if recovery in (RETRY, AGAIN):
            run.note(task, "up_for_retry")
            if recovery == AGAIN:
                dice = random.Random(f"{SEED} {point}")
                steps = [p.kill for p in self.points if p.kill.task == task]
                # The second try may have fewer steps: then it goes through.
                if run.attempt(task, dice.choice(steps)):
                    run.note(task, "up_for_retry")
                noted = task in ("notify", "outcome") and stage.mail_noted(run)
                dead = stage.see()
            if task == "notify":
                _let_a_second_pass()
            run.play()
        else:
            run.note(task, "failed")
            run.play()
            if recovery != NEXT_DAY:
                run.clear(task if recovery == ITSELF else next(t for t, name in CLEARED.items() if name == recovery))
                run.play()
        day = TODAY
        if recovery == NEXT_DAY:
            day = TOMORROW
            wrong += self._next_day(dead)
        else:
            wrong += [f"the task {name} ended as {state}" for name, state in run.states().items() if state != "success"]
        end = stage.see()
        wrong += wrong_about_baselines(end, stage.live / "store")
        if end.emc != self.ends[day].emc:
            wrong.append("EMC is not as after an undisturbed run")
        if end.note:
            wrong.append("pending.json is left")
        if end.unfinished:
            wrong.append(f"EMC has imports left in {end.unfinished}")
        return wrong + self._wrong_mails(task, recovery, dead, end, noted)

    def _try_in_failed_run(self, point: Point) -> list[str]:
        """The load dies before it begins, for good; then notify dies, and is tried again."""
        stage, run = self.stage, self.stage.run(TODAY)
        stage.put_back("load")
        before = stage.see()
        run.attempt("load", Kill("load", 0, "before"))
        run.note("load", "failed")
        if not run.attempt("notify", point.kill):
            return [f"the process was not killed; it should have died {point.kill.side} {point.label}"]
        accepted, noted = len(_mails_of(stage.see(), run.run_id)), stage.mail_noted(run)
        _let_a_second_pass()
        run.note("notify", "up_for_retry")
        run.play()
        end = stage.see()
        mails = _mails_of(end, run.run_id)
        wrong = [line for mail in mails for line in wrong_about_death(mail, "load")]
        if len(mails) != (right := accepted if noted else accepted + 1):
            wrong.append(f"{len(mails)} mails tell of the failed run, right are {right}")
        if len({mail["message_id"] for mail in mails}) != 1:
            wrong.append("the mail was repeated under another Message-ID")
        if (end.emc, end.baselines, end.note) != (before.emc, before.baselines, False):
            wrong.append("EMC or the store were changed by a load that never began")
        if (state := run.states()["outcome"]) != "failed":
            wrong.append(f"the run ended as {state}")
        return wrong

    def _wrong_after_death(self, before: Seen, dead: Seen) -> list[str]:
        """All or nothing, and never a baseline that EMC has not confirmed (L2, L3)."""
        wrong = []
        if dead.emc not in (before.emc, self.ends[TODAY].emc):
            wrong.append("after the death EMC has neither the old nor the new")
        if dead.emc != before.emc and len(dead.committed) == len(before.committed):
            wrong.append("after the death EMC is changed without a commit")
        if not {baseline["import_key"] for baseline in dead.baselines} <= set(dead.committed):
            wrong.append("after the death there is a baseline that EMC has not confirmed")
        return wrong

    def _next_day(self, dead: Seen) -> list[str]:
        stage = self.stage
        stage.use_day(TOMORROW)
        stage.run(TOMORROW).begin("scheduled__tomorrow", manual=False).play()
        if not self.first or dead.committed:
            return []
        # A first link that never reached EMC is asked for by hand (E31): the scheduled run says so and leaves EMC alone.
        seen = stage.see()
        wrong = []
        if (
            not seen.mails[-1]["subject"].startswith("EMC-ERROR-S(Setting NG) ")
            or "手動で実行" not in seen.mails[-1]["body"]
        ):
            wrong.append(f"a scheduled first link ended in the mail {seen.mails[-1]['subject']}")
        if seen.emc["users"] or seen.baselines:
            wrong.append("a scheduled run made the first link")
        stage.run("by hand").begin("manual__by_hand", manual=True).play()
        return wrong

    def _wrong_mails(self, task: str, recovery: str, dead: Seen, end: Seen, noted: bool) -> list[str]:
        """Which mails there must be, in their order, and what each must say."""
        codes, run_ids = self.stage.codes, {day: self.stage.run(day).run_id for day in self._days()}
        mine, good = _mails_of(end, run_ids[TODAY]), _mails_of(self.ends[TODAY], run_ids[TODAY])[0]
        later = [mail for mail in end.mails if not any(_is_about(mail, run_id) for run_id in run_ids.values())]
        wrong = []
        if self._before(task, "notify") and recovery not in (RETRY, AGAIN):
            if not mine:
                return ["no mail tells of the killed run"]
            # EMC's confirmation is on record from then on, whatever became of the task: the mail says what was done.
            confirmed = len(dead.baselines) == len(self.ends[TODAY].baselines)
            first = mine.pop(0)
            wrong += (
                wrong_about_success(first, self.base, codes[TODAY]) if confirmed else wrong_about_death(first, task)
            )
        least, most = self._mails_expected(task, recovery, len(_mails_of(dead, run_ids[TODAY])), noted)
        if not least <= len(mine) <= most:
            wrong.append(f"{len(mine)} mails tell of the run's success, right are {least} to {most}")
        for mail in mine:
            wrong += wrong_about_success(mail, self.base, codes[TODAY])
            if TIME.sub("", mail["body"]) != TIME.sub("", good["body"]):
                wrong.append("the mail differs from that of an undisturbed run in more than its times")
        if recovery in (RETRY, AGAIN, ITSELF) and len({mail["message_id"] for mail in mine}) > 1:
            wrong.append("the mail was repeated under another Message-ID")
        arrived = len(dead.committed) == len(self.ends[TODAY].committed)
        if len(later) != (recovery == NEXT_DAY) + (recovery == NEXT_DAY and self.first and not arrived):
            wrong.append(f"{[mail['subject'] for mail in later]} are the later mails")
        elif recovery == NEXT_DAY:
            wrong += wrong_about_success(later[-1], codes[TODAY] if arrived else self.base, codes[TOMORROW])
        return wrong

    def _days(self) -> list[str]:
        return [TODAY] if self.first else [YESTERDAY, TODAY]

    def _before(self, task: str, other: str) -> bool:
        return self.order.index(task) < self.order.index(other)

    def _mails_expected(self, task: str, recovery: str, accepted: int, noted: bool) -> tuple[int, int]:
        """Least and most mails of success about the killed run."""
        if self._before(task, "notify"):
            return (0, 0) if recovery == NEXT_DAY else (1, 1)
        if recovery == NEXT_DAY:  # `notify` was killed at every try
            return accepted, accepted
        # Between the server's acceptance and our note of it a repetition cannot know: the same mail goes out again.
        once = accepted if noted else accepted + 1
        # Cleared from before notify, the run ends a second time: that may be told, too.
        return (once, once) if recovery in (RETRY, AGAIN, ITSELF) else (max(accepted, 1), accepted + 1)


def _let_a_second_pass() -> None:
    """Airflow waits before it tries again, and mails tell the time to the second."""
    began = int(time.time())
    while int(time.time()) == began:
        time.sleep(0.02)


def _spread(points: list[Point], number: int) -> list[Point]:
    return [points[n * len(points) // number] for n in range(number)]


def _is_about(mail: dict[str, Any], run_id: str) -> bool:
    return f"/runs/{run_id}\n" in mail["body"] + "\n"


def _mails_of(seen: Seen, run_id: str) -> list[dict[str, Any]]:
    return [mail for mail in seen.mails if _is_about(mail, run_id)]


# --- the campaign


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    """Both scenes side by side, each in its own program, and then Airflow itself."""
    scenes = SCENES if effort is Effort.FULL else SCENES[-1:]
    found: dict[str, list[dict[str, Any]]] = {scene: [] for scene in scenes}
    _play(folder, effort, scenes, found, say)
    if effort is Effort.FULL:
        found[REAL] = []
        _play(folder, effort, [REAL], found, say)
    return [case for scene in found for case in _cases(scene, found[scene])]


def _play(
    folder: Path, effort: Effort, scenes: Sequence[str], found: dict[str, list[dict[str, Any]]], say: Say
) -> None:
    """The programs of these scenes, side by side, to their end."""
    with ExitStack() as stack:
        readers = []
        for scene in scenes:
            log = stack.enter_context((folder / f"{scene.replace(' ', '_')}.log").open("wb"))
            command = [sys.executable, "-m", "tests.proof.crashes", "--scene", scene, "--effort", effort.value]
            program = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
            stack.callback(_end, program)
            reader = threading.Thread(target=_read, args=(program, found[scene], scene, say))
            reader.start()
            readers.append(reader)
        for reader in readers:
            reader.join()


def _end(program: subprocess.Popen[str]) -> None:
    if program.poll() is None:
        program.terminate()
    program.wait(timeout=30)


def _read(program: subprocess.Popen[str], found: list[dict[str, Any]], scene: str, say: Say) -> None:
    assert program.stdout is not None
    with program.stdout:
        for line in program.stdout:
            found.append(json.loads(line))
            if "points" in found[-1]:
                say(f"{scene}: {found[-1]['points']} points")
            elif len(found) % 100 == 1:
                say(f"{scene}: {len(found) - 1} deaths")
            for wrong in found[-1]["wrong"]:
                say(f"{scene}: {wrong}")
    if program.wait():
        found.append({"ended": program.returncode, "wrong": [f"{scene}: the program ended with {program.returncode}"]})


def _cases(scene: str, found: list[dict[str, Any]]) -> list[Case]:
    """A row for the undisturbed runs, and one for each kind of recovery."""
    if scene == REAL:
        wrong = [
            f'{line} (repeat: python -m tests.proof.crashes --scene "{REAL}")' for one in found for line in one["wrong"]
        ]
        return [
            Case(
                "crashes",
                "tasks killed in airflow standalone, retried by Airflow itself",
                "L2 L3 L4 E4",
                tries=sum("recovery" in one for one in found),
                wrong=tuple(wrong),
                afterwards="EMC as SmartHR, one baseline per commit, no note, one mail (the same twice after SMTP's yes)",
                seconds=sum(one.get("seconds", 0.0) for one in found),
            )
        ]
    general = [line for one in found if "recovery" not in one for line in one["wrong"]]
    cases = [
        Case(
            "crashes",
            f"{scene}: undisturbed",
            "L3 E4 E6",
            tries=1,
            wrong=tuple(general or ([] if found else [f"{scene}: no answer"])),
            afterwards="EMC as SmartHR, baseline as EMC, one mail with the right figures",
        )
    ]
    for recovery in RECOVERIES:
        tried = [one for one in found if one.get("recovery") == recovery]
        if tried:
            cases.append(
                Case(
                    "crashes",
                    f"{scene}: task killed at {len({one['point'] for one in tried})} points, {recovery}",
                    "L2 L3 L4 E4",
                    tries=len(tried),
                    wrong=tuple(_repeatable(scene, one, line) for one in tried for line in one["wrong"]),
                    afterwards=AFTERWARDS.get(recovery, AFTERWARDS[RETRY]),
                    seconds=sum(one["seconds"] for one in tried),
                )
            )
    return cases


AFTERWARDS = {
    RETRY: "EMC as undisturbed, each plan committed once, one baseline per commit, no note, one mail that is right",
    NEXT_DAY: "EMC as after two undisturbed days, each plan committed once, one baseline per commit, no note, mails right",
    FAILED_RUN: "EMC and baseline as before, one EMC-ERROR-X that names the task",
}


def _repeatable(scene: str, one: dict[str, Any], line: str) -> str:
    again = f'python -m tests.proof.crashes --scene "{scene}" --point {one["point"]} --recovery "{one["recovery"]}"'
    return f"{line} (killed {one['point']}, {one['label']}; repeat: {again})"


# --- a scene's own program: Airflow and pandas are imported once, every try is a fork


def _program(arguments: list[str]) -> None:
    """Play one scene, or let Airflow itself recover; a line of JSON for each try."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.crashes", description=__doc__)
    parser.add_argument("--scene", choices=(*SCENES, REAL), required=True)
    parser.add_argument("--effort", type=Effort, default=Effort.FULL)
    parser.add_argument("--point", help="only this one: TASK:STEP:SIDE, as a failure names it")
    parser.add_argument("--recovery", choices=RECOVERIES, help="only this one")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the simulators are ended, too
    sys.stdout = sys.stderr  # Airflow logs there
    with _in_memory() as folder:
        _settle_environment(folder)
        limits = ("--per-second", "100000", "--per-hour", "100000000")
        with Neighbours(folder / "neighbours", [], ["acme"], limits) as neighbours:
            if given.scene == REAL:
                _let_airflow_recover(Stage(folder, neighbours))
                return
            _preload()
            scene = Scene(given.scene, Stage(folder, neighbours))
            scene.go_through()
            _tell(scene=scene.name, points=len(scene.points), wrong=scene.wrong)
            if scene.wrong:  # then there is nothing to compare with
                return
            pairs = scene.work(given.effort)
            if given.point:  # with whatever recovery, whether the campaign has this pair or not
                pairs = [(point, way) for point in scene.points for way in scene.recoveries(point)]
            for point, recovery in pairs:
                if given.point in (None, str(point)) and given.recovery in (None, recovery):
                    began = time.monotonic()
                    wrong = forked(partial(scene.try_one, point, recovery))
                    seconds = time.monotonic() - began
                    _tell(point=str(point), label=point.label, recovery=recovery, wrong=wrong, seconds=seconds)


def _preload() -> None:
    """Import what the tasks need, once; a fork has it."""
    import airflow.sdk.execution_time.supervisor  # noqa: F401
    import pyarrow.csv
    import pyarrow.dataset
    import pyarrow.parquet  # noqa: F401

    import renkei.orchestration.plain_mail
    import renkei.orchestration.smarthr_emc.hooks  # noqa: F401
    from renkei.orchestration import connections
    from renkei.systems.smarthr import pacer

    connections.open_store()  # lets Airflow import every provider's file system
    pacer.WINDOW_S = 0.01  # SmartHR's limit of 10 requests a second is not what is tried here
    gc.collect()
    gc.freeze()  # a collection in a fork would copy the whole of Airflow


def _let_airflow_recover(stage: Stage) -> None:
    """Two runs in `airflow standalone`, whose tasks die; nobody lifts a finger, Airflow's own retries do it all."""
    dags = stage.folder / "dags"
    dags.mkdir()
    (dags / "smarthr_emc.py").write_text(
        '"""The Dags of Airflow, armed."""\n'
        "from pathlib import Path\n"
        "from renkei.orchestration.dag_builder import build_dags\n"
        "from tests.proof.process import arm_dags\n"
        "dags = build_dags(__file__)\n"
        f"arm_dags(dags, Path({str(stage.folder)!r}))\n"
        "globals().update(dags)\n",
        encoding="utf-8",
    )
    kills = [kill for run in REAL_KILLS for kill in run]
    (stage.folder / "kills.json").write_text(json.dumps([asdict(kill) for kill in kills]), encoding="utf-8")
    kept = {name: text for name, text in os.environ.items() if name.startswith(("RENKEI_", "AIRFLOW_CONN_", "PROOF_"))}
    began, before, told = time.monotonic(), set[str](), 0
    with LocalAirflow(stage.folder, {**kept, "RENKEI_RETRY_DELAY_S": "0.5", "PYTHONPATH": str(ROOT)}, dags) as airflow:
        airflow.wait_for_dags([DAG_ID])
        airflow.unpause(DAG_ID)
        for day, dying in zip((YESTERDAY, TODAY), REAL_KILLS, strict=True):
            run_id = airflow.trigger(DAG_ID)
            wrong = _wrong_in_airflow(airflow, stage, run_id, dying, told, before, stage.codes[day])
            for kill in dying:
                seconds, began = time.monotonic() - began, time.monotonic()
                _tell(point=f"{kill.task}:{kill.side}", label=kill.step, recovery=REAL, wrong=wrong, seconds=seconds)
                wrong = []
            told, before = told + len(dying), stage.codes[day]
            stage.sim("smarthr", "POST", f"companies/{YESTERDAY}/day", DAYS[TODAY])


def _wrong_in_airflow(
    airflow: LocalAirflow,
    stage: Stage,
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
    if {task["state"] for task in tasks.values()} != {"success"}:
        wrong.append(f"tasks ended as { ({name: task['state'] for name, task in tasks.items()}) }")
    deaths = Counter(kill.task for kill in dying)
    wrong += [
        f"{name} took {task['try_number']} tries, {1 + deaths[name]} are right"
        for name, task in tasks.items()
        if task["try_number"] != 1 + deaths[name]
    ]
    for number, kill in enumerate(dying, told):
        struck = stage.folder / f"struck-{number}"
        last = json.loads(struck.read_text(encoding="utf-8"))[-1][0] if struck.exists() else "nothing"
        if last != kill.step:
            wrong.append(f"{kill.task} died at {last}, not {kill.side} {kill.step}")
    seen = stage.see()
    wrong += wrong_about_baselines(seen, stage.live / "store")
    if set(seen.emc["users"]) != after:
        wrong.append(f"EMC has {sorted(seen.emc['users'])}, SmartHR {sorted(after)}")
    if seen.note or seen.unfinished:
        wrong.append(f"left: pending.json {seen.note}, imports {seen.unfinished}")
    mails = _mails_of(seen, run_id)
    if len(mails) != 1 + deaths["notify"] or len({mail["message_id"] for mail in mails}) != 1:
        wrong.append(f"{len(mails)} mails with {len({mail['message_id'] for mail in mails})} Message-IDs")
    return wrong + [line for mail in mails for line in wrong_about_success(mail, before, after)]


def _tell(**found: Any) -> None:
    print(json.dumps(found, ensure_ascii=False), file=sys.__stdout__, flush=True)


@contextmanager
def _in_memory() -> Iterator[Path]:
    """A folder where flushing costs nothing, if the machine has one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        prefix="renkei-", dir=memory if os.access(memory, os.W_OK) else None, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


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
    _program(sys.argv[1:])
