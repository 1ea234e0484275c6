"""What is dear to begin, kept from one use to the next: processes of `renkei.sheets.bounded`, private keys, certificates."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Any
from unittest.mock import patch

import httpx._transports.default as httpx_transport
import jwt.algorithms

from renkei.sheets.bounded import ChildProcess, environment
from renkei.systems.lineworks import auth as lineworks_auth

MOST = 6  # at a time; each has Python and a reader of workbooks in memory
_kept: list[tuple[Any, Any]] = []  # what tells one sort from another, and a child that waits for its next sheet


@contextmanager
def read_once() -> Iterator[None]:
    """The same private key, and the machine's certificates, are read once: 30 and 15 ms of a processor each time."""
    key = functools.cache(lineworks_auth.load_pem_private_key)
    certificates = functools.cache(httpx_transport.create_ssl_context)
    with (
        patch.object(jwt.algorithms, "load_pem_private_key", key),
        patch.object(lineworks_auth, "load_pem_private_key", key),
        patch.object(httpx_transport, "create_ssl_context", certificates),
    ):
        yield


def _sort(child: ChildProcess) -> Any:
    return child._function, child._cpu_s, sys.executable, sorted(environment().items())


@contextmanager
def children_kept() -> Iterator[None]:
    """A `ChildProcess` that is left in peace leaves its process to the next one of its sort; a test that sets MOST to 0 starts its own."""
    with ThreadPoolExecutor(1) as starter, patch.multiple(ChildProcess, _started=_started(starter), __exit__=_exit):
        try:
            yield
        finally:
            while _kept:
                _end(_kept.pop()[1])


def _started(starter: ThreadPoolExecutor) -> Any:
    start = ChildProcess._started  # by one thread: the process ends with the thread that started it

    def started(self: ChildProcess) -> Any:
        if self._child is None and MOST:
            sort = _sort(self)
            for kept in [kept for kept in _kept if kept[0] == sort]:
                _kept.remove(kept)
                if kept[1][0].poll() is None:
                    self._child = kept[1]
                    break
        return start(self) if self._child else starter.submit(start, self).result()

    return started


def _exit(
    self: ChildProcess, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
) -> None:
    if self._child is None or error or not MOST:
        self._stop()
        return
    _kept.append((_sort(self), self._child))
    self._child = None
    while len(_kept) > MOST:
        _end(_kept.pop(0)[1])


def _end(child: tuple[Any, Any]) -> None:
    process, connection = child
    connection.close()
    process.wait(60)
