"""The index of everybody whom a run's record knows."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from renkei.links.smarthr_emc.compared import compared_with
from renkei.links.smarthr_emc.fetch import RETIRED, source_columns
from renkei.links.smarthr_emc.model import Operation, Reason, RecordSet
from renkei.links.smarthr_emc.people.index import END, KINDS, REASON_NAMES, Kind, PeopleIndex, key
from renkei.links.smarthr_emc.records import DiffSummary, Plan, PlanWarnings, RunSheet, RunStart
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sources import value_of
from renkei.runs.current_baseline import CurrentBaseline
from renkei.storage.runs import RunRecord
from renkei.values.columns import arrow, constant, flat, frame, is_in, positions, prefixed, series

NUMBER, MAIL = "社員番号", "メールアドレス"
_CREATED, _UPDATED = KINDS.index(Kind.CREATE), KINDS.index(Kind.UPDATE)
_SHOWN = {"name": "full_name", "yomi": "full_name_yomi", "department": "primary_department_id"}
_CALLED = ("number", "mail", *_SHOWN)
_PASSED_ON = [Reason.TAKEN_OVER.value, Reason.HANDED_OVER.value]


def people_index(run: RunRecord) -> PeopleIndex:
    """The columns of a run that froze a read, made part by part: a million people take room.

    Raises:
        MissingKeyError: housekeeping took the run away.
        BaselineError: the tables that it was compared with are gone.
    """
    sheet, where = run.read(RunSheet).mapping, compared_with(run)
    decisions = _decisions(run)
    earlier = _earlier(decisions, where)
    wrong, noted = _wrong(run), _noted(run)
    there = np.zeros(len(earlier), dtype=bool)

    def people() -> Iterator[pd.DataFrame]:
        for users in run.parts("users", _columns(sheet)):
            some = _as_called_then(_people(users, sheet), earlier)
            there[some["then"][some["then"] >= 0]] = True
            yield some
        yield earlier[~there].assign(line=0, user_id="", status="")

    made: list[Future[dict[str, Any]]] = []
    with ThreadPoolExecutor(1) as other:  # makes the columns of one part while the next one is read
        for some in people():
            wait(made)
            made.append(other.submit(_part, _decided(some, decisions), wrong, noted))
    parts = [one.result() for one in made]
    columns: dict[str, Any] = {
        name: pa.chunked_array([part[name] for part in parts])
        if isinstance(first, pa.Array)
        else np.concatenate([part[name] for part in parts])
        for name, first in parts[0].items()
    }
    columns["departments"] = _labelled(columns["departments"], _department_names(run, where))
    return PeopleIndex(run.run, run.read(RunStart).started_at, **columns)


@dataclass(frozen=True, slots=True)
class _Decisions:
    """The diff of people, as far as the run came: a row for each that is kept, with texts of the few that need one."""

    made: bool
    kinds: Any  # NumPy: places in KINDS
    reasons: Any  # places in REASON_NAMES
    at: Any  # where the row of each line of the read stands; -1 = nowhere
    was: Any  # where the earlier id of each row stands in `moved`; -1 = it is the same
    moved: pd.Series[str]
    frozen: pd.Series[str]  # the ids of those whom 災害時凍結 keeps, by the places of their rows: they have no line
    passed: pd.Series[str]  # ids that another crew had before
    gone: pd.DataFrame  # id, reason: the deletes


def _decisions(run: RunRecord) -> _Decisions:
    columns = ["id", "line", "operation", "reason", "was"]
    made = run.has(DiffSummary)
    nobody = pd.DataFrame({name: [] for name in columns}, dtype="str").assign(line=0)
    few, rows = [nobody], [(np.zeros(0, int), np.zeros(0, int), np.zeros(0, int))]
    begin = 0
    for diff in run.parts("users_diff", columns) if made else ():
        deletes = diff["operation"] == Operation.DELETE.value
        kept = diff[~deletes].reset_index(drop=True) if deletes.any() else diff
        other = (kept["was"] != "") & (kept["was"] != kept["id"])
        kinds = np.where(kept["operation"] == Operation.CREATE.value, _CREATED, _UPDATED)
        kinds[other] = KINDS.index(Kind.ID_CHANGE)
        reasons = np.where(other, REASON_NAMES.index(Reason.ID_CHANGE.value), _places(kept["reason"]))
        rows.append((kept["line"].to_numpy(dtype=int), kinds, reasons))
        special = kept[other | (kept["line"] == 0) | is_in(kept["reason"], _PASSED_ON)]
        few += [special.set_axis(special.index + begin), diff[deletes]]
        begin += len(kept)
    line, kinds, reasons = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    told = pd.concat(few)
    deletes = told["operation"] == Operation.DELETE.value
    kept = told[~deletes]
    moved = kept[(kept["was"] != "") & (kept["was"] != kept["id"])]
    at, was = np.full(line.max(initial=0) + 1, -1), np.full(len(line), -1)
    at[line] = np.arange(len(line))
    at[0] = -1
    was[moved.index] = np.arange(len(moved))
    frozen, passed = kept.loc[kept["line"] == 0, "id"], kept.loc[is_in(kept["reason"], _PASSED_ON), "id"]
    return _Decisions(made, kinds, reasons, at, was, moved["was"], frozen, passed, told.loc[deletes, ["id", "reason"]])


def _earlier(decisions: _Decisions, where: CurrentBaseline) -> pd.DataFrame:
    """The baseline's people whose id somebody else has now, or nobody: as `_people`, with `was`."""
    ids = [*decisions.gone["id"], *decisions.passed]
    if where.record is None:
        return pd.DataFrame({name: [] for name in ("crew_id", "status", "user_id", *_CALLED, "was")}, dtype="str")
    sheet = where.record.read(RunSheet).mapping
    then = where.rows("users", {"user_id": ids}, _columns(sheet))
    assert then is not None  # there is a baseline
    people = _people(then[then["valid"]], sheet)
    return people.assign(was=people["user_id"])


