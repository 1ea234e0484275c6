"""Requests to LINE WORKS API 2.0 with a service account's token, paced (N1, C11)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from renkei.systems.chat import Answer, ask
from renkei.systems.delivery import Delivery, later
from renkei.systems.lineworks.auth import API_HOST, SCOPE, LineWorksCredentials, Token, token
from renkei.systems.lineworks.pace import MINUTE_S, LineWorksPace, reset_s

ALTOGETHER_S = 20.0  # for token and request, and both again
MARGIN_S = 60.0  # a token is not used in its last minute
BUSY = "LINE WORKSのリクエスト数の上限に達しています"


class LineWorksApi:
    """One app of one tenant, from any number of threads. Its token is kept until shortly before it expires.

    `base_url` stands for both hosts of LINE WORKS: `{base}/oauth2/v2.0/token` and `{base}/v1.0/…`. `scopes` with
    commas between, as the app has them in the Developer Console. `pace` is shared by all that ask for the same tenant.
    """

    def __init__(
        self,
        credentials: LineWorksCredentials,
        base_url: str = "",
        *,
        scopes: str = SCOPE,
        pace: LineWorksPace | None = None,
        may_send: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        base = base_url.rstrip("/")
        self._base = "" if base == API_HOST else base  # who types the official address means the official hosts
        self._credentials, self._scopes, self._clock = credentials, scopes, clock
        self._pace, self._may_send = pace or LineWorksPace(), may_send
        self._lock = threading.Lock()
        self._kept: Token | None = None

    def ask(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        within_s: float | None = None,
        turn_s: float | None = None,
        **kwargs: Any,
    ) -> Answer | Delivery:
        """The answer for `path` below `/v1.0`, whatever its status; a `Delivery` where there is none.

        `operation` is what LINE WORKS counts by (`pace`). `within_s` (ALTOGETHER_S) is for all but the wait for its turn, of
        which there is as much as it takes, or `turn_s`. A token that is refused is renewed once: then nothing was done.
        Neither a message nor anything else is ever sent twice, and 429 only slows down what comes after it.
        """
        pacer = self._pace.of(operation)
        answer: Answer | Delivery = later(None, "Timeout")
        left = ALTOGETHER_S if within_s is None else within_s
        for _ in range(2):
            begun = time.monotonic()
            access = self._token(left)
            if isinstance(access, Delivery):
                return access
            left -= time.monotonic() - begun
            if left <= 0:
                return later(None, "Timeout")
            if not pacer.acquire(turn_s):
                return later(429, BUSY, pacer.next_in_s())
            begun = time.monotonic()
            answer = later(None, "Timeout")
            try:
                self._may_send()
                url = f"{self._base or API_HOST}/v1.0{path}"
                answer = ask(method, url, headers={"Authorization": f"Bearer {access.text}"}, within_s=left, **kwargs)
            finally:
                pacer.release(answer.headers if isinstance(answer, Answer) else None)
            if isinstance(answer, Delivery) or answer.status != 401:
                break
            self._forget(access)
            left -= time.monotonic() - begun
        if isinstance(answer, Answer) and answer.status == 429:
            pacer.block(reset_s(answer.headers) or answer.retry_after_s or MINUTE_S)
        return answer

    def asked_before(self, operation: str, ages_s: Iterable[float]) -> None:
        """What an earlier process of the tenant has asked within this minute, by how many seconds ago."""
        self._pace.of(operation).sent_before(ages_s)

    def _token(self, within_s: float) -> Token | Delivery:
        with self._lock:  # one thread asks for a new one, the others wait for it
            now = self._clock()
            if self._kept is not None and now < self._kept.expires - MARGIN_S:
                return self._kept
            if within_s <= 0:
                return later(None, "Timeout")
            got = token(self._credentials, self._base, now, within_s, self._scopes)
            self._kept = got if isinstance(got, Token) else None
            return got

    def _forget(self, refused: Token) -> None:
        with self._lock:
            if self._kept == refused:
                self._kept = None
