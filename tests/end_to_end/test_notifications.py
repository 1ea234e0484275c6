"""A tenant's channels, run by Airflow over the simulated services (N1, N2, N3, N5)."""

from __future__ import annotations

import datetime as dt
import json
import logging
from typing import Any

import pytest

from renkei.channel import Channel, Event, Service
from scripts.chat_connections import TYPES, destinations
from tests.end_to_end.airflow_world import ADDRESS, APPROVE, REFUSE, AirflowWorld, Question
from tests.end_to_end.personal_data import personal

SERVICES = {
    "slack_webhook": Service.SLACK_WEBHOOK,
    "slack_bot": Service.SLACK_BOT,
    "chatwork": Service.CHATWORK,
    "teams": Service.TEAMS,
    "lineworks": Service.LINEWORKS,
    "google_chat": Service.GOOGLE_CHAT,
    "line": Service.LINE,
}
SLACK = Channel("総務Slack", Service.SLACK_WEBHOOK, "slack_webhook__acme")


def channels(world: AirflowWorld, **changes: Any) -> tuple[Channel, ...]:
    """One channel of each service."""
    to = destinations(world.chat.registrations)
    return tuple(
        Channel(f"{service.value}の通知", service, f"{TYPES[name]}__acme", to.get(name, ""), **changes)
        for name, service in SERVICES.items()
    )


def arrived(world: AirflowWorld) -> dict[str, list[str]]:
    """The texts that arrived, by service as the simulator names them."""
    found: dict[str, list[str]] = {}
    for message in world.chat.messages():
        found.setdefault(message["service"], []).append(message["text"])
    return found


def told(world: AirflowWorld, run: Any) -> dict[tuple[str, str], tuple[str, int | None, str]]:
    """What the run's record says of each channel and event."""
    kept = world.record(run, "told").values()
    return {(one["channel"], one["event"]): (one["verdict"], one["status"], one["reason"]) for one in kept}


def slack(world: AirflowWorld, **settings: Any) -> None:
    """What Slack's administrator does: remove the webhook, revoke the token …"""
    world.chat.sim("POST", "slack", settings)


@pytest.fixture
def chatty(world: AirflowWorld) -> AirflowWorld:
    """acme with a channel in every service."""
    world.connect_chat()
    world.write_sheet(channels=channels(world))
    return world


def test_n1_a_failed_run_arrives_in_every_channel(chatty: AirflowWorld) -> None:
    """N1: seven services and the mail hear of a bad row; no person is named in any chat (L6)."""
    nameless = chatty.active()[3]["id"]
    chatty.patch(nameless, last_name="", first_name="")
    run = chatty.run()
    assert (run.state, run.tasks["notify"]) == ("failed", "success")
    found = arrived(chatty)
    assert {service: len(texts) for service, texts in found.items()} == {
        "slack": 2,
        "chatwork": 1,
        "teams": 1,
        "lineworks": 1,
        "googlechat": 1,
        "line": 1,
    }
    people = {
        value for crew in chatty.crews().values() for value in (*personal(crew), crew["id"], crew["emp_code"]) if value
    }
    for texts in found.values():
        for text in texts:
            assert "失敗" in text
            assert "EMC-ERROR-D" in text
            assert "氏名" in text
            assert not {value for value in people if (len(value) > 3 or not value.isascii()) and value in text}
    assert [mail["subject"] for mail in chatty.mails()] == ["EMC-ERROR-D(Update NG)"]
    assert {verdict for verdict, _, _ in told(chatty, run).values()} == {"ACCEPTED"}
    assert len(told(chatty, run)) == 8


