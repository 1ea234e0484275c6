"""SmartHR HR API v1: complete reads of its lists, paced, concurrent and proven whole.

The contract is SmartHR's published Swagger document and developer site (https://developer.smarthr.jp).
Wire names stay in this room and in the sheet's catalogue.
"""

from __future__ import annotations

import logging
import random
import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import requests

from renkei.errors import FetchError, IncompleteReadError, RefusedFetchError, RetriableFetchError
from renkei.systems.peer import Peer
from renkei.systems.retrying import PassingError, ask_until_passed, failure_or_retry
from renkei.systems.smarthr.pacer import Pacer
from renkei.systems.transport import bounded, json_of

log = logging.getLogger(__name__)

PAGE_SIZE = 100  # the documented maximum of per_page
WORKERS = 10  # enough for one second of latency at 10 requests a second
TRIES = 5  # per request, for 429, 5xx and broken connections
READS = 3  # whole reads, while the answer keeps changing under us
ANSWER_S = 60.0  # for one page, whole
MAX_PAGES = 10_000  # a million records; a total beyond is no total
MAX_BODY = 20_000_000  # bytes of one page, unpacked: 200 kB for each of its crews
_ID = re.compile(r"[!-+\--~]{1,100}")  # ids are UUIDs; a comma would split the list that `present` asks with
_PEER = Peer(
    "SmartHR",
    "時間をおいて再実行してください。",
    lambda said, _: RetriableFetchError(said),
    "SmartHR URL",
)

Progress = Callable[[int, int], None]
Record = dict[str, Any]


class TornReadError(IncompleteReadError):
    """The list changed while it was read."""


@dataclass(frozen=True, slots=True)
class _Page:
    number: int
    total: int
    size: int  # what the server took per_page for
    records: list[Record]


