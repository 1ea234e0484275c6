"""EMC's import contract over HTTP (include/contracts/emc_import.openapi.yaml)."""

from __future__ import annotations

import contextlib
import logging
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import pandas as pd
import pyarrow as pa
import requests

from renkei.errors import LoadError, RejectedLoadError, RetriableLoadError
from renkei.systems.emc.encode import ImportFile
from renkei.systems.emc.payloads import Import, declared, misshapen, read_code, read_import, read_items, read_page
from renkei.systems.peer import Peer
from renkei.systems.retrying import ask_until_passed, failure_or_retry, pause_of
from renkei.systems.transport import bounded, json_of

log = logging.getLogger(__name__)

ANSWER_S = 120.0  # for an answer, whole
LONG_S = 600.0  # a file sent over a slow line, or one transaction over every row
MAX_BODY = 20_000_000  # bytes of an answer, unpacked: 20 kB for each row of a page
TRIES = 4
IDS_PER_SEARCH = 10_000  # the contract's maximum
FEW_FIELDS = 3  # so many of so many people stay well below MAX_BODY
RECORDS_PER_PAGE = 1_000  # the contract's maximum
EXPORT_TRIES = 3
APPLYING_POLL_S = 1.0
APPLYING_LIMIT_S = 1_800.0

_PEER = Peer("EMC", "時間をおいて再実行してください。", lambda said, _: RetriableLoadError(said))
KEY = re.compile(r"[a-z0-9_-]+\.[0-9a-f]{16}\.[0-9a-f]{12}")  # of an import that Renkei opened: import_key


class ImportBusyError(RetriableLoadError):
    """Another import of this account is open."""


def import_key(source: str, plan_digest: str) -> str:
    """A new idempotency key: of this attempt alone, and told apart from other people's (`forgotten`)."""
    return f"{source}.{plan_digest[:16]}.{uuid.uuid4().hex[:12]}"


