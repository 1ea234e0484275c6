"""Makes work of what was read, and moves the watermark: both in one transaction for each data set (K5).

From there on everything of the window is in the work list, failed and listed, or written before: a run that dies later
loses nothing, and the next one reads from the new watermark. Repeated after that transaction it finds nothing left to do.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
    update,
)

from renkei.clock import TOKYO
from renkei.links.hotprofile_kintone import data_sets, history
from renkei.links.hotprofile_kintone.history import State
from renkei.links.hotprofile_kintone.model import Job, Mode
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet
from renkei.links.hotprofile_kintone.stages.read import Source, versions_of
from renkei.links.hotprofile_kintone.tables import FAILED, INCOMING, PLANNED, SENDING, WORK, WRITTEN
from renkei.storage.database import statements

EMPTY_KEY, SAME_KEY, TAKEN_KEY = "EMPTY_KEY", "SAME_KEY", "TAKEN_KEY"
OF_KEYS = (SAME_KEY, TAKEN_KEY)  # looked at anew by every plan: another record's change may have mended them
LOOKUP = "GAIA_LO04"  # tried again each day: somebody may have added what the lookup asks for (K18)
MANY = 500  # rows after which PostgreSQL's own look at its tables comes too late
PIECE = 10_000  # records that one statement takes over
MAX_NAMED = 10  # records that a cause names
MAX_ASKED = 100  # records that Hot Profile is asked for one by one
LooksUp = Callable[[Collection[str]], dict[str, bytes | None]]  # the keys that records have now, of those still there


def plan(job: Job, source: Source, now: dt.datetime) -> dict[str, dict[str, int]]:
    """Of each data set how many records are to be written, unchanged, failed; and the requests that they take."""
    lines = history.lines(job) if job.mode.reads else {}
    found = {}
    for data_set in job.mapping.enabled:
        line = lines.get(data_set.name)
        if line is not None and line.state is not State.STOPPED:
            found[data_set.name] = _plan(job, data_set, line.until, source, now)
    return found


def _plan(job: Job, data_set: DataSet, until: dt.datetime | None, source: Source, now: dt.datetime) -> dict[str, int]:
    keys_now = _looks_up(job, data_set, source)
    taken = _taken_keys(
        job, data_set, keys_now
    )  # asks Hot Profile: before the transaction, which would keep others out
    with job.database.writing() as connection:
        step = _Step(connection, job, data_set, now)
        read = step.count(INCOMING)
        step.learn(read)
        unchanged = step.drop_unchanged()
        if job.mode.writes:
            step.try_again()
            step.take_over()
            step.mark_keys(taken)
            is_whole = step.count(INCOMING) == 0  # what is left is read again by the next run
            if until is not None and is_whole and job.mode is not Mode.INITIAL:
                data_sets.move_watermark(connection, job, data_set, until)
            step.learn(read)
            waiting = step.count(WORK, WORK.c.state != FAILED)
        else:
            waiting = step.count(INCOMING)
            data_sets.drop_incoming(connection, job, data_set)
        if read:  # a repeated plan finds nothing left, and leaves what it counted
            history.note(job, data_set, connection, read=read, unchanged=unchanged)
        failed = step.count(WORK, WORK.c.state == FAILED)
        history.note(job, data_set, connection, failed=failed, held=waiting)
    return {
        "read": read,
        "unchanged": unchanged,
        "to_write": waiting,
        "failed": failed,
        "requests": -(-waiting // 100),
    }


class _Step:
    """The statements of one data set's plan."""

    def __init__(self, connection: Connection, job: Job, data_set: DataSet, now: dt.datetime) -> None:
        self._connection, self._job, self._now = connection, job, now
        self._names = {"tenant": job.tenant, "data_set": data_set.name}
        self._label = data_set.label

    def _of(self, table: Any) -> Any:
        return and_(*(table.c[name] == value for name, value in self._names.items()))

    def count(self, table: Any, *conditions: Any) -> int:
        return self._connection.scalar(select(func.count()).where(self._of(table), *conditions)) or 0

    def learn(self, rows: int) -> None:
        """Tell PostgreSQL how large the tables have become: it would look for each of many new rows in all of them."""
        if rows >= MANY and self._connection.dialect.name == "postgresql":
            for table in (INCOMING, WORK, WRITTEN):
                self._connection.execute(text(f"ANALYZE {table.name}"))

    def _same_id(self, one: Any, other: Any) -> Any:
        return and_(self._of(other), other.c.source_id == one.c.source_id)

    def drop_unchanged(self) -> int:
        """Takes away what kintone has already, and what waits or has failed as it is; how many kintone has (K5).

        Of what was ever sent kintone is not known to have the version before, until it confirms one (`write`).
        """
        as_written = exists().where(self._same_id(INCOMING, WRITTEN), WRITTEN.c.digest == INCOMING.c.digest)
        if self._job.mode.writes:  # it had been changed, and was changed back before anybody wrote it
            back = exists().where(self._same_id(WORK, INCOMING), as_written)
            self._connection.execute(delete(WORK).where(self._of(WORK), back))
        dropped = self._connection.execute(delete(INCOMING).where(self._of(INCOMING), as_written))
        listed = exists().where(
            self._same_id(INCOMING, WORK), WORK.c.digest == INCOMING.c.digest, WORK.c.state != SENDING
        )
        if self._job.mode is not Mode.INITIAL:
            if (
                self._job.mode.writes
            ):  # 初期連携 was the first to read it: it is a change all the same, and comes before
                again = exists().where(self._same_id(WORK, INCOMING), WORK.c.initial)
                self._connection.execute(update(WORK).where(self._of(WORK), again).values(initial=False))
            self._connection.execute(delete(INCOMING).where(self._of(INCOMING), listed))
        return dropped.rowcount

    def take_over(self) -> None:
        """From `incoming` into the list; a newer version takes the place of an older one.

        One that kintone may have got as a new record is known there by the 更新キー alone that was sent: until kintone has
        answered that, a version with another one stays where it is.
        """
        sent = (WORK.c.state == SENDING, WORK.c.key.is_distinct_from(INCOMING.c.key))
        stays = exists().where(self._same_id(INCOMING, WORK), *sent, ~exists().where(self._same_id(INCOMING, WRITTEN)))
        copied = ("tenant", "data_set", "source_id", "updated_at", "digest", "key", "old_key", "body")
        new = statements.insert(self._job.database, WORK)
        rest = {"state": PLANNED, "initial": self._job.mode is Mode.INITIAL, "since": self._now}
        columns = [*(INCOMING.c[name] for name in copied), *(literal(rest[name], WORK.c[name].type) for name in rest)]
        ids = select(INCOMING.c.source_id).where(self._of(INCOMING), INCOMING.c.source_id >= bindparam("first"))
        piece = INCOMING.c.source_id.in_(ids.order_by(INCOMING.c.source_id).limit(PIECE))
        into = new.from_select([*copied, *rest], select(*columns).where(self._of(INCOMING), piece, ~stays))
        newer = {name: new.excluded[name] for name in copied[3:]}
        # What may have been sent stays that, whatever came after it: only an answer tells what kintone has.
        newer["state"] = case((WORK.c.state == SENDING, WORK.c.state), else_=new.excluded["state"])
        clean = {"failed_at": None, "field": "", "code": "", "cause": "", "remedy": "", "told": false()}
        # 初期連携 does not put a change behind a million others.
        initial = {"initial": and_(WORK.c.initial, new.excluded.initial)}
        keys = ["tenant", "data_set", "source_id"]
        into = into.on_conflict_do_update(index_elements=keys, set_=newer | clean | initial)
        for first in self._pieces():
            self._connection.execute(into, {"first": first})
        self._connection.execute(delete(INCOMING).where(self._of(INCOMING), ~stays))

    def _pieces(self) -> Iterator[str]:
        """The first id of each piece of `incoming`: what a statement changes twice, SQLite keeps in memory until its end."""
        ids = select(INCOMING.c.source_id).where(self._of(INCOMING)).order_by(INCOMING.c.source_id)
        first = self._connection.scalar(ids.limit(1))
        while first is not None:
            yield first
            first = self._connection.scalar(ids.where(INCOMING.c.source_id >= first).offset(PIECE).limit(1))

    def try_again(self) -> None:
        """What had failed and is to be tried again: all that was asked for, lookups of another day, what hangs on keys."""
        today = dt.datetime.combine(self._now.astimezone(TOKYO).date(), dt.time(), TOKYO)
        again = or_(WORK.c.code.in_(OF_KEYS), and_(WORK.c.code == LOOKUP, WORK.c.failed_at < today))
        if self._job.mode is Mode.RETRY_FAILED:
            again = true()
        failed = (self._of(WORK), WORK.c.state == FAILED, again)
        told = false() if self._job.mode is Mode.RETRY_FAILED else WORK.c.told
        self._connection.execute(update(WORK).where(*failed).values(state=PLANNED, told=told))

    def mark_keys(self, taken: dict[str, str]) -> None:
        """Fails what has no 更新キー, or one that is another record's too (K7). `taken`: whose, by the id of ours."""
        open_ = (self._of(WORK), WORK.c.state != FAILED)
        empty = _failure(EMPTY_KEY, "更新キーが空です", "Hot Profileで更新キーの項目に値を入力してください", self._now)
        self._connection.execute(update(WORK).where(*open_, WORK.c.key.is_(None)).values(empty))
        again = select(WORK.c.key).where(*open_).group_by(WORK.c.key).having(func.count() > 1)
        query = select(WORK.c.key, WORK.c.source_id).where(*open_, WORK.c.key.in_(again)).order_by(WORK.c.source_id)
        by_key: dict[bytes, list[str]] = defaultdict(list)
        for key, source_id in self._connection.execute(query):
            by_key[key].append(source_id)
        same = {one: [other for other in ids if other != one] for ids in by_key.values() for one in ids}
        remedy = f"Hot Profileで、どの{self._label}の更新キーも別の値にしてください"
        self._fail(
            SAME_KEY,
            {one: f"更新キーが他のレコードと同じです（ID {named(ids)}）" for one, ids in same.items()},
            remedy,
        )
        cause = "更新キーが、連携済みの他のレコードと同じです（ID {}）"
        self._fail(TAKEN_KEY, {one: cause.format(other) for one, other in taken.items() if one not in same}, remedy)

    def _fail(self, code: str, causes: dict[str, str], remedy: str) -> None:
        for source_id, cause in causes.items():
            failed = _failure(code, cause, remedy, self._now)
            self._connection.execute(
                update(WORK).where(self._of(WORK), WORK.c.source_id == source_id, WORK.c.state != FAILED).values(failed)
            )