def test_n1_each_channel_hears_of_its_events_alone(chatty: AirflowWorld) -> None:
    """N1: 通知管理: a success to one, 変化なし to another, a hold to a third; a muted one hears nothing."""
    to = destinations(chatty.chat.registrations)
    chatty.write_sheet(
        channels=(
            Channel("成功", Service.CHATWORK, "chatwork__acme", to["chatwork"], events=frozenset({Event.SUCCESS})),
            Channel("変化なし", Service.TEAMS, "teams_workflow__acme", events=frozenset({Event.UNCHANGED})),
            Channel("保留", Service.GOOGLE_CHAT, "google_chat__acme", events=frozenset({Event.HOLD})),
            Channel("静か", Service.SLACK_WEBHOOK, "slack_webhook__acme", muted=True),
        )
    )
    chatty.run()
    assert list(arrived(chatty)) == ["chatwork"]
    chatty.run(scheduled=True)
    assert {service: len(texts) for service, texts in arrived(chatty).items()} == {"chatwork": 1, "teams": 1}
    chatty.day(leavers=12)
    waiting = chatty.folder / "store/smarthr_emc/tenants/acme/waiting.json"
    noted = []

    def approve(question: Question) -> None:
        noted.append(json.loads(waiting.read_bytes()))
        left = question.until - dt.datetime.fromisoformat(noted[0]["until"])
        assert abs(left) < dt.timedelta(seconds=30)
        question.answer(APPROVE, "確認済み")

    run = chatty.run(person=approve)
    assert [(note["run"], note["outcome"]) for note in noted] == [(run.run_id, "HOLD")]
    assert not waiting.exists()
    last = json.loads((waiting.parent / "last_result.json").read_bytes())
    assert (last["run"], last["event"]) == (run.run_id, "SUCCESS")
    assert {service: len(texts) for service, texts in arrived(chatty).items()} == {
        "chatwork": 2,
        "teams": 1,
        "googlechat": 1,
    }


def test_n2_a_removed_webhook_is_disabled_told_and_shown(chatty: AirflowWorld) -> None:
    """N2: the run stays green, notify is red once, mail hears of it, the Dag's page and the next run know."""
    chatty.write_sheet(channels=(SLACK,))
    slack(chatty, webhook="no_service")
    run = chatty.run()
    assert (run.state, run.failed(), run.tries["notify"]) == ("success", ["notify"], 1)
    assert told(chatty, run)["総務Slack", "SUCCESS"] == ("REFUSED", 404, "no_service")
    subjects = [mail["subject"] for mail in chatty.mails()]
    assert subjects == ["EMC-OK", "【通知無効化】acme: 通知先「総務Slack」"]
    assert "Slackのメンバーから外れています" in chatty.mails()[-1]["body"]
    slack(chatty, webhook="active")
    run = chatty.run(scheduled=True)
    assert (run.state, run.failed(), arrived(chatty)) == ("success", [], {})
    assert "**無効**" in page(chatty)
    run = chatty.run("notify_test", channel="総務Slack")
    assert run.state == "success"
    assert len(arrived(chatty)["slack"]) == 1
    assert "**無効**" not in page(chatty)
    chatty.run(scheduled=True)
    assert len(arrived(chatty)["slack"]) == 2


def page(world: AirflowWorld) -> str:
    """The Dag's page."""
    from airflow.dag_processing.dagbag import DagBag

    from tests.conftest import HOME

    return str(DagBag(str(HOME / "dags")).dags["smarthr_emc__acme"].doc_md)


def test_n3_a_passing_fault_delays_the_message_alone(chatty: AirflowWorld) -> None:
    """N3: 503 to every try of the first task: Airflow repeats `notify`, and only the one channel is told then."""
    chatty.write_sheet(channels=(SLACK,))
    chatty.chat.fault(service="slack", kind="status", status=503, times=3)
    run = chatty.run()
    assert (run.state, run.failed(), run.tries["notify"]) == ("success", [], 2)
    assert len(arrived(chatty)["slack"]) == 1
    assert len(chatty.mails()) == 1


def test_n3_a_connection_cut_after_sending_is_not_repeated(chatty: AirflowWorld) -> None:
    """N1: Slack took the message and the answer was lost: it is there once; LINE's comes again with the same key."""
    to = destinations(chatty.chat.registrations)
    line = Channel("LINE", Service.LINE, "line__acme", to["line"])
    chatty.write_sheet(channels=(SLACK, line))
    faults = [{"service": service, "kind": "drop_after", "times": 1} for service in ("slack", "line")]
    chatty.chat.sim("POST", "faults", faults)
    run = chatty.run()
    assert (run.state, run.failed()) == ("success", ["notify"])
    assert {service: len(texts) for service, texts in arrived(chatty).items()} == {"slack": 1, "line": 1}
    assert told(chatty, run)["総務Slack", "SUCCESS"][0] == "UNKNOWN"
    assert told(chatty, run)["LINE", "SUCCESS"][:2] == ("ACCEPTED", 409)


