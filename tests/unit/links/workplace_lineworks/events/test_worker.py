"""From an event to its readers: once each, in order, in the channels of 通知管理, with an account of what is missing."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from renkei.errors import ConnectionError_, StoreError
from renkei.inbox import lease
from renkei.links.workplace_lineworks.events import addresses, worker
from renkei.links.workplace_lineworks.events.faults import DISABLED
from renkei.links.workplace_lineworks.events.files import MAX_BYTES
from renkei.links.workplace_lineworks.events.summary import AFTER
from renkei.links.workplace_lineworks.events.texts import (
    MISSING,
    NO_USER_ID,
    NOT_CHOSEN,
    STALE,
    SUMMED_UP,
    SWITCHED_OFF,
    TOO_OLD,
    UNKNOWN_MEMBER,
)
from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS, EVENTS
from renkei.outbox.sender import NOWHERE, Outlet
from renkei.outbox.tables import State
from renkei.systems.delivery import Delivery, Message, later, refused
from tests.harness.workplace_events import AT, EventWorld, Told, an_event

WEBHOOK = "https://chat.googleapis.com/v1/spaces/S/messages?key=k&token=t"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EventWorld]:
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    monkeypatch.setattr(addresses, "FRESH_S", 0.0)
    monkeypatch.setattr(worker, "SUMS_UP_EVERY_S", 0.0)
    found = EventWorld(tmp_path)
    with found.leases:
        yield found
        found.worker.close()


def test_w1_an_approval_request_reaches_its_reader_in_all_four_messengers(world: EventWorld) -> None:
    world.push(an_event())
    world.all_sent()
    assert {channel: told.sent[0][0] for channel, told in world.told.items()} == {
        "lineworks": "sato",  # equal user ids (C3)
        "slack": "U0SATO",
        "google_chat": WEBHOOK,
        "line": "U" + "a" * 32,
    }
    assert world.account("sato") == dict.fromkeys(CHANNELS, ("sent", ""))


def test_w1_only_what_is_marked_and_used_is_sent(world: EventWorld) -> None:
    """通知管理: event × channel; a messenger that is not used counts for nothing."""
    world.worker.close()
    world.new_worker(
        replace(
            world.mapping,
            messengers={"lineworks": True, "slack": True, "line": False},
            table={"requested": frozenset({"slack", "line"}), "approved": frozenset({"lineworks"})},
        )
    )
    world.push(an_event(1), an_event(2, "approved"), an_event(3, "rejected"))
    assert world.work() == ["done", "done", f"done {NOT_CHOSEN}"]
    world.all_sent()
    assert {channel: len(told.sent) for channel, told in world.told.items()} == {
        "lineworks": 1,
        "slack": 1,
        "google_chat": 0,
        "line": 0,
    }


def test_w3_an_event_that_comes_again_is_told_once(world: EventWorld) -> None:
    """Whether it is pushed again, or handled again after its process died before it said so."""
    world.push(an_event(recipients=["sato", "sato", "kato"]), an_event())
    (message,) = world.inbox.take(world.leases, 8)
    world.worker.handle(message)
    assert world.worker.look_back(message) is None
    world.worker.handle(message)
    world.all_sent()
    assert [len(told.sent) for told in world.told.values()] == [2, 1, 1, 1]


def test_w4_events_of_a_document_arrive_in_its_order_whatever_order_they_come_in(world: EventWorld) -> None:
    """One that is missing is waited for, for ten seconds."""
    world.push(*(an_event(n, kind, sequence=n) for n, kind in ((1, "requested"), (3, "completed"), (2, "approved"))))
    world.until(lambda: len(world.told["slack"].sent) == 2)
    assert world.titles("slack") == ["承認の依頼が届いています", "申請が承認されました"]
    world.push(an_event(5, "commented", sequence=5))
    world.work()
    world.now += worker.GRACE
    world.all_sent()
    assert world.titles("slack")[2:] == ["決裁が完了しました", "文書にコメントが付きました"]


def test_w4_who_is_not_reached_keeps_no_other_reader_of_the_document_waiting(world: EventWorld) -> None:
    class Busy(Told):
        def send(self, message: Message, to: str, key: str) -> Delivery:
            answer = super().send(message, to, key)
            return later(429, "ratelimited", 3600.0) if to == "U0SATO" else answer

    world.register(sato={"slack_member_id": "U0SATO"}, kato={"slack_member_id": "U0KATO"})
    world.told["slack"] = told = Busy()
    world.open_channel = lambda channel: (Outlet(world.told[channel], limited_by_person=True), "1")
    world.worker.close()
    world.new_worker()
    world.push(*(an_event(n, sequence=n, recipients=["sato", "kato"]) for n in (1, 2)))
    world.until(lambda: [to for to, _ in told.sent].count("U0KATO") == 2)
    assert [to for to, _ in told.sent].count("U0SATO") <= 1


def test_c3_a_user_id_that_would_be_a_talk_room_is_listed(world: EventWorld) -> None:
    world.push(an_event(recipients=["channel:1234"]))
    world.all_sent()
    assert world.account("channel:1234")["lineworks"] == ("dropped", NO_USER_ID)
    assert world.told["lineworks"].sent == []


def test_w2_who_is_missing_in_a_channel_is_listed_and_told_so_in_the_others(world: EventWorld) -> None:
    world.push(an_event(recipients=["kato"]))
    world.all_sent()
    assert world.account("kato") == {
        "lineworks": ("sent", ""),
        **{channel: ("dropped", MISSING[channel]) for channel in ("slack", "google_chat", "line")},
    }
    ((_, message),) = world.told["lineworks"].sent
    assert (
        message.lines[-1] == "※Slack、Google Chat、LINEには送信できませんでした。「マイ情報」で登録を確認してください。"
    )


def test_w2_whom_none_of_the_channels_reaches_is_told_another_way(world: EventWorld) -> None:
    world.worker.close()
    world.new_worker(replace(world.mapping, table={"requested": frozenset({"slack"})}))
    world.push(an_event(recipients=["kato", "sato"]))
    world.all_sent()
    assert [to for to, _ in world.told["lineworks"].sent] == ["kato"]
    assert [to for to, _ in world.told["slack"].sent] == ["U0SATO"]
    assert world.account("kato")["slack"] == ("dropped", MISSING["slack"])


def test_w2_a_member_who_left_is_listed_and_told_nowhere_but_where_the_service_itself_decides(
    world: EventWorld,
) -> None:
    """LINE WORKS knows its members: equal ids are its own rule, and a deleted one it refuses (C3)."""
    world.told["lineworks"].answers.append(refused(404, "NOT_FOUND"))
    world.push(an_event(recipients=["left"]))
    world.all_sent()
    assert world.account("left") == {
        "lineworks": ("refused", "404 NOT_FOUND"),
        **dict.fromkeys(("slack", "google_chat", "line"), ("dropped", UNKNOWN_MEMBER)),
    }


def test_w2_what_has_waited_goes_where_its_reader_is_now_or_nowhere(world: EventWorld) -> None:
    """A mistaken id was mended, or he left, while Slack took nothing."""
    slack = world.told["slack"]
    slack.answers += [later(429, "ratelimited", 60.0)] * 2
    world.register(sato={"slack_member_id": "U0WRONG"}, kato={"slack_member_id": "U0KATO"})
    world.open_channel = lambda channel: (Outlet(world.told[channel], limited_by_person=True), "1")
    world.worker.close()
    world.new_worker()
    world.push(an_event(recipients=["sato", "kato"]))
    world.until(lambda: [one.note for one in world.listed("slack")] == ["429 ratelimited"] * 2)
    world.register(sato={"slack_member_id": "U0SATO"})
    world.now += dt.timedelta(minutes=2)
    world.all_sent()
    assert [to for to, _ in slack.sent[2:]] == ["U0SATO"]
    assert world.account("kato")["slack"] == ("refused", NOWHERE)


def test_w2_what_a_member_registered_himself_counts_before_the_file(world: EventWorld) -> None:
    token = world.own.invite(["sato"], 7, AT)["sato"]
    invited = world.own.invited(token)
    assert invited is not None
    world.own.register(invited, "slack_member_id", "U0NEW", AT)
    world.push(an_event())
    world.all_sent()
    assert [to for to, _ in world.told["slack"].sent] == ["U0NEW"]


def test_w5_what_is_too_old_is_not_sent_but_summed_up_once(world: EventWorld) -> None:
    old = AT - dt.timedelta(hours=24)
    world.push(an_event(1, at=old), an_event(2, at=old), an_event(3, at=old + dt.timedelta(minutes=1)))
    world.all_sent()
    assert world.titles("slack") == ["承認の依頼が届いています"]
    assert [(one.state, one.note) for one in world.listed("slack")[1:]] == [(State.DROPPED, STALE)] * 2
    world.now += AFTER
    world.until(lambda: len(world.told["slack"].sent) == 2)
    world.all_sent()
    assert "2件の通知がありました" in world.told["slack"].sent[1][1].lines[0]
    assert {one.note for one in world.outbox.listed(State.DROPPED, most=99)} == {SUMMED_UP}
    world.now += 10 * AFTER
    world.worker.tick()
    world.all_sent()
    assert len(world.told["slack"].sent) == 2


def test_w5_what_could_not_be_sent_for_a_day_is_summed_up_too(world: EventWorld) -> None:
    world.told["slack"].answers += [refused(401, "token_revoked", dead=True)]
    world.push(an_event(1))
    world.all_sent()
    world.push(an_event(2))
    world.until(lambda: len(world.told["line"].sent) == 2)
    assert len(world.told["slack"].sent) == 1  # it waits for a new token
    world.now += dt.timedelta(hours=25)
    world.until(lambda: (State.DROPPED, STALE) in [(one.state, one.note) for one in world.listed("slack")])


def test_w7_what_waits_is_dropped_when_its_channel_is_switched_off(world: EventWorld) -> None:
    world.push(an_event(1, sequence=9))  # waits for those before it
    world.work()
    world.worker.close()
    world.new_worker(replace(world.mapping, messengers={**world.mapping.messengers, "slack": False}))
    world.now += worker.GRACE
    world.all_sent()
    assert (world.told["slack"].sent, world.account("sato")["slack"]) == ([], ("dropped", SWITCHED_OFF))
    assert len(world.told["line"].sent) == 1


def test_n8_a_channel_whose_secret_is_void_is_disabled_told_once_and_goes_on_with_a_new_one(world: EventWorld) -> None:
    """What came meanwhile has waited; no other channel has (W9)."""
    world.told["slack"].answers += [refused(401, "token_revoked", dead=True)] * 9
    for number in range(3):
        world.push(an_event(number, document={"id": f"doc-{number}"}))
        world.until(lambda number=number: len(world.told["line"].sent) == number + 1)
    assert world.disabled == ["slack"]
    tried = len(world.told["slack"].sent)
    world.told["slack"].answers.clear()
    world.registrations["slack"] = "s2"
    world.worker.close()
    world.new_worker()
    world.all_sent()
    assert len(world.told["slack"].sent) == 3
    assert tried < 3
    assert world.worker._faults.all() == {}


def test_n2_a_messenger_that_refuses_one_reader_after_another_is_told_of_once(world: EventWorld) -> None:
    """A right is missing: all of it is listed as refused, and nobody would look. One reader alone may have left."""
    world.told["lineworks"].answers += [refused(403, "FORBIDDEN")] * 9
    for number, reader in enumerate(("left", "left", "a", "b", "c")):
        world.push(an_event(number, document={"id": f"doc-{number}"}, recipients=[reader]))
        world.all_sent()
        assert world.disabled == ([] if reader in ("left", "a") else ["lineworks"])
        if reader == "b":
            world.worker.close()
            world.new_worker()
    world.told["lineworks"].answers.clear()
    world.push(an_event(9, document={"id": "doc-9"}, recipients=["d"]))
    world.all_sent()
    assert world.worker._faults.is_known("lineworks", "lw1") is False


def test_n8_a_messenger_without_a_connection_is_told_once_and_goes_on_when_it_has_one(world: EventWorld) -> None:
    """Whatever process works by then; what waited is sent."""
    there = world.open_channel

    def missing(channel: str) -> tuple[Outlet, str]:
        if channel == "slack":
            raise ConnectionError_("Airflowの接続「slack_bot__acme」がありません。")
        return there(channel)

    world.open_channel = missing
    for number in range(2):
        world.worker.close()
        world.new_worker()
        world.push(an_event(number, document={"id": f"doc-{number}"}))
        world.until(
            lambda number=number: len(world.told["line"].sent) == number + 1 and not world.worker._sender._running
        )
    assert world.disabled == ["slack"]
    (fault,) = world.worker._faults.all().values()
    assert "slack_bot__acme" in fault.note
    world.open_channel = there
    world.worker.close()
    world.new_worker()
    world.all_sent()
    assert len(world.told["slack"].sent) == 2
    assert world.worker._faults.all() == {}


def test_n8_a_members_void_webhook_is_disabled_for_him_alone_until_he_registers_another(world: EventWorld) -> None:
    world.told["google_chat"].answers.append(refused(404, "NOT_FOUND", dead=True))
    world.push(an_event(1))
    world.all_sent()
    world.new_worker()  # nothing of it is in a process's memory alone
    world.push(an_event(2))
    world.all_sent()
    assert (len(world.told["google_chat"].sent), world.disabled) == (1, [])
    assert world.account("sato")["google_chat"] == ("dropped", DISABLED)
    assert "Google Chat" in world.told["slack"].sent[1][1].lines[-1]
    world.register(sato={"google_chat_webhook": WEBHOOK.replace("token=t", "token=new")})
    world.push(an_event(3))
    world.all_sent()
    assert len(world.told["google_chat"].sent) == 2


def test_n2_a_months_limit_is_no_members_fault(world: EventWorld) -> None:
    world.told["line"].answers += [refused(429, "You have reached your monthly limit.")] * 5
    for number in range(6):
        world.push(an_event(number))
        world.all_sent()
    assert len(world.told["line"].sent) == 6


def test_w7_nothing_is_summed_up_in_a_messenger_that_was_switched_off(world: EventWorld) -> None:
    world.push(an_event(1, at=AT - dt.timedelta(hours=25)))
    world.work()
    world.worker.close()
    world.new_worker(replace(world.mapping, messengers={**world.mapping.messengers, "slack": False}))
    world.now += AFTER
    world.until(lambda: len(world.told["line"].sent) == 1)
    world.all_sent()
    assert world.told["slack"].sent == []
    assert world.account("sato")["slack"] == ("dropped", TOO_OLD)


def test_n2_an_address_that_is_refused_again_and_again_is_tried_once_a_day(world: EventWorld) -> None:
    world.told["slack"].answers += [refused(200, "user_not_found")] * 4
    for number in range(6):
        world.push(an_event(number))
        world.all_sent()
    assert len(world.told["slack"].sent) == 3
    world.now += dt.timedelta(days=1)
    world.push(an_event(7, at=world.now))
    world.all_sent()
    assert len(world.told["slack"].sent) == 4
    world.push(an_event(8, at=world.now))
    world.all_sent()
    assert len(world.told["slack"].sent) == 4


def test_a_body_that_is_no_event_is_refused_and_keeps_nothing_waiting(world: EventWorld) -> None:
    world.receiver.accept("workplace_lineworks", "acme", "x", "doc-1", AT, b"{}").result(60)
    world.push(an_event())
    notes = world.work()
    assert notes[0].startswith("refused 通知の形が正しくありません")
    assert notes[1:] == ["done"]


def test_events_come_as_files_too_each_once_and_what_is_none_is_set_aside(world: EventWorld, tmp_path: Path) -> None:
    world.drop.mkdir()
    (world.drop / "1.json").write_text(json.dumps([an_event(1), an_event(2, document={"id": "doc-2"})]))
    (world.drop / "2.json").write_text("{}")
    (world.drop / "3.json").write_bytes(b" " * (MAX_BYTES + 1))
    (world.drop / "4.json.tmp").write_text(json.dumps(an_event(4)))
    (tmp_path / "elsewhere.json").write_text(json.dumps(an_event(5)))
    os.symlink(tmp_path / "elsewhere.json", world.drop / "5.json")
    os.mkfifo(world.drop / "6.json")
    world.worker.tick()
    world.all_sent()
    assert len(world.told["slack"].sent) == 2
    assert sorted(os.listdir(world.drop / "taken")) == ["1.json"]
    assert sorted(name for name in os.listdir(world.drop / "refused") if name.endswith(".json")) == [
        "2.json",
        "3.json",
        "5.json",
        "6.json",
    ]
    assert "kind: missing" in (world.drop / "refused" / "2.json.txt").read_text()
    assert (world.drop / "4.json.tmp").exists()
    (world.drop / "taken" / "1.json").rename(world.drop / "1.json")
    world.worker.tick()
    world.all_sent()
    assert len(world.told["slack"].sent) == 2
    world.now += dt.timedelta(days=8)
    world.worker.close()
    world.new_worker().tick()
    assert [os.listdir(world.drop / name) for name in ("taken", "refused")] == [[], []]


def test_no_link_in_the_folder_of_files_leads_out_of_it(world: EventWorld, tmp_path: Path) -> None:
    """Nor does a folder that is called like a file keep the files waiting."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "1.json.txt").write_text("somebody's")
    os.utime(elsewhere / "1.json.txt", (1, 1))
    (world.drop / "0.json").mkdir(parents=True)
    (world.drop / "1.json").write_text("{}")
    (world.drop / "2.json").write_text(json.dumps(an_event(2)))
    (world.drop / "refused").symlink_to(elsewhere)
    with pytest.raises(StoreError, match="refused"):
        world.worker.tick()
    assert (world.drop / "1.json").exists()
    assert (elsewhere / "1.json.txt").read_text() == "somebody's"
    (world.drop / "refused").unlink()
    (world.drop / "refused").mkdir()
    (world.drop / "refused" / "1.json.txt").symlink_to(elsewhere / "1.json.txt")
    world.worker.tick()
    assert (elsewhere / "1.json.txt").read_text() == "somebody's"
    assert "kind: missing" in (world.drop / "refused" / "1.json.txt").read_text()
    world.all_sent()
    assert os.listdir(world.drop / "taken") == ["2.json"]


def test_w1_every_event_of_the_sheet_is_told(world: EventWorld) -> None:
    world.push(*(an_event(number, kind, document={"id": kind}) for number, kind in enumerate(EVENTS)))
    world.all_sent()
    assert len(set(world.titles("lineworks"))) == len(EVENTS)
