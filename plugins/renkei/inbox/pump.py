"""What works inboxes off: one loop for all tenants, each under its own lease, and none in another's way (L5)."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from renkei.errors import StoreError
from renkei.inbox.drain import THREADS, Drain, Source, Tenancy, named
from renkei.inbox.inbox import Inbox, open_messages
from renkei.inbox.lease import LeaseLostError, Leases
from renkei.storage.database.database import Database
from renkei.storage.store import Store

log = logging.getLogger(__name__)

LOOKS_EVERY_S = 0.25  # for messages
TRIES_EVERY_S = 1.0  # for leases of others
ASKS_EVERY_S = 5.0  # for new tenants and changed sheets


class Pump:
    """Works off what waits, for as long as it runs; of several pumps each has the tenants whose lease it got."""

    def __init__(self, database: Database, store: Store, source: Source) -> None:
        self._database, self._store, self._source = database, store, source
        self._versions: Mapping[Tenancy, str] = {}
        self._drains: dict[Tenancy, Drain] = {}
        self._ending: dict[str, Future[None]] = {}  # by lease
        self._closing = ThreadPoolExecutor(THREADS, thread_name_prefix="pump closing")
        self._woken = threading.Event()
        self._over, self._stopped = threading.Event(), False
        self._tries_at = self._looks_at = 0.0

    def stop(self) -> None:
        """From any thread, or a handler of a signal: `run` ends when what is under way is done."""
        self._stopped = True  # and no Event: the thread that the handler interrupts may hold its lock

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Until `until` says so, or `stop` was called."""
        threading.Thread(target=self._ask_on, name="pump source", daemon=True).start()
        with Leases(self._database) as leases:
            try:
                while not self._stopped and not until():
                    self._turn_safely(leases)
                    self._woken.wait(LOOKS_EVERY_S)
                    self._woken.clear()
            finally:
                self._over.set()
                for drain in self._drains.values():
                    self._let_go(drain, leases)
                self._closing.shutdown(wait=True)

    def _ask_on(self) -> None:
        while not self._over.is_set():
            try:
                self._versions = self._source.versions()
            except Exception as error:  # a folder that is away says nothing about who has a sheet
                log.error("pump: tenants cannot be listed: %s", named(error))
            self._woken.set()
            self._over.wait(ASKS_EVERY_S)

    def _turn_safely(self, leases: Leases) -> None:
        try:
            self._turn(leases)
        except StoreError as error:  # the leases run out by themselves if it lasts
            log.error("pump: %s", error)
            self._over.wait(TRIES_EVERY_S)

    def _turn(self, leases: Leases) -> None:
        versions, now = self._versions, time.monotonic()
        for tenancy, drain in list(self._drains.items()):
            if tenancy not in versions or not drain.is_ours():
                self._let_go(self._drains.pop(tenancy), leases)
        self._ending = {name: ending for name, ending in self._ending.items() if not ending.done()}
        if now >= self._tries_at:
            self._tries_at = now + TRIES_EVERY_S
            self._acquire(leases, versions)
        if not self._drains:
            return
        waiting = open_messages(self._database)
        for tenancy, drain in self._drains.items():
            with contextlib.suppress(LeaseLostError):  # which the next round sees
                drain.advance(versions[tenancy], waiting.get(tenancy, frozenset()))

    def _acquire(self, leases: Leases, versions: Mapping[Tenancy, str]) -> None:
        wanted = {f"{link}__{tenant}": (link, tenant) for link, tenant in versions.keys() - self._drains.keys()}
        for name in leases.free([name for name in wanted if name not in self._ending]):
            inbox = Inbox(self._database, self._store, *wanted[name])
            if leases.acquire(name):
                with contextlib.suppress(LeaseLostError):
                    inbox.left_behind(leases)
                    self._drains[wanted[name]] = Drain(inbox, leases, self._source, wanted[name], self._woken)
                    log.info("pump: works for %s", name)

    def _let_go(self, drain: Drain, leases: Leases) -> None:
        """Nothing new is begun; when what is under way has ended, another process may have the lease, whoever else hangs."""

        def end() -> None:
            drain.wait()
            with contextlib.suppress(StoreError):  # then it runs out by itself
                leases.release(drain.inbox.lease)

        drain.end()
        self._ending[drain.inbox.lease] = self._closing.submit(end)
