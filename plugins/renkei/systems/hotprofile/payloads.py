"""What Hot Profile writes in its answers: pages of records, departments of leads, and what a refusal means."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from renkei.clock import TOKYO
from renkei.errors import FetchError, IncompleteReadError, RefusedFetchError, RetriableFetchError
from renkei.systems.transport import json_of

LONGEST_ID = 40  # characters of a department's
Entry = dict[str, Any]  # a record as Hot Profile writes it


class TornReadError(IncompleteReadError):
    """What was read does not make a whole (K6)."""


class UserGoneError(RefusedFetchError):
    """連携ユーザー was deleted, or their API key is not valid any more (K4)."""


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when something was updated, both ends inclusive, to the second."""

    since: dt.datetime
    until: dt.datetime

    def search(self) -> dict[str, str]:
        return {
            "from_datetime_updated_on": _in_japan(self.since),
            "to_datetime_updated_on": _in_japan(self.until),
        }


@dataclass(frozen=True, slots=True)
class Page:
    total: int
    ids: list[int]
    entries: list[Entry]


def read_page(
    body: Mapping[str, Any], resource: str, low: int, high: int | None, window: Window | None, size: int
) -> Page:
    """A page as the connector's description writes it, of that range and window alone.

    Raises:
        TornReadError: it lacks records, or has them twice, or others than were asked for.
        RetriableFetchError: it is something else.
    """
    try:
        entries, total = body[resource], body["pages"]["total_count"]
        ids = [number_of(entry["id"]) for entry in entries]
        times = [updated_at(entry) for entry in entries]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RetriableFetchError(
            "Hot Profileの応答がAPIの形式ではありません。メンテナンス中の可能性があります。次回の連携で読み直します。"
        ) from error
    if type(total) is not int or total < 0:
        raise RetriableFetchError("Hot Profileの総件数が不正です。次回の連携で読み直します。")
    if len(set(ids)) < len(ids) or len(ids) != min(size, total):
        raise TornReadError(
            f"Hot Profileの総件数{total}に対し、異なるデータが{len(set(ids))}件でした。何も書き込んでいません。"
        )
    if any(one < low or (high is not None and one > high) for one in ids) or (
        window and any(not window.since.replace(microsecond=0) <= at <= window.until for at in times)
    ):
        raise TornReadError("Hot Profileが求めた範囲の外のデータを返しました。何も書き込んでいません。")
    return Page(total, ids, entries)


def number_of(value: Any) -> int:
    """Raises: TypeError, ValueError: it is no id."""
    if type(value) is int or (isinstance(value, str) and value.isascii() and value.isdecimal()):
        return int(value)
    raise ValueError("no id")


def updated_at(entry: Entry) -> dt.datetime:
    """When Hot Profile last changed the record, to the second.

    Raises:
        KeyError, TypeError, ValueError: it does not say.
    """
    text = entry["updated_at"].replace("/", "-").replace(" ", "T")
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=TOKYO)


def _in_japan(moment: dt.datetime) -> str:
    return moment.astimezone(TOKYO).strftime("%Y-%m-%d %H:%M:%S")


def departments_of(stretches: Iterator[list[Entry]]) -> Iterator[list[Entry]]:
    """The departments that leads name, each once, as its newest lead has it."""
    found: dict[str, Entry] = {}
    for entries in stretches:
        for lead in entries:
            number = lead.get("organization_id")
            if number in (None, "", 0, "0"):
                continue
            if type(number) not in (int, str) or len(str(number)) > LONGEST_ID:
                raise RetriableFetchError("Hot Profileのリードの部署IDが正しくありません。次回の連携で読み直します。")
            known = found.get(str(number))
            if known is None or updated_at(known) < updated_at(lead):
                found[str(number)] = _department(lead)
    if found:
        yield list(found.values())


_OF_A_DEPARTMENT = (
    *("organization_name", "organization_hierarchy", "client_id", "client_name", "created_at", "updated_at"),
)


def _department(lead: Entry) -> Entry:
    return {"id": lead["organization_id"], **{name: lead.get(name) for name in _OF_A_DEPARTMENT}}


def json_body(content: bytes) -> dict[str, Any]:
    try:
        body = json_of(content)
    except ValueError as error:
        raise RetriableFetchError(
            "Hot Profileの応答がAPIの形式ではありません。メンテナンス中の可能性があります。次回の連携で読み直します。"
        ) from error
    if not isinstance(body, dict) or body.get("errors") or body.get("error"):
        raise RetriableFetchError("Hot Profileがエラーを返しました。次回の連携で読み直します。")
    return body


def failure_of(response: requests.Response) -> FetchError:
    status = response.status_code
    if status in (401, 403):
        return UserGoneError(
            f"ユーザーが削除されていました（HTTP {status}）。連携ユーザーが削除されたか、APIキーが無効になっています。"
            "Hot Profileで連携ユーザーを確認し、そのユーザーのAPIキーをAirflowの接続(hotprofile)に登録してください。"
        )
    if status == 429:
        return RetriableFetchError("Hot Profileのリクエスト数の上限に達しました。次回の連携で読み直します。")
    if status in (408, 503) or status >= 500:
        return RetriableFetchError(f"Hot Profileが一時的に応答できません（HTTP {status}）。次回の連携で読み直します。")
    return RefusedFetchError(
        f"Hot Profileが要求を受け付けませんでした（HTTP {status}）。連携設定シートのHot Profile URLを確認してください。"
    )
