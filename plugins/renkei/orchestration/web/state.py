"""What Airflow's database knows of the companies' runs: plain queries, each by an index.

A join of `dag_run` with `xcom` took a minute on SQLite with 30,000 runs; the same in three steps takes 0.07 s.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import and_, func, or_, select

from renkei.orchestration.closing_keys import TOLD_KEY
from renkei.orchestration.form import TEST, Form
from renkei.orchestration.link import LINKS, Link, dag_id, split_dag_id
from renkei.orchestration.stage import FAILURE_KEY, RUN_KEY
from renkei.sheets.side_run import mark_of
from renkei.web.facts import Counts, Run

OVER, UNDER_WAY = ("success", "failed"), ("queued", "running")
MAX_IDS = 5000  # in one IN (…): databases have limits
OF_RUN = (
    DagRun.id,
    DagRun.dag_id,
    DagRun.run_id,
    DagRun.state,
    DagRun.run_type,
    DagRun.conf,
    DagRun.run_after,
    DagRun.start_date,
    DagRun.end_date,
    DagRun.triggering_user_name,
)


@dataclass(frozen=True, slots=True)
class DagFacts:
    """A company's Dag."""

    link: Link
    tenant: str
    paused: bool
    gone: bool
    next_run: dt.datetime | None
    dag_file: str


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run with what Airflow kept of its tasks' words."""

    run: Run
    folder: str = ""  # of its record
    failure: Any = None
    stopped_at: str = ""


def dags() -> dict[str, DagFacts]:
    """Every Dag of a link, by its id, those that Airflow does not load any more too."""
    columns = (
        DagModel.dag_id,
        DagModel.is_paused,
        DagModel.is_stale,
        DagModel.next_dagrun_create_after,
        DagModel.fileloc,
    )
    found = {}
    with create_session() as session:
        for row in session.execute(select(*columns).where(_of_links(DagModel.dag_id))):
            link, tenant = _split(row.dag_id)
            found[row.dag_id] = DagFacts(
                link,
                tenant,
                bool(row.is_paused),
                bool(row.is_stale),
                row.next_dagrun_create_after,
                str(row.fileloc or ""),
            )
    return found


def last_runs() -> dict[str, Run]:
    """The newest run of each Dag that is over, with what was told and counted.

    No 通知テスト, which is no run of the link, and no side run, which is no day's result.
    """
    newest = select(func.max(DagRun.id)).where(_of_links(DagRun.dag_id), DagRun.state.in_(OVER)).group_by(DagRun.dag_id)
    with create_session() as session:
        rows = list(session.execute(select(*OF_RUN).where(DagRun.id.in_(newest))))
        others = [row for row in rows if not _is_result(row)]
        if others:  # every evening those of all companies with 事前確認: one question for what is new
            since = max(row.run_after for row in others) - dt.timedelta(days=3)
            wanted = select(*OF_RUN).where(DagRun.run_after >= since, DagRun.state.in_(OVER)).order_by(DagRun.id)
            recent = {
                row.dag_id: row for row in session.execute(wanted) if split_dag_id(row.dag_id) and _is_result(row)
            }
            before = [recent.get(row.dag_id) or _before(session, row) for row in others]
            rows = [*(row for row in rows if _is_result(row)), *(row for row in before if row is not None)]
        return _told(session, rows)


def runs_under_way() -> dict[str, Run]:
    with create_session() as session:
        rows = session.execute(select(*OF_RUN).where(DagRun.state.in_(UNDER_WAY), _of_links(DagRun.dag_id)))
        return {row.dag_id: _run(row) for row in rows}


def runs_called(run_id: str, dag_ids: Sequence[str]) -> dict[str, Run]:
    """The runs of this id, by their Dags."""
    found: dict[str, Run] = {}
    with create_session() as session:
        for some in [dag_ids[n : n + MAX_IDS] for n in range(0, len(dag_ids), MAX_IDS)]:
            wanted = select(*OF_RUN).where(DagRun.dag_id.in_(some), DagRun.run_id == run_id)
            found |= {row.dag_id: _run(row) for row in session.execute(wanted)}
        return found


def runs_by_day(dag_ids: Sequence[str], since: dt.datetime) -> dict[str, list[Run]]:
    """Oldest first, without what was told and counted."""
    found: dict[str, list[Run]] = {}
    wanted = select(*OF_RUN).where(DagRun.dag_id.in_(dag_ids), DagRun.run_after >= since).order_by(DagRun.id)
    with create_session() as session:
        for row in session.execute(wanted):
            found.setdefault(row.dag_id, []).append(_run(row))
    return found


def runs_of(one: str, since: dt.datetime) -> list[Run]:
    """Newest first, with what was told and counted."""
    wanted = select(*OF_RUN).where(DagRun.dag_id == one, DagRun.run_after >= since).order_by(DagRun.id.desc())
    with create_session() as session:
        rows = list(session.execute(wanted))
        told = _words(session, rows)
        return [_run(row, told.get(row.id, {})) for row in rows]


def run_of(one: str, run_id: str) -> RunFacts | None:
    wanted = select(*OF_RUN).where(DagRun.dag_id == one, DagRun.run_id == run_id)
    with create_session() as session:
        row = session.execute(wanted).first()
        if row is None:
            return None
        kept = session.execute(
            select(XComModel.key, XComModel.value)
            .where(XComModel.dag_run_id == row.id, XComModel.key.in_((RUN_KEY, FAILURE_KEY)))
            .order_by(XComModel.timestamp)
        )
        values: dict[str, Any] = {}
        for key, value in kept:
            values.setdefault(key, XComModel.deserialize_value(_Value(value)))
        stopped = session.scalar(
            select(TaskInstance.task_id)
            .where(
                TaskInstance.dag_id == one,
                TaskInstance.run_id == run_id,
                TaskInstance.state == "failed",
                TaskInstance.task_id.not_in(("notify", "outcome")),
            )
            .order_by(TaskInstance.start_date)
        )
        run = _run(row, _words(session, [row]).get(row.id, {}))
        return RunFacts(run, str(values.get(RUN_KEY) or ""), values.get(FAILURE_KEY), stopped or "")


