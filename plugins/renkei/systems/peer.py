"""One request to a system whose Connection a customer has, and what they are told where no answer of use comes (L8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from renkei.errors import ConnectionError_, RenkeiError
from renkei.systems.retrying import PassingError
from renkei.systems.transport import TooLongError, UnsendableError, exchange, is_unsent


@dataclass(frozen=True, slots=True)
class Peer:
    """The system that a client asks, in the words of its customers.

    `failure` makes the error of a sentence, and of whether the request may have arrived. Where `passes`, no answer is a
    `PassingError`, for `ask_until_passed`; else it is the failure itself.
    """

    name: str
    remedy: str  # what happens then, or what to do: a sentence
    failure: Callable[[str, bool], RenkeiError]
    address: str = ""  # the setting that says where it is; the Connection's, where it is empty
    passes: bool = True

    def ask(
        self, session: requests.Session, method: str, url: str, *, max_bytes: int, what: str = "", **how: Any
    ) -> requests.Response:
        """The answer of one `exchange`, which is `what` (the name, where it is empty).

        Raises:
            ConnectionError_: no request can be made of what the Connection says.
            PassingError: no whole answer came.
            RenkeiError: the `failure`, of an answer that is too long.
        """
        try:
            return exchange(session, method, url, max_bytes=max_bytes, **how)
        except requests.RequestException as error:
            kind, may_have_arrived = type(error), not is_unsent(error)
        # Raised out here, and held by no name, so that it neither carries the request along (L6) nor is held by it.
        if issubclass(kind, UnsendableError):
            raise ConnectionError_(
                f"Airflowの接続（{self.name}）のURL(Host)またはExtraに誤りがあるため、送れません。直してください。"
            )
        address = self.address or f"Airflowの接続（{self.name}）のURL(Host)"
        remedy = f"{self.remedy}続く場合は、{address}を確認してください。"
        if issubclass(kind, TooLongError):
            raise self.failure(f"{what or self.name}の応答が大きすぎます（{max_bytes:,}バイト超）。{remedy}", True)
        raise self._passing(
            f"{self.name}に接続できないか、応答が途中で切れました（{kind.__name__}）。{remedy}", may_have_arrived
        )

    def _passing(self, said: str, may_have_arrived: bool) -> Exception:
        failure = self.failure(said, may_have_arrived)
        return PassingError(failure) if self.passes else failure
