"""The way in: a message is accepted when the disk has it."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import queue
import threading
import time
from concurrent.futures import Future
from typing import Any

from sqlalchemy import func, select

from renkei.errors import StoreError
from renkei.inbox.tables import MESSAGE, State
from renkei.storage.database.database import Database, open_database
from renkei.storage.database.statements import insert
from renkei.storage.store import Store

AT_ONCE = 200  # messages in one transaction
MAX_WAITING = 2_000  # messages in memory while the database is away
TRIED_FOR_S, TRIED_EVERY_S = 8.0, 0.5  # a database that begins anew is away for seconds; whoever sent waits ten
LOCK = 7_365_210_442  # PostgreSQL's advisory lock of whoever writes messages


class Receiver:
    """Writes messages for as long as its process lives.

    A flush to the disk takes as long for a hundred messages as for one: what arrives during one of them is written
    together by the next, in a thread of its own.
    """

    def __init__(self, url: str, store: Store) -> None:
        self._url, self._store = url, store
        self._arrived: queue.Queue[tuple[float, dict[str, Any], Future[None]]] = queue.Queue(MAX_WAITING)
        threading.Thread(target=self._write_on, name="inbox", daemon=True).start()

    def accept(
        self, link: str, tenant: str, event: str, key: str, received_at: dt.datetime, body: bytes
    ) -> Future[None]:
        """Done once the message is durable; a StoreError if it is not known to be.

        `event` is what makes a message the same one again, which changes nothing; messages of one `key` (an employee,
        a document) are taken one after another.

        Raises:
            StoreError: too many are waiting for the database already.
        """
        digest = hashlib.sha256(event.encode("utf-8", "surrogatepass")).digest()
        place = place_of(link, tenant, digest)
        row = {
            "link": link,
            "tenant": tenant,
            "event": digest,
            "key": hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:16],
            "received_at": received_at,
            "body": self._store.seal(place, body),
            "state": State.WAITING,
            "since": received_at,
            "attempts": 0,
        }
        written: Future[None] = Future()
        written.set_running_or_notify_cancel()  # who gives up waiting for it takes nothing back
        try:
            self._arrived.put_nowait((time.monotonic(), row, written))
        except queue.Full:
            raise StoreError("データベース(RENKEI_DATABASE)への書き込みを待つメッセージが多すぎます。") from None
        return written

    def _write_on(self) -> None:
        while True:
            batch = [self._arrived.get()]
            with contextlib.suppress(queue.Empty):
                while len(batch) < AT_ONCE:
                    batch.append(self._arrived.get_nowait())
            try:
                self._write([row for _, row, _ in batch], batch[-1][0] + TRIED_FOR_S)
            except Exception as error:  # whatever it is, somebody waits for each of them
                for *_, written in batch:
                    written.set_exception(error)
            else:
                for *_, written in batch:
                    written.set_result(None)

    def _write(self, rows: list[dict[str, Any]], until: float) -> None:
        """Tried again until then: written once more, what was written already changes nothing."""
        while True:
            try:
                _insert(open_database(self._url), rows)
            except StoreError:
                if time.monotonic() + TRIED_EVERY_S > until:
                    raise
                time.sleep(TRIED_EVERY_S)
            else:
                return


def place_of(link: str, tenant: str, event: bytes) -> str:
    """What a body is sealed for: it opens as no other message's."""
    return f"inbox/{link}/{tenant}/{event.hex()}"


def _insert(database: Database, rows: list[dict[str, Any]]) -> None:
    same = [MESSAGE.c.link, MESSAGE.c.tenant, MESSAGE.c.event]
    with database.writing(brief=True) as connection:
        if (
            connection.dialect.name == "postgresql"
        ):  # one receiver after another, or two could each wait for a message that the other is writing
            connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
        connection.execute(insert(database, MESSAGE).on_conflict_do_nothing(index_elements=same), rows)