def _failure(code: str, cause: str, remedy: str, now: dt.datetime) -> dict[str, Any]:
    """What it failed of; `failed_at` stays where it had failed of the same before, so that nobody is told twice."""
    moment = literal(now, WORK.c.failed_at.type)  # in UTC, whatever time zone the database's session has
    return {
        "state": FAILED,
        "code": code,
        "field": "",
        "told": case((WORK.c.code == code, WORK.c.told), else_=false()),
        "failed_at": case((WORK.c.code == code, func.coalesce(WORK.c.failed_at, moment)), else_=moment),
        "cause": cause,
        "remedy": remedy,
    }


def named(ids: Sequence[str]) -> str:
    """The first of the ids, as a cause names them."""
    more = "ほか" if len(ids) > MAX_NAMED else ""
    return "、".join(ids[:MAX_NAMED]) + more


def _taken_keys(job: Job, data_set: DataSet, keys_now: LooksUp) -> dict[str, str]:
    """Of the records that have the 更新キー of another one that was written: that one's id, where it still has it.

    One that is gone from Hot Profile, or has another key by now, gives its record in kintone up: データクレンジング.
    """
    pairs: list[tuple[str, str, bytes]] = []
    with job.database.reading() as connection:
        for table in (INCOMING, WORK):
            of = [both.c[name] == value for both in (table, WRITTEN) for name, value in _names(job, data_set).items()]
            other = (table.c.key == WRITTEN.c.key, table.c.source_id != WRITTEN.c.source_id)
            known = or_(table.c.old_key.is_(None), table.c.old_key != WRITTEN.c.key)
            query = select(table.c.source_id, WRITTEN.c.source_id, table.c.key).where(*of, *other, known)
            pairs += [(row[0], row[1], row[2]) for row in connection.execute(query)]
    if not pairs:
        return {}
    others = sorted({other for _, other, _ in pairs})
    current = keys_now(others[:MAX_ASKED])
    unknown = set(others[MAX_ASKED:])  # nothing is given up unasked
    return {one: other for one, other, key in pairs if other in unknown or current.get(other) == key}


def _looks_up(job: Job, data_set: DataSet, source: Source) -> LooksUp:
    def keys_now(ids: Collection[str]) -> dict[str, bytes | None]:
        versions = versions_of(job, data_set)
        entries = source.by_id(data_set.name, sorted(ids))
        return {version.source_id: version.key for version in versions.of_all(entries)}

    return keys_now


def _names(job: Job, data_set: DataSet) -> dict[str, str]:
    return {"tenant": job.tenant, "data_set": data_set.name}