def _columns(sheet: Mapping) -> list[str]:
    """The columns of a users table by which people are found and shown."""
    rules = tuple(rule for rule in sheet.users if rule.item in _SHOWN.values())
    called = source_columns(replace(sheet, users=rules))
    keys = [name for name in source_columns(sheet) if name in (NUMBER, MAIL)]
    return list(dict.fromkeys(["line", "crew_id", "emp_status", "valid", "user_id", *keys, *called]))


def _people(users: pd.DataFrame, sheet: Mapping) -> pd.DataFrame:
    """Rows of a users table as line, crew_id, status, user_id, and by what else each is found and shown."""
    nothing = constant("", users)
    shown = {name: value_of(rule, users) if (rule := sheet.rule(item)) else nothing for name, item in _SHOWN.items()}
    if sheet.id_prefix:
        shown["department"] = series(prefixed(sheet.id_prefix, arrow(shown["department"])), users.index)
    return pd.DataFrame(
        {
            "line": users["line"],
            "crew_id": users["crew_id"],
            "status": users["emp_status"],
            "user_id": users["user_id"],
            "number": users.get(NUMBER, nothing),
            "mail": users.get(MAIL, nothing),
            **shown,
        }
    )


def _as_called_then(people: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Add each person's row in `earlier` (`then`), and the id of theirs that is deleted (`was`).

    SmartHR's 退職済 people are blank: they are called as before.
    """
    at = positions(people["crew_id"], earlier["crew_id"])
    blank = pa.array((at >= 0) & (people["name"] == "").to_numpy())
    then = {name: arrow(_taken(earlier[name], at)) for name in (*_CALLED, "was")}
    called = {name: pc.if_else(blank, then[name], arrow(people[name])) for name in _CALLED}
    return people.assign(then=at, **frame({**called, "was": then["was"]}, people.index))


def _decided(people: pd.DataFrame, decisions: _Decisions) -> pd.DataFrame:
    """With kind and reason of each, as places in KINDS and REASON_NAMES; `was` is "" where it is the same id."""
    line, named = people["line"].to_numpy(dtype=int), (people["user_id"] != "").to_numpy()
    at = np.where(line < len(decisions.at), decisions.at[np.minimum(line, len(decisions.at) - 1)], -1)
    frozen = np.flatnonzero((line == 0) & named)
    known = positions(people["user_id"].iloc[frozen], decisions.frozen)
    at[frozen[known >= 0]] = decisions.frozen.index.to_numpy(dtype=int)[known[known >= 0]]
    mine = at >= 0
    moved = np.full(len(people), -1)
    moved[mine] = decisions.was[at[mine]]
    of_mine = arrow(_taken(decisions.moved, moved))
    was = series(pc.if_else(pa.array(mine), of_mine, arrow(people["was"])), people.index)
    lost = np.where(mine, -1, positions(was, decisions.gone["id"]))
    kinds = np.where(lost >= 0, KINDS.index(Kind.DELETE), KINDS.index(Kind.OUT if decisions.made else Kind.OPEN))
    reasons = np.full(len(people), REASON_NAMES.index("" if not decisions.made else "no_id"))
    if decisions.made:
        reasons[named] = REASON_NAMES.index("duplicate")
        reasons[(people["status"] == "").to_numpy()] = REASON_NAMES.index("passed_on")
    reasons[(people["status"] == RETIRED).to_numpy()] = REASON_NAMES.index(Reason.RETIRED.value)
    reasons[lost >= 0] = _places(decisions.gone["reason"])[lost[lost >= 0]]
    kinds[mine], reasons[mine] = decisions.kinds[at[mine]], decisions.reasons[at[mine]]
    return people.assign(was=was, kind=kinds.astype(np.uint8), why=reasons.astype(np.uint8))


def _taken(column: pd.Series[str], at: Any) -> pd.Series[str]:
    """The column's texts at these places; "" at -1."""
    found = arrow(column).take(pa.array(at, mask=at < 0))
    return series(pc.fill_null(found, ""), pd.RangeIndex(len(at)))


def _places(reason: pd.Series[str]) -> Any:
    """Where each reason stands in REASON_NAMES."""
    return pc.index_in(flat(reason), value_set=pa.array(REASON_NAMES, type=pa.large_string())).to_numpy(
        zero_copy_only=False
    )


def _part(people: pd.DataFrame, wrong: pd.Series[str], noted: pd.Series[str]) -> dict[str, Any]:
    """The index's columns of some people."""
    user_ids, was = flat(people["user_id"]), flat(people["was"])
    return {
        "keys": _keys(people),
        "crew_ids": flat(people["crew_id"]),
        "user_ids": pc.if_else(pc.equal(user_ids, ""), was, user_ids),
        "was": was,
        "names": flat(people["name"]),
        "departments": flat(people["department"]),
        "kinds": people["kind"].to_numpy(),
        "reasons": people["why"].to_numpy(),
        "wrong": is_in(people["crew_id"], wrong).to_numpy(),
        "noted": is_in(people["crew_id"], noted).to_numpy(),
    }


def _keys(people: pd.DataFrame) -> pa.Array:
    """What each is found by; `END` stands between two texts, so that nobody is found by the end of one and the next."""
    end = pa.scalar(END, pa.large_string())
    texts = [
        key(pc.binary_join_element_wise(*(flat(people[name]) for name in names), end))
        for names in (("user_id", "was", "number", "mail", "crew_id"), ("name", "yomi"))  # ASCII, as a rule, apart
    ]
    return pc.binary_join_element_wise(*texts, end)


def _wrong(run: RunRecord) -> pd.Series[str]:
    """The crews with an error."""
    if not run.has(PlanWarnings):  # it was not checked
        return pd.Series([], dtype="str")
    return run.rows("problems", {"record_set": [RecordSet.USERS.value]})["crew_id"]


def _noted(run: RunRecord) -> pd.Series[str]:
    """The crews that the run warns of."""
    warnings = run.read_or_none(PlanWarnings)
    people = pd.Series([crew_id for _, _, crew_id in warnings.people] if warnings else [], dtype="str")
    return pd.concat([people, run.table("hygiene", ["crew_id"])["crew_id"]]) if run.has(Plan) else people


def _department_names(run: RunRecord, where: CurrentBaseline) -> dict[str, str]:
    tables = (where.table("departments"), run.table("departments"))
    rows = [table[["department_id", "name"]] for table in tables if table is not None]
    return dict(pd.concat(rows).itertuples(index=False, name=None))


def _labelled(codes: pa.ChunkedArray, names: dict[str, str]) -> pa.DictionaryArray:
    """Each department as `code name`, kept once."""
    coded = pc.dictionary_encode(codes).combine_chunks()
    labels = [f"{code} {names.get(code, '')}".strip() for code in coded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(coded.indices, pa.array(labels, type=pa.large_string()))
