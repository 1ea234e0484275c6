"""One message, many channels: who is told, what is repeated, what is noted (N1, N2, N3, L4)."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.channel import Channel, Event, Service, result_mail
from renkei.errors import ConnectionError_
from renkei.notifications import deliver
from renkei.notifications.deliver import DeliveryResult, Notifier, OpenedChannel, was_accepted
from renkei.notifications.delivery_log import DeliveryLog
from renkei.notifications.state import ChannelState, ChannelStates, after
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Delivery, Message, Verdict, accepted, later, refused, unknown
from tests.harness.patience import within

NOW = dt.datetime(2026, 4, 1, 5, 0, tzinfo=dt.UTC)
SLACK = Channel("総務Slack", Service.SLACK_WEBHOOK, "slack")
ROOM = Channel("総務ルーム", Service.CHATWORK, "chatwork", "1")
MAIL = result_mail(["soumu@acme.example.jp"])[0]
MESSAGE = Message("【失敗】acme", ("氏名: 値がありません 3件",))
GONE = refused(404, "no_service", dead=True)


@dataclass
class Scripted:
    """A service that answers as told, and remembers what it was sent; the last answer is repeated."""

    answers: list[Delivery | Exception] = field(default_factory=lambda: [accepted(200)])
    sent: list[tuple[str, str, str]] = field(default_factory=list)

    def send(self, message: Message, to: str, key: str) -> Delivery:
        self.sent.append((message.title, to, key))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def check(self) -> Delivery:
        return accepted(200)


class Scene:
    """Channels over a real store; each run is a new process that knows only what is stored."""

    def __init__(self, folder: Path, services: dict[str, Scripted]) -> None:
        self.store = Store(LocalFileSystem(), str(folder))
        self.services, self.secrets = services, dict.fromkeys(services, "secret-1")
        self.missing: set[str] = set()

    def tell(
        self,
        channels: Sequence[Channel],
        event: Event = Event.FAILURE,
        run: str = "run-1",
        key: str = "",
        message: Message = MESSAGE,
    ) -> list[DeliveryResult]:
        record = RunRecord(TenantFolder(self.store, "smarthr_emc", "acme"), run)
        deliveries = DeliveryLog(ChannelStates(TenantFolder(self.store, "smarthr_emc", "acme")), record)
        return Notifier("acme", self.open, deliveries, lambda: NOW, 3).tell(
            channels, event, message, key or f"key of {run}", run
        )

    def open(self, channel: Channel) -> OpenedChannel:
        if channel.name in self.missing:
            raise ConnectionError_(f"Airflowの接続「{channel.connection}」がありません。")
        return OpenedChannel(self.services[channel.name], channel.to, self.secrets[channel.name])

    def state(self, channel: Channel) -> ChannelState:
        return ChannelStates(TenantFolder(self.store, "smarthr_emc", "acme")).read(channel)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, {channel.name: Scripted() for channel in (SLACK, ROOM, MAIL)})


def verdicts(told: Sequence[DeliveryResult]) -> dict[str, str]:
    return {one.channel.name: one.skipped or (one.delivery.verdict.value if one.delivery else "") for one in told}


def test_n1_only_channels_with_the_event_on_are_told(scene: Scene) -> None:
    """N1: 通知管理 is a table of event by channel."""
    quiet = Channel("総務ルーム", Service.CHATWORK, "chatwork", "1", events=frozenset({Event.SUCCESS}))
    muted = Channel("静か", Service.TEAMS, "teams", muted=True)
    told = scene.tell([SLACK, quiet, muted, MAIL])
    assert verdicts(told) == {"総務Slack": "ACCEPTED", "結果通知メール": "ACCEPTED"}
    assert scene.services["総務ルーム"].sent == []


def test_l4_a_repeated_task_tells_only_those_who_were_not_told(scene: Scene) -> None:
    """L4: what a channel took is not sent again; what another refused is."""
    scene.services["総務ルーム"].answers = [refused(400, "bad"), accepted(200)]
    assert verdicts(scene.tell([SLACK, ROOM]))["総務ルーム"] == "REFUSED"
    assert verdicts(scene.tell([SLACK, ROOM])) == {"総務Slack": "already", "総務ルーム": "ACCEPTED"}
    assert len(scene.services["総務Slack"].sent) == 1


def test_l4_an_unknown_outcome_is_not_sent_again(scene: Scene) -> None:
    """A message that may have arrived is not repeated, and is not called delivered either."""
    scene.services["総務Slack"].answers = [unknown(None, "ReadTimeout")]
    assert scene.tell([SLACK])[0].failed
    assert verdicts(scene.tell([SLACK])) == {"総務Slack": "already"}
    assert len(scene.services["総務Slack"].sent) == 1


def test_n1_the_key_is_the_same_for_every_attempt_and_new_for_another_message(scene: Scene) -> None:
    """LINE's retry key: one UUID per message and channel."""
    scene.services["総務Slack"].answers = [later(429, "slow"), later(503, "slow"), accepted(200), accepted(200)]
    scene.tell([SLACK])
    scene.tell([SLACK], run="run-2")
    keys = [key for _, _, key in scene.services["総務Slack"].sent]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert len(keys[0]) == 36


