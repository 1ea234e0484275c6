"""What the database keeps of an administrator's settings of this link (docs/store.md, docs/decisions/0019).

An employee is known by KING OF TIME's permanent key, which names nobody: the 従業員コード may change, and may pass to
somebody else. Names, LINE WORKS ids and user ids are sealed where the store has a key.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, LargeBinary, String, Table, Text, false

from renkei.storage.database.columns import Moment
from renkei.storage.database.database import METADATA

_P = "lineworks_kot_"

WORDS = Table(  # 打刻メッセージ編集: the highest version is in force
    _P + "words",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("by", String(200), nullable=False),
    Column("why", Text, nullable=False, server_default=""),
    Column("content", Text, nullable=False),  # JSON: kind and word of each line
)
EMPLOYEE = Table(  # KING OF TIME's employees as they were read last (P5)
    _P + "employee",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("code", String(40), nullable=False),  # 従業員コード
    Column("division", String(40), nullable=False),  # 所属コード
    Column("division_name", String(200), nullable=False, server_default=""),
    Column("type", String(40), nullable=False),  # 雇用区分コード
    Column("type_name", String(200), nullable=False, server_default=""),
    Column("name", LargeBinary, nullable=False),  # sealed
    Column("gone", Boolean, nullable=False, server_default=false()),  # not among those that were read last
    Column("seen_at", Moment, nullable=False),
    Index(_P + "employee_code", "tenant", "code"),
    Index(_P + "employee_group", "tenant", "division", "type", "code"),
)
ACCOUNT = Table(  # アカウント設定: the LINE WORKS account of an employee (P5)
    _P + "account",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("entered", LargeBinary, nullable=False),  # sealed: the LINE WORKSアカウントID as it was entered
    Column("entered_digest", LargeBinary(16), nullable=False),
    Column("state", String(12), nullable=False),  # of `accounts.AccountState`
    Column("user", LargeBinary),  # sealed: the userId that callbacks have
    Column("user_digest", LargeBinary(16)),  # by which a message finds its employee
    Column("at", Moment, nullable=False),  # when it was entered
    Column("by", String(200), nullable=False),
    Column("checked_at", Moment),  # when LINE WORKS was asked for the userId
    Index(_P + "account_entered", "tenant", "entered_digest", unique=True),
    Index(_P + "account_user", "tenant", "user_digest", unique=True),
    Index(_P + "account_state", "tenant", "state"),
)
REGISTRATION = Table(  # LINE WORKSのAPI登録: who agreed, and how far it is (P2, P3); the secrets are in the Connection
    _P + "registration",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("agreed_at", Moment),
    Column("agreed_by", String(200), nullable=False, server_default=""),
    Column("first_at", Moment),  # 第一段階
    Column("first_by", String(200), nullable=False, server_default=""),
    Column("second_at", Moment),  # ボットシークレット
    Column("second_by", String(200), nullable=False, server_default=""),
    Column("employees_at", Moment),  # when KING OF TIME's employees were read last
)
PUNCH = Table(  # one row for each message that asked for a punch, whatever became of it
    _P + "punch",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("number", BigInteger, primary_key=True),  # of the message in the inbox
    Column("key", String(64), nullable=False),  # of the employee; empty: nobody's
    Column("code", String(40), nullable=False),  # 従業員コード
    Column("division", String(40), nullable=False),  # 所属コード
    Column("sender", LargeBinary, nullable=False),  # sealed: the userId of the message
    Column("kind", String(1), nullable=False),  # 打刻種別; empty where there are two
    Column("word", String(100), nullable=False),
    Column("issued_at", Moment, nullable=False),  # the message's own time, which is the punch's
    Column("day", Date),  # the working day
    Column("state", String(10), nullable=False),  # of `punches.State`
    Column("reason", String(12), nullable=False),  # of `deciding.Reason`, or empty
    Column("note", Text, nullable=False, server_default=""),  # Japanese, and names nobody
    Column("received_at", Moment, nullable=False),
    Column("sent_at", Moment),  # when it was sent to KING OF TIME last
    Column("done_at", Moment),  # when it was known what became of it
    Column("by", String(200), nullable=False, server_default=""),  # who decided about a held one
    Column("absent", Integer, nullable=False, server_default="0"),  # how often KING OF TIME did not have it though sent
    Index(_P + "punch_person", "tenant", "key", "issued_at"),
    Index(_P + "punch_day", "tenant", "day", "key"),
    Index(_P + "punch_state", "tenant", "state", "number"),
    Index(_P + "punch_received", "tenant", "received_at"),
)
