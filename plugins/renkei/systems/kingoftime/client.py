"""KING OF TIME's WebAPI, as far as punching needs it: employees, 所属, 雇用区分, punches.

A punch has no id and no key: the same one sent twice is two. So whoever sends one must know what `unknown` says.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from renkei.clock import TOKYO
from renkei.systems.kingoftime.errors import KingOfTimeAwayError, OtherPunchError, PunchRefusedError, refusal
from renkei.systems.peer import Peer
from renkei.systems.transport import bounded, json_of, retry_after_s

HOST = "https://api.kingtime.jp"
CONNECT_S, PUNCH_S = 4.0, 5.0  # together less than the lease under which a punch is sent
READ_S = 60.0
MAX_PUNCH, MAX_READ = 100_000, 100_000_000  # bytes of an answer
MAX_TEXT = 200  # characters of a name or code that are kept
_KEY = re.compile(r"[0-9A-Za-z]{1,64}")
_CODE = re.compile(r"[1-9]")
_PEER = Peer(
    "KING OF TIME",
    "つながるようになれば、打刻は自動で続きを送ります。",
    lambda said, may_have_arrived: KingOfTimeAwayError(said, unknown=may_have_arrived),
    passes=False,
)


@dataclass(frozen=True, slots=True)
class Employee:
    """An employee as KING OF TIME has them now. `key` stays when the code changes."""

    key: str
    code: str
    division: str  # 所属コード
    division_name: str
    type: str  # 雇用区分コード
    type_name: str
    name: str = field(repr=False)
    mails: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Punch:
    """A punch as KING OF TIME has it. `kind` is its code: 1 出勤, 2 退勤, 3 休憩開始, 4 休憩終了, 7 外出, 8 戻り."""

    key: str  # of the employee
    day: dt.date  # the working day
    at: dt.datetime  # to the second
    kind: str


class KingOfTimeClient:
    """One company's KING OF TIME. All methods may be called from several threads.

    Raises of each method but the constructor:
        StoppedError: nothing will come until a person acts.
        KingOfTimeAwayError: not now; `unknown` says only of `punch` what it says.
        ConnectionError_: the Connection's URL or Extra.
    """

    def __init__(self, session: requests.Session, base_url: str, address: str = "") -> None:
        """`session` has the token. `address` is what must be allowed at KING OF TIME, for whoever reads an error."""
        self._session, self._address = bounded(session), address
        base = base_url.rstrip("/")
        self._base = base if base.endswith("/v1.0") else f"{base}/v1.0"

    def punch(self, key: str, day: dt.date, at: dt.datetime, kind: str) -> None:
        """Register a punch for the working day.

        Raises:
            PunchRefusedError: it was not registered, and will not be.
            OtherPunchError: another one was.
        """
        sent = {"date": day.isoformat(), "time": written(at), "code": kind}
        response = self._ask(
            "POST", f"/daily-workings/timerecord/{key}", timeout_s=PUNCH_S, max_bytes=MAX_PUNCH, json=sent
        )
        if response.status_code not in (200, 201):
            raise self._refusal(response)
        try:
            said = json_of(response.content)
            record = said["timeRecord"]
            registered, moment = (said["date"], str(record["code"])), dt.datetime.fromisoformat(record["time"])
        except (ValueError, KeyError, TypeError):  # a page of somebody in between, or another version of the API
            raise KingOfTimeAwayError("KING OF TIMEの応答が打刻のものではありません。", unknown=True) from None
        if registered != (sent["date"], kind) or moment not in (at.replace(microsecond=0), minute(at)):
            raise OtherPunchError

    def punches(self, day: dt.date, keys: Sequence[str] = ()) -> list[Punch]:
        """The punches of a working day, of those employees or of all."""
        query = {"employeeKeys": ",".join(keys)} if keys else {}
        said = self._read(f"/daily-workings/timerecord/{day.isoformat()}", query)
        try:
            if said["date"] != day.isoformat():
                raise ValueError
            return [punch for working in said["dailyWorkings"] for punch in _punches(working, day)]
        except (ValueError, KeyError, TypeError):
            raise _odd() from None

    def employees(self) -> list[Employee]:
        """Everybody who has not left."""
        return [_employee(one) for one in self._list("/employees", {"additionalFields": "emailAddresses"})]

    def divisions(self) -> dict[str, str]:
        """The names of all 所属 by their codes."""
        return dict(_coded(one) for one in self._list("/divisions", {}))

    def types(self) -> dict[str, str]:
        """The names of all 雇用区分 by their codes."""
        return dict(_coded(one) for one in self._list("/working-types", {}))

    def _list(self, path: str, query: dict[str, str]) -> list[dict[str, Any]]:
        said = self._read(path, query)
        if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
            raise _odd()
        return said

    def _read(self, path: str, query: dict[str, str]) -> Any:
        response = self._ask("GET", path, timeout_s=READ_S, max_bytes=MAX_READ, params=query)
        if response.status_code != 200:
            error = self._refusal(response)
            if isinstance(error, PunchRefusedError):
                raise _odd() from None
            raise error
        try:
            return json_of(response.content)
        except ValueError:
            raise _odd() from None

    def _ask(self, method: str, path: str, **how: Any) -> requests.Response:
        return _PEER.ask(self._session, method, self._base + path, connect_s=CONNECT_S, **how)

    def _refusal(self, response: requests.Response) -> Exception:
        return refusal(response.status_code, response.content, self._address, retry_after_s(response.headers))


def minute(at: dt.datetime) -> dt.datetime:
    """As KING OF TIME shows a moment; whether it keeps the seconds is not known (docs/assumptions.md)."""
    return at.astimezone(dt.UTC).replace(second=0, microsecond=0)


def written(at: dt.datetime) -> str:
    """A moment as KING OF TIME writes it: Japan's time to the second; what is below one is cut off."""
    return at.astimezone(TOKYO).strftime("%Y-%m-%dT%H:%M:%S+09:00")


def _punches(working: dict[str, Any], day: dt.date) -> Iterator[Punch]:
    """Raises: ValueError, KeyError, TypeError."""
    key = working["employeeKey"]
    if working.get("date", day.isoformat()) != day.isoformat() or not _KEY.fullmatch(key):
        raise ValueError
    for record in working.get("timeRecord", []):  # what is null is left out
        at, kind = dt.datetime.fromisoformat(record["time"]), str(record["code"])
        if at.tzinfo is None or not _CODE.fullmatch(kind):
            raise ValueError
        yield Punch(key, day, at, kind)


def _employee(said: dict[str, Any]) -> Employee:
    try:
        key, code, division, kind = (_text(said[name]) for name in ("key", "code", "divisionCode", "typeCode"))
        names = [_text(said.get(name) or "") for name in ("lastName", "firstName")]
        mails = tuple(_text(one) for one in said.get("emailAddresses") or ())
    except (ValueError, KeyError, TypeError):
        raise _odd() from None
    if not _KEY.fullmatch(key) or not code:
        raise _odd()
    division_name, type_name = (_text(said.get(name) or "") for name in ("divisionName", "typeName"))
    return Employee(key, code, division, division_name, kind, type_name, " ".join(filter(None, names)), mails)


def _coded(said: dict[str, Any]) -> tuple[str, str]:
    try:
        return _text(said["code"]), _text(said.get("name") or "")
    except (ValueError, KeyError):
        raise _odd() from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value[:MAX_TEXT]


def _odd() -> KingOfTimeAwayError:
    return KingOfTimeAwayError(
        "KING OF TIMEの応答がAPIの形式ではありません。メンテナンス中の可能性があります。", unknown=True
    )
