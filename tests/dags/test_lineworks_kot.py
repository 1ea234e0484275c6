"""LINE WORKS → KING OF TIME by Airflow, over the two simulators: what its Dag looks after, and what it tells."""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from renkei.clock import TOKYO
from renkei.links.lineworks_kot import preparing, punching
from renkei.links.lineworks_kot.accounts import Accounts, AccountState
from renkei.links.lineworks_kot.punches import State
from renkei.links.lineworks_kot.tables import PUNCH
from renkei.orchestration import pump as pumping
from renkei.orchestration.connections import open_store
from renkei.orchestration.lineworks_kot import tasks
from renkei.orchestration.lineworks_kot.connections import kingoftime_client
from renkei.orchestration.public import app
from renkei.outbox.outbox import Outbox
from renkei.settings import database_url
from renkei.storage.database.database import open_database
from renkei.systems.kingoftime.client import Employee
from scripts.neighbours import Neighbours
from tests.conftest import ROOT
from tests.harness.chat import Chat
from tests.harness.kingoftime import KingOfTime
from tests.harness.public_service import message, signed
from tests.harness.whole_run import whole_run

NAME = "lineworks_kot__acme"
NOON = dt.datetime(2026, 11, 30, 3, tzinfo=dt.UTC)
SATO = Employee("ab" * 32, "1001", "1000", "本社", "1", "正社員", "佐藤 花子")
SHEET = """
company_name: アクメ
result_addresses: [soumu@acme.example.jp]
divisions: [{code: "1000", day_border: "0:00"}, {code: "2000", day_border: "5:00"}]
"""


class World:
    """One tenant with both systems, and its Dag."""

    def __init__(self, kingoftime: KingOfTime, chat: Chat, neighbours: Neighbours) -> None:
        self.kingoftime, self.chat, self.neighbours = kingoftime, chat, neighbours
        self.seen = len(neighbours.mails())

    def run(self, **conf: Any) -> str:
        return str(whole_run("lineworks_kot", **conf).state)

    @property
    def accounts(self) -> Accounts:
        return Accounts(open_database(database_url()), open_store(), "acme")

    def mails(self) -> list[str]:
        """The texts of what has come since it was last asked."""
        found = self.neighbours.mails()[self.seen :]
        self.seen += len(found)
        return [f"{one['subject']}\n{one['body']}" for one in found]


@pytest.fixture(scope="module")
def kingoftime() -> Iterator[KingOfTime]:
    with KingOfTime.start() as running:
        yield running


@pytest.fixture(scope="module")
def chat() -> Iterator[Chat]:
    with Chat.start() as running:
        yield running


