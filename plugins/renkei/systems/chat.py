"""One request to a chat service, and what comes of it where the answer says nothing better: a `Delivery` (N1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from renkei.systems.delivery import Delivery, later, refused, unknown
from renkei.systems.transport import PACKED, UnsendableError, exchange, is_unsent, json_of, own_session, retry_after_s

CONNECT_S, ANSWER_S = 5.0, 15.0  # to connect; from then on, for the whole answer
MAX_BYTES = 64 * 1024  # of an answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said."""

    status: int
    content: bytes
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    @property
    def json_object(self) -> dict[str, Any]:
        """The JSON object that it is; empty where it is anything else."""
        try:
            found = json_of(self.content)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def error(self, *names: str) -> list[str]:
        """Those texts of `{"error": {…}}`, each empty where it is not there."""
        error = self.json_object.get("error")
        found = error if isinstance(error, dict) else {}
        return [text if isinstance(text := found.get(name), str) else "" for name in names]

    @property
    def retry_after_s(self) -> float | None:
        return retry_after_s(self.headers)


def ask(
    method: str, url: str, *, within_s: float = ANSWER_S, max_bytes: int = MAX_BYTES, **kwargs: Any
) -> Answer | Delivery:
    """The answer, whatever its status, of at most `max_bytes` bytes; a `Delivery` where there is none.

    LATER when the request cannot have been sent (no such host, refused, no TLS); UNKNOWN when it may have been.
    """
    connect_s, timeout_s = min(CONNECT_S, within_s), min(ANSWER_S, within_s)
    try:
        with own_session() as session:
            response = exchange(
                session, method, url, connect_s=connect_s, timeout_s=timeout_s, max_bytes=max_bytes, **kwargs
            )
    except UnsendableError as error:
        return refused(None, type(error.__cause__ or error).__name__)
    except requests.RequestException as error:
        return (later if is_unsent(error) else unknown)(None, type(error).__name__)
    if response.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity", PACKED):
        return unknown(response.status_code, "an answer packed otherwise than asked for")
    return Answer(response.status_code, response.content, response.headers)


def by_status(answer: Answer, reason: str, *, dead: bool) -> Delivery:
    """What a status other than success means where no key keeps a repetition from being sent twice.

    429 and 503 say that the request was not taken up. After 408 and any other 5xx it may have been; another 2xx may be
    somebody else's. Anything else is refused, and if `dead` says so, void.
    """
    if answer.status in (429, 503):
        return later(answer.status, reason, answer.retry_after_s)
    if answer.status == 408 or answer.status >= 500 or answer.status < 300:
        return unknown(answer.status, reason)
    return refused(answer.status, reason, dead=dead)
