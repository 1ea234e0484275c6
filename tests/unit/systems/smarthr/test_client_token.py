"""A token that SmartHR refuses is replaced while a read is under way (S3)."""

from __future__ import annotations

import pytest

from renkei.errors import RefusedFetchError
from renkei.systems.smarthr.client import SmartHRClient
from tests.unit.systems.smarthr.listed import URL, SmartHR, error
from tests.unit.systems.transport import Answer, Seen, session_over


class Granted:
    """Gives the next token in place of a refused one, once for each."""

    def __init__(self, hr: SmartHR, good: str) -> None:
        self.refused: list[str] = []
        self.tokens: list[str] = []
        hr.twists.append(lambda seen: self._refuse(seen, good))
        session = session_over(hr.wire)
        del session.headers["Authorization"]
        self.client = SmartHRClient(session, URL, 10, "token-1", self._another)

    def _refuse(self, seen: Seen, good: str) -> Answer | None:
        self.tokens.append(str(seen.headers["Authorization"]).removeprefix("Bearer "))
        return None if self.tokens[-1] == good else error(401, 2)

    def _another(self, refused: str) -> str:
        self.refused.append(refused)
        return f"token-{len(self.refused) + 1}"


def test_s3_a_refused_token_is_replaced_once_for_all_requests_under_way(hr: SmartHR) -> None:
    """S3: pages that were asked for at once are asked for again with the one new token."""
    granted = Granted(hr, "token-2")
    assert granted.client.read_all("crews") == hr.records
    assert granted.refused == ["token-1"]
    assert set(granted.tokens) == {"token-1", "token-2"}


def test_s3_in_the_middle_of_a_read_too(hr: SmartHR) -> None:
    granted = Granted(hr, "token-1")
    granted.client.read_all("crews")
    hr.twists.clear()
    hr.twists.append(lambda seen: granted._refuse(seen, "token-2"))
    assert granted.client.read_all("crews") == hr.records
    assert granted.refused == ["token-1"]


def test_s3_a_new_token_that_is_refused_too_ends_it(hr: SmartHR) -> None:
    """S3: no other is asked for by that request."""
    granted = Granted(hr, "none of them")
    with pytest.raises(RefusedFetchError, match="更新したばかりの許可"):
        granted.client.check()
    assert (granted.refused, granted.tokens) == (["token-1"], ["token-1", "token-2"])