@pytest.mark.parametrize(
    ("answer", "times"),
    [
        pytest.param(later(429, "ratelimited", 1.0), 3, id="asked to wait a second"),
        pytest.param(later(429, "ratelimited", 3600.0), 1, id="asked to wait an hour: the task's own retry"),
        pytest.param(unknown(502, "bad gateway"), 1, id="may have been sent"),
        pytest.param(refused(400, "no_text"), 1, id="refused"),
        pytest.param(RuntimeError("secret"), 1, id="a fault of ours"),
    ],
)
def test_n1_only_what_cannot_arrive_twice_is_repeated(scene: Scene, answer: Delivery | Exception, times: int) -> None:
    """N1: LATER alone is tried again, at most three times and not for long."""
    scene.services["総務Slack"].answers = [answer]
    (told,) = scene.tell([SLACK])
    assert len(scene.services["総務Slack"].sent) == times
    assert told.failed
    assert told.delivery is not None
    assert "secret" not in told.delivery.reason


def test_n2_a_void_registration_is_disabled_at_once_and_the_others_hear_of_it(scene: Scene) -> None:
    """N2: no_service: 無効 from now on, told through the remaining channels, not sent to again."""
    scene.services["総務Slack"].answers = [GONE]
    told = scene.tell([SLACK, ROOM, MAIL])
    heard = {one.channel.name for one in told if one.event is Event.DISABLED and not one.failed}
    assert heard == {"総務ルーム", "結果通知メール"}
    assert any("通知先「総務Slack」" in title for title, _, _ in scene.services["総務ルーム"].sent)
    assert (scene.state(SLACK).disabled, scene.state(SLACK).told) == (True, True)
    assert verdicts(scene.tell([SLACK, ROOM], run="run-2"))["総務Slack"] == "disabled"
    assert len(scene.services["総務Slack"].sent) == 1


@pytest.mark.parametrize("fault", [later(503, "busy"), unknown(None, "ReadTimeout"), refused(400, "no_text")], ids=str)
def test_n2_any_other_fault_disables_only_after_the_set_number_of_runs(scene: Scene, fault: Delivery) -> None:
    """N2: three runs in a row here; several messages of one run count once, a success begins anew."""
    service = scene.services["総務Slack"]
    service.answers = [fault]
    for run in ("run-1", "run-2"):
        scene.tell([SLACK, MAIL], run=run)
        scene.tell([SLACK, MAIL], event=Event.HOLD, run=run, key=f"{run} hold")
    assert (scene.state(SLACK).failures, scene.state(SLACK).disabled) == (2, False)
    service.answers = [accepted(200)]
    scene.tell([SLACK, MAIL], run="run-3")
    service.answers = [fault]
    for run in ("run-4", "run-5"):
        scene.tell([SLACK, MAIL], run=run)
    assert not scene.state(SLACK).disabled
    scene.tell([SLACK, MAIL], run="run-6")
    assert scene.state(SLACK).disabled
    assert [title for title, _, _ in scene.services["結果通知メール"].sent if "通知無効化" in title] == [
        "【通知無効化】acme: 通知先「総務Slack」"
    ]