def test_n5_a_test_run_explains_a_refusal_and_does_nothing_else(chatty: AirflowWorld) -> None:
    """N5: 通知テスト from the trigger form: SmartHR is not read, EMC not written, every channel is tried."""
    slack(chatty, webhook="no_active_hooks")
    run = chatty.run("notify_test")
    assert run.state == "failed"
    assert {task for task, state in run.tasks.items() if state == "success"} == set()
    assert run.tasks["fetch_departments"] == "skipped"
    assert run.failed() == ["notify", "outcome"]
    assert chatty.users() == {}
    assert set(arrived(chatty)) == {"slack", "chatwork", "teams", "lineworks", "googlechat", "line"}
    assert [mail["subject"] for mail in chatty.mails()] == ["【テスト】Renkei 通知テスト"]
    assert chatty.mails()[0]["to"] == [ADDRESS]


def test_l5_a_broken_sheet_is_told_to_its_channels(chatty: AirflowWorld) -> None:
    """L5: what is sound of 通知 is used although another line of the sheet is wrong."""
    chatty.write_sheet(channels=(SLACK,))
    sheet = chatty.mappings / "acme.yaml"
    text = sheet.read_text(encoding="utf-8").replace("source: 社員番号", "source: 社員番", 1)
    sheet.write_text(text, encoding="utf-8")
    assert chatty.run().state == "failed"
    assert "EMC-ERROR-S" in arrived(chatty)["slack"][0]


def test_l7_no_secret_of_a_channel_reaches_airflow(chatty: AirflowWorld, capfd: pytest.CaptureFixture[str]) -> None:
    """L7: neither database nor output has a URL, token or key, though every service refuses."""
    from tests.conftest import HOME

    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    try:
        faults = [
            {
                "service": service,
                "kind": "status",
                "status": 500,
                "body": "https://hooks.slack.com/services/T/B/x",
                "times": 9,
            }
            for service in ("slack", "chatwork", "teams", "lineworks", "googlechat", "line")
        ]
        chatty.chat.sim("POST", "faults", faults)
        run = chatty.run(retries=0)
    finally:
        root.setLevel(before)
    assert run.failed() == ["notify"]
    seen = capfd.readouterr()
    everything = [seen.out, seen.err, *(path.read_text("utf-8", "replace") for path in HOME.rglob("*.log"))]
    everything.append((HOME / "airflow.db").read_bytes().decode("latin-1"))
    for name, values in chatty.chat.registrations.items():
        for key in ("url", "token", "client_secret", "private_key"):
            if name == "line_login" or key not in values:
                continue
            secret = str(values[key]).rsplit("/", 1)[-1][-24:].strip()
            assert not [1 for text in everything if secret in text or json.dumps(secret)[1:-1] in text], (name, key)


def test_n1_a_failed_or_held_run_reaches_the_operator_too(world: AirflowWorld) -> None:
    """N1, E36: short, naming the tenant and nobody in it; a good run does not reach him."""
    operators = world.folder / "operator.yaml"
    operators.write_text(
        "contact: EMCサポート 03-0000-0000\nchannels:\n- {name: 当番, service: メール, to: ops@renkei.example.jp}\n",
        encoding="utf-8",
    )
    world.monkeypatch.setenv("RENKEI_OPERATOR", str(operators))
    world.run()
    assert [mail["to"] for mail in world.mails()] == [[ADDRESS]]
    gone = world.day(leavers=8)["leavers"]
    world.run(scheduled=True, person=lambda question: question.answer(REFUSE, "確認中"))
    told = [mail for mail in world.mails() if mail["to"] == ["ops@renkei.example.jp"]]
    assert [mail["subject"].partition("】")[0] for mail in told] == ["【保留", "【失敗"]
    assert all("acme EMC-" in mail["subject"] for mail in told)
    assert [crew for crew in gone if any(crew in mail["body"] for mail in told)] == []
    (differs, *_) = sorted(world.users())
    world.by_hand("DELETE", "users", differs)
    world.run(side_run="reconcile")
    last = [mail for mail in world.mails() if mail["to"] == ["ops@renkei.example.jp"]][-1]
    assert last["subject"].startswith("【注意】SmartHR → EMC: acme")
    assert "EMC-NOTICE(Compare)" in last["subject"]
    assert differs not in last["body"]
    held = next(mail for mail in world.mails() if mail["subject"] == "EMC-HOLD")
    assert "EMCサポート 03-0000-0000" in held["body"]
    assert all(crew in held["body"] for crew in gone)
