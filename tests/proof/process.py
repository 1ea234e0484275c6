"""Task processes that die where they are told to, and what Airflow does around a task, without Airflow.

A *step* is anything that others can see of a task: a write to the store, a request, a mail, what Airflow is told.
Steps are numbered from 0 within one task's process, by going through them once; a `Kill` names one of them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import smtplib
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import requests

from tests.harness.fuse import Fuse
from tests.harness.program import ROOT

Side = Literal["before", "after"]
FINISHED = ("success", "failed", "upstream_failed", "skipped")
IMPORT_ID = re.compile(r"imp_[0-9a-f]{32}")
IMPORT_KEY = re.compile(r"\b\w+\.[0-9a-f]{16}\.[0-9a-f]{12}\b")


@dataclass(frozen=True, slots=True)
class Kill:
    """Where a task's process dies: SIGKILL just before or just after a step takes effect."""

    task: str
    step: int | str  # its number, or its label: the first with it
    side: Side


@dataclass
class KillingFuse(Fuse):
    """Kills this process at one of its steps.

    `trace` outlives it: the steps seen so far, each with its depth. One of depth 1 is part of another: the renaming
    of a temporary file, say.
    """

    trace: Path = Path(os.devnull)
    depths: list[int] = field(default_factory=list)
    depth: int = 0

    @classmethod
    def of(cls, kill: Kill | None, trace: Path) -> KillingFuse:
        return cls(kill.step, kill.side == "after", trace=trace) if kill else cls(trace=trace)

    def around(self, label: str, call: Callable[[], Any]) -> Any:
        self.depths.append(self.depth)
        self.depth += 1
        try:
            return super().around(label, call)
        finally:
            self.depth -= 1

    def die(self) -> None:
        self.save()
        os.kill(os.getpid(), signal.SIGKILL)

    def save(self) -> None:
        steps = list(zip(self.seen, self.depths, strict=True))
        self.trace.write_text(json.dumps(steps, ensure_ascii=False), encoding="utf-8")


def instrument(fuse: Fuse, folders: list[str]) -> None:
    """Send every step of this process through the fuse, for as long as it lives.

    The file operations below the store count where they touch `folders`: between a temporary file and its renaming
    others can see something, too.
    """
    from renkei.storage.store import Store
    from renkei.systems.emc.drop import LocalFiles

    for owner, names in ((Store, ("write", "create", "delete")), (LocalFiles, ("write", "delete"))):
        for name in names:
            real = getattr(owner, name)
            setattr(owner, name, _method(fuse, real, lambda key, *_: str(key).rsplit("/", 1)[-1]))
    for module_function in ("replace", "link", "unlink"):
        setattr(os, module_function, _file_operation(fuse, getattr(os, module_function), folders))
    requests.Session.request = _method(  # type: ignore[method-assign]
        fuse, requests.Session.request, lambda method, url, *_: f"{method} {IMPORT_ID.sub('ID', _path(url))}"
    )
    smtplib.SMTP.data = _method(fuse, smtplib.SMTP.data, lambda *_: "")  # type: ignore[method-assign]


