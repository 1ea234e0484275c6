"""What every client of a system says where no answer of use comes: who, what, and what to do (L8), and of whom nothing (L6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
import requests

from renkei.errors import ConnectionError_, RenkeiError
from renkei.systems import retrying
from renkei.systems.emc import client as emc
from renkei.systems.emc.client import EmcClient
from renkei.systems.hotprofile import client as hotprofile
from renkei.systems.hotprofile.client import HotProfileClient
from renkei.systems.kingoftime import client as kingoftime
from renkei.systems.kingoftime.client import KingOfTimeClient
from renkei.systems.kintone import client as kintone
from renkei.systems.kintone.client import KintoneClient
from renkei.systems.lineworks.api import LineWorksApi
from renkei.systems.lineworks.calendar import LineWorksAwayError, LineWorksCalendar
from renkei.systems.peer import Peer
from renkei.systems.retrying import PassingError
from renkei.systems.smarthr import client as smarthr
from renkei.systems.smarthr.client import SmartHRClient
from renkei.systems.workplace import client as workplace
from renkei.systems.workplace.client import WorkplaceClient
from tests.harness.clock import SkipClock
from tests.unit.systems.lineworks.people import CREDENTIALS
from tests.unit.systems.transport import Answer, Wire, network, session_over

DAY = dt.date(2026, 11, 30)
CLIENTS: dict[str, tuple[ModuleType, Callable[[requests.Session, str], Any]]] = {
    "SmartHR": (smarthr, lambda session, url: SmartHRClient(session, url).read_all("crews")),
    "Hot Profile": (hotprofile, lambda session, url: HotProfileClient(session, url, "key").user_exists("x")),
    "WORKPLACE": (workplace, lambda session, url: WorkplaceClient(session, url).absences(DAY)),
    "EMC": (emc, lambda session, url: EmcClient(session, url).check()),
    "kintone": (kintone, lambda session, url: KintoneClient(session, url).form("1")),
    "KING OF TIME": (kingoftime, lambda session, url: KingOfTimeClient(session, url).divisions()),
}
ADDRESSES = {"SmartHR": "SmartHR URL", "kintone": "連携設定シートのサブドメイン"}  # of the others the Connection has it
every_client = pytest.mark.parametrize("name", CLIENTS)


def failure(name: str, said: Answer | Exception, url: str = "https://system.example", *, asked: int = 0) -> RenkeiError:
    _, ask = CLIENTS[name]
    wire = Wire(lambda seen: said)
    with mock.patch.object(retrying, "time", SkipClock()), pytest.raises(RenkeiError) as caught:
        ask(session_over(wire), url)
    assert not asked or len(wire.seen) == asked
    return caught.value


def remedy(name: str) -> str:
    address = ADDRESSES.get(name, f"Airflowの接続（{name}）のURL(Host)")
    return f"続く場合は、{address}を確認してください。"


def carried(error: BaseException | None) -> list[str]:
    """All that a chain of exceptions carries."""
    return [] if error is None else [type(error).__name__, *carried(error.__cause__), *carried(error.__context__)]


@every_client
@pytest.mark.parametrize(
    "fault", [requests.ConnectionError("taro"), requests.ReadTimeout("taro"), Answer("x", cut=True)]
)
def test_l8_a_system_that_gives_no_answer_is_named_with_a_remedy(name: str, fault: Answer | Exception) -> None:
    error = failure(name, fault)
    assert str(error).startswith(f"{name}に接続できないか、応答が途中で切れました（")
    assert str(error).endswith(remedy(name))
    assert "taro" not in str(error)
    assert carried(error) == [type(error).__name__]


@every_client
def test_l8_an_answer_that_is_too_long_is_told_with_a_remedy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be as long when asked for again; kintone's client repeats every read that failed."""
    monkeypatch.setattr(CLIENTS[name][0], "MAX_READ" if name == "KING OF TIME" else "MAX_BODY", 1000)
    error = failure(name, Answer("x" * 1001), asked=kintone.TRIES if name == "kintone" else 1)
    what = "SmartHRの従業員" if name == "SmartHR" else name
    assert str(error).startswith(f"{what}の応答が大きすぎます（1,000バイト超）。")
    assert str(error).endswith(remedy(name))
    assert carried(error) == [type(error).__name__]


@every_client
def test_l8_what_no_request_can_be_made_of_is_the_connections_fault(name: str) -> None:
    error = failure(name, requests.exceptions.InvalidURL("taro"), "https://")
    assert isinstance(error, ConnectionError_)
    assert str(error) == f"Airflowの接続（{name}）のURL(Host)またはExtraに誤りがあるため、送れません。直してください。"
    assert carried(error) == ["ConnectionError_"]


def test_l8_line_works_out_of_reach_is_told_with_a_remedy() -> None:
    """Its address is nobody's setting."""
    network(requests.ConnectionError("taro"))
    with pytest.raises(
        LineWorksAwayError, match=r"^LINE WORKSに接続できません（ConnectionError）.*確認してください。$"
    ):
        LineWorksCalendar(LineWorksApi(CREDENTIALS)).get("tanaka", "event")


@pytest.mark.parametrize(
    ("fault", "may_have_arrived"),
    [
        (requests.ConnectTimeout("taro"), False),
        (requests.ReadTimeout("taro"), True),
        (Answer("x", cut=True), True),
        (Answer("x" * 1001), True),
    ],
    ids=["no connection", "no answer", "half an answer", "too long"],
)
@pytest.mark.parametrize("passes", [True, False])
def test_l4_whether_a_request_may_have_arrived_is_told_to_whoever_names_the_failure(
    fault: Answer | Exception, may_have_arrived: bool, passes: bool
) -> None:
    """And only what may pass is asked for again, where its client says so."""
    told: list[bool] = []

    def named(said: str, arrived: bool) -> RenkeiError:
        told.append(arrived)
        return RenkeiError(said)

    peer = Peer("X", "あとで。", named, passes=passes)
    may_pass = passes and not (isinstance(fault, Answer) and not fault.cut)
    with pytest.raises(PassingError if may_pass else RenkeiError):
        peer.ask(session_over(Wire(lambda seen: fault)), "POST", "https://x.example", timeout_s=1, max_bytes=1000)
    assert told == [may_have_arrived]
