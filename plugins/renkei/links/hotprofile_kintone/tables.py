"""What the database keeps of this link (docs/store.md).

A record of Hot Profile is known by its id, which names nobody. `body` is its mapped items as they were read, sealed
where the store has a key; `digest` stands for them and for how they are mapped; `key` for its 更新キー. No digest of
what was read can be told without the tenant's `DIGEST_KEY`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, LargeBinary, String, Table, Text, false

from renkei.storage.database.columns import Moment
from renkei.storage.database.database import METADATA

_P = "hotprofile_kintone_"
PLANNED, SENDING, FAILED = "planned", "sending", "failed"  # states of `work`; what is written is no work any more


def _names() -> list[Column[str]]:
    """Whose record it is: of a tenant, a data set, by Hot Profile's id."""
    return [
        Column("tenant", String(100), primary_key=True),
        Column("data_set", String(20), primary_key=True),
        Column("source_id", String(64), primary_key=True),
    ]


def _version() -> list[Column[object]]:
    """What was read of it."""
    return [
        Column("updated_at", String(32), nullable=False),  # as Hot Profile writes it
        Column("digest", LargeBinary(16), nullable=False),
        Column("key", LargeBinary(16)),  # none where the 更新キー is blank
        Column("old_key", LargeBinary(16)),  # of 旧キー (K22)
        Column("body", LargeBinary, nullable=False),
    ]


DATA_SET = Table(
    _P + "data_set",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("data_set", String(20), primary_key=True),
    Column("enabled_at", Moment),  # 有効化日時, by Hot Profile's clock; None before
    Column("watermark", Moment),  # up to there everything is in `work`, or done
    Column("paused_at", Moment),  # since when the sheet has it off
    Column("target", String(250), nullable=False, server_default=""),  # kintone's domain and app that it is written to
    Column("tested", String(64), nullable=False, server_default=""),  # digest of the mapping that passed 連携テスト
)
INCOMING = Table(  # what is being read: work only when the read is proven whole
    _P + "incoming",
    METADATA,
    *_names(),
    *_version(),
)
WORK = Table(
    _P + "work",
    METADATA,
    *_names(),
    *_version(),
    Column("state", String(10), nullable=False),
    Column("initial", Boolean, nullable=False),  # of 初期連携: after everything else
    Column("since", Moment, nullable=False),  # when it came into the list
    Column("failed_at", Moment),
    Column("field", String(200), nullable=False, server_default=""),  # field code of kintone
    Column("code", String(40), nullable=False, server_default=""),
    Column("cause", Text, nullable=False, server_default=""),  # Japanese, and names nobody
    Column("remedy", Text, nullable=False, server_default=""),
    Column("told", Boolean, nullable=False, server_default=false()),  # of its failure somebody has heard
    Index(_P + "work_next", "tenant", "data_set", "state", "initial", "source_id"),
    Index(_P + "work_key", "tenant", "data_set", "key"),
)
WRITTEN = Table(  # what kintone confirmed last
    _P + "written",
    METADATA,
    *_names(),
    Column("updated_at", String(32), nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("key", LargeBinary(16), nullable=False),
    Column("record_id", String(20), nullable=False),  # kintone's $id
    Column("revision", String(20), nullable=False),
    Column("written_at", Moment, nullable=False),
    Column("ours", LargeBinary),  # of each watched field what stands for the values that may be ours, sealed (K23)
    Index(_P + "written_key", "tenant", "data_set", "key"),
    Index(_P + "written_record", "tenant", "data_set", "record_id"),
)
DIGEST_KEY = Table(
    _P + "digest_key",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),  # 32 random bytes
)
QUOTA = Table(  # of one app, over all tenants and data sets (K15)
    _P + "quota",
    METADATA,
    Column("host", String(200), primary_key=True),
    Column("app", String(20), primary_key=True),
    Column("day", Date, primary_key=True),  # of Japan
    Column("used", Integer, nullable=False),
)
CONFLICT = Table(  # a field that somebody changed in kintone since we wrote it (K23)
    _P + "conflict",
    METADATA,
    *_names(),
    Column("field", String(200), primary_key=True),
    Column("record_id", String(20), nullable=False),  # kintone's $id
    Column("state", String(12), nullable=False),  # see conflicts
    Column("mark", String(8), nullable=False),  # tells two values apart
    Column("seen_at", Moment, nullable=False),
    Column("told", Boolean, nullable=False, server_default=false()),  # of it somebody has heard
    Index(_P + "conflict_time", "tenant", "seen_at"),
)
FORM = Table(  # of a tenant's app, as it was read last: what waits for tomorrow's requests is planned by it
    _P + "form",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("host", String(200), primary_key=True),
    Column("app", String(20), primary_key=True),
    Column("read_at", Moment, nullable=False),
    Column("content", Text, nullable=False),
)
HISTORY = Table(  # データ処理状況一覧: of a run, each data set
    _P + "history",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("run", String(120), primary_key=True),  # the name of its record
    Column("data_set", String(20), primary_key=True),
    Column("run_id", String(250), nullable=False),  # Airflow's
    Column("mode", String(20), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("since", Moment),  # the window that was read
    Column("until", Moment),
    Column("state", String(20), nullable=False),  # see history.State
    *(
        Column(name, BigInteger, nullable=False, server_default="0")
        for name in ("read", "added", "updated", "unchanged", "failed", "held", "requests")
    ),
    Column("said", Text, nullable=False, server_default=""),  # why it stopped
    Index(_P + "history_time", "tenant", "started_at"),
)