@pytest.fixture
def world(
    mappings: Path,
    tmp_path: Path,
    kingoftime: KingOfTime,
    chat: Chat,
    neighbours: Neighbours,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    kingoftime.clear()
    chat.clear()
    chat.sim("POST", "lineworks", {"scopes": ["bot", "bot.read", "user.email.read"]})
    folder = mappings.parent / "lineworks_kot"
    folder.mkdir()
    (folder / "acme.yaml").write_text(SHEET, encoding="utf-8")
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("RENKEI_RETRY_DELAY_S", "0")
    hosts = ",".join(one.url.removeprefix("http://") for one in (kingoftime, chat))
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", hosts)
    for module in (preparing, tasks):  # whatever hour it is, KING OF TIME's stands at noon
        monkeypatch.setattr(module, "reading_opens_in", lambda _: 0.0)
    bot = chat.registrations["lineworks"]
    extra = {name: bot[name] for name in ("service_account", "private_key", "bot_id")}
    mail = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@renkei.example.jp"}
    for conn_id, connection in {
        "kingoftime__acme": {"conn_type": "kingoftime", "host": kingoftime.url, "password": "kot_sim_token"},
        "lineworks__acme": {
            **{"conn_type": "lineworks", "host": bot["base_url"], "login": bot["client_id"]},
            **{"password": bot["client_secret"], "extra": extra},
        },
        "smtp_default": {"conn_type": "smtp", "host": "127.0.0.1", "port": neighbours.smtp_port, "extra": mail},
    }.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
    return World(kingoftime, chat, neighbours)


@pytest.mark.usefixtures("airflow_database")
def test_p1_p5_p6_p18_a_run_looks_after_what_punching_needs(world: World) -> None:
    assert world.run() == "success"
    sato, tanaka = world.accounts.shown()
    assert (sato.employee.code, tanaka.employee.division_name) == ("1001", "大阪センター")
    world.accounts.put(
        {sato.employee.key: "sato@acme.example", tanaka.employee.key: "nobody@acme.example"}, "総務", NOON
    )
    world.mails()

    assert world.run() == "success"
    assert world.accounts.states() == {AccountState.LINKED: 1, AccountState.UNKNOWN: 1}
    user = next(one for one in world.chat.sim("GET", "lineworks")["users"] if one["email"] == "sato@acme.example")
    person = world.accounts.person_of(user["userId"])
    assert person is not None
    assert person.code == "1001"
    (told,) = world.mails()
    assert "KOT-WARN(確認が必要です) アクメ" in told
    assert "登録済 1件、アカウントなし 1件" in told
    assert "佐藤" not in told

    assert world.run(mode="FIRST_MESSAGE") == "success"
    waiting = Outbox(open_database(database_url()), open_store(), "lineworks_kot", "acme").listed(most=10)
    assert [(one.purpose, one.content().to) for one in waiting] == [("first", user["userId"])]


@pytest.mark.usefixtures("airflow_database")
def test_p10_p19_a_difference_and_what_is_held_are_told_and_name_nobody(world: World) -> None:
    world.accounts.employees.refresh([SATO], NOON)
    today = dt.datetime.now(TOKYO).replace(hour=0, minute=1, second=0, microsecond=0)
    world.kingoftime.clock(today.replace(hour=12).isoformat())
    row = {
        **{"tenant": "acme", "key": SATO.key, "code": "1001", "division": "1000", "sender": b"", "kind": "1"},
        **{"word": "出勤", "issued_at": today, "day": today.date(), "state": State.DONE, "reason": ""},
        **{"received_at": today, "done_at": today, "number": 1},
    }
    with open_database(database_url()).writing() as connection:
        connection.execute(PUNCH.insert(), row)
        connection.execute(PUNCH.insert(), row | {"number": 2, "state": State.HELD, "reason": "old", "done_at": None})
        refused = {"number": 3, "state": State.REFUSED, "reason": "refused"}
        connection.execute(PUNCH.insert(), row | refused)
    assert world.run() == "success"
    (told,) = world.mails()
    assert "KOT-WARN(確認が必要です) アクメ" in told
    assert "今日、KING OF TIMEが受け付けなかった打刻: 1件" in told
    assert "人が決めるのを待っているメッセージ: 1件" in told
    assert "従業員コード 1001" in told
    assert "出勤がKING OF TIMEにありません" in told
    assert "佐藤" not in told


@pytest.mark.usefixtures("airflow_database")
def test_p1_p15_what_is_missing_is_named_and_nothing_is_changed(world: World) -> None:
    world.chat.sim("POST", "lineworks", {"scopes": ["bot", "bot.read"]})
    world.kingoftime.sim("POST", "definition", {"tokens": {"kot_sim_token": {"rights": [], "addresses": ["10.0.0.1"]}}})
    assert world.run() == "failed"
    (told,) = world.mails()
    for named in ("KOT-ERROR-S", "user.email.read の3つ", "(1) アクセストークン", "(2) 許可IPアドレス", "(3) 権限"):
        assert named in told
    assert world.accounts.count() == 0


def test_p14_p15_p16_a_signed_message_is_punched_and_answered_and_a_refusal_is_told_with_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the callback to the answer, by the pump as its Dag has it, with the tenant's Connections and channels."""
    monkeypatch.setattr(punching, "reading_opens_in", lambda _: 0.0)
    monkeypatch.setattr(punching, "STOPPED_S", 1.0)
    world.kingoftime.clock(dt.datetime.now(TOKYO).replace(hour=12).isoformat())
    world.accounts.employees.refresh(kingoftime_client("acme").employees(), NOON)
    users = {one["email"]: one["userId"] for one in world.chat.sim("GET", "lineworks")["users"]}
    world.accounts.put({world.kingoftime.key("1001"): users["sato@acme.example"]}, "総務", NOON)
    connection = json.loads(os.environ["AIRFLOW_CONN_LINEWORKS__ACME"])
    connection["extra"]["bot_secret"] = "of the bot"
    monkeypatch.setenv("AIRFLOW_CONN_LINEWORKS__ACME", json.dumps(connection))
    app.receiver.cache_clear()
    served = app.standalone_app()

    def says(text: str, **more: Any) -> int:
        at = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = message(text, users["sato@acme.example"], at, **more)
        address = "/renkei/lineworks/acme/callback"
        return TestClient(served).post(address, content=body, headers=signed(body, "of the bot")).status_code

    group = {"source": {"userId": users["sato@acme.example"], "channelId": "room", "domainId": 1}}
    assert [says("出勤します"), says("出勤", **group)] == [200, 200]
    pump = pumping.pump(str(ROOT / "dags/renkei_pump.py"))
    thread = threading.Thread(target=pump.run)
    thread.start()
    try:
        wait_for(lambda: [one["text"] for one in world.chat.messages("lineworks")])
        assert [(code, kind) for code, _, _, kind in world.kingoftime.punches()] == [("1001", "1")]
        assert "出勤を記録しました" in world.chat.messages("lineworks")[0]["text"]
        world.kingoftime.fault("address", method="POST", times=2)
        assert says("退勤") == 200
        wait_for(lambda: len(world.kingoftime.punches()) == 2)
        told: list[str] = []
        wait_for(lambda: len(told.extend(world.mails()) or told) >= 2)  # type: ignore[func-returns-value]
    finally:
        pump.stop()
        thread.join(150)
    first, last = told
    assert "KING OF TIMEに打刻できません アクメ" in first
    assert "(1) アクセストークン" in first
    assert "復旧しました" in last
    assert "佐藤" not in first + last


def wait_for(holds: Callable[[], Any]) -> None:
    until = time.monotonic() + 150
    while not holds():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.1)