class SmartHRClient:
    """Reads one SmartHR tenant through a `requests` Session that carries its token."""

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        requests_per_second: int = 10,
        token: str = "",
        another: Callable[[str], str] | None = None,
        log_in: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`token` where the Session carries none; `another` gives one in place of a token that SmartHR refused, or raises.

        `log_in` names the log-in by which SmartHR is read just now; "" is a Connection's token, None not known.
        """
        self._session = bounded(session)
        self._base_url = base_url.rstrip("/")
        self._pacer = Pacer(requests_per_second)
        self._token, self._another, self._lock = token, another, threading.Lock()
        self.log_in = log_in

    def read_all(
        self,
        resource: str,
        params: Mapping[str, str] | None = None,
        progress: Progress | None = None,
        known: Collection[str] | None = None,
    ) -> list[Record]:
        """Every record of a list, in the server's order, each exactly once.

        `resource` is `crews`, `departments` …; `progress` hears (records so far, total). The list may
        be empty. `known` are ids that SmartHR is known to have had before; given, if only as an empty
        set, the read is proven: nobody who was there when it began is missing (E33). Without it, one
        who leaves while another joins can push a third over a page's edge, and no total tells.

        The proof: ids never return, so an id that was there before the read and is in it was there when
        the read began. If that holds for all of them, and they are as many as the list then had, they
        are that list. A read with an id that nobody knew is read again, knowing it: one page at once is
        whole by itself.

        Raises:
            TornReadError: it changed during each of three reads.
            RetriableFetchError: SmartHR could not be reached or answered with 429 or 5xx to the end.
            RefusedFetchError: the token, its permissions or the request are refused.
        """
        seen = set(known or ())
        for attempt in range(1, READS + 1):
            try:
                records, pages = self._read_once(resource, dict(params or {}), progress)
            except TornReadError as torn:
                log.warning("read of %s was torn (read %d of %d): %s", resource, attempt, READS, torn)
                continue
            ids = {record["id"] for record in records}
            if known is None or pages == 1 or ids <= seen:
                return records
            log.info("read of %s has %d ids not known before it; reading again", resource, len(ids - seen))
            seen |= ids
        raise TornReadError(
            f"SmartHRの{_LABELS.get(resource, resource)}が取得中に変更され続けたため、{READS}回読み直しても"
            "完全なデータになりませんでした。何も書き込んでいません。時間をおいて再実行してください。"
        )

    def present(self, crew_ids: Sequence[str]) -> set[str]:
        """Those of the crew ids that SmartHR knows now, asked by id.

        A crew missing from a list may have been skipped between two pages; before anybody is
        deleted, SmartHR is asked for that very crew (E33).
        """
        found: set[str] = set()
        for start in range(0, len(crew_ids), PAGE_SIZE):
            chunk = crew_ids[start : start + PAGE_SIZE]
            page = self._page("crews", {"id": ",".join(chunk), "fields": "id"}, 1)
            found |= {str(record.get("id")) for record in page.records} & set(chunk)
        return found

    def newest(self) -> set[str]:
        """Ids of the crews that changed last, as a rule with everybody who joined since yesterday.

        What they are good for: `known` of a read that begins afterwards. That `sort` is honoured is
        seen in the wild but not documented; a server that orders otherwise, or refuses, only costs a
        second read.
        """
        try:
            page = self._page("crews", {"sort": "-updated_at", "fields": "id"}, 1)
        except RefusedFetchError:
            return set()
        return {record["id"] for record in page.records}

    def check(self) -> None:
        """One cheap call that shows whether the token is accepted."""
        self._page("crews", {"fields": "id", "per_page": "1"}, 1)

    def _read_once(self, resource: str, params: dict[str, str], progress: Progress | None) -> tuple[list[Record], int]:
        """The records, and on how many pages they were."""
        first = self._page(resource, params, 1)
        count = max(1, -(-first.total // first.size))
        if count > MAX_PAGES:
            raise RetriableFetchError(
                f"SmartHRの{_LABELS.get(resource, resource)}の件数が不正です（{MAX_PAGES:,}ページを超えています）。"
                "SmartHR URLを確認し、時間をおいて再実行してください。"
            )
        pages = {1: first}
        report = progress or (lambda done, total: None)
        done = len(first.records)
        report(done, first.total)
        if count > 1:
            with ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="smarthr") as pool:
                futures = [pool.submit(self._page, resource, params, number) for number in range(2, count + 1)]
                try:
                    for future in as_completed(futures):
                        page = future.result()
                        pages[page.number] = page
                        _check_page(page, first, count)
                        done += len(page.records)
                        report(done, first.total)
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        _check_page(first, first, count)
        records = [record for number in sorted(pages) for record in pages[number].records]
        _check_distinct(records, first.total)
        # The total "after" (E33). A full last page does not show that nothing follows: then the next one is asked for.
        # Else the first: if it has shifted, somebody left and somebody else came.
        full = first.total > 0 and first.total % first.size == 0
        closing = self._page(resource, params, count + 1 if full else 1)
        expected = [] if full else [record["id"] for record in first.records]
        if closing.total != first.total or [record["id"] for record in closing.records] != expected:
            raise TornReadError("最初または最後のページが取得中に変わりました。")
        return records, count

    def _page(self, resource: str, params: Mapping[str, str], number: int) -> _Page:
        query = {"per_page": str(PAGE_SIZE), **params, "page": str(number)}
        response = self._get(f"/api/v1/{resource}", query, resource)
        try:
            body = json_of(response.content)
            total = int(response.headers["x-total-count"])
            size = int(response.headers.get("x-per-page") or query["per_page"])
            if int(response.headers.get("x-page") or number) != number:
                raise TornReadError(f"{number}ページ目を求めましたが別のページが返りました。")
        except (KeyError, ValueError) as error:
            raise RetriableFetchError(
                f"SmartHRの{_LABELS.get(resource, resource)}の応答がAPIの形式ではありません。"
                "メンテナンス中の可能性があります。時間をおいて再実行してください。"
            ) from error
        if not isinstance(body, list) or not all(isinstance(record, dict) for record in body):
            raise RetriableFetchError(f"SmartHRの{_LABELS.get(resource, resource)}の応答が一覧ではありません。")
        if any(not isinstance(record.get("id"), str) or not _ID.fullmatch(record["id"]) for record in body):
            raise RetriableFetchError(
                f"SmartHRの{_LABELS.get(resource, resource)}にidの無い行、またはidが正しくない行があります"
                f"（{number}ページ目）。時間をおいて再実行してください。"
            )
        if total < 0 or size < 1:
            raise RetriableFetchError(f"SmartHRの{_LABELS.get(resource, resource)}の件数が不正です。")
        return _Page(number, total, size, body)

    def _get(self, path: str, query: Mapping[str, str], resource: str) -> requests.Response:
        spent: set[str] = set()
        return ask_until_passed(lambda: self._get_once(path, query, resource, spent), TRIES)

    def _get_once(self, path: str, query: Mapping[str, str], resource: str, spent: set[str]) -> requests.Response:
        """`spent` keeps the token that was refused, from one try to the next. Raises: PassingError, FetchError."""
        self._pacer.acquire()
        response: requests.Response | None = None
        token = self._token
        try:
            response = _PEER.ask(
                *(self._session, "GET", self._base_url + path),
                timeout_s=ANSWER_S,
                max_bytes=MAX_BODY,
                what=f"SmartHRの{_LABELS.get(resource, resource)}",
                params=dict(query),
                headers={"Authorization": f"Bearer {token}"} if token else None,
            )
        finally:
            self._pacer.release(response.headers if response is not None else None)
        if response.status_code == 200:
            return response
        if response.status_code == 401 and self._another:
            if spent:
                raise RefusedFetchError(
                    "SmartHRが、更新したばかりの許可も受け付けません。連携の「SmartHRの接続」の画面を確認してください。"
                )
            spent.add(token)
            self._take_another(token, self._another)
            raise PassingError(_failure(response, resource))
        pause_s = _pause_s(response.headers) if response.status_code == 429 else 0.0
        raise failure_or_retry(
            _failure(response, resource), pause_s, lambda asked: self._pacer.block(asked + random.uniform(0.0, 0.2))
        )

    def _take_another(self, refused: str, another: Callable[[str], str]) -> None:
        """In place of a refused token; of ten requests that were refused at once, one asks for it."""
        with self._lock:
            if self._token == refused:
                self._token = another(refused)


def _check_page(page: _Page, first: _Page, count: int) -> None:
    expected = first.size if page.number < count else first.total - first.size * (count - 1)
    if page.total != first.total:
        raise TornReadError(f"総件数が取得中に{first.total}から{page.total}に変わりました。")
    if len(page.records) != max(expected, 0):
        raise TornReadError(f"{page.number}ページ目が{len(page.records)}件でした（{expected}件のはず）。")


def _check_distinct(records: Sequence[Record], total: int) -> None:
    distinct = len({record["id"] for record in records})
    if distinct != total or len(records) != total:
        raise TornReadError(f"総件数{total}に対し、異なるidは{distinct}件でした。")


def _pause_s(headers: Mapping[str, str]) -> float:
    """How long a 429 asks us to stay away: at least a second, or the reset of every used-up window."""
    waits = [1.0]
    for prefix in ("x-rate-limit", "x-intensive-rate-limit"):
        if (headers.get(f"{prefix}-remaining") or "").strip() == "0":
            waits.append(_number(headers.get(f"{prefix}-reset")))
    return max(waits)


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def _failure(response: requests.Response, resource: str) -> FetchError:
    """The error a response means. Sorted by status and `code`; SmartHR's message texts are not relied on."""
    status, code = response.status_code, _error_code(response)
    what = _LABELS.get(resource, resource)
    if status == 401:
        return RefusedFetchError(
            "SmartHRのアクセストークンが無効です。SmartHRの「共通設定 > 外部システム連携」で新しいトークンを発行し、"
            "Airflowの接続に登録してください。"
        )
    if code == 15:
        return RefusedFetchError(
            "SmartHRのアクセス制限により、この連携サーバのIPアドレスが許可されていません。"
            "SmartHRのアクセストークンのアクセス制限ルールに追加してください（IPアドレスは運用担当者にお尋ねください）。"
        )
    if status == 403:
        return RefusedFetchError(
            f"SmartHRのアクセストークンに「{what}」の参照権限がありません。SmartHRでトークンの権限を追加してください。"
        )
    if status == 429:
        return RetriableFetchError("SmartHRのリクエスト数の上限に達しました。時間をおいて再実行してください。")
    if status == 503:
        return RetriableFetchError("SmartHRがメンテナンス中です。終了後に再実行してください。")
    if status == 408 or status >= 500:
        return RetriableFetchError(
            f"SmartHRでエラーが発生しています（HTTP {status}）。時間をおいて再実行してください。"
        )
    if 300 <= status < 400:
        return RefusedFetchError(
            f"SmartHRのURLが別の場所へ転送されました（HTTP {status}）。連携設定シートのSmartHR URLを確認してください。"
        )
    if status == 404:
        return RefusedFetchError(
            "SmartHRのURLが見つかりません（HTTP 404）。連携設定シートのSmartHR URLを確認してください。"
        )
    return RefusedFetchError(f"SmartHRが「{what}」の要求を受け付けませんでした（HTTP {status}、code {code}）。")


def _error_code(response: requests.Response) -> int | None:
    try:
        code = json_of(response.content).get("code")
    except (ValueError, AttributeError):
        return None  # a proxy or the maintenance page answers in HTML
    return code if isinstance(code, int) and 0 <= code < 1_000_000 else None


_LABELS = {
    "crews": "従業員",
    "departments": "部署",
    "biz_establishments": "事業所",
    "crew_custom_field_templates": "カスタム項目",
}
