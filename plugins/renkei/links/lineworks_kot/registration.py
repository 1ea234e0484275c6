"""LINE WORKSのAPI登録: who agreed, and how far the registration is (P2, P3). The secrets are in Airflow's Connection."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, exists, select

from renkei.inbox.tables import MESSAGE
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.tables import REGISTRATION
from renkei.storage.database.database import Database
from renkei.storage.database.statements import insert

FIRST_DONE = "第一段階のAPI登録が成功しました。連携を完了するためボットシークレット情報を入力してください。"  # text 4
DONE = "LINE WORKS と連携できました。"  # text 4
AGREED = "確認のうえ、同意します。"  # text 4
CALLED_WITHIN = dt.timedelta(hours=12)  # of the second stage: by then somebody has written to the bot
UNCALLED = (
    "Bot Secretを登録してから、それで署名されたメッセージがまだ1件も届いていません。届くまで、LINE WORKSからは打刻されません。"
    "Developer ConsoleのBotで、Bot Secretが登録したものと同じか、Callback URLが正しいかを確認し、"
    "Botに1通送ってみてください。"
)
SECRET_LATER = dt.timedelta(minutes=11)  # as long as the old Bot Secret may be taken beside a new one (P11)


@dataclass(frozen=True, slots=True)
class Registration:
    """What is known of one tenant's; None is what was not done yet."""

    agreed_at: dt.datetime | None = None
    agreed_by: str = ""
    first_at: dt.datetime | None = None
    first_by: str = ""
    second_at: dt.datetime | None = None
    second_by: str = ""
    employees_at: dt.datetime | None = None


def read_registration(database: Database, tenant: str) -> Registration:
    wanted = select(REGISTRATION).where(REGISTRATION.c.tenant == tenant)
    with database.reading() as connection:
        row = connection.execute(wanted).mappings().first()
    return Registration(**{name: value for name, value in row.items() if name != "tenant"}) if row else Registration()


def note_registration(database: Database, tenant: str, connection: Connection | None = None, **values: Any) -> None:
    """Keeps these columns, in a transaction of the caller's or one of its own."""
    if connection is None:
        with database.writing() as own:
            return note_registration(database, tenant, own, **values)
    new = insert(database, REGISTRATION).on_conflict_do_update(index_elements=["tenant"], set_=values)
    connection.execute(new, {"tenant": tenant, **values})
    return None


def was_called_back(database: Database, tenant: str, since: dt.datetime) -> bool:
    """Whether a message signed with the Bot Secret that was registered then has come: only so it is known to be right (P3).

    Where one came before, there was another secret, with which those of the next minutes may still be signed.
    """
    mine = exists().where(MESSAGE.c.link == LINK, MESSAGE.c.tenant == tenant)
    with database.reading() as connection:
        replaces = connection.scalar(select(mine.where(MESSAGE.c.received_at < since)))
        counts_from = since + SECRET_LATER if replaces else since
        return bool(connection.scalar(select(mine.where(MESSAGE.c.received_at >= counts_from))))


def is_uncalled(database: Database, tenant: str, now: dt.datetime) -> bool:
    """Whether a Bot Secret was registered half a day ago, and nothing that it signed has come: it is another app's."""
    since = read_registration(database, tenant).second_at
    return since is not None and now - since > CALLED_WITHIN and not was_called_back(database, tenant, since)
