"""Why somebody is, or is not, in EMC: one sentence, the steps on the way with the one that decided, and since when.

Told from the record of the newest run that read SmartHR, at once and without asking anybody; the decisions are that
run's own (`rehearsal.person`). Whoever neither that read nor its baseline knows is looked for in earlier loads. The
command `renkei person` and the console's page both show what is said here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from renkei.clock import time_in_japan
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.people.ending import Ending, EndState, ending_of
from renkei.links.smarthr_emc.people.index import Kind, Line, PeopleIndex, plain
from renkei.links.smarthr_emc.people.make_index import people_index
from renkei.links.smarthr_emc.people.past import Event, FormerPerson, SearchRange, events_of, former_people
from renkei.links.smarthr_emc.people.steps import LastConfirmed, steps_of
from renkei.links.smarthr_emc.records import Comparison, EmcRefusal, RunStart
from renkei.links.smarthr_emc.rehearsal.person import PersonTrace, people_told
from renkei.links.smarthr_emc.rehearsal.run_rows import RunRows, recorded_rows
from renkei.links.smarthr_emc.rehearsal.stored import newest_first, reads
from renkei.links.smarthr_emc.report import crew_page
from renkei.links.smarthr_emc.sources import value_of
from renkei.runs.current_baseline import current_baseline
from renkei.runs.steps import Step
from renkei.storage.baselines import Baseline
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder

MAX_SHOWN = 20  # people of one name
LOOKED_AT = 2_000_000  # people of earlier loads, who are read through within about a second
NO_READ = "この会社のSmartHRの受信データが、保存先にまだありません。受信が1回終わると調べられます。"


@dataclass(frozen=True, slots=True)
class Explained:
    """One person."""

    answer: str
    name: str
    person: PersonTrace
    registered: bool
    since: str  # ISO 8601: since when they are, or are not, in EMC; "" = longer than the records that were read say
    steps: tuple[Step, ...]
    events: tuple[Event, ...]  # the newest first


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everybody whom the question names."""

    who: str
    answer: str
    people: tuple[Explained, ...] = ()
    others: tuple[Line, ...] = ()  # more than can be explained at once
    run: str = ""
    at: str = ""  # ISO 8601: of the read
    looked: SearchRange = dataclasses.field(default_factory=SearchRange)

    def as_json(self) -> dict[str, Any]:
        """Dicts, lists and texts; personal values are among them."""
        return asdict(self)


def explain(
    folder: TenantFolder,
    who: str,
    *,
    index: Callable[[RunRecord], PeopleIndex] = people_index,
    looked_at: int = LOOKED_AT,
    ending: Callable[[RunRecord], Ending] = ending_of,
) -> Explanation:
    """Whom `who` names exactly by user id, 社員番号, crew id or mail address, else those in whom it occurs, by name too.

    Raises:
        BaselineError, StoreError: the store lacks what it should have.
    """
    who = who.strip()
    run = next(reads(RunRecord(folder, "")), None)
    if run is None:
        return Explanation(who, NO_READ)
    at, once, looked = run.read(RunStart).started_at, list[FormerPerson](), SearchRange()
    ended = ending(run)
    people, rows = _told(run, [who], ended)
    if not people and plain(who):
        found = index(run).find(who, most=MAX_SHOWN)
        if found.total > 1:
            answer = f"{found.total:,}人が当てはまります。1人を選んでください。"
            return Explanation(who, answer, (), found.lines, run.run, at)
        people, rows = _told(run, [line.crew_id or line.user_id for line in found.lines], ended)
    if not people and plain(who):
        once, looked = former_people(folder, who, looked_at)
        people, rows = _told(run, [one.crew_id for one in once], ended)
    crews = [*(one.crew_id for one in people), *(one.crew_id for one in once)]
    events, back = events_of(folder, crews, looked_at) if crews else ([], looked)
    people += [_gone(one, rows, events) for one in once if one.crew_id not in {told.crew_id for told in people}]
    looked = max(looked, back, key=lambda one: one.runs)
    if not people:
        return Explanation(who, _nobody(looked), (), (), run.run, at, looked)
    names = {one.crew_id: one.name for one in once} | _names(rows)
    emc = _registered(folder, [one.crew_id for one in people])
    refusal = run.read_or_none(EmcRefusal)
    explained = []
    for one in people:
        steps = steps_of(one, rows, at, ended, refusal.problems if refusal else (), emc[one.crew_id])
        mine = tuple(event for event in events if event.crew_id == one.crew_id)
        explained.append(_explained(one, names.get(one.crew_id, ""), emc[one.crew_id], steps, mine))
    answer = explained[0].answer if len(explained) == 1 else f"{len(explained)}人が当てはまります。"
    return Explanation(who, answer, tuple(explained), (), run.run, at, looked)


