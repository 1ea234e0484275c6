"""kintone's REST API: what a link reads and writes of one app, counted, bounded and repeated where that does no harm.

The contract is kintone's published reference (https://cybozu.dev/ja/kintone/docs/rest-api/). A write is all or
nothing per request. Writing by 更新キー (upsert) may be repeated; adding a record may not, and so is looked up first.

bulkRequest is not used: it counts as many requests as it has parts, was measured a tenth faster than five requests at
once, and one bad record would cost its two thousand a second time (K15, K19).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import requests

from renkei.errors import SettingError
from renkei.systems.kintone.crowding import ConcurrencyLimit
from renkei.systems.kintone.errors import (
    CrowdedError,
    KintoneAwayError,
    KintoneSettingError,
    KintoneUnreachedError,
    QuotaSpentError,
    RecordChangedError,
    RecordGoneError,
    RecordRefusedError,
    Refusal,
    failure,
)
from renkei.systems.kintone.form import Form, read_form, same_number
from renkei.systems.kintone.payloads import (
    Record,
    Written,
    has_revisions,
    id_of,
    is_number,
    misshapen,
    placed,
    quoted,
    read_written,
    refuse_empty_keys,
    request_of,
    upsert_body,
    users_in,
    with_ids,
)
from renkei.systems.peer import Peer
from renkei.systems.retrying import PassingError, ask_until_passed
from renkei.systems.transport import bounded, json_of, retry_after_s

log = logging.getLogger(__name__)

RECORDS_PER_WRITE = 100
RECORDS_PER_READ = 500
ANSWER_S = 60.0
MAX_BODY = 50_000_000  # bytes of an answer, unpacked: 100 kB for each record of a page
TRIES = 4
LOOKS = 3  # of a write without upsert: each time asks first who is there
AT_ONCE = 5
UNKNOWN_USER = "GAIA_IL26"
_PEER = Peer(
    "kintone",
    "正常に接続できるようになれば、自動で再開します。",
    lambda said, may_have_arrived: (
        KintoneAwayError(said, unknown=True) if may_have_arrived else KintoneUnreachedError(said, unknown=False)
    ),
    "連携設定シートのサブドメイン",
    passes=False,
)


class KintoneClient:
    """One kintone domain, through a `requests` Session that carries the tokens of an app and of those its lookups read.

    `spend(n)` is called with the number of requests before they are sent, repeated ones too, and may raise
    QuotaSpentError (K15). `address` is what this machine is seen as from outside, for the message that asks to allow
    it (K21). May be used from several threads.
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        guest_space: str = "",
        spend: Callable[[int], None] = lambda count: None,
        *,
        at_once: int = AT_ONCE,
        address: str = "",
    ) -> None:
        self._session = bounded(session)
        self._path = f"/k/guest/{guest_space}/v1" if guest_space else "/k/v1"
        self._root = base_url.rstrip("/")
        self._spend = spend
        self._concurrency = ConcurrencyLimit(
            at_once, clock=lambda: time.monotonic(), sleep=lambda seconds: time.sleep(seconds)
        )
        self._address = address
        self._upserts = True
        self._unknown_users: dict[str, Refusal] = {}  # by ログイン名: they are refused again without a request
        self._names: dict[str, dict[str, str]] = {}  # of each app whose form was read: its fields' codes

    def form(self, app: str) -> Form:
        """The app's fields as they are in use now: one request (K8, K11)."""
        body = self._ask("GET", "/app/form/fields.json", {"app": app})
        try:
            form = read_form(app, body)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise misshapen() from error
        self.know(form)
        return form

    def know(self, form: Form) -> None:
        """Take a form that was read before, so that a refused lookup can be named without asking again."""
        self._names[form.app] = form.names()

    def find(self, app: str, field: str, values: Sequence[str], fields: Sequence[str] = ()) -> list[Record]:
        """The records whose `field` has one of `values`, in no order; one request for each hundred values.

        `fields` are the codes to read, all if none; `$id`, `$revision` and `field` are always there.

        Raises:
            KintoneSettingError: `field` may not be seen, which kintone tells by leaving it out; or as `upsert`.
        """
        found: list[Record] = []
        for start in range(0, len(values), RECORDS_PER_WRITE):
            query = f"{field} in ({', '.join(map(quoted, values[start : start + RECORDS_PER_WRITE]))})"
            for page in self.pages(app, [*fields, field] if fields else [], query):
                found += page
        if any(field not in record for record in found):
            raise KintoneSettingError(
                f"kintoneのフィールド「{field}」の閲覧権限がありません。フィールドのアクセス権で、閲覧を許可してください。"
            )
        return found

    def pages(self, app: str, fields: Sequence[str], query: str = "") -> Iterator[list[Record]]:
        """Every record that meets `query`, by ascending id, 500 at a time; nothing is read ahead.

        Each page begins after the last id of the one before, so that what is added or deleted meanwhile shifts nothing.
        """
        last = 0
        while True:
            where = f"({query}) and " if query else ""
            page = self._page(app, f"{where}$id > {last} order by $id asc limit {RECORDS_PER_READ}", with_ids(fields))
            ids = [id_of(record) for record in page]
            if any(one <= before for before, one in zip([last, *ids], ids, strict=False)):
                raise KintoneAwayError(
                    "kintoneのレコードの一覧のページが重複しているか、順序が崩れています。全件と言えないため中止しました。",
                    unknown=False,
                )
            if page:
                yield page
            if len(page) < RECORDS_PER_READ:
                return
            last = ids[-1]

    def upsert(self, app: str, key: str, records: Sequence[tuple[str, Record]]) -> list[Written]:
        """Write up to 100 records by their 更新キー, in their order: those that are there are changed, others added.

        One request. A server that does not know upsert is asked first who is there, from its first refusal on: up to
        three, and more where others write too. May be repeated at will.

        Raises:
            RecordRefusedError: none was written; some record of them is at fault.
            KintoneSettingError: none was written; nothing of the app can be.
            KintoneAwayError: not now; where it is `unknown`, they may be written all the same.
            QuotaSpentError: by `spend`; nothing was sent.
        """
        refuse_empty_keys(key, records)
        if self._upserts:
            try:
                return self._put(app, upsert_body(app, key, records))
            except RecordGoneError:  # of a key that is not there yet: it took no notice of `upsert`
                self._upserts = False
        return self._write_by_looking(app, key, records)

    def update(self, app: str, records: Sequence[tuple[str, Record]], revisions: Sequence[str] = ()) -> list[Written]:
        """Change up to 100 records by kintone's own ids, their 更新キー too (K22); none is ever added.

        With `revisions`, only if each record still has its own; an empty one may be any (K23).

        Raises: as `upsert`, and
            RecordGoneError: one of them is not there any more; none was changed.
            RecordChangedError: one of them has another revision, or is being changed; none was changed.
        """
        rows: list[dict[str, Any]] = [{"id": number, "record": record} for number, record in records]
        for row, revision in zip(rows, revisions, strict=False):
            row |= {"revision": revision} if revision else {}
        return self._put(app, {"app": app, "records": rows})

    def _put(self, app: str, body: Mapping[str, Any]) -> list[Written]:
        users = [users_in(row["record"]) for row in body["records"]]
        unknown = [
            replace(self._unknown_users[one], index=number)
            for number, names in enumerate(users)
            for one in names & self._unknown_users.keys()
        ]
        if unknown:
            raise RecordRefusedError(unknown)
        try:
            return read_written(self._ask("PUT", "/records.json", body, app=app, again=True), len(users))
        except RecordRefusedError as error:
            if error.first.code == UNKNOWN_USER and len(users) == 1 == len(users[0]):  # kintone does not say who it is
                self._unknown_users[users[0].pop()] = error.first
            raise

    def _write_by_looking(self, app: str, key: str, records: Sequence[tuple[str, Record]]) -> list[Written]:
        """Ask who is there; change those, add the others. An answer that was lost, or another who was faster, shows
        when it is asked again: the key allows nobody twice."""
        done: dict[int, Written] = {}
        trouble: Exception | None = None
        for _ in range(LOOKS):
            left = [number for number in range(len(records)) if number not in done]
            known = self._ids_by_key(app, key, [records[number][0] for number in left])
            old = [number for number in left if records[number][0] in known]
            new = [number for number in left if records[number][0] not in known]
            try:
                if old:
                    rows = [(known[records[number][0]], records[number][1]) for number in old]
                    done |= zip(old, self.update(app, rows), strict=True)
                if new:
                    done |= zip(new, self._add(app, key, [records[number] for number in new]), strict=True)
                return [done[number] for number in range(len(records))]
            except RecordGoneError as error:  # deleted since we looked
                trouble = error
            except KintoneAwayError as error:
                if not error.unknown:
                    raise
                trouble = error
            except RecordRefusedError as error:
                numbers = old if old and old[0] not in done else new
                if numbers is new and any(one.field == key for one in error.refusals):
                    trouble = placed(error, numbers)  # a duplicate of the key: there after all
                    continue
                raise placed(error, numbers) from error
        assert trouble is not None
        if isinstance(trouble, RecordGoneError):
            raise KintoneAwayError("kintoneのレコードが書き込み中に変更され続けています。", unknown=False) from trouble
        raise trouble

    def _ids_by_key(self, app: str, key: str, values: Sequence[str]) -> dict[str, str]:
        """kintone's id of each of `values` that is there; in a field of numbers 01.0 is 1 (K7)."""
        found = self.find(app, key, values, [key])
        ids = {str(record[key]["value"]): str(id_of(record)) for record in found}
        numbers = {same_number(value): one for value, one in ids.items()} if is_number(found, key) else {}
        known = {value: ids.get(value) or numbers.get(same_number(value)) for value in values}
        return {value: one for value, one in known.items() if one}

    def _add(self, app: str, key: str, records: Sequence[tuple[str, Record]]) -> list[Written]:
        rows = [{**record, key: {"value": value}} for value, record in records]
        body = self._ask("POST", "/records.json", {"app": app, "records": rows}, app=app)
        ids, revisions = body.get("ids"), body.get("revisions")
        if not isinstance(ids, list) or not isinstance(revisions, list) or not len(ids) == len(revisions) == len(rows):
            raise misshapen()
        return [Written(str(one), str(revision), True) for one, revision in zip(ids, revisions, strict=True)]

    def _page(self, app: str, query: str, fields: Sequence[str]) -> list[Record]:
        records = self._ask("GET", "/records.json", {"app": app, "query": query, "fields": list(fields)}).get("records")
        if not isinstance(records, list) or not all(isinstance(one, dict) and "$id" in one for one in records):
            raise misshapen()
        return records

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        *,
        app: str = "",
        again: bool = False,
    ) -> dict[str, Any]:
        """What kintone answers; what may be repeated (reads, and what says so by `again`) is.

        Raises: as `upsert`.
        """
        again = again or method == "GET"
        may_have_arrived = False  # an earlier try of a write: what keeps the next one from being sent does not undo it

        def once() -> dict[str, Any]:
            nonlocal may_have_arrived
            try:
                return self._once(method, path, body, app)
            except KintoneAwayError as error:
                may_have_arrived = error.unknown = error.unknown or may_have_arrived
                is_decided = isinstance(error, RecordChangedError) and has_revisions(body)
                if is_decided or (error.unknown and not again):
                    raise
                log.info("kintone %s %s: %s", method, path, type(error).__name__)
                raise PassingError(error) from None
            except (QuotaSpentError, SettingError) as error:
                if may_have_arrived and method != "GET":
                    raise KintoneAwayError(str(error), unknown=True) from error
                raise

        return ask_until_passed(once, TRIES)

    def _once(self, method: str, path: str, body: Mapping[str, Any], app: str) -> dict[str, Any]:
        method, url, sent = request_of(method, f"{self._root}{self._path}{path}", body)
        with self._concurrency.passed() as note:
            self._spend(1)
            response = _PEER.ask(self._session, method, url, timeout_s=ANSWER_S, max_bytes=MAX_BODY, **sent)
            note(response.headers)
            if response.status_code != 200:
                wrong = failure(
                    response.status_code,
                    response.content,
                    response.headers,
                    names=self._names.get(app, {}),
                    address=self._address,
                )
                if isinstance(wrong, CrowdedError):
                    self._concurrency.close(retry_after_s(response.headers))
                raise wrong
        try:
            answer = json_of(response.content)
        except ValueError as error:
            raise misshapen() from error
        if not isinstance(answer, dict):
            raise misshapen()
        return answer
