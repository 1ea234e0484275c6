"""What ends soon is told in time: an answer that is waited for, a registration (N7)."""

from __future__ import annotations

import datetime as dt
import json
import os

import pytest

from renkei.channel import OPERATOR, Channel, Event, Service
from renkei.errors import NotificationError
from renkei.links.workplace_lineworks.sheet.compile import compile_sheet
from renkei.orchestration.link import LINKS
from renkei.orchestration.monitor import expiring
from renkei.storage.cipher import Cipher
from renkei.storage.source_grants import Grant, GrantEvent, SourceGrants
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import accepted, later
from tests.dags.monitor.looks import SLACK, World, at
from tests.harness.oauth import KEY


def test_n7_an_answer_that_will_be_too_late_is_told_once_to_the_tenant(acme: World) -> None:
    """N7: to those of its channels that want it, with the page of the run; not again, and not too late."""
    acme.result("acme", at("22 4:40"))
    acme.wait("acme", at("23 4:15"))
    for now in ("23 2:00", "23 2:15", "23 2:30", "23 4:15"):
        acme.look(now)
    ((tenant, event, message, _),) = acme.ear.said
    assert (tenant, event) == ("acme", Event.EXPIRY)
    page = "http://airflow.example.jp/dags/smarthr_emc__acme/runs/manual__1/tasks/approve/required_actions"
    assert message.link == page
    acme.wait("acme", at("24 4:15"))
    acme.result("acme", at("23 4:40"))
    acme.look("24 2:30")
    assert len(acme.ear.said) == 2


