"""WORKPLACE by our own source contract (include/contracts/workplace.openapi.yaml): whole reads of absences, proven.

No API of WORKPLACE is public. All that is assumed of it stands in that contract, and is asked for here alone.
"""

from __future__ import annotations

import datetime as dt
import itertools
import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import requests

from renkei.errors import FetchError, IncompleteReadError, RefusedFetchError, RetriableFetchError
from renkei.systems import pace
from renkei.systems.peer import Peer
from renkei.systems.retrying import ask_until_passed, failure_or_retry, pause_of
from renkei.systems.transport import bounded, json_of

log = logging.getLogger(__name__)

PAGE_SIZE = 500
PER_MINUTE = 600
TRIES = 4
READS = 3  # of the whole list, while it changes under us
MAX_PAGES = 2_000  # a million absences
ANSWER_S = 60.0
MAX_BODY = 20_000_000  # bytes of an answer, unpacked
ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
MAX_PERIODS = 31
_PEER = Peer("WORKPLACE", "次回の連携で読み直します。", lambda said, _: RetriableFetchError(said))


class Status(StrEnum):
    APPLIED = "APPLIED"  # 申請中
    APPROVED = "APPROVED"  # 承認
    REJECTED = "REJECTED"  # 却下
    CANCELLED = "CANCELLED"  # 取消


class Unit(StrEnum):
    ALL_DAY = "ALL_DAY"  # 全日
    MORNING = "MORNING"  # 午前
    AFTERNOON = "AFTERNOON"  # 午後
    HALF_HOURS = "HALF_HOURS"  # 30分
    HOURS = "HOURS"  # 1時間


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when, as WORKPLACE writes it: days, both inclusive, or local times `2026-12-01T10:00`."""

    unit: Unit
    start: str
    end: str

    @property
    def first_day(self) -> dt.date:
        return dt.date.fromisoformat(self.start[:10])

    @property
    def last_day(self) -> dt.date:
        return dt.date.fromisoformat(self.end[:10])


@dataclass(frozen=True, slots=True)
class Absence:
    """One application. Its title and reason are not read: nothing of them is sent on (C7, L6)."""

    id: str
    revision: int
    status: Status
    user_id: str
    kind: str
    periods: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class AbsenceList:
    """What a read had. `whole`: it is proven that there was nothing else. `malformed`: the ids of records that
    are not as the contract says, or their places where they have none."""

    absences: Sequence[Absence]
    whole: bool
    malformed: Sequence[str] = ()


class WorkplaceClient:
    """Reads one company's absences; its Session carries the token."""

    def __init__(self, session: requests.Session, base_url: str, per_minute: int = PER_MINUTE) -> None:
        self._session = bounded(session)
        self._base_url = base_url.rstrip("/")
        self._pacer = pace.Pacer(
            *(per_minute, 60.0), clock=lambda: time.monotonic(), sleep=lambda seconds: time.sleep(seconds)
        )

    def absences(self, since: dt.date) -> AbsenceList:
        """Those that end, or were changed, on or after that day (C9).

        A list that changed under three reads is given as the last of them had it, not whole: what it has is true, and
        what it has not proves nothing.

        Raises:
            RetriableFetchError: WORKPLACE could not be reached, or answered with 429 or 5xx to the end.
            RefusedFetchError: nothing will come until a person acts.
        """
        listed = AbsenceList((), False)
        for _ in range(READS):
            listed = self._read(since)
            if listed.whole:
                break
            log.warning("read of absences was torn: %d of them", len(listed.absences))
        return listed

    def absence(self, number: str) -> Absence | None:
        """The one with that id; None where there is none. Raises as `absences`; IncompleteReadError: it is malformed."""
        answer = self._get(f"/absences/{number}", {}, missing=True)
        if answer is None:
            return None
        found = _absence(answer)
        if found is None or found.id != number:
            raise IncompleteReadError("WORKPLACEの不在がAPIの形式ではありません。何も変更していません。")
        return found

    def check(self) -> None:
        """Whether a token is accepted; raises as `absences`."""
        self._get("/absences", {"since": "9999-12-31", "limit": "1"})

    def _read(self, since: dt.date) -> AbsenceList:
        found: dict[str, Absence] = {}
        malformed: list[str] = []
        proofs, ids = set[tuple[int, int]](), list[str]()
        last = ""
        for page in self._pages(since):
            proofs.add((page["version"], page["total"]))
            for record in page["absences"]:
                absence, number = _absence(record), _id(record)
                ids.append(number)
                if absence is None:
                    malformed.append(number or f"{len(ids)}件目")
                elif absence.id not in found or found[absence.id].revision < absence.revision:
                    found[absence.id] = absence
            last = page["next"] or ""
        ascending = all(earlier < later for earlier, later in itertools.pairwise(["", *ids]))
        whole = not last and ascending and len(proofs) == 1 and proofs.pop()[1] == len(ids)
        return AbsenceList(list(found.values()), whole, malformed)

    def _pages(self, since: dt.date) -> Iterator[dict[str, Any]]:
        asked = {"since": since.isoformat(), "limit": str(PAGE_SIZE)}
        for _ in range(MAX_PAGES):
            page = self._get("/absences", asked)
            if page is None or not _is_page(page):
                raise RetriableFetchError(
                    "WORKPLACEの応答がAPIの形式ではありません。メンテナンス中の可能性があります。次回の連携で読み直します。"
                )
            yield page
            following = page["next"]
            if following is None:
                return
            if not ID.fullmatch(following) or following <= asked.get("after", ""):
                raise IncompleteReadError("WORKPLACEの一覧のページが進みません。次回の連携で読み直します。")
            asked["after"] = following
        raise IncompleteReadError("WORKPLACEの一覧に終わりがありません。次回の連携で読み直します。")

    def _get(self, path: str, asked: Mapping[str, str], *, missing: bool = False) -> dict[str, Any] | None:
        """The answer; with `missing`, None for 404."""
        return ask_until_passed(lambda: self._get_once(path, asked, missing), TRIES)

    def _get_once(self, path: str, asked: Mapping[str, str], missing: bool) -> dict[str, Any] | None:
        """Raises: PassingError, FetchError."""
        self._pacer.acquire()
        try:
            url = f"{self._base_url}/api/v1{path}"
            response = _PEER.ask(self._session, "GET", url, params=asked, timeout_s=ANSWER_S, max_bytes=MAX_BODY)
        finally:
            self._pacer.release(None)
        if missing and response.status_code == 404:
            if _is_error(response.content):
                return None  # else it is somebody else's 404, which proves nothing
            raise RetriableFetchError("WORKPLACEの応答がAPIの形式ではありません。次回の連携で読み直します。")
        if response.status_code == 200:
            return _object(response.content)
        raise failure_or_retry(_failure(response), pause_of(response), self._pacer.block)


