"""`renkei notify`, as an operator types it, over the simulated services (N2, N5)."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from renkei.channel import Channel, Service
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from scripts.chat_connections import chat_connections, destinations
from tests.builders import mapping
from tests.harness.chat import Chat
from tests.harness.typed import Done, renkei

SLACK = Channel("総務Slack", Service.SLACK_WEBHOOK, "slack_webhook__acme")
MUTED = Channel("静か", Service.TEAMS, "teams_workflow__acme", muted=True)


class Terminal:
    """acme's sheet in a folder of mappings, and the Connections as the environment has them."""

    def __init__(self, chat: Chat, index: Path, folder: Path, *channels: Channel) -> None:
        self.chat, self.index, self.folder = chat, index, folder
        (folder / "mappings/smarthr_emc").mkdir(parents=True)
        sheet = dataclasses.replace(mapping(), channels=channels)
        write_yaml(sheet, folder / "mappings/smarthr_emc/acme.yaml")

    def renkei(self, *words: str, **environment: str) -> Done:
        return renkei(*words, **self.environment | environment)

    @property
    def environment(self) -> dict[str, str]:
        known = {
            f"AIRFLOW_CONN_{conn_id.upper()}": json.dumps(connection)
            for conn_id, connection in chat_connections(self.chat.registrations, "acme").items()
        }
        return known | {
            "RENKEI_ALLOWED_HOSTS": self.chat.url.removeprefix("http://"),
            "RENKEI_STORE": (self.folder / "store").as_uri(),
            "RENKEI_INDEX": str(self.index),
            "RENKEI_MAPPINGS": str(self.folder / "mappings"),
            "LANG": "ja_JP.UTF-8",
        }


@pytest.fixture
def terminal(chat: Chat, index: Path, airflow_database: Path, tmp_path: Path) -> Terminal:
    to = destinations(chat.registrations)
    return Terminal(
        chat, index, tmp_path, SLACK, Channel("担当者のLINE", Service.LINE, "line__acme", to["line"]), MUTED
    )


def test_n5_a_test_reaches_the_channel_and_says_so(terminal: Terminal) -> None:
    """N5: each step, then the message is there; the others hear nothing."""
    done = terminal.renkei("notify", "test", "acme", "担当者のLINE")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "○ 送信: LINEが受け付けました" in done.stdout
    (message,) = terminal.chat.messages()
    assert (message["service"], "通知テスト" in message["text"]) == ("line", True)


def test_n5_a_refusal_is_explained_and_status_1(terminal: Terminal) -> None:
    """N5: the service's own word, and text 2's remedy; the secret is not shown."""
    terminal.chat.sim("POST", "slack", {"webhook": "no_service"})
    done = terminal.renkei("notify", "test", "acme", "総務Slack")
    assert done.returncode == 1
    assert "404 no_service" in done.stdout
    assert "Slackのメンバーから外れています" in done.stdout
    assert terminal.chat.registrations["slack_webhook"]["url"].rsplit("/", 1)[-1] not in done.stdout + done.stderr


def test_n5_a_muted_channel_is_tested_and_its_tick_is_named(terminal: Terminal) -> None:
    """N5: 通知を行わない is the first thing to look at (text 2)."""
    done = terminal.renkei("notify", "test", "acme", "静か")
    assert done.returncode == 0
    assert "× 通知を行わない" in done.stdout
    assert len(terminal.chat.messages("teams")) == 1


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        pytest.param(None, "Airflowの接続「slack_webhook__acme」（Slack(Webhook)）がありません", id="no Connection"),
        pytest.param("https://evil.example.com/services/T0/B0/x", "URLではありません", id="foreign host"),
        pytest.param("https://hooks.slack.com/services/T0 /B0/x", "途中に空白", id="blank inside"),
    ],
)
def test_n5_a_bad_registration_is_named_before_anything_is_sent(
    terminal: Terminal, connection: str | None, said: str
) -> None:
    """L7: nothing goes to a host that is not Slack's."""
    text = json.dumps({"conn_type": "slack_webhook", "password": connection}) if connection else ""
    environment = {"AIRFLOW_CONN_SLACK_WEBHOOK__ACME": text}
    done = terminal.renkei("notify", "test", "acme", "総務Slack", **environment)
    assert done.returncode == 1
    assert said in done.stdout
    listed = terminal.renkei("notify", "list", "acme", "--json", **environment)
    assert listed.returncode == 1
    assert {row["name"]: row["state"] for row in json.loads(listed.stdout)}["総務Slack"] == "登録の誤り"


def test_n2_the_list_shows_every_channel_with_its_state(terminal: Terminal) -> None:
    """N2: 有効, 通知を行わない; what was sent last, with the service's status."""
    terminal.renkei("notify", "test", "acme", "担当者のLINE")
    listed = json.loads(terminal.renkei("notify", "list", "acme", "--json").stdout)
    states = {row["name"]: (row["state"], row["verdict"], row["status"]) for row in listed}
    assert states["総務Slack"] == ("有効", "", None)
    assert states["担当者のLINE"] == ("有効", "ACCEPTED", 200)
    assert states["静か"][0] == "通知を行わない"
    assert "担当者のLINE" in terminal.renkei("notify", "list", "acme").stdout


def test_an_unknown_name_is_answered_with_those_that_there_are(terminal: Terminal) -> None:
    """Used wrongly: status 2."""
    done = terminal.renkei("notify", "test", "acme", "総務")
    assert (done.returncode, "総務Slack" in done.stderr) == (2, True)
    assert terminal.renkei("notify", "list", "nobody").returncode == 2
