"""The Connection of KING OF TIME: its test button, and where its token is not sent."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from renkei.orchestration.lineworks_kot.connections import KingOfTimeHook, kingoftime_client
from tests.harness.kingoftime import KingOfTime


@pytest.fixture(scope="module")
def kot() -> Iterator[KingOfTime]:
    with KingOfTime.start() as running:
        yield running


@pytest.fixture(autouse=True)
def connected(kot: KingOfTime, monkeypatch: pytest.MonkeyPatch) -> None:
    kot.clear()
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", urlsplit(kot.url).netloc)
    monkeypatch.setenv("RENKEI_OUTGOING_IP", "203.0.113.7")
    connect(monkeypatch, kot.url)


def connect(monkeypatch: pytest.MonkeyPatch, host: str, password: str = "kot_sim_token") -> None:
    connection = {"conn_type": "kingoftime", "host": host, "password": password}
    monkeypatch.setenv("AIRFLOW_CONN_KINGOFTIME__ACME", json.dumps(connection))


def test_n5_the_test_button_reads_and_says_what_is_wrong(kot: KingOfTime, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = KingOfTimeHook("kingoftime__acme")
    assert hook.test_connection() == (True, "KING OF TIMEに接続できました（所属 2件）。")
    kot.clock("2026-11-30T09:00:00+09:00")
    ok, said = hook.test_connection()
    assert not ok
    assert "時間帯" in said
    connect(monkeypatch, kot.url, "wrong-secret")
    ok, said = hook.test_connection()
    assert not ok
    assert "203.0.113.7" in said
    assert "wrong-secret" not in said


def test_l7_the_token_goes_to_king_of_time_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "https://api.kingtime.jp.example.com")
    ok, said = KingOfTimeHook("kingoftime__acme").test_connection()
    assert not ok
    assert "KING OF TIMEのものではない" in said
    connect(monkeypatch, "")
    assert kingoftime_client("acme")._base == "https://api.kingtime.jp/v1.0"


def test_what_the_client_makes_of_the_simulator_is_what_it_has(kot: KingOfTime) -> None:
    """Employees with their groups; a punch, and the same one read back."""
    client = kingoftime_client("acme")
    found = {one.code: one for one in client.employees()}
    assert (found["1003"].division, found["1003"].type_name) == ("2000", "アルバイト")
    assert found["1001"].mails == ("sato@acme.example",)
    assert found["1001"].key == kot.key("1001")
    kot.punch("1001", "2026-11-30T08:59:30")
    (punch,) = client.punches(dt.date(2026, 11, 30), [found["1001"].key])
    client.punch(punch.key, punch.day, punch.at, "2")
    assert [one.kind for one in client.punches(punch.day)] == ["1", "2"]
    assert kot.punches()[1] == ("1001", "2026-11-30", "2026-11-30T08:59:30+09:00", "2")