def test_n2_a_channel_is_disabled_since_the_first_time() -> None:
    """N2: whatever is heard of it later, short of a success, neither moves that day nor takes it back."""
    first = after(ChannelState("secret-1"), GONE, SLACK.service, "run-1", NOW, 3)
    for number, heard in enumerate((GONE, refused(400, "no_text")), 2):
        later_on = after(first, heard, SLACK.service, f"run-{number}", NOW + dt.timedelta(days=1), 3)
        assert later_on.disabled_at == NOW


def test_n2_that_a_channel_is_disabled_is_told_again_until_somebody_heard(scene: Scene) -> None:
    """N2: the one other channel refuses the notice; the next run has it again, and no run after that."""
    scene.services["総務Slack"].answers = [GONE]
    scene.services["総務ルーム"].answers = [accepted(200), refused(400, "bad"), accepted(200)]
    for run, told in (("run-1", False), ("run-2", True), ("run-3", True)):
        scene.tell([SLACK, ROOM], run=run)
        assert scene.state(SLACK).told is told
    titles = [title for title, _, _ in scene.services["総務ルーム"].sent]
    assert [title == MESSAGE.title for title in titles] == [True, False, True, False, True]


def test_n2_a_channel_is_not_told_of_itself(scene: Scene) -> None:
    """N2: where it is the only one there is nobody to tell, now or in the next run."""
    scene.services["総務Slack"].answers = [GONE]
    assert [one.event for one in scene.tell([SLACK])] == [Event.FAILURE]
    assert scene.state(SLACK).told


def test_n2_mail_is_never_disabled(scene: Scene) -> None:
    """N2: whatever the mail server says, and however often."""
    scene.services["結果通知メール"].answers = [refused(550, "no such user", dead=True)]
    for number in range(10):
        scene.tell([MAIL], run=f"run-{number}")
    assert not scene.state(MAIL).disabled
    assert len(scene.services["結果通知メール"].sent) == 10


@pytest.mark.parametrize("how", ["another secret", "another place", "muted for a day"])
def test_n2_registering_again_enables(scene: Scene, how: str) -> None:
    """N2: a new secret, a new 送信先, or 通知を行わない ticked and unticked."""
    scene.services["総務Slack"].answers = [GONE, accepted(200)]
    scene.tell([SLACK, MAIL])
    channel = SLACK
    if how == "another secret":
        scene.secrets["総務Slack"] = "secret-2"
    elif how == "another place":
        scene.secrets["総務Slack"] = "secret-1 for another place"
    else:
        scene.tell([Channel(SLACK.name, SLACK.service, SLACK.connection, muted=True), MAIL], run="run-2")
    assert verdicts(scene.tell([channel, MAIL], run="run-3"))["総務Slack"] == "ACCEPTED"
    assert scene.state(SLACK).failures == 0


def test_n3_a_missing_connection_is_a_failure_of_its_channel_alone(scene: Scene) -> None:
    """N3: it is named and counted; registering the Connection begins anew."""
    scene.missing = {"総務Slack"}
    told = scene.tell([SLACK, ROOM])
    failed = next(one for one in told if one.failed)
    assert failed.delivery is not None
    assert "Airflowの接続「slack」がありません" in failed.delivery.reason
    assert verdicts(told)["総務ルーム"] == "ACCEPTED"
    assert scene.state(SLACK).failures == 1
    scene.missing = set()
    assert verdicts(scene.tell([SLACK], run="run-2")) == {"総務Slack": "ACCEPTED"}


def test_n2_a_connection_that_cannot_be_read_for_once_changes_nothing_of_the_state(scene: Scene) -> None:
    """N2: a disabled channel stays disabled, and a failing one goes on being counted."""
    scene.services["総務Slack"].answers = [GONE]
    scene.tell([SLACK, MAIL])
    scene.services["総務ルーム"].answers = [refused(400, "bad")]
    scene.tell([ROOM, MAIL], run="run-2")
    scene.missing = {"総務Slack", "総務ルーム"}
    scene.tell([SLACK, ROOM, MAIL], run="run-3")
    assert scene.state(SLACK).disabled
    assert scene.state(ROOM).failures == 2
    scene.missing = set()
    assert verdicts(scene.tell([SLACK, MAIL], run="run-4"))["総務Slack"] == "disabled"