def folders_of(one: str, run_ids: Sequence[str]) -> dict[str, str]:
    """Under which name each of those runs of a Dag has its record, as far as it has one."""
    wanted = select(DagRun.id, DagRun.run_id).where(DagRun.dag_id == one, DagRun.run_id.in_(run_ids))
    with create_session() as session:
        runs = {row.id: row.run_id for row in session.execute(wanted)}
        kept = session.execute(
            select(XComModel.dag_run_id, XComModel.value).where(
                XComModel.dag_run_id.in_(list(runs)), XComModel.key == RUN_KEY
            )
        )
        return {runs[number]: str(XComModel.deserialize_value(_Value(value)) or "") for number, value in kept}


def works_on(one: str, run_id: str) -> bool | None:
    """Whether Airflow still has something to do for a run; None: it knows none."""
    with create_session() as session:
        state = session.scalar(select(DagRun.state).where(DagRun.dag_id == one, DagRun.run_id == run_id))
    return None if state is None else state in UNDER_WAY


def under_way_of(one: str, user_name: str, since: dt.datetime) -> int:
    """How many runs of a Dag somebody has started since then that are not over."""
    mine = DagRun.triggering_user_name == user_name
    of_user = (DagRun.dag_id == one, DagRun.state.in_(UNDER_WAY), mine, DagRun.run_after > since)
    with create_session() as session:
        return session.scalar(select(func.count()).select_from(DagRun).where(*of_user)) or 0


@dataclass(frozen=True, slots=True)
class _Value:
    """What `deserialize_value` wants: a row of `xcom`."""

    value: Any


def _of_links(column: Any) -> Any:
    return or_(*(column.startswith(dag_id(name, ""), autoescape=True) for name in LINKS))


def _split(one: str) -> tuple[Link, str]:
    name, _, tenant = one.partition("__")
    return LINKS[name], tenant


def _before(session: Any, row: Any) -> Any:
    """The newest run before one that does not count; a 通知テスト itself where there is none."""
    wanted = (
        select(*OF_RUN)
        .where(DagRun.dag_id == row.dag_id, DagRun.state.in_(OVER), DagRun.id < row.id)
        .order_by(DagRun.id.desc())
        .limit(20)
    )
    found = next((one for one in session.execute(wanted) if _is_result(one)), None)
    return found or (row if _is_test(row) else None)


def _told(session: Any, rows: Sequence[Any]) -> dict[str, Run]:
    words = _words(session, rows)
    return {row.dag_id: _run(row, words.get(row.id, {})) for row in rows}


def _words(session: Any, rows: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """What `notify` and the counting tasks of those runs gave back, by the run's number and the task."""
    counting = {task for link in LINKS.values() if link.console for task in link.console().counted_by}
    found: dict[int, dict[str, Any]] = {}
    for ids in _parts([row.id for row in rows]):
        wanted = select(XComModel.dag_run_id, XComModel.task_id, XComModel.key, XComModel.value).where(
            XComModel.dag_run_id.in_(ids),
            XComModel.map_index == -1,
            or_(
                and_(XComModel.task_id.in_(("notify", *sorted(counting))), XComModel.key == "return_value"),
                XComModel.key == TOLD_KEY,  # of a run that ended early, or whose `notify` failed
            ),
        )
        for number, task, key, value in session.execute(wanted):
            found.setdefault(number, {})["notify" if key == TOLD_KEY else task] = XComModel.deserialize_value(
                _Value(value)
            )
    return found


def _parts(ids: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(ids)
    while part := list(islice(rest, MAX_IDS)):
        yield part


def _form(link: Link) -> Form:
    return link.form()


def _conf(row: Any) -> dict[str, Any]:
    return row.conf if isinstance(row.conf, dict) else {}


def _is_result(row: Any) -> bool:
    """Whether it can be a company's last result."""
    return not _is_test(row) and not _is_side_run(row)


def _is_side_run(row: Any) -> bool:
    return row.run_type == "scheduled" and bool(mark_of(row.run_id))


def _is_test(row: Any) -> bool:
    return _conf(row).get("mode") == TEST and row.run_type != "scheduled"


def _run(row: Any, words: Mapping[str, Any] | None = None) -> Run:
    link, _ = _split(row.dag_id)
    form, told = _form(link), (words or {}).get("notify")
    if row.run_type == "scheduled":
        mode = form.scheduled(row.run_id)
    else:
        asked = _conf(row).get("mode")
        mode = form.modes.get(asked, form.daily) if isinstance(asked, str) else form.daily
    subject = told.get("subject") if isinstance(told, dict) else None
    subject = subject if isinstance(subject, str) else ""
    outcome = next((one for one, text in link.subjects().items() if text == subject), None)
    return Run(
        row.run_id,
        str(row.state or "queued"),
        row.run_after,
        row.start_date,
        row.end_date,
        mode.label,
        mode.writes,
        _is_test(row),
        _is_side_run(row),
        row.triggering_user_name or "",
        subject,
        outcome,
        _counts(link, words or {}),
    )


def _counts(link: Link, words: Mapping[str, Any]) -> Counts | None:
    view = link.console() if link.console else None
    return view.counts(words) if view else None
