"""What kintone's REST API takes and gives: requests, records, and what it says of those that were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from renkei.systems.kintone.errors import (
    KintoneAwayError,
    RecordRefusedError,
    Refusal,
)

LONGEST_URL = 4_000  # characters; what is longer goes as POST with X-HTTP-Method-Override
Record = dict[str, Any]  # as kintone writes it: {"code": {"value": …}}


@dataclass(frozen=True, slots=True)
class Written:
    """What kintone says of a record that was written."""

    id: str
    revision: str
    added: bool


def request_of(method: str, url: str, body: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Method, URL and the rest of a request; a GET that is too long for a URL goes as the reference's POST."""
    headers = {"Accept-Language": "ja"}
    if method != "GET":
        return method, url, {"json": body, "headers": headers}
    pairs = [
        (f"{name}[{number}]" if isinstance(value, list) else name, one)
        for name, value in body.items()
        for number, one in enumerate(value if isinstance(value, list) else [value])
    ]
    query = "&".join(f"{quote(name)}={quote(str(value))}" for name, value in pairs)
    if len(url) + len(query) < LONGEST_URL:
        return "GET", f"{url}?{query}", {"headers": headers}
    return "POST", url, {"json": body, "headers": {**headers, "X-HTTP-Method-Override": "GET"}}


def has_revisions(body: Mapping[str, Any]) -> bool:
    return any("revision" in row for row in body.get("records", ()))


def upsert_body(app: str, key: str, records: Sequence[tuple[str, Record]]) -> dict[str, Any]:
    rows = [
        {
            "updateKey": {"field": key, "value": value},
            "record": {code: cell for code, cell in record.items() if code != key},
        }
        for value, record in records
    ]
    return {"app": app, "upsert": True, "records": rows}


def refuse_empty_keys(key: str, records: Sequence[tuple[str, Record]]) -> None:
    """kintone adds a record without a key again and again (K7)."""
    empty = [number for number, (value, _) in enumerate(records) if not value.strip()]
    if empty:
        remedy = "Hot Profileで更新キーの項目に値を入力してください"
        raise RecordRefusedError([Refusal(number, key, "EMPTY_KEY", "更新キーが空です", remedy) for number in empty])


def users_in(record: Record) -> set[str]:
    """The ログイン名 in a record."""
    values = [cell["value"] for cell in record.values() if isinstance(cell["value"], list)]
    return {one["code"] for value in values for one in value if "code" in one}


def placed(error: RecordRefusedError, numbers: Sequence[int]) -> RecordRefusedError:
    """The error about part of the records, with their indexes among all."""
    return RecordRefusedError(
        [
            one
            if one.index is None or one.index >= len(numbers)
            else Refusal(numbers[one.index], one.field, one.code, one.detail, one.remedy)
            for one in error.refusals
        ]
    )


def read_written(body: Any, count: int) -> list[Written]:
    rows = body.get("records") if isinstance(body, dict) else None
    try:
        if not isinstance(rows, list) or len(rows) != count:
            raise misshapen()
        return [Written(str(row["id"]), str(row["revision"]), row.get("operation") == "INSERT") for row in rows]
    except (KeyError, TypeError, AttributeError) as error:
        raise misshapen() from error


def with_ids(fields: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*fields, "$id", "$revision"])) if fields else []


def id_of(record: Record) -> int:
    try:
        return int(record["$id"]["value"])
    except (KeyError, TypeError, ValueError) as error:
        raise misshapen() from error


def is_number(records: Sequence[Record], field: str) -> bool:
    return any(record[field].get("type") == "NUMBER" for record in records)


def quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def misshapen() -> KintoneAwayError:
    return KintoneAwayError(
        "kintoneの応答がREST APIの形式ではありません。メンテナンス中の可能性があります。正常に接続できるようになれば、自動で再開します。",
        unknown=True,
    )
