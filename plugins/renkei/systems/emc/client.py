"""EMC's import contract over HTTP (include/contracts/emc_import.openapi.yaml)."""

from __future__ import annotations

import contextlib
import logging
import random
import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import requests

from renkei.errors import LoadError, RejectedLoadError, RetriableLoadError
from renkei.systems.emc.encode import ImportFile

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

TIMEOUT_S = (10.0, 120.0)  # connect, read
COMMIT_TIMEOUT_S = (10.0, 600.0)  # one transaction over every row
TRIES = 4
IDS_PER_SEARCH = 10_000  # the contract's maximum
RECORDS_PER_PAGE = 1_000  # the contract's maximum
EXPORT_TRIES = 3
APPLYING_POLL_S = 1.0
APPLYING_LIMIT_S = 1_800.0

KEY = re.compile(r"[a-z0-9_-]+\.[0-9a-f]{16}\.[0-9a-f]{12}")  # of an import that Renkei opened: import_key

ImportState = Literal["open", "applying", "committed", "rejected", "aborted"]


class ImportBusyError(RetriableLoadError):
    """Another import of this account is open."""


def import_key(source: str, plan_digest: str) -> str:
    """A new idempotency key: of this attempt alone, and told apart from other people's (`forgotten`)."""
    return f"{source}.{plan_digest[:16]}.{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True, slots=True)
class EmcProblem:
    """An error or notice of EMC about one line of a file."""

    file: str  # departments | users
    line: int
    item: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Import:
    """What EMC knows of one import."""

    id: str
    key: str
    state: ImportState
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    errors: tuple[EmcProblem, ...] = ()
    error_count: int = 0
    notices: tuple[EmcProblem, ...] = ()


class EmcClient:
    """One EMC account, through a `requests` Session that carries its token."""

    def __init__(self, session: requests.Session, base_url: str) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")

    def check(self) -> dict[str, Any]:
        """The account as EMC names it; shows that the token is accepted."""
        return self._json("GET", "/account")

    def outcome(self, key: str) -> Import | None:
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
            raise RetriableLoadError("EMCの応答が取込仕様の形式ではありません。")
        return [read_import(one) for one in found]

    def submit(
        self, key: str, source: str, plan_digest: str, departments: ImportFile | None, users: ImportFile | None
    ) -> Import:
        """Hand over the files under `key` and commit them once; None = that record set is not touched.

        Repeating the call with the same key never applies anything twice. The answer is `committed` or
        `rejected`.

        Raises:
            ImportBusyError: another import of the account is open or being applied.
            RetriableLoadError: the outcome is not known: ask `outcome(key)`.
        """
        files: dict[str, ImportFile | None] = {"departments": departments, "users": users}
        body = {"source": source, "plan_digest": plan_digest, **declared(departments, users)}
        opened = read_import(self._json("POST", "/imports", json=body, headers={"Idempotency-Key": key}))
        if opened.state == "open":
            for name, file in files.items():
                if file is not None:
                    self._request(
                        "PUT", f"/imports/{opened.id}/{name}", data=file.content, headers={"Content-Type": "text/csv"}
                    )
            opened = read_import(self._json("POST", f"/imports/{opened.id}/commit", timeout=COMMIT_TIMEOUT_S))
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
        """Those of `ids` that EMC has, with the items asked for (EMC's item names), in no order."""
        found: list[dict[str, str]] = []
        for start in range(0, len(ids), IDS_PER_SEARCH):
            body = {"ids": list(ids[start : start + IDS_PER_SEARCH]), "fields": list(fields)}
            found += self._json("POST", f"/{record_set}/search", json=body)["items"]
        return found

    def export(self, record_set: Literal["departments", "users"], fields: Sequence[str]) -> pd.DataFrame:
        """All that EMC has: one text column per item of `fields` (EMC's item names, the id first), ascending by id.

        It is one state of the account, and the whole of it: absence from it proves something.

        Raises:
            RetriableLoadError: EMC's pages make no whole, or EMC changed again and again while it was read.
        """
        import pandas as pd
        import pyarrow as pa

        with _urls_unlogged():
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
            page = _read_page(self._json("GET", f"/{record_set}", params=query), fields)
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
            body = response.json()
        except ValueError as error:
            raise RetriableLoadError(
                "EMCの応答が取込仕様の形式ではありません。メンテナンス中の可能性があります。"
            ) from error
        if not isinstance(body, dict):
            raise RetriableLoadError("EMCの応答が取込仕様の形式ではありません。")
        return body

    def _request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send; every call of the contract may be repeated, so passing faults are."""
        kwargs.setdefault("timeout", TIMEOUT_S)
        failure: LoadError | None = None
        for attempt in range(TRIES):
            if attempt:
                time.sleep(0.5 * 2.0**attempt * random.uniform(0.5, 1.0))
            try:
                response = self._session.request(
                    method, f"{self._base_url}/api/v1{path}", allow_redirects=False, **kwargs
                )
            except requests.RequestException as error:
                failure = RetriableLoadError(f"EMCに接続できないか、応答が途中で切れました（{type(error).__name__}）。")
                continue
            if response.ok and response.status_code < 300:
                return response
            failure = _failure(response)
            if not isinstance(failure, RetriableLoadError) or isinstance(failure, ImportBusyError):
                raise failure
            if response.status_code == 429:
                time.sleep(min(_seconds(response.headers.get("Retry-After")), 30.0))
        assert failure is not None
        raise failure


@contextlib.contextmanager
def _urls_unlogged() -> Iterator[None]:
    """urllib3 logs the URL of every request, and the one of a page has a user id in it (L6)."""
    logger = logging.getLogger("urllib3.connectionpool")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _failure(response: requests.Response) -> LoadError:
    code = ""
    with contextlib.suppress(ValueError, AttributeError):  # a proxy or the maintenance page answers in HTML
        code = read_code(response.json().get("code"))
    status = response.status_code
    if code == "IMPORT_IN_PROGRESS":
        return ImportBusyError("EMCで別の取込が処理中です。終了後に再実行します。")
    if status in (401, 403):
        return RejectedLoadError(
            "EMCのトークンが無効か、権限がありません。Airflowの接続(emc)のトークンを確認してください。"
        )
    if status == 503:
        return RetriableLoadError("EMCがメンテナンス中です。終了後に再実行してください。")
    if status == 429 or status >= 500:
        return RetriableLoadError(f"EMCが一時的に応答できません（HTTP {status}）。時間をおいて再実行してください。")
    return RejectedLoadError(f"EMCが要求を受け付けませんでした（HTTP {status}、{code or '理由不明'}）。")


def read_code(code: Any) -> str:
    """The contract's name of an error; what is no such name may quote what was sent, and goes no further (L6)."""
    return code if isinstance(code, str) and re.fullmatch("[A-Z_]{1,40}", code) else ""


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isdigit() else 1.0