@pytest.mark.parametrize("answer", [unknown(None, "ReadTimeout"), GONE], ids=["unknown", "void"])
def test_n3_a_failure_of_a_run_stays_visible_however_often_the_task_is_repeated(scene: Scene, answer: Delivery) -> None:
    """N3: another channel is worth repeating; the one that is not stays failed, and is not sent to again."""
    scene.services["総務Slack"].answers = [answer]
    scene.services["総務ルーム"].answers = [later(503, "busy", 3600.0), accepted(200)]
    scene.tell([SLACK, ROOM, MAIL])
    again = {one.channel.name: one for one in scene.tell([SLACK, ROOM, MAIL]) if one.event is Event.FAILURE}
    assert (again["総務Slack"].failed, again["総務Slack"].worth_repeating) == (True, False)
    assert not again["総務ルーム"].failed
    assert len(scene.services["総務Slack"].sent) == 1


def test_n3_a_notice_about_a_channel_is_not_the_news_itself(scene: Scene) -> None:
    """The run's failure reached nobody, although somebody heard that the channel is disabled."""
    scene.services["総務Slack"].answers = [GONE]
    other = Channel("総務ルーム", Service.CHATWORK, "chatwork", "1", events=frozenset({Event.DISABLED}))
    told = scene.tell([SLACK, other])
    assert was_accepted(told, Event.DISABLED)
    assert not was_accepted(told, Event.FAILURE)


def test_n3_a_service_that_hangs_delays_nobody_else_and_is_given_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N3: bounded in time; all channels are sent to at the same time."""
    monkeypatch.setattr(deliver, "SENDING_S", 0.5)
    release = threading.Event()

    class Hanging(Scripted):
        def send(self, message: Message, to: str, key: str) -> Delivery:
            release.wait(30)
            return accepted(200)

    scene.services["総務Slack"] = Hanging()
    with within(20):
        told = scene.tell([SLACK, ROOM, MAIL])
    release.set()
    assert verdicts(told) == {"結果通知メール": "ACCEPTED", "総務ルーム": "ACCEPTED", "総務Slack": "UNKNOWN"}


def _without(store: Store) -> None:
    store.root = "/proc/none"


@pytest.mark.parametrize("broken", [_without])
def test_n3_a_store_that_fails_costs_no_message(scene: Scene, broken: Callable[[Store], None]) -> None:
    """N3: everybody is told, though nothing can be remembered."""
    broken(scene.store)
    assert set(verdicts(scene.tell([SLACK, ROOM, MAIL])).values()) == {"ACCEPTED"}


def test_n2_death_between_disabling_and_telling_loses_no_notice(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """L4: the process dies once the channel is noted as 無効; the repetition tells the others."""
    scene.services["総務Slack"].answers = [GONE]

    def die(*_: object) -> Message:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(deliver, "disabled_message", die)
        with pytest.raises(KeyboardInterrupt):
            scene.tell([SLACK, MAIL])
    assert scene.state(SLACK).disabled
    scene.tell([SLACK, MAIL])
    assert [title for title, _, _ in scene.services["結果通知メール"].sent] == [
        MESSAGE.title,
        "【通知無効化】acme: 通知先「総務Slack」",
    ]


def test_n2_death_between_the_notes_of_message_and_channel_costs_no_count(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L4: the message is not sent again, and what became of it is counted by the repetition, once."""
    scene.services["総務Slack"].answers = [unknown(None, "ReadTimeout")]
    write = ChannelStates.write

    def die(states: ChannelStates, channel: Channel, state: ChannelState) -> None:
        if state.verdict:
            raise KeyboardInterrupt
        write(states, channel, state)

    with monkeypatch.context() as dying:
        dying.setattr(ChannelStates, "write", die)
        with pytest.raises(KeyboardInterrupt):
            scene.tell([SLACK])
    assert scene.state(SLACK).failures == 0
    for _ in range(2):
        assert verdicts(scene.tell([SLACK])) == {"総務Slack": "already"}
    assert (scene.state(SLACK).failures, scene.state(SLACK).verdict) == (1, Verdict.UNKNOWN)
    assert len(scene.services["総務Slack"].sent) == 1