def _told(run: RunRecord, who: Sequence[str], ending: Ending) -> tuple[list[PersonTrace], RunRows]:
    """What the run decided about these people, told as it came out."""
    rows = recorded_rows(run, who)
    rows = dataclasses.replace(rows, loaded=ending.state is EndState.LOADED, but=ending.text)
    return people_told(rows, who), rows


def _gone(once: FormerPerson, rows: RunRows, events: Sequence[Event]) -> PersonTrace:
    """Somebody of an earlier load, whom neither the newest read nor its baseline has."""
    left = next((one for one in events if one.crew_id == once.crew_id and one.kind is Kind.DELETE), None)
    answer = f"{time_in_japan(once.at)} の登録まではいましたが、今はSmartHRの受信データにいません。"
    if left is not None:
        answer = f"{time_in_japan(left.at)} の登録で、EMCから削除しました（{left.why}）。"
    return PersonTrace(
        answer=answer,
        crew_id=once.crew_id,
        user_id=once.user_id,
        status="",
        valid=False,
        in_baseline=False,
        operation="",
        reason="",
        page=crew_page(rows.sheet.smarthr_url, once.crew_id),
    )


def _names(rows: RunRows) -> dict[str, str]:
    """氏名 by crew id: as SmartHR has it, else as EMC confirmed it."""
    users, confirmed, rule = rows.tables.users, rows.tables.confirmed, rows.sheet.rule("full_name")
    names: dict[str, str] = {}
    if confirmed is not None and "full_name" in confirmed:
        names |= dict(zip(confirmed["crew_id"], confirmed["full_name"].fillna(""), strict=True))
    if rule is not None:
        read = zip(users["crew_id"], value_of(rule, users), strict=True)
        names |= {crew_id: name for crew_id, name in read if name}
    return names


def _registered(folder: TenantFolder, crews: Sequence[str]) -> dict[str, LastConfirmed]:
    """What EMC confirmed last of each crew, and whether a later 照合 missed them."""
    where = current_baseline(folder)
    rows = where.rows("users", {"crew_id": crews}, ["crew_id", "user_id", "valid"])
    if where.baseline is None or rows is None:
        return dict.fromkeys(crews, LastConfirmed("", "", 0))
    rows = rows[rows["valid"]]
    ids = dict(zip(rows["crew_id"], rows["user_id"], strict=True))
    at, missed = where.baseline.confirmed_at, _missed(folder, where.baseline, list(ids.values()))
    return {
        crew: LastConfirmed(ids.get(crew, ""), at, where.generation, missed.get(ids.get(crew, ""), ""))
        for crew in crews
    }


def _missed(folder: TenantFolder, baseline: Baseline, ids: Sequence[str]) -> dict[str, str]:
    """The time of the newest 照合 since the load, by each user id that it did not find in EMC."""
    confirmed = dt.datetime.fromisoformat(baseline.confirmed_at)
    for start, run in newest_first(RunRecord(folder, "")):
        if dt.datetime.fromisoformat(start.started_at) < confirmed:
            return {}
        if start.mode is Mode.RECONCILE and run.has(Comparison):
            rows = run.rows("differences", {"id": ids})
            lost = rows[(rows["kind"] == "missing") & (rows["record_set"] == RecordSet.USERS.value)]
            return dict.fromkeys(lost["id"], start.started_at)
    return {}


def _explained(
    person: PersonTrace, name: str, emc: LastConfirmed, steps: tuple[Step, ...], events: tuple[Event, ...]
) -> Explained:
    """The fact in one sentence, and the reason in another."""
    there = bool(emc.user_id) and not emc.missing_at
    came = Kind.CREATE if emc.user_id else Kind.DELETE
    since = next((one.at for one in events if one.kind is came), "")
    fact = "EMCに登録されています" if there else "EMCに登録されていません"
    answer = fact + (f"（{time_in_japan(since)} から）。" if since else "。") + person.answer
    return Explained(answer, name, person, there, since, steps, events)


def _nobody(looked: SearchRange) -> str:
    return (
        "SmartHRの受信データにも、EMCに登録したことのある人にも、当てはまる人がいません"
        f"（{looked}）。ユーザID、社員番号、従業員ID、メールアドレス、氏名のどれかで探してください。"
    )