def _method(fuse: Fuse, real: Callable[..., Any], shown: Callable[..., str]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        label = f"{real.__qualname__} {shown(*args)}".strip()
        return fuse.around(IMPORT_KEY.sub("KEY", label), partial(real, self, *args, **kwargs))

    return call


def _file_operation(fuse: Fuse, real: Callable[..., Any], folders: list[str]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        last = str(args[-1])
        if not last.startswith(tuple(folders)):
            return real(*args, **kwargs)
        name = "(temporary)" if Path(last).name.startswith(".") else Path(last).name
        return fuse.around(IMPORT_KEY.sub("KEY", f"os.{real.__name__} {name}"), partial(real, *args, **kwargs))

    return call


def _path(url: str) -> str:
    return "/" + url.split("/", 3)[3].partition("?")[0]


class AirflowRun:
    """One Dag run as Airflow's database knows it, in a JSON file: it outlives every task's process.

    Follows Airflow 3 in what a task can tell: each try is a process of its own and begins without the XComs of the
    try before; the operator's `retries`; the trigger rules that Renkei uses; tasks that another one skips.
    """

    def __init__(self, file: Path, dag_id: str) -> None:
        self.file, self.dag_id = file, dag_id

    def begin(self, run_id: str, *, manual: bool, mode: str = "NORMAL") -> AirflowRun:
        now = dt.datetime.now(dt.UTC).isoformat()
        kind = "manual" if manual else "scheduled"
        run = {"run_id": run_id, "run_type": kind, "mode": mode, "at": now}
        self._keep(run | {"states": {}, "tries": {}, "number": {}, "xcom": {}, "kept": {}})
        return self

    # --- what the database holds

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return found

    def _keep(self, value: dict[str, Any]) -> None:
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
        part.rename(self.file)

    @contextmanager
    def _change(self) -> Iterator[dict[str, Any]]:
        value = self.read()
        yield value
        self._keep(value)

    @property
    def run_id(self) -> str:
        return str(self.read()["run_id"])

    def states(self) -> dict[str, str]:
        return dict(self.read()["states"])

    def note(self, task: str, state: str) -> None:
        with self._change() as value:
            value["states"][task] = state

    def push(self, task: str, key: str, content: Any) -> None:
        with self._change() as value:
            value["xcom"].setdefault(task, {})[key] = json.loads(json.dumps(content))

    def pull(self, task: str, key: str) -> Any:
        return self.read()["xcom"].get(task, {}).get(key)

    def keep(self, task: str, key: str, content: Any) -> None:
        """Task state, unlike XCom, outlives tries and clears."""
        with self._change() as value:
            value["kept"].setdefault(task, {})[key] = content

    def kept(self, task: str, key: str) -> Any:
        return self.read()["kept"].get(task, {}).get(key)

    # --- what the scheduler does

    def play(self, until: str = "", *, apart: bool = False) -> None:
        """Run what has not run, up to before the task `until`; what fails in passing is tried again at once.

        `apart`: each try in a process of its own, as with Airflow. Else all in one, for most of the time that a try takes
        is its fork: no task may need what another one left in memory, which a run that is played `apart` shows.
        """
        if apart:
            self._play(until, lambda task: self.attempt(task.task_id))
        elif _fork(lambda: self._play(until, self._attempt_here)):
            raise RuntimeError("the run was killed by somebody else")

    def _play(self, until: str, attempt: Callable[[Any], bool]) -> None:
        from renkei.orchestration.stage import SKIPPABLE

        for task in dag_of(self.dag_id).topological_sort():
            if task.task_id == until:
                return
            above = {self.states().get(name, "") for name in task.upstream_task_ids}
            while self.states().get(task.task_id, "") not in FINISHED:
                rule = task.trigger_rule
                skipped = {"all_success": "skipped" in above, SKIPPABLE: above == {"skipped"}}
                if rule in skipped and {"failed", "upstream_failed"} & above:
                    self.note(task.task_id, "upstream_failed")
                elif skipped.get(rule):
                    self.note(task.task_id, "skipped")
                elif attempt(task):
                    raise RuntimeError(f"{task.task_id} was killed by somebody else")

    def clear(self, task_id: str) -> None:
        """An operator clears a task with all that follows it."""
        task = dag_of(self.dag_id).task_dict[task_id]
        with self._change() as value:
            value["at"] = dt.datetime.now(dt.UTC).isoformat()
            for cleared in {task_id, *task.get_flat_relative_ids(upstream=False)}:
                value["states"].pop(cleared, None)
                value["tries"].pop(cleared, None)

    def attempt(self, task_id: str, kill: Kill | None = None, trace: Path | None = None) -> bool:
        """One try in a process of its own; whether it was killed. `trace` gets its steps."""

        def work() -> None:
            fuse, task = KillingFuse.of(kill, trace or Path(os.devnull)), dag_of(self.dag_id).task_dict[task_id]
            instrument(fuse, [os.environ["PROOF_FOLDER"]])
            self._execute(task, fuse)

        self._begin_try(task_id)
        return _fork(work)

    def _attempt_here(self, task: Any) -> bool:
        """One try in this process, which nobody kills."""
        self._begin_try(task.task_id)
        self._execute(task, KillingFuse())
        return False

    def _begin_try(self, task_id: str) -> None:
        with self._change() as value:
            if value["states"].get(task_id) != "up_for_reschedule":
                value["number"][task_id] = value["number"].get(task_id, 0) + 1  # Airflow's: a clear does not begin anew
                value["tries"][task_id] = value["tries"].get(task_id, 0) + 1
            value["xcom"].pop(task_id, None)
            value["states"][task_id] = "running"

    # --- what a task's process does

    def _execute(self, task: Any, fuse: KillingFuse) -> None:
        from airflow.sdk.bases.operator import ExecutorSafeguard
        from airflow.sdk.exceptions import (
            AirflowFailException,
            AirflowRescheduleException,
            AirflowSkipException,
            DownstreamTasksSkipped,
        )

        task_id = task.task_id
        ExecutorSafeguard.tracker.set(task)
        ti = TaskInstance(self, task_id, fuse)
        value = self.read()
        at = dt.datetime.fromisoformat(value["at"])
        conf = {"mode": value["mode"]}
        dag_run = SimpleNamespace(run_id=value["run_id"], run_type=value["run_type"], conf=conf, start_date=at)
        context = {
            "dag": task.dag,
            "dag_run": dag_run,
            "run_id": value["run_id"],
            "params": conf,
            "task": task,
            "task_state_store": TaskState(self, task_id, fuse),
            "ti": ti,
        }
        try:
            answer = task.execute(context)
            if answer is not None:
                ti.xcom_push("return_value", answer)
            state = "success"
        except DownstreamTasksSkipped as skipped:  # a request of its own, before the task's end is noted
            fuse.around(f"Airflow skips {', '.join(skipped.tasks)}", partial(self._skip, list(skipped.tasks)))
            state = "success"
        except AirflowSkipException:
            state = "skipped"
        except AirflowRescheduleException:  # waits for its turn; not a try of its own
            state = "up_for_reschedule"
        except AirflowFailException as error:
            print(f"{task_id}: {error}", file=sys.stderr)
            state = "failed"
        except Exception:
            traceback.print_exc()
            state = "up_for_retry" if value["tries"][task_id] <= task.retries else "failed"
        fuse.around(f"Airflow notes {state}", lambda: self.note(task_id, state))
        fuse.save()

    def _skip(self, tasks: list[str]) -> None:
        with self._change() as value:
            for task in tasks:
                if value["states"].get(task) not in ("running", "success", "failed"):
                    value["states"][task] = "skipped"


def _fork(work: Callable[[], None]) -> bool:
    """Do the work in a process of its own; whether that was killed by SIGKILL."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if status:
        raise RuntimeError(f"a process of the stand-in for Airflow failed (status {status}); see the log")
    return False


@dataclass
class TaskInstance:
    """What a task gets as `ti`, as far as Renkei uses it."""

    run: AirflowRun
    task_id: str
    fuse: Fuse

    @property
    def id(self) -> str:
        """Each try has its own."""
        return f"{self.task_id} {self.run.read()['tries'][self.task_id]}"

    @property
    def try_number(self) -> int:
        return int(self.run.read()["number"][self.task_id])

    def xcom_push(self, key: str, value: Any) -> None:
        self.fuse.around(f"Airflow keeps {key}", lambda: self.run.push(self.task_id, key, value))

    def xcom_pull(self, task_ids: str, key: str = "return_value") -> Any:
        return self.run.pull(task_ids, key)

    def get_task_states(self, *, dag_id: str, task_ids: list[str], run_ids: list[str]) -> dict[str, dict[str, str]]:
        assert (dag_id, run_ids) == (self.run.dag_id, [self.run.run_id])
        return {self.run.run_id: {task: state for task, state in self.run.states().items() if task in task_ids}}


@dataclass
class TaskState:
    """What a task gets as `task_state_store`."""

    run: AirflowRun
    task_id: str
    fuse: Fuse

    def get(self, key: str) -> Any:
        return self.run.kept(self.task_id, key)

    def set(self, key: str, value: Any, *, retention: dt.timedelta) -> None:
        self.fuse.around(f"Airflow keeps state {key}", lambda: self.run.keep(self.task_id, key, value))


def dag_of(dag_id: str) -> Any:
    """The Dag, parsed anew by every process, as Airflow does."""
    from renkei.orchestration.dag_builder import build_dags

    return build_dags(str(ROOT / "dags/smarthr_emc.py"))[dag_id]


def arm_dags(dags: dict[str, Any], folder: Path) -> None:
    """Let the tasks of real Airflow die where `folder`/kills.json says: one after the other, each once.

    The first kill on the list strikes when its task comes to its step; then the next one is the first.
    """

    def arm(context: Any) -> None:
        listed = [Kill(**kill) for kill in json.loads((folder / "kills.json").read_text(encoding="utf-8"))]
        struck = len(list(folder.glob("struck-*")))
        task = context["ti"].task_id
        if struck < len(listed) and listed[struck].task == task:
            instrument(KillingFuse.of(listed[struck], folder / f"struck-{struck}"), [os.environ["PROOF_FOLDER"]])

    for dag in dags.values():
        for task in dag.tasks:
            task._pre_execute_hook = arm
