"""メッセンジャー通知, 通知の配信, なぜこの人に届かなかったのか over HTTP: for those who may change the Dag."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from renkei.links.workplace_lineworks.events.faults import Faults
from renkei.links.workplace_lineworks.events.texts import MISSING
from renkei.notifications.members.own import OwnEntries
from renkei.notifications.members.table import Members
from renkei.orchestration.link import dag_id
from renkei.outbox.outbox import Entry, Outbox
from renkei.outbox.tables import OUTGOING, State
from renkei.settings import database_url
from renkei.storage import once
from renkei.storage.database.database import open_database
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Message, refused
from tests.contract.console.world import BASE, NOW, OwnPagesWorld, text_of

LINK = "workplace_lineworks"
DAG = dag_id(LINK, "acme")
SHEET = """\
company_name: 株式会社アクメ
result_addresses: [soumu@acme.example.jp]
messengers: {lineworks: 使用する, slack: 使用する, line: 使用する}
events:
  - {event: 申請, lineworks: ○, slack: ○}
  - {event: 承認, slack: ○, google_chat: ○}
"""


class MessagesWorld(OwnPagesWorld):
    """acme: sato has a Slack account, kato none."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, LINK, SHEET)
        self.database = open_database(database_url())
        self.folder = TenantFolder(self.store, LINK, "acme")
        self.outbox = Outbox(self.database, self.store, LINK, "acme")
        table = pd.DataFrame({"user_id": ["sato", "kato"], "slack_member_id": ["U0SATO", ""]})
        Members(self.folder).replace(table)

    def tell(self, event: str, user: str, channel: str, state: State, note: str = "") -> None:
        entry = Entry(
            event=event,
            key="doc",
            channel=channel,
            purpose="event",
            recipient=user,
            to="U0SATO",
            message=Message("【WORKPLACE】承認の依頼が届いています", (f"件名: 経費精算書 {event}",)),
            not_after=NOW + dt.timedelta(days=1),
            dropped=note if state is State.DROPPED else "",
        )
        with self.database.writing() as connection:
            self.outbox.add(connection, [entry], NOW)
            if state is not State.DROPPED:
                last = OUTGOING.update().where(OUTGOING.c.state == State.WAITING, OUTGOING.c.channel == channel)
                connection.execute(last.values(state=state, note=note))

    def shown(self, path: str, user: str = "yuki", status: int = 200) -> str:
        answer = self.browser(user).get(f"{BASE}/dag/{DAG}{path}")
        assert answer.status_code == status, answer.text[:2000]
        return text_of(answer.text)

    def asked(self, user: str = "yuki", status: int = 200, **form: str) -> str:
        answer = self.browser(user).post(
            f"{BASE}/dag/{DAG}/recipient", data={"once": once.new(NOW), **form, "token": self.token(user)}
        )
        assert answer.status_code == status, answer.text[:2000]
        return text_of(answer.text)


@pytest.fixture
def world(place: Path) -> MessagesWorld:
    return MessagesWorld(place)


def test_w1_w8_the_table_shows_event_by_channel_the_connections_and_the_bot(
    world: MessagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Bot IDが登録されていません。" in world.shown("/services?tab=messengers")
    extra = {"service_account": "a@acme", "private_key": "k", "bot_id": "2000001"}
    connection = {"conn_type": "lineworks", "login": "client", "password": "very-secret", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_LINEWORKS__ACME", json.dumps(connection))
    world.tell("1", "sato", "slack", State.SENT)
    Faults(world.database, "acme", 5).note("slack", "", "s1", refused(401, "token_revoked", dead=True), NOW)
    shown = world.shown("/services?tab=messengers")
    assert "Bot ID: 2000001" in shown
    assert "very-secret" not in shown
    assert "申請 ○ ○ – –" in shown
    assert "承認 – ○ ○ 使用しない –" in shown
    assert "slack_bot__acme 送信済み 1" in shown
    assert (
        "line_login__acme 案内の項目: Login Channel ID、Login Channel secret（状態はPublished）、Direct link" in shown
    )
    assert "/renkei/workplace/acme/events" in shown
    assert "Slackへの送信を止めています（token_revoked）" in shown


def test_w2_deliveries_are_listed_newest_first_and_by_state(world: MessagesWorld) -> None:
    world.tell("1", "sato", "slack", State.SENT)
    world.tell("2", "kato", "slack", State.DROPPED, MISSING["slack"])
    world.tell("3", "sato", "lineworks", State.UNKNOWN, "ReadTimeout")
    shown = world.shown("/deliveries")
    assert [re.findall(r"経費精算書 (\d)", shown)] == [["3", "2", "1"]]
    assert "すべて 3" in shown
    assert MISSING["slack"] in shown
    assert re.findall(r"経費精算書 (\d)", world.shown("/deliveries?of=dropped")) == ["2"]
    assert re.findall(r"経費精算書 (\d)", world.shown("/deliveries?channel=lineworks&of=nonsense")) == ["3"]
    noted = [json.loads(world.store.read(name)) for name in world.store.files("console/audit")]
    assert [(one["by"], one["what"]) for one in noted] == [("yuki", "deliveries")] * 3


def test_w2_why_somebody_was_not_reached_is_said_for_each_messenger(world: MessagesWorld) -> None:
    world.tell("1", "kato", "slack", State.DROPPED, MISSING["slack"])
    shown = world.asked(text=" kato ")
    assert f"Slack 送信しません {MISSING['slack']} → マイ情報のURLを本人に送り" in shown
    assert "LINE WORKS 同じユーザーID 送信します 届く設定です（申請）。" in shown
    assert "Google Chat 送信しません 「使用しない」です。" in shown
    assert "LINE 送信しません 通知管理で○の付いた通知項目がありません。" in shown
    assert "経費精算書 1" in shown
    assert "メンバー表にいません" in world.asked(text="left")
    assert "送信の記録" not in world.asked(text="")


def test_n8_an_address_that_is_stopped_is_the_answer(world: MessagesWorld) -> None:
    faults = Faults(world.database, "acme", 1)
    faults.note("slack", "U0SATO", "U0SATO", refused(200, "user_not_found"), NOW)
    assert "この宛先への送信を止めています（user_not_found）。 → 1日後に、もう一度試します。" in world.asked(
        text="sato"
    )


def test_w2_an_address_of_my_page_is_made_and_shown_once(world: MessagesWorld) -> None:
    """マイ情報."""
    shown = world.asked(text="kato", invite="1")
    (token,) = re.findall(r"/renkei/my/acme/([0-9A-Za-z_-]{43})", shown)
    invited = OwnEntries(world.database, world.folder).invited(token)
    assert invited is not None
    assert invited.user_id == "kato"
    assert token not in world.asked(text="kato")
    form = once.new(NOW)
    assert "/renkei/my/" in world.asked(text="kato", invite="1", once=form)
    assert "/renkei/my/" not in world.asked(text="kato", invite="1", once=form), "a reload leaves the address good"
    assert "/renkei/my/" not in world.asked(text="left", invite="1")


def test_s1_people_are_named_to_those_alone_who_may_change_the_dag(world: MessagesWorld) -> None:
    world.tell("1", "sato", "slack", State.SENT)
    for path in ("/deliveries", "/recipient", "/services?tab=messengers"):
        assert "sato" not in world.shown(path, "ken", 403)
    world.asked("ken", 403, text="sato")
    assert world.browser("yuki").get(f"{BASE}/dag/smarthr_emc__acme/deliveries").status_code == 404
