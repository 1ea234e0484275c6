"""What the pages show of companies and their runs: plain records, whoever found them out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from renkei.errors import Problem
from renkei.runs.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Counts:
    """The people of one run."""

    valid: int  # 有効件数
    created: int
    updated: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Run:
    """A run as Airflow knows it."""

    run_id: str
    state: str  # queued | running | success | failed
    at: dt.datetime  # the tick of a daily run, else when it was asked for
    started: dt.datetime | None
    ended: dt.datetime | None
    mode: str  # 実行方法, its label
    writes: bool
    is_test: bool = False  # 通知テスト
    is_side_run: bool = False  # 事前確認, 照合: no day's result
    by: str = ""  # who started it; empty: it began by itself
    subject: str = ""  # as it was told
    outcome: Outcome | None = None
    counts: Counts | None = None

    @property
    def is_result(self) -> bool:
        """Whether it can be its day's result."""
        return not self.is_test and not self.is_side_run

    @property
    def finished(self) -> bool:
        return self.state in ("success", "failed")


@dataclass(frozen=True, slots=True)
class Question:
    """A run waits for a person's answer, in Airflow's 要対応項目."""

    run_id: str
    task_id: str
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class QuestionState:
    """A question that a run asked, and how it was answered."""

    open: bool
    by: str = ""  # the name of who answered; empty: nobody did in time
    chosen: str = ""  # the option; empty: the run ended without an answer
    why: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Freeze:
    """災害時凍結 of one company, or of all, switched on or off."""

    tenant: str  # or renkei.runs.freeze.ALL
    on: bool
    at: dt.datetime | None = None  # None: nobody knows
    by: str = ""  # who did it; empty: it was set in Airflow itself
    why: str = ""


@dataclass(frozen=True, slots=True)
class Company:
    """One tenant of one link: all that its state is made of."""

    dag_id: str
    link: str  # as people call it
    tenant: str
    name: str
    target: str = ""  # of the link, as people call it
    source: str = ""
    paused: bool = False
    dag_gone: bool = False  # Airflow does not load the Dag
    sheet_gone: bool = False
    pending: bool = False  # the sheet is being read
    broken: bool = False  # the sheet cannot be used
    unlinked: bool = False  # 連携解除
    frozen: bool = False  # 災害時凍結
    freezable: bool = False  # its link has a 災害時凍結
    provable: bool = False  # its link has a 即応証明
    link_start_on: dt.date | None = None
    next_run: dt.datetime | None = None
    due: dt.datetime | None = None  # the newest tick of which the result should be here; None: nobody can say
    sheet_digest: str = ""
    silent_since: dt.datetime | None = None  # the tick that should have given a result and did not
    last_result: dt.datetime | None = None  # None: there never was one
    last: Run | None = None  # the last one that is over, without 通知テスト
    current: Run | None = None  # the one that is under way
    question: Question | None = None
    notes: int = 0  # 注意 of the sheet
    void_grant: bool = False  # 再認可が必要: a person has to allow us the source again
    stopped_channels: int = 0  # 無効
    endings: Mapping[str, dt.date] = field(default_factory=dict)  # the 有効期限 that is near or over, by channel


@dataclass(frozen=True, slots=True)
class ChannelFact:
    """A channel of a company and how it does."""

    name: str
    service: str
    connection: str
    events: Sequence[str]
    muted: bool
    disabled_since: dt.datetime | None = None
    failures: int = 0
    last_at: dt.datetime | None = None
    last_well: bool | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number on a company's page."""

    label: str
    value: int | None


@dataclass(frozen=True, slots=True)
class Details:
    """What the store and the sheet know of one company."""

    sheet_file: str = ""
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    people: int | None = None  # that the target last confirmed
    departments: int | None = None
    confirmed_at: dt.datetime | None = None
    answer_until: dt.datetime | None = None
    channels: Sequence[ChannelFact] = ()
    fault: str = ""  # why the store cannot be read
    figures: Sequence[Figure] | None = None  # of a link without people: in their place


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The baseline: what the target confirmed last."""

    generation: int
    at: dt.datetime
    people: int
    departments: int
    sound: bool = False  # the record of its run is there, and is the one of this baseline
    plan_digest: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)  # of what was read, by what it is called


@dataclass(frozen=True, slots=True)
class ReachCounts:
    """People of the target, by how they can be reached."""

    present: int  # who work there, by the source
    lost: int  # of these: their id has vanished from the source
    reached: int
    unreached: int
    unknown: int
    media: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Written:
    """The last run that was to write, by its record."""

    run_id: str
    read_at: dt.datetime | None = None  # when it began to read the source
    ended_at: dt.datetime | None = None  # its good end; None: there is none on record
    is_current: bool = False  # the baseline is what it made, or found to be so already
    as_read: bool = False  # what it read was to be written: it was no 復元
    frozen: bool = True  # 災害時凍結 was on
    valid: int | None = None  # people to be in the target
    sheet_digest: str = ""
    reached: ReachCounts | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """The last 照合."""

    at: dt.datetime  # before the target was asked
    current: bool  # with the current baseline
    differences: int
    elsewhere: bool = False  # the target is reached at another address now, or at none


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the store knows of whether a company's target is as its source; None is what no record says."""

    confirmed: Confirmed | None = None
    written: Written | None = None
    compared: Compared | None = None
    fault: str = ""  # why it cannot be read


@dataclass(frozen=True, slots=True)
class RunProblem:
    """One error of a run: where it is, whose it is, what to do."""

    place: str  # 社員 12行目
    person: str  # the user id; shown to those who may see people
    page: str  # of the person in the source system
    item: str
    reason: str
    detail: str  # may quote a value; shown to those who may see people
    remedy: str


@dataclass(frozen=True, slots=True)
class Findings:
    """A page of the errors of a run."""

    problems: Sequence[RunProblem]
    count: int  # of all
    notes: int  # 注意, which a file of both has


@dataclass(frozen=True, slots=True)
class RunBeginning:
    """What a run began with."""

    sheet_digest: str
    frozen: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody answered to a run that asked; by nobody: its time was over."""

    run_id: str
    at: dt.datetime
    by: str
    chosen: str


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """Somebody asked Airflow to register, change or delete a Connection."""

    at: dt.datetime
    by: str
    name: str
    done: str  # 登録, 変更, 削除
    fields: Sequence[str] = ()  # the names of those that were given, as far as the audit log has them


@dataclass(frozen=True, slots=True)
class Generation:
    """A baseline."""

    number: int
    at: dt.datetime
    people: int
    departments: int


@dataclass(frozen=True, slots=True)
class CompanyEvents:
    """What happened to a company beside and within its runs."""

    begun: Mapping[str, RunBeginning] = field(default_factory=dict)  # by run id, as far as records tell
    replies: Sequence[Reply] = ()
    fault: str = ""  # why the store cannot be read


@dataclass(frozen=True, slots=True)
class ToldChannel:
    """What became of one message of a run."""

    channel: str
    event: str
    verdict: str  # of `renkei.systems.delivery.Verdict`
    reason: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class RunDetails:
    """What is kept of one run."""

    known: bool = True  # False: the record is gone
    kept_days: int = 400  # for how long records are kept
    summary: Sequence[str] = ()  # names nobody
    mail: str = ""  # the whole text of the result mail; names people
    problems: Sequence[RunProblem] = ()
    problem_count: int = 0
    notes: int = 0  # 注意
    told: Sequence[ToldChannel] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class RunChoice:
    """A 実行方法 that the console offers."""

    value: str
    label: str
    note: str
    writes: bool
