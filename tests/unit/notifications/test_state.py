"""N2: what a delivery makes of a channel's state."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from renkei.channel import Service
from renkei.notifications.state import ChannelState, after
from renkei.systems.delivery import Delivery, Verdict

NOW = dt.datetime(2026, 11, 22, 4, 38, tzinfo=dt.UTC)
BEFORE = NOW - dt.timedelta(days=1)
WELL = Delivery(Verdict.ACCEPTED, 200)
REFUSED = Delivery(Verdict.REFUSED, 400)
VOID = Delivery(Verdict.REFUSED, 404, "no_service", dead=True)
FOUR = ChannelState("r", failures=4, run="yesterday")
OUT = ChannelState("r", failures=5, run="yesterday", disabled_at=BEFORE, told=True, dead=True)


def told(state: ChannelState, delivery: Delivery, service: Service = Service.SLACK_WEBHOOK) -> ChannelState:
    return after(state, delivery, service, "today", NOW, 5)


def test_n2_a_message_that_arrives_makes_a_disabled_channel_as_good_as_new() -> None:
    """It was 無効, and told to be; a 通知テスト that arrives ends both, and the next fault is the first again."""
    found = told(OUT, WELL)
    assert not found.disabled
    assert (found.failures, found.run, found.told, found.dead) == (0, "", False, False)
    assert (found.accepted_at, found.registration) == (NOW, "r")


@pytest.mark.parametrize(
    ("state", "delivery", "service", "failures", "disabled_at"),
    [
        (ChannelState("r"), REFUSED, Service.SLACK_WEBHOOK, 1, ""),
        (FOUR, REFUSED, Service.SLACK_WEBHOOK, 5, NOW),
        (dataclasses.replace(FOUR, run="today"), REFUSED, Service.SLACK_WEBHOOK, 4, ""),
        (ChannelState("r"), VOID, Service.SLACK_WEBHOOK, 1, NOW),
        (FOUR, REFUSED, Service.MAIL, 5, ""),
        (ChannelState("r"), VOID, Service.MAIL, 1, ""),
        (OUT, REFUSED, Service.SLACK_WEBHOOK, 6, BEFORE),
    ],
    ids=["first", "fifth in a row", "same run", "void", "mail", "mail that is void", "since when it is disabled"],
)
def test_n2_when_a_channel_is_disabled(
    state: ChannelState, delivery: Delivery, service: Service, failures: int, disabled_at: dt.datetime | str
) -> None:
    found = told(state, delivery, service)
    assert (found.failures, found.run, found.disabled_at) == (failures, "today", disabled_at)
    assert found.last == delivery
