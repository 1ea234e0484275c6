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
every_client = pytest.mark.parametrize("name", CLIENTS)


def failure(
    name: str, said: Answer | Exception, url: str = "https://system.example", *, is_asked_once: bool = False
) -> RenkeiError:
    _, ask = CLIENTS[name]
    wire = Wire(lambda seen: said)
    with mock.patch.object(retrying, "time", SkipClock()), pytest.raises(RenkeiError) as caught:
        ask(session_over(wire), url)
    assert not is_asked_once or len(wire.seen) == 1
    return caught.value


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
    assert str(error).endswith("を確認してください。")
    assert "taro" not in str(error)
    assert carried(error) == [type(error).__name__]


@every_client
def test_l8_an_answer_that_is_too_long_is_told_with_a_remedy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be as long when asked for again."""
    monkeypatch.setattr(CLIENTS[name][0], "MAX_READ" if name == "KING OF TIME" else "MAX_BODY", 1000)
    error = failure(name, Answer("x" * 1001), is_asked_once=True)
    assert str(error).startswith(name)
    assert "の応答が大きすぎます（1,000バイト超）。" in str(error)
    assert str(error).endswith("を確認してください。")
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