def test_n3_a_notice_that_did_not_pass_is_told_at_the_next_look(acme: World) -> None:
    """N3: the look fails meanwhile."""
    acme.result("acme", at("22 4:40"))
    acme.wait("acme", at("23 4:15"))
    acme.ear.answer = later(503, "down")
    with pytest.raises(NotificationError, match="acme: 期限切れ予告"):
        acme.look("23 2:15")
    acme.ear.answer = accepted(200)
    acme.look("23 2:30")
    acme.look("23 2:45")
    assert len(acme.ear.said) == 2


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenant's webhook ends on 30 November."""
    connection = {
        "conn_type": "slack_webhook",
        "password": "https://hooks.slack.com/services/T0000/B0000/abcdefghijkl",
        "extra": {"expires_on": "2026-11-30"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_SLACK_WEBHOOK__ACME", json.dumps(connection))


@pytest.mark.usefixtures("ends")
def test_n7_the_end_of_a_registration_is_told_at_each_threshold(acme: World) -> None:
    """N7: to the tenant and to the operator, from 9:00 on, once each; its secret stands nowhere."""
    heard = []
    for day in range(1, 31):
        acme.result("acme", at(f"{day} 4:40"))
        for clock in ("8:45", "9:00", "17:00"):
            before = len(acme.ear.said)
            acme.look(f"{day} {clock}")
            heard += [(day, clock, tenant) for tenant, event, _, _ in acme.ear.said[before:] if event is Event.EXPIRY]
    days = [1, 23, 29, 30]
    assert heard == [(day, "9:00", whom) for day in days for whom in ("acme", OPERATOR)]
    assert "hooks.slack.com" not in acme.ear.lines + "".join(acme.ear.titles)
    assert "（あと7日）" in acme.ear.lines


@pytest.mark.parametrize("refresh", ["", "refresh-1"])
def test_n7_the_end_of_a_grant_that_nothing_renews_is_told(acme: World, refresh: str) -> None:
    """N7: to the company, at each threshold, with the page where it is allowed anew."""
    acme.store = Store(acme.store.fs, acme.store.root, Cipher(KEY))
    grant = Grant(GrantEvent.ALLOWED, at("1 9:00"), "yuki", "結城", at("1 9:00"), "access-1", refresh, at("30 9:00"))
    assert SourceGrants(TenantFolder(acme.store, "smarthr_emc", "acme")).follow(0, grant)
    heard = []
    for day in range(20, 31):
        acme.result("acme", at(f"{day} 4:40"))
        before = len(acme.ear.said)
        acme.look(f"{day} 9:00")
        heard += [day for _, event, _, _ in acme.ear.said[before:] if event is Event.EXPIRY]
    assert heard == ([] if refresh else [20, 23, 29, 30])
    if not refresh:
        message = acme.ear.said[-1][2]
        assert message.lines[0] == "SmartHRの許可の有効期限: 2026/11/30 まで（本日）"
        assert message.link == "http://airflow.example.jp/renkei/console/dag/smarthr_emc__acme/smarthr"
        assert "access-1" not in acme.ear.lines


@pytest.mark.usefixtures("ends")
def test_n7_a_further_registration_is_told_alone(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """N7: what was told once is not told again because of another one."""
    acme.result("acme", at("24 4:40"))
    acme.look("24 9:00")
    both = (SLACK, Channel("営業", Service.SLACK_WEBHOOK, "sales"))
    connection = json.loads(os.environ["AIRFLOW_CONN_SLACK_WEBHOOK__ACME"]) | {"extra": {"expires_on": "2026-12-01"}}
    monkeypatch.setenv("AIRFLOW_CONN_SALES", json.dumps(connection))
    acme.sheet("acme", channels=both)
    acme.give("sales", "acme")
    acme.result("acme", at("25 4:40"))
    before = len(acme.ear.said)
    acme.look("25 9:00")
    messages = [message for _, _, message, _ in acme.ear.said[before:]]
    assert len(messages) == 2
    for message in messages:
        assert "営業" in message.lines[0]
        assert not any("総務" in line for line in message.lines)
    ends = {"総務": dt.date(2026, 11, 30), "営業": dt.date(2026, 12, 1)}  # for the console's list
    assert expiring.endings(acme.store, "smarthr_emc") == {"acme": ends}
    acme.sheet("acme", channels=())
    acme.look("26 9:00")
    assert expiring.endings(acme.store, "smarthr_emc") == {}


@pytest.mark.usefixtures("ends")
def test_n7_many_ends_on_one_day_are_told_in_messages_that_can_be_read(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N7: twenty in one message, all of them told, once."""
    monkeypatch.setenv("AIRFLOW_CONN_SLACK_GROUP", os.environ["AIRFLOW_CONN_SLACK_WEBHOOK__ACME"])
    others = [f"t{number:02d}" for number in range(44)]
    for tenant in others:
        acme.sheet(tenant, channels=(Channel("総務", Service.SLACK_WEBHOOK, "slack_group"),))
    acme.give("slack_group", *others)
    acme.result("acme", at("29 4:40"))
    for clock in ("9:00", "9:15"):
        acme.look(f"29 {clock}")
    told = [message for whom, _, message, _ in acme.ear.said if whom == OPERATOR]
    shown = [[line for line in message.lines if "通知先「総務」" in line] for message in told]
    assert [len(lines) for lines in shown] == [20, 20, 5]
    assert len({line for lines in shown for line in lines}) == 45


@pytest.mark.usefixtures("ends")
def test_l5_connections_that_cannot_be_opened_hide_no_other(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """L5: a missing one, and one with a fault."""
    acme.sheet("aaaa", channels=(Channel("無い", Service.SLACK_WEBHOOK, "no_such__aaaa"),))
    acme.sheet("abbb", channels=(Channel("変", Service.CHATWORK, "odd__abbb", "123"),))
    monkeypatch.setenv(
        "AIRFLOW_CONN_ODD__ABBB", json.dumps({"conn_type": "chatwork", "extra": {"expires_on": "いつか"}})
    )
    acme.result("acme", at("29 4:40"))
    acme.look("29 9:00")
    assert [tenant for tenant, _, _, _ in acme.ear.said] == ["acme", OPERATOR]


@pytest.mark.usefixtures("ends")
def test_n7_every_tenant_has_its_turn_within_the_day(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """N7: a look asks for some Connections only, the next one goes on from there, and tomorrow it begins anew."""
    monkeypatch.setattr(expiring, "TENANTS_PER_LOOK", 2)
    asked: list[str] = []
    monkeypatch.setattr(
        expiring,
        "_expiring",
        lambda tenant, channels, today: asked.append(tenant) or [],  # type: ignore[func-returns-value]
    )
    for tenant in ("beta", "gamma", "delta"):
        acme.sheet(tenant)
    for clock in ("9:00", "9:15", "9:30", "9:45"):
        acme.look(f"21 {clock}")
    assert asked == [OPERATOR, "acme", "beta", "delta", "gamma"]
    acme.result("acme", at("22 4:40"))
    acme.look("22 9:00")
    assert asked[5:] == [OPERATOR, "acme"]


def test_n7_no_answer_is_asked_for_a_run_that_is_gone(acme: World) -> None:
    """Deleted while it waited."""
    acme.wait("acme", at("22 4:15"))
    acme.look("22 2:30", ongoing=lambda *_: False)
    assert not acme.ear.said
    acme.look("22 2:45", ongoing=lambda *_: True)
    assert len(acme.ear.said) == 1


def test_c1_n7_the_end_of_a_registration_that_a_link_works_with_is_found_though_no_channel_uses_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """C1: the one of LINE WORKS, which has no Bot ID where calendars alone are written."""
    extra = {"service_account": "a", "private_key": "secret-words", "expires_on": "2026-11-30"}
    connection = {"conn_type": "lineworks", "login": "id", "password": "secret-words", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_LINEWORKS__BETA", json.dumps(connection))
    sheet = compile_sheet("beta.yaml", "result_addresses: [a@example.jp]\ncalendar: 使用する\n".encode(), "beta")[0]
    its = expiring._of_link(LINKS["workplace_lineworks"], sheet)
    (found,) = expiring._expiring("beta", its, dt.date(2026, 11, 23))
    assert (found.connection, found.days) == ("lineworks__beta", 7)
    assert list(expiring._of_link(LINKS["smarthr_emc"], sheet)) == []
