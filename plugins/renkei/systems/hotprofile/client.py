"""Hot Profile's REST API, as far as the public knows it: whole reads of what changed, proven, and paced.

Known from Hammock's published Power Platform connector and from public scripts: POST for reads, `api_key` in the body,
`search.from_id/to_id`, `search.from_datetime_updated_on/to_datetime_updated_on`, `page.number/display_number`,
`pages.total_count`. All that is assumed beyond it stands in this room and nowhere else:

* times of a search and of `updated_at` are Japan's, without a zone, and both ends of a search are inclusive;
* there is no list of departments: they are what leads name as theirs (`organization_id`, `organization_name`,
  `organization_hierarchy`), so a department without a lead is not seen;
* the key is that of 連携ユーザー: it sees what they see, and is refused once they are deleted.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from renkei.errors import RetriableFetchError
from renkei.systems import pace
from renkei.systems.hotprofile.payloads import (
    Entry,
    Page,
    TornReadError,
    UserGoneError,
    Window,
    departments_of,
    failure_of,
    json_body,
    number_of,
    read_page,
)
from renkei.systems.peer import Peer
from renkei.systems.retrying import ask_until_passed, failure_or_retry, pause_of
from renkei.systems.transport import bounded

log = logging.getLogger(__name__)

PAGE_SIZE = 1_000  # the documented maximum of display_number
REQUESTS, PERIOD_S = 100, 60.0  # the connector's own limit; the service's is not published
TRIES = 5
READS = 3  # of one stretch of ids, while it changes under us
STRETCH = 10  # pages that are proven together
ANSWER_S = 60.0
MAX_BODY = 50_000_000  # bytes of an answer, unpacked: 50 kB for each record of a page
LAST_ID = 1 << 53  # beyond it is no id
CLOCK_KEPT_S = 60.0
DEPARTMENTS_KEPT_S = 600.0

_PEER = Peer("Hot Profile", "次回の連携で読み直します。", lambda said, _: RetriableFetchError(said))
_LISTS = {"companies": "clients", "departments": "leads", "leads": "leads"}


class HotProfileClient:
    """Reads one Hot Profile with the API key of 連携ユーザー. Data sets are `companies`, `departments`, `leads`."""

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        api_key: str,
        requests_per_period: int = REQUESTS,
        period_s: float = PERIOD_S,
    ) -> None:
        self._session = bounded(session)
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._pacer = pace.Pacer(
            requests_per_period,
            period_s,
            clock=lambda: time.monotonic(),
            sleep=lambda seconds: time.sleep(seconds),
        )
        self._clock: tuple[dt.datetime, float] | None = None
        self._departments: tuple[dict[str, Entry], float] | None = None  # and when that was read

    def changed(self, data_set: str, since: dt.datetime, until: dt.datetime) -> Iterator[list[Entry]]:
        """Lists of the records that were last updated in the window, together all of them, each once (K5, K6).

        They come by ascending ranges of ids. Each list is given when it is proven: its ranges were each one answer
        that had all of its total, and their total was the same before and after. What changes meanwhile leaves the
        window, and belongs to the next one. There may be none. A department has as `id` its organization_id and as
        `updated_at` that of its newest lead.

        Raises:
            TornReadError: a stretch changed during each of three reads.
            RetriableFetchError: Hot Profile could not be reached, or answered with 429 or 5xx to the end.
            UserGoneError, RefusedFetchError: nothing will come until a person acts.
        """
        window = Window(since, until)
        stretches = self._stretches(_LISTS[data_set], window)
        return departments_of(stretches) if data_set == "departments" else stretches

    def total(self, data_set: str, window: Window) -> int:
        """How many records the window has; of departments the leads, which are an upper limit."""
        return self._range(_LISTS[data_set], 1, None, window, size=1).total

    def by_id(self, data_set: str, ids: Sequence[str]) -> list[Entry]:
        """Those of `ids` that are there now, in no order.

        One request for all that lie within a thousand of each other, which is what an answer may have. Departments take
        a read of all leads, which answers the next questions too, for ten minutes: a writer asks for 500 at a time.
        """
        if data_set == "departments":
            known = self._departments_now() if ids else {}
            return [known[one] for one in dict.fromkeys(ids) if one in known]
        numbers = {int(one) for one in ids if one.isascii() and one.isdecimal() and len(one) <= 15}
        entries = (
            entry
            for low, high in _near(sorted(numbers))
            for entry in self._range(_LISTS[data_set], low, high, None).entries
        )
        return [entry for entry in entries if number_of(entry["id"]) in numbers]

    def _departments_now(self) -> dict[str, Entry]:
        if self._departments is None or time.monotonic() - self._departments[1] > DEPARTMENTS_KEPT_S:
            self._departments = None  # two of them at once would be twice the memory
            every = departments_of(self._stretches("leads", None))
            self._departments = {str(one["id"]): one for stretch in every for one in stretch}, time.monotonic()
        return self._departments[0]

    def user_exists(self, user: str) -> bool:
        """Whether 連携ユーザー is still there: whether their key is accepted (K4)."""
        try:
            self._range("leads", 1, 1, None, size=1)
        except UserGoneError:
            return False
        return True

    def now(self) -> dt.datetime:
        """Hot Profile's own clock, never ahead of it: what its last answer said, and what has passed since (K5)."""
        if self._clock is None or time.monotonic() - self._clock[1] > CLOCK_KEPT_S:
            self._range("clients", 1, 1, None, size=1)
        if self._clock is None:
            raise RetriableFetchError("Hot Profileの応答に日時がありません。何も書き込んでいません。")
        said, at = self._clock
        return said + dt.timedelta(seconds=time.monotonic() - at)

    def _stretches(self, resource: str, window: Window | None) -> Iterator[list[Entry]]:
        low, width = 1, 0
        while low <= LAST_ID:
            rest = self._range(resource, low, None, window)
            if rest.total <= PAGE_SIZE:
                if rest.entries:
                    yield rest.entries
                return
            width = width or _narrower(low, LAST_ID, rest)
            entries, low, width = self._stretch(resource, low, width, window)
            if entries:
                yield entries
        raise TornReadError("Hot Profileの一覧に終わりがありません。何も書き込んでいません。")

    def _stretch(self, resource: str, low: int, width: int, window: Window | None) -> tuple[list[Entry], int, int]:
        """As `_ranges`, proven: what they have together is what they had one by one."""
        for _ in range(READS):
            entries, start, wide = self._ranges(resource, low, width, window)
            after = self._range(resource, low, start - 1, window, size=1).total
            if after == len(entries):
                return entries, start, wide
            log.warning("read of %s was torn: %d records became %d", resource, len(entries), after)
        raise TornReadError(
            f"Hot Profileのデータが取得中に変更され続けたため、{READS}回読み直しても完全なデータになりませんでした。"
            "何も書き込んでいません。次回の連携で読み直します。"
        )

    def _ranges(self, resource: str, low: int, width: int, window: Window | None) -> tuple[list[Entry], int, int]:
        """Up to ten ranges of ids that each fit one answer; the id to go on from, and how wide a range may be, if known.

        Wider where there is little, narrower where there is more; where there is nothing, its end is found by halves.
        """
        entries: list[Entry] = []
        read, full_to, in_gap = 0, 0, False
        while read < STRETCH and low <= LAST_ID:
            page = self._range(resource, low, low + width - 1, window)
            if page.total > PAGE_SIZE:
                full_to = low + width
                width = max(1, width // 2) if in_gap else _narrower(low, width, page)
                continue
            entries += page.entries
            low += width
            in_gap = not page.total
            read += not in_gap
            if in_gap:
                width = max(0, full_to - low + 1) // 2
                if not width:
                    break
            else:  # so that the next one has nine tenths of a page, should there be as many of them
                width = min(width * 8, max(1, width * PAGE_SIZE * 9 // (page.total * 10)))
        return entries, low, width

    def _range(self, resource: str, low: int, high: int | None, window: Window | None, size: int = PAGE_SIZE) -> Page:
        """How many records a range of ids has, and `size` of them: all, where it has no more; read again while torn."""
        search: dict[str, Any] = {"from_id": low, **({} if high is None else {"to_id": high})}
        search |= window.search() if window else {}
        asked = {"search": search, "page": {"number": 1, "display_number": size}}
        for attempt in range(READS):
            try:
                return read_page(self._post(resource, asked), resource, low, high, window, size)
            except TornReadError as error:
                if attempt == READS - 1:
                    raise
                log.warning("page of %s from id %d was torn: %s", resource, low, error)
        raise AssertionError

    def _post(self, resource: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return ask_until_passed(lambda: self._post_once(resource, body), TRIES)

    def _post_once(self, resource: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Raises: PassingError, FetchError."""
        self._pacer.acquire()
        try:
            response = _PEER.ask(
                *(self._session, "POST", f"{self._base_url}/rest_api/v1/{resource}/get_entry_list"),
                timeout_s=ANSWER_S,
                max_bytes=MAX_BODY,
                json={"api_key": self._api_key, **body},
            )
        finally:
            self._pacer.release(None)
        if response.status_code == 200:
            self._set_clock(response.headers)
            return json_body(response.content)
        raise failure_or_retry(failure_of(response), pause_of(response))

    def _set_clock(self, headers: Mapping[str, str]) -> None:
        try:
            self._clock = parsedate_to_datetime(headers["Date"]).astimezone(dt.UTC), time.monotonic()
        except (KeyError, ValueError, TypeError):
            return


def _near(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The ascending numbers by ranges that hold no more than an answer may have, from the first of each to its last."""
    start = 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] - numbers[start] >= PAGE_SIZE:
            yield numbers[start], numbers[end - 1]
            start = end


def _narrower(low: int, width: int, page: Page) -> int:
    """How wide a range from `low` may be that fits one answer, where one of `width` does not: a guess, by ids in it.

    The ids on the page may be the lowest of the range, and then tell; or any, and then only the total does.
    """
    told = sorted(page.ids)[len(page.ids) * 9 // 10] - low + 1
    return told if told <= width // 2 else max(1, width * PAGE_SIZE // page.total * 3 // 4)