def declared(departments: ImportFile | None, users: ImportFile | None) -> dict[str, Any]:
    """What is said of the files before they are sent, so that a torn one is noticed."""
    files = {"departments": departments, "users": users}
    return {name: file and {"rows": file.rows, "sha256": file.sha256} for name, file in files.items()}


def read_import(body: Mapping[str, Any]) -> Import:
    """An import as the contract writes it.

    Raises:
        RetriableLoadError: it is not; so nothing is known of the outcome (L1).
    """
    try:
        if body["state"] not in get_args(ImportState):
            raise KeyError("state")
        return Import(
            id=body["id"],
            key=body["key"],
            state=body["state"],
            counts=body.get("counts") or {},
            errors=_problems(body.get("errors")),
            error_count=body.get("error_count") or len(body.get("errors") or ()),
            notices=_problems(body.get("notices")),
        )
    except (KeyError, TypeError) as error:
        raise RetriableLoadError("EMCの応答が取込仕様の形式ではありません。") from error


@dataclass(frozen=True, slots=True)
class _Page:
    version: int
    total: int
    ids: list[str]
    table: Any  # pyarrow's; one text column per item asked for
    following: str | None


def _read_page(body: Mapping[str, Any], fields: Sequence[str]) -> _Page:
    """A page as the contract writes it: every item that was asked for, as a text.

    Raises:
        RetriableLoadError: it is not.
    """
    import pyarrow as pa

    try:
        columns = [pa.array([item[name] for item in body["items"]], type=pa.large_string()) for name in fields]
        page = _Page(body["version"], body["total"], columns[0].to_pylist(), pa.table(columns, fields), body["next"])
    except (KeyError, TypeError, ValueError) as error:
        raise RetriableLoadError("EMCの応答が取込仕様の形式ではありません。") from error
    if not isinstance(page.version, int) or any(column.null_count for column in columns):
        raise RetriableLoadError("EMCの応答が取込仕様の形式ではありません。")
    return page


def _problems(rows: Sequence[Mapping[str, Any]] | None) -> tuple[EmcProblem, ...]:
    return tuple(
        EmcProblem(row["file"], int(row["line"]), row.get("item") or "", read_code(row["code"]), row["message"])
        for row in rows or ()
    )