def test_n3_what_was_told_is_in_the_runs_record(scene: Scene) -> None:
    """N3: channel, service, event, verdict, the service's own status and words; no secret."""
    scene.services["総務Slack"].answers = [GONE]
    scene.tell([SLACK, MAIL])
    kept = RunRecord(TenantFolder(scene.store, "smarthr_emc", "acme"), "run-1").json("told")
    entry = next(entry for entry in kept.values() if entry["channel"] == "総務Slack")
    assert (entry["service"], entry["event"], entry["verdict"]) == ("SLACK_WEBHOOK", "FAILURE", Verdict.REFUSED)
    assert (entry["status"], entry["reason"]) == (404, "no_service")
    assert "secret" not in str(kept)


def test_l4_a_damaged_entry_costs_no_other_its_memory(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """L4, N3: who was told is not told again, who is damaged hears it; the file is named."""
    scene.tell([SLACK, MAIL])
    record = RunRecord(TenantFolder(scene.store, "smarthr_emc", "acme"), "run-1")
    kept = record.json("told")
    next(entry for entry in kept.values() if entry["channel"] == SLACK.name)["at"] = "yesterday"
    record.write_json("told", kept)
    assert verdicts(scene.tell([SLACK, MAIL])) == {SLACK.name: "ACCEPTED", MAIL.name: "already"}
    assert "runs/run-1/told.json" in caplog.text


@pytest.mark.parametrize("content", [b"{", b'{"failures": "many"}', b'{"disabled_at": "yesterday"}'], ids=repr)
def test_n3_a_damaged_state_costs_its_count_and_no_message(
    scene: Scene, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    """N2, N3: it is named, and begins anew."""
    scene.tell([SLACK])
    (key,) = scene.store.files("smarthr_emc/tenants/acme/channels")
    scene.store.write(key, content)
    assert verdicts(scene.tell([SLACK], run="run-2")) == {SLACK.name: "ACCEPTED"}
    assert key in caplog.text


FIVE = result_mail([f"{name}@acme.example.jp" for name in "abcde"])


@dataclass
class Mailbox:
    """A mail server that answers by address; what it took is in `taken`."""

    answers: dict[str, Delivery] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)

    def send(self, message: Message, to: str, key: str) -> Delivery:
        answer = self.answers.get(to[0], accepted(250))
        self.taken += [to[0]] if answer.accepted else []
        return answer

    def check(self) -> Delivery:
        return accepted(250)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (refused(550, "x"), Verdict.ACCEPTED),
        (later(451, "x", 120.0), Verdict.LATER),
        (unknown(None, "x"), Verdict.ACCEPTED),
    ],
    ids=["refused", "later", "unknown"],
)
def test_e4_no_addressee_costs_another_his_mail(scene: Scene, answer: Delivery, verdict: Verdict) -> None:
    """E4, L4: each has a mail of his own, once; only who may take it later is tried again."""
    scene.services[MAIL.name] = box = Mailbox({"b": answer})  # type: ignore[assignment]
    (told,) = scene.tell(FIVE)
    assert told.delivery is not None
    assert told.delivery.verdict is verdict
    assert box.taken == ["a", "c", "d", "e"]
    if verdict is Verdict.ACCEPTED:
        assert told.delivery.reason.startswith("1 of 5 addresses not reached")

    box.answers = {}
    (again,) = scene.tell(FIVE)
    assert again.delivery is not None
    assert again.delivery.accepted
    assert box.taken == ["a", "c", "d", "e", *(["b"] if verdict is Verdict.LATER else [])]


def test_n3_a_mail_that_nobody_takes_has_failed(scene: Scene) -> None:
    """N3"""
    scene.services[MAIL.name] = Mailbox(dict.fromkeys("abcde", refused(550, "x")))  # type: ignore[assignment]
    (told,) = scene.tell(FIVE)
    assert told.failed
