"""Hot Profile → kintone without a network: a source and an app in memory, and a run of one tenant, task by task."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from renkei.clock import TOKYO
from renkei.links.hotprofile_kintone import LINK, data_sets, history
from renkei.links.hotprofile_kintone.model import Job, Mode, RunStart, host_of
from renkei.links.hotprofile_kintone.quota import Quota
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Item, Mapping
from renkei.links.hotprofile_kintone.stages.check import check, tested_digest
from renkei.links.hotprofile_kintone.stages.plan import plan
from renkei.links.hotprofile_kintone.stages.read import read
from renkei.links.hotprofile_kintone.stages.trial import Tested, try_one
from renkei.links.hotprofile_kintone.stages.write import write
from renkei.storage.cipher import Cipher
from renkei.storage.database.database import Database, open_database
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.kintone.errors import RecordChangedError, RecordGoneError, RecordRefusedError, Refusal
from renkei.systems.kintone.form import Field, Form
from renkei.systems.kintone.payloads import Record, Written

NINE = dt.datetime(2026, 4, 1, 9, 0, tzinfo=TOKYO)
KEY = "ZGVtby1rZXktZGVtby1rZXktZGVtby1rZXktZGVtby0="  # 32 bytes
COMPANIES = DataSet(
    "companies",
    "1",
    True,
    "会社ID",
    (Item("会社ID", "id"), Item("会社名", "name"), Item("備考", "note", skip_blank=True)),
)
MAPPING = Mapping(
    tenant="acme",
    company="Acme",
    domain="https://acme.cybozu.com",
    user="renkei",
    interval_minutes=5,
    data_sets=(COMPANIES,),
)
FORM = Form(
    "1",
    "3",
    {
        "id": Field("id", "SINGLE_LINE_TEXT", "ID", unique=True),
        "name": Field("name", "SINGLE_LINE_TEXT", "会社名", unique=True, longest=10),
        "note": Field("note", "MULTI_LINE_TEXT", "備考"),
    },
)


@dataclass
class FakeHotProfile:
    """Companies by id; `now` is its clock."""

    clock: dt.datetime = NINE
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    fault: Exception | None = None  # raised after the first list
    asked: list[tuple[dt.datetime, dt.datetime]] = field(default_factory=list)
    page: int = 1000

    def put(self, number: int | str, name: str = "", at: dt.datetime | None = None, **rest: Any) -> None:
        updated = (at or self.clock).astimezone(TOKYO)
        entry = {"id": number, "name": name or f"会社{number}", "updated_at": f"{updated:%Y-%m-%d %H:%M:%S}", **rest}
        self.entries[str(number)] = entry

    def now(self) -> dt.datetime:
        return self.clock

    def changed(self, data_set: str, since: dt.datetime, until: dt.datetime) -> Iterator[list[dict[str, Any]]]:
        self.asked.append((since, until))
        found = [one for one in self.entries.values() if since <= self._at(one) <= until]
        for start in range(0, len(found), self.page):
            yield found[start : start + self.page]
            if self.fault:
                raise self.fault
        if self.fault:
            raise self.fault

    def by_id(self, data_set: str, ids: Sequence[str]) -> list[dict[str, Any]]:
        return [self.entries[one] for one in ids if one in self.entries]

    @staticmethod
    def _at(entry: dict[str, Any]) -> dt.datetime:
        return dt.datetime.fromisoformat(entry["updated_at"]).replace(tzinfo=TOKYO)


@dataclass
class FakeKintone:
    """One app: its records by kintone's id, each a dict of values. `spend` is the quota's."""

    form_: Form = FORM
    spend: Callable[[int], None] = lambda count: None
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)  # keys of records that it does not take, without saying which
    requests: int = 0
    fault: Callable[[], None] = lambda: None  # called before an answer: may raise, and may have written
    before: Callable[[], None] = lambda: None
    lock: threading.Lock = field(
        default_factory=threading.Lock
    )  # one request after the other, as kintone's rows have it

    def form(self, app: str) -> Form:
        self._ask()
        return self.form_

    def know(self, form: Form) -> None:
        pass

    def find(self, app: str, field: str, values: Sequence[str], fields: Sequence[str] = ()) -> list[Record]:
        self._ask()
        return [self._whole(number) for number, one in self.records.items() if {"$id": number, **one}[field] in values]

    def pages(self, app: str, fields: Sequence[str], query: str = "") -> Iterator[list[Record]]:
        self._ask()
        yield [self._whole(number) for number in self.records]

    def by_hand(self, number: str, **values: Any) -> None:
        """Somebody changes a record in kintone."""
        self._set(number, {code: {"value": value} for code, value in values.items()})

    def _whole(self, number: str) -> Record:
        cells = {"$id": number, "$revision": str(self.revisions.get(number, 1)), **self.records[number]}
        return {code: {"value": value} for code, value in cells.items()}

    def upsert(self, app: str, key: str, records: Sequence[tuple[str, Record]]) -> list[Written]:
        self._ask()
        assert len(records) <= 100
        if self.refuses & {value for value, _ in records}:
            raise RecordRefusedError(
                [Refusal(None, "name", "GAIA_LO04", "ルックアップの値がありません", "加えてください")]
            )
        written = []
        with self.lock:
            numbers = {has[key]: number for number, has in self.records.items()}
            for value, record in records:
                assert value
                number = numbers.get(value) or str(max(map(int, self.records), default=0) + 1)
                self._set(number, {key: {"value": value}, **record})
                written.append(Written(number, str(self.revisions[number]), value not in numbers))
        self.fault()
        return written

    def update(self, app: str, records: Sequence[tuple[str, Record]], revisions: Sequence[str] = ()) -> list[Written]:
        self._ask()
        if self.refuses & {self.records[number]["id"] for number, _ in records if number in self.records}:
            raise RecordRefusedError([Refusal(None, "name", "GAIA_LO04", "", "")])
        if any(number not in self.records for number, _ in records):
            raise RecordGoneError([Refusal(None, "", "GAIA_RE01", "", "")])
        for (number, _), revision in zip(records, revisions, strict=False):
            if revision not in ("", str(self.revisions[number])):
                raise RecordChangedError("changed", unknown=False)
        for number, record in records:
            self._set(number, record)
        self.fault()
        return [Written(number, str(self.revisions[number]), False) for number, _ in records]

    def _set(self, number: str, record: Record) -> None:
        self.revisions[number] = self.revisions.get(number, 0) + 1
        self.records.setdefault(number, {}).update({code: cell["value"] for code, cell in record.items()})

    def _ask(self) -> None:
        self.spend(1)
        self.before()
        self.requests += 1

    def by_key(self, key: str = "id") -> dict[str, str]:
        """The names by the key, to compare with what Hot Profile has; fails where a key is there twice."""
        keys = [one[key] for one in self.records.values()]
        assert len(keys) == len(set(keys)), f"a record is there twice: {sorted(keys)}"
        return {one[key]: one["name"] for one in self.records.values()}


@dataclass
class LinkWorld:
    """One tenant with its rows, and its runs. `clock` is ours."""

    folder: Path
    mapping: Mapping = MAPPING
    hotprofile: FakeHotProfile = field(default_factory=FakeHotProfile)
    kintone: FakeKintone = field(default_factory=FakeKintone)
    clock: dt.datetime = NINE
    runs: int = 0
    quota: int = 5_000

    def __post_init__(self) -> None:
        self.database: Database = open_database(f"sqlite:///{self.folder}/renkei.db")
        self.store = Store(LocalFileSystem(), str(self.folder / "store"), Cipher(KEY))

    def copy(self, folder: Path) -> LinkWorld:
        """Another world that is what this one is now."""
        shutil.copytree(self.folder, folder)
        hotprofile = replace(self.hotprofile, entries=deepcopy(self.hotprofile.entries), asked=[])
        kintone = FakeKintone(
            self.kintone.form_,
            records=deepcopy(self.kintone.records),
            revisions=dict(self.kintone.revisions),
            requests=self.kintone.requests,
        )
        return replace(self, folder=folder, hotprofile=hotprofile, kintone=kintone)

    def job(self, mode: Mode = Mode.NORMAL, run: str = "", **asked: Any) -> Job:
        if not run:
            self.runs += 1
        record = RunRecord(TenantFolder(self.store, LINK, self.mapping.tenant), run or f"run{self.runs}.000000000000")
        return Job(self.database, record, RunStart(record.run, mode, self.clock, self.mapping, **asked))

    def wait(self, **span: float) -> None:
        self.clock += dt.timedelta(**span)
        self.hotprofile.clock += dt.timedelta(**span)

    def target(self, job: Job, data_set: DataSet) -> FakeKintone:
        quota = Quota(self.database, host_of(self.mapping), data_set.app, self.quota)
        self.kintone.spend = lambda count: quota.reserve(
            count, self.clock, history.added(job, data_set, requests=count)
        )
        return self.kintone

    def pass_test(self) -> None:
        """連携テスト of every data set."""
        job = self.job()
        for data_set in self.mapping.data_sets:
            data_sets.note_tested(job, data_set, tested_digest(job, data_set))

    def try_one(self, source_id: str) -> Tested:
        """連携テスト of a company."""
        job, one = self.job(Mode.TEST_ONE, data_set="companies", source_id=source_id), self.mapping.data_sets[0]
        check(job, lambda data_set: self.target(job, data_set), self.now)
        return try_one(job, one, lambda app: self.target(job, one), self.hotprofile, self.now)

    def steps(self, job: Job) -> list[Callable[[], Any]]:
        """The tasks of a run, in their order."""
        writes = [
            lambda one=one: write(job, one, lambda app: self.target(job, one), self.hotprofile, self.now)
            for one in self.mapping.enabled
        ]
        return [
            lambda: check(job, lambda one: self.target(job, one), self.now),
            lambda: read(job, self.hotprofile),
            lambda: plan(job, self.hotprofile, self.clock),
            *writes,
        ]

    def now(self) -> dt.datetime:
        return self.clock

    def run(self, mode: Mode = Mode.NORMAL, **asked: Any) -> dict[str, history.Processed]:
        """A whole run; its lines of データ処理状況一覧."""
        job = self.job(mode, **asked)
        for step in self.steps(job):
            step()
        return history.lines(job)

    def start(self) -> None:
        """The link is tested and enabled, five minutes ago."""
        self.pass_test()
        self.run()
        self.wait(minutes=5)

    def failed(self) -> dict[str, str]:
        """The codes of 失敗レコード by Hot Profile's ids."""
        return {one.source_id: one.code for one in history.failed_records(self.database, self.mapping.tenant)}

    def change_mapping(self, **changed: Any) -> None:
        self.mapping = replace(self.mapping, data_sets=(replace(self.mapping.data_sets[0], **changed),))