class EmcClient:
    """One EMC account, through a `requests` Session that carries its token."""

    def __init__(self, session: requests.Session, base_url: str) -> None:
        self._session = bounded(session)
        self._base_url = self.address = base_url.rstrip("/")

    def check(self) -> dict[str, Any]:
        """The account as EMC names it; shows that the token is accepted."""
        return self._json("GET", "/account")

    def find_import(self, key: str) -> Import | None:
        """The import that was opened with this idempotency key once it is decided, or None.

        An import that is being applied is waited for; `open` means that it was never committed.
        """
        found = self._imports({"key": key})
        if any(one.key != key for one in found):
            raise RetriableLoadError("EMCが別の取込の結果を返しました。結果が分かるまで前回データは変えません。")
        return self._decided(found[0]) if found else None

    def ever_committed(self, source: str) -> bool:
        """Whether EMC has committed an import of this tenant before (E31)."""
        return bool(self._imports({"source": source, "state": "committed", "limit": "1"}))

    def _imports(self, query: Mapping[str, str]) -> list[Import]:
        found = self._json("GET", "/imports", params=query).get("imports")
        if not isinstance(found, list):
            raise misshapen()
        return [read_import(one) for one in found]

    def submit(
        self, key: str, source: str, plan_digest: str, departments: ImportFile | None, users: ImportFile | None
    ) -> Import:
        """Hand over the files under `key` and commit them once; None = that record set is not touched.

        Repeating the call with the same key never applies anything twice. The answer is `committed` or
        `rejected`.

        Raises:
            ImportBusyError: another import of the account is open or being applied.
            RetriableLoadError: the outcome is not known: ask `find_import(key)`.
        """
        files: dict[str, ImportFile | None] = {"departments": departments, "users": users}
        body = {"source": source, "plan_digest": plan_digest, **declared(departments, users)}
        opened = read_import(self._json("POST", "/imports", json=body, headers={"Idempotency-Key": key}))
        if opened.state == "open":
            for name, file in files.items():
                if file is not None:
                    self._request(
                        "PUT",
                        f"/imports/{opened.id}/{name}",
                        timeout_s=LONG_S,
                        data=file.content,
                        headers={"Content-Type": "text/csv"},
                    )
            opened = read_import(self._json("POST", f"/imports/{opened.id}/commit", timeout_s=LONG_S))
        return self._decided(opened)

    def withdraw(self, found: Import) -> None:
        """Abort an import that was never committed, so that the account is free again."""
        try:
            self._json("DELETE", f"/imports/{found.id}")
        except RejectedLoadError:
            # An abort whose answer was lost is refused when it is repeated.
            if read_import(self._json("GET", f"/imports/{found.id}")).state != "aborted":
                raise RetriableLoadError("EMCで取込の状態が変わりました。もう一度結果を確認します。") from None

    def forgotten(self) -> list[Import]:
        """Open imports of Renkei's, of any tenant; other people's are not among them.

        The request to open one may reach EMC after we have given up and asked for it in vain. EMC would keep such an
        import, and the account shut, for ever: the contract wants whoever finds it to abort it.
        """
        return [one for one in self._imports({"state": "open"}) if KEY.fullmatch(one.key)]

    def forget(self, key: str) -> None:
        """Nothing of a decided import is left on our side; EMC keeps its own history."""

    def _decided(self, found: Import) -> Import:
        deadline = time.monotonic() + APPLYING_LIMIT_S
        while found.state == "applying":
            if time.monotonic() > deadline:
                raise RetriableLoadError("EMCが取込を処理し続けています。結果が分かるまで前回データは変えません。")
            time.sleep(APPLYING_POLL_S)
            found = read_import(self._json("GET", f"/imports/{found.id}"))
        return found

    def find(
        self, record_set: Literal["departments", "users"], ids: Sequence[str], fields: Sequence[str]
    ) -> list[dict[str, str]]:
        """Those of `ids` that EMC has, each once, with the items asked for (EMC's item names, the id first), in no order."""
        found: list[dict[str, str]] = []
        most = IDS_PER_SEARCH if len(fields) <= FEW_FIELDS else RECORDS_PER_PAGE
        for start in range(0, len(ids), most):
            asked = list(ids[start : start + most])
            body = self._json("POST", f"/{record_set}/search", json={"ids": asked, "fields": list(fields)})
            found += read_items(body, fields)
        return found

    def export(self, record_set: Literal["departments", "users"], fields: Sequence[str]) -> pd.DataFrame:
        """All that EMC has: one text column per item of `fields` (EMC's item names, the id first), ascending by id.

        It is one state of the account, and the whole of it: absence from it proves something.

        Raises:
            RetriableLoadError: EMC's pages make no whole, or EMC changed again and again while it was read.
        """
        for _ in range(EXPORT_TRIES):
            pages = self._pages(record_set, fields)
            if pages is not None:
                whole = pa.concat_tables(pages).combine_chunks()
                text = pd.StringDtype(na_value=float("nan"))
                return cast("pd.DataFrame", whole.to_pandas(types_mapper={pa.large_string(): text}.get))
        raise RetriableLoadError(
            "EMCのデータが読み取り中に変わり続けているため、全件を読み取れません。時間をおいて再実行してください。"
        )

    def _pages(self, record_set: str, fields: Sequence[str]) -> list[Any] | None:
        """Every page as an Arrow table; None when EMC changed in between: such pages do not belong together.

        Ids that only ascend, as many as EMC says there are, in one version of the account: everybody, once.
        """
        pages: list[Any] = []
        version, total, count, last = None, None, 0, ""
        after: str | None = ""
        while after is not None:
            query = {"after": after, "limit": str(RECORDS_PER_PAGE), "fields": ",".join(fields)}
            page = read_page(self._json("GET", f"/{record_set}", params=query), fields)
            if version not in (None, page.version):
                return None
            for one in page.ids:  # in the contract's order, which is by code point as Python's is
                if one <= last:
                    raise RetriableLoadError(
                        "EMCの一覧のページが重複しているか、順序が崩れています。全件と言えないため中止しました。"
                    )
                last = one
            pages.append(page.table)
            version, total, count = page.version, page.total, count + len(page.ids)
            after = page.following if page.ids else None
        if count != total:
            raise RetriableLoadError(
                f"EMCの一覧が{count}件で、EMCの件数{total}件と合いません。全件と言えないため中止しました。"
            )
        return pages

    def _json(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        response = self._request(method, path, **kwargs)
        try:
            body = json_of(response.content)
        except ValueError as error:
            raise RetriableLoadError(
                "EMCの応答が取込仕様の形式ではありません。メンテナンス中の可能性があります。"
            ) from error
        if not isinstance(body, dict):
            raise misshapen()
        return body

    def _request(self, method: str, path: str, *, timeout_s: float = 0.0, **kwargs: Any) -> requests.Response:
        """Send; every call of the contract may be repeated, so passing faults are."""
        return ask_until_passed(lambda: self._request_once(method, path, timeout_s or ANSWER_S, kwargs), TRIES)

    def _request_once(self, method: str, path: str, timeout_s: float, kwargs: dict[str, Any]) -> requests.Response:
        """Raises: PassingError, LoadError."""
        url = f"{self._base_url}/api/v1{path}"
        response = _PEER.ask(self._session, method, url, timeout_s=timeout_s, max_bytes=MAX_BODY, **kwargs)
        if response.ok and response.status_code < 300:
            return response
        failure = _failure(response)
        if isinstance(failure, ImportBusyError):
            raise failure
        raise failure_or_retry(failure, min(pause_of(response), 30.0))


def _failure(response: requests.Response) -> LoadError:
    code = ""
    with contextlib.suppress(ValueError, AttributeError):  # a proxy or the maintenance page answers in HTML
        code = read_code(json_of(response.content).get("code"))
    status = response.status_code
    if code == "IMPORT_IN_PROGRESS":
        return ImportBusyError("EMCで別の取込が処理中です。終了後に再実行します。")
    if status in (401, 403):
        return RejectedLoadError(
            "EMCのトークンが無効か、権限がありません。Airflowの接続(emc)のトークンを確認してください。"
        )
    if status == 503:
        return RetriableLoadError("EMCがメンテナンス中です。終了後に再実行してください。")
    if status in (408, 429) or status >= 500:
        return RetriableLoadError(f"EMCが一時的に応答できません（HTTP {status}）。時間をおいて再実行してください。")
    return RejectedLoadError(f"EMCが要求を受け付けませんでした（HTTP {status}、{code or '理由不明'}）。")