def _failure(response: requests.Response) -> FetchError:
    status = response.status_code
    if status == 429 or status >= 500:
        return RetriableFetchError(f"WORKPLACEが応答しません（HTTP {status}）。次回の連携で読み直します。")
    if status in (401, 403):
        return RefusedFetchError(
            f"WORKPLACEに拒否されました（HTTP {status}）。Airflowの接続（WORKPLACE）のトークンと、接続元のIPアドレスの許可を確認してください。"
        )
    return RefusedFetchError(
        f"WORKPLACEを読み取れません（HTTP {status}）。Airflowの接続のURL(Host)を確認してください。"
    )


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json_of(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RetriableFetchError(
            "WORKPLACEの応答がAPIの形式ではありません。メンテナンス中の可能性があります。次回の連携で読み直します。"
        )
    return found


def _is_error(content: bytes) -> bool:
    try:
        return bool(json_of(content).get("code") == "NOT_FOUND")
    except (ValueError, AttributeError):
        return False


def _is_page(page: Mapping[str, Any]) -> bool:
    """Numbers, a list no longer than was asked for, and where it goes on."""
    absences, following = page.get("absences"), page.get("next", 0)
    numbers = all(type(page.get(name)) is int and page[name] >= 0 for name in ("version", "total"))
    listed = isinstance(absences, list) and len(absences) <= PAGE_SIZE
    return numbers and listed and (following is None or isinstance(following, str))


def _id(record: Any) -> str:
    number = record.get("id") if isinstance(record, dict) else None
    return number if isinstance(number, str) and ID.fullmatch(number) else ""


def _absence(record: Any) -> Absence | None:
    """The record; None where it is not as the contract says."""
    try:
        number, revision, status = _id(record), record["revision"], Status(record["status"])
        user_id, kind, periods = record["user_id"], record["kind"], record["periods"]
        texts = all(isinstance(text, str) and 0 < len(text) <= 100 and text.isprintable() for text in (user_id, kind))
        if not number or type(revision) is not int or not 1 <= revision < 2**53 or not texts:
            return None
        if not isinstance(periods, list) or not 1 <= len(periods) <= MAX_PERIODS:
            return None
        return Absence(number, revision, status, user_id, kind, tuple(_period(period) for period in periods))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


_DAY, _TIME = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII)


def _period(period: Mapping[str, Any]) -> Period:
    """Raises KeyError, TypeError, ValueError: it is none."""
    unit = Unit(period["unit"])
    if unit is Unit.ALL_DAY:
        start, end, form = period["start_on"], period["end_on"], _DAY
    elif unit in (Unit.MORNING, Unit.AFTERNOON):
        start, end, form = period["on"], period["on"], _DAY
    else:
        start, end, form = period["start_at"], period["end_at"], _TIME
    for text in (start, end):
        if not form.fullmatch(text):
            raise ValueError("no day or time")
        dt.datetime.fromisoformat(text)
    return Period(unit, start, end)
