"""From a line of 通知 to a client: Connections, members, hosts (N1, N4, L7)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.channel import Channel, Service
from renkei.errors import ConnectionError_
from renkei.notifications.members.table import Members
from renkei.orchestration.channel_connections import opener
from renkei.storage.cipher import Cipher
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder

WEBHOOK = "https://chat.googleapis.com/v1/spaces/AAA/messages?key=k&token=t"
LINE_ID = "U" + "0" * 32
ROWS = pd.DataFrame(
    [
        {"user_id": "1", "lineworks_id": "", "slack_member_id": "U012ABCDEF", "google_chat_webhook": WEBHOOK, "line_user_id": LINE_ID},
        {"user_id": "2", "lineworks_id": "tanaka@example", "slack_member_id": "", "google_chat_webhook": "", "line_user_id": ""},
    ]
)  # fmt: skip
LINEWORKS = {
    "conn_type": "lineworks",
    "login": "abc",
    "password": "def",
    "extra": {
        "service_account": "x.serviceaccount@example",
        "private_key": "-----BEGIN PRIVATE KEY-----",
        "bot_id": "1",
    },
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """acme's members, two of them."""
    key = base64.urlsafe_b64encode(bytes(32)).decode()
    found = Store(LocalFileSystem(), str(tmp_path), Cipher(key))
    Members(TenantFolder(found, "smarthr_emc", "acme")).replace(ROWS)
    return found


@pytest.fixture(autouse=True)
def _connections(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(conn_id: str, **connection: Any) -> None:
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    connect("slack_bot__acme", conn_type="slack_bot", password="xoxb-1-2-three")
    connect("line__acme", conn_type="line", password="abcdefgh")
    connect("lineworks__acme", **LINEWORKS)


@pytest.mark.parametrize(
    ("service", "connection", "to", "expected"),
    [
        (Service.SLACK_BOT, "slack_bot__acme", "社員:1", "U012ABCDEF"),
        (Service.SLACK_BOT, "slack_bot__acme", "C012ABCDEF", "C012ABCDEF"),
        (Service.LINE, "line__acme", "社員：1", LINE_ID),
        (Service.LINEWORKS, "lineworks__acme", "社員:2", "tanaka@example"),
        (Service.LINEWORKS, "lineworks__acme", "member:1", "1"),
        (Service.LINEWORKS, "lineworks__acme", "社員:99", "99"),
        (Service.GOOGLE_CHAT, "", "社員:1", ""),
    ],
)
def test_n4_a_member_is_reached_where_the_table_says(
    store: Store, service: Service, connection: str, to: str, expected: str
) -> None:
    """N4: equal ids for LINE WORKS where nothing else is said; a member's own webhook for Google Chat."""
    opened = opener("smarthr_emc", "acme", store)(Channel("c", service, connection, to))
    assert opened.to == expected


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        (Channel("c", Service.SLACK_BOT, "slack_bot__acme", "社員:2"), "Slack(Bot)がメンバー表に登録されていません"),
        (Channel("c", Service.SLACK_BOT, "slack_bot__acme", "社員:99"), "社員がメンバー表にありません"),
        (Channel("c", Service.GOOGLE_CHAT, "", "社員:2"), "Google Chatがメンバー表に登録されていません"),
        (Channel("c", Service.CHATWORK, "chatwork__acme", "1"), "接続「chatwork__acme」（チャットワーク）がありません"),
    ],
)
def test_n4_who_cannot_be_reached_is_a_mistake_that_names_no_one(store: Store, channel: Channel, said: str) -> None:
    """L6, L8: what is missing and where to register it; no id of the person."""
    with pytest.raises(ConnectionError_) as fault:
        opener("smarthr_emc", "acme", store)(channel)
    assert said in str(fault.value)
    assert "99" not in str(fault.value)


def test_n4_without_the_store_no_member_is_guessed() -> None:
    """L1: a member is not looked for elsewhere."""
    with pytest.raises(ConnectionError_, match="メンバー表を確認できません"):
        opener("smarthr_emc", "acme", None)(Channel("c", Service.LINE, "line__acme", "社員:1"))


def test_n2_a_member_who_changes_is_another_registration(store: Store) -> None:
    """N2: a new id in the table begins with a clean state."""
    channel = Channel("c", Service.SLACK_BOT, "slack_bot__acme", "社員:1")
    before = opener("smarthr_emc", "acme", store)(channel).registration
    change: Callable[[pd.DataFrame], None] = Members(TenantFolder(store, "smarthr_emc", "acme")).replace
    change(ROWS.assign(slack_member_id=["U999999999", ""]))
    assert opener("smarthr_emc", "acme", store)(channel).registration != before
