"""The watch over silent tenants: a look, what it tells and remembers, as a Dag and as a command."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, DeltaTriggerTimetable
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import DataInterval, TimeRestriction
from fsspec.implementations.local import LocalFileSystem
from pendulum import instance

from renkei.channel import OPERATOR, Channel, Event, Service
from renkei.errors import NotificationError, SettingError, StoreError
from renkei.links.smarthr_emc.sheet.codec import mapping_to_json
from renkei.links.smarthr_emc.sheet.mapping import LinkState
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.notifications.deliver import DeliveryResult
from renkei.orchestration.link import LINKS
from renkei.orchestration.monitor import expiring
from renkei.orchestration.monitor.dag import watch
from renkei.orchestration.monitor.operator_channels import operator_channels
from renkei.orchestration.monitor.unfinished import tell_overtaken
from renkei.orchestration.result_notification import channels_of
from renkei.orchestration.tenant import Tenant
from renkei.settings import silence_grace
from renkei.sheets.compiled import Compiled
from renkei.sheets.grants import Grants
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Delivery, Message, accepted, later, unknown
from tests.builders import mapping
from tests.conftest import HOME, ROOT
from tests.harness.patience import within

LINK, DAG_ID = "smarthr_emc", "renkei_watch"
TOKYO = dt.timezone(dt.timedelta(hours=9))
DAG_FILE = str(ROOT / "dags/renkei_watch.py")
SLACK = Channel("総務", Service.SLACK_WEBHOOK, "slack_webhook__acme")


def at(text: str) -> dt.datetime:
    """「22 7:30」: day and time in November 2026, in Japan."""
    day, clock = text.split()
    hour, minute = clock.split(":")
    return dt.datetime(2026, 11, int(day), int(hour), int(minute), tzinfo=TOKYO)


@dataclass
class Ear:
    """What `tell` was asked to say; answers as told."""

    answer: Delivery = field(default_factory=lambda: accepted(200))
    said: list[tuple[str, Event, Message, str]] = field(default_factory=list)

    def __call__(
        self, link: str, tenant: str, channels: Sequence[Channel], event: Event, message: Message, key: str
    ) -> list[DeliveryResult]:
        assert link == LINK
        told = [DeliveryResult(channel, event, self.answer) for channel in channels if channel.wants(event)]
        if told:
            self.said.append((tenant, event, message, key))
        return told

    @property
    def titles(self) -> list[str]:
        return [message.title for _, _, message, _ in self.said]

    @property
    def lines(self) -> str:
        return "\n".join(line for _, _, message, _ in self.said for line in message.lines)


@dataclass
class World:
    """Sheets, a store, the operator's file, and looks at them."""

    sheets: Path
    store: Store
    operator: Path
    ear: Ear = field(default_factory=Ear)

    def sheet(self, tenant: str, **changes: Any) -> None:
        own = {"tenant": tenant, "emc_account": tenant}
        write_yaml(dataclasses.replace(mapping(), **own | changes), self.sheets / f"{tenant}.yaml")

    def give(self, connection: str, *tenants: str) -> None:
        """The operator lets the tenants' sheets name a Connection that is not their own."""
        lines = "".join(f"  {tenant}: {{connections: [{connection}]}}\n" for tenant in tenants)
        with self.operator.open("a", encoding="utf-8") as file:
            file.write(f"tenants:\n{lines}")

    def link(self, *names: str) -> None:
        """As a first link leaves them."""
        for tenant in names:
            self.store.write_json(f"{LINK}/tenants/{tenant}/baselines/00000001.json", {})

    def result(self, tenant: str, moment: dt.datetime) -> None:
        note = {"run": "r", "at": moment.isoformat(), "event": "SUCCESS", "outcome": "EMC-OK"}
        self.store.write_json(f"{LINK}/tenants/{tenant}/last_result.json", note)

    def wait(self, tenant: str, until: dt.datetime) -> None:
        note = {"run": "manual__1", "until": until.isoformat(), "outcome": "HOLD", "subject": "EMC-HOLD"}
        self.store.write_json(f"{LINK}/tenants/{tenant}/waiting.json", note)

    def known(self, *names: str, run_at: str = "04:30:00") -> None:
        """As if the watch had known them for long."""
        notes = {"schedules": {tenant: [run_at, at("1 0:00").isoformat()] for tenant in names}, "told": {}}
        self.store.write_json(f"{LINK}/watch/silence.json", notes)

    def look(self, now: str, **airflow: Any) -> dict[str, int]:
        return watch(self.store, DAG_FILE, at(now), self.ear, **airflow)

    def begin(self, tenant: str, **files: Any) -> RunRecord:
        """A run that has begun and told nobody, with what is in its record."""
        note = {"run": "manual__1", "folder": "manual__1.f", "started": at("22 4:30").isoformat()}
        self.store.write_json(f"{LINK}/tenants/{tenant}/begun.json", note)
        record = RunRecord(TenantFolder(self.store, LINK, tenant), "manual__1.f")
        for name, content in files.items():
            record.write_json(name, content)
        return record


@pytest.fixture
def world(mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """No tenant, an empty store where Renkei looks for it, and one channel of the operator."""
    operator = tmp_path / "operator.yaml"
    operator.write_text("channels:\n- {name: 運用, service: slack_webhook, connection: ops}\n", encoding="utf-8")
    monkeypatch.setenv("RENKEI_OPERATOR", str(operator))
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    return World(mappings, Store(LocalFileSystem(), str(tmp_path / "store")), operator)


@pytest.fixture
def acme(world: World) -> World:
    """A tenant that was linked long ago, and spoke yesterday."""
    world.sheet("acme", channels=(SLACK,))
    world.link("acme")
    world.known("acme")
    world.result("acme", at("21 4:38"))
    return world


# --- silence


def test_n3_a_day_of_silence_is_told_once_and_so_is_its_end(acme: World) -> None:
    """N3: nothing within the grace, one message for the day, one for the next day, one when a result comes."""
    assert acme.look("22 7:15")["silent"] == 0
    for now in ("22 7:30", "22 7:45", "22 23:45"):
        assert acme.look(now)["silent"] == 1
    assert acme.ear.titles == ["【警告】SmartHR → EMC: 1社から結果が届いていません"]
    assert "acme: 2026/11/22 4:30 の処理（最後の結果 2026/11/21 4:38）" in acme.ear.lines
    acme.look("23 7:30")
    assert len(acme.ear.said) == 2
    acme.result("acme", at("23 10:00"))
    for now in ("23 10:15", "23 10:30"):
        assert acme.look(now)["silent"] == 0
    assert acme.ear.titles[2:] == ["【復旧】SmartHR → EMC: 結果が届いていなかった1社の結果が届きました"]
    assert {(tenant, event) for tenant, event, _, _ in acme.ear.said} == {(OPERATOR, Event.FAILURE)}


def test_l4_a_crash_before_the_note_tells_again_and_never_not_at_all(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L4: the same message with the same key, and then no more."""
    with monkeypatch.context() as patch:

        def die(key: str, content: bytes) -> None:
            raise StoreError("out of space")

        patch.setattr(acme.store, "write", die)
        with pytest.raises(StoreError):
            acme.look("22 7:30")
    acme.look("22 7:45")
    acme.look("22 8:00")
    assert len(acme.ear.said) == 2
    assert acme.ear.said[0] == acme.ear.said[1]


@pytest.mark.parametrize("answer", [later(429, "busy"), unknown(502, "gateway")], ids=lambda one: one.verdict)
def test_n3_what_nobody_took_is_told_again_and_the_dag_fails(acme: World, answer: Delivery) -> None:
    """N3: a red Dag while nobody knows, and the news at the next look."""
    acme.ear.answer = answer
    for now in ("22 7:30", "22 7:45"):
        with pytest.raises(NotificationError, match=r"1社から結果が届いていません（acme）.*届けられませんでした"):
            acme.look(now)
    acme.ear.answer = accepted(200)
    acme.look("22 8:00")
    acme.look("22 8:15")
    assert len(acme.ear.said) == 3


@pytest.mark.parametrize("content", [None, "", "channels: []\n"], ids=["no file", "empty", "no channel"])
def test_n3_without_channels_of_the_operator_a_silence_is_a_red_dag(acme: World, content: str | None) -> None:
    """N3: it fails as long as somebody is silent, and only then."""
    acme.operator.unlink()
    if content is not None:
        acme.operator.write_text(content)
    assert acme.look("22 7:15")["silent"] == 0
    for now in ("22 7:30", "22 7:45"):
        with pytest.raises(NotificationError, match=r"acme.*RENKEI_OPERATOR.*誰にも知らせていません"):
            acme.look(now)
    acme.result("acme", at("22 8:00"))
    assert acme.look("22 8:15")["silent"] == 0


def test_n3_the_never_linked_and_the_unlinked_are_not_expected_to_speak(world: World) -> None:
    """N3, E31, E32: no baseline; 連携解除; 連携開始日 in the future."""
    world.sheet("fresh")
    world.sheet("ended", state=LinkState.FROZEN)
    world.sheet("future", link_start_on=dt.date(2026, 12, 1))
    world.link("ended", "future")
    world.known("fresh", "ended", "future")
    assert world.look("22 9:00") == {"tenants": 2, "silent": 0, "back": 0, "expiring": 0}
    assert world.ear.said == []


@pytest.mark.parametrize(
    ("sheet", "silent_at"),
    [
        pytest.param("run_at: '06:00'\nusers: 1\n", "22 9:00", id="its time can be read"),
        pytest.param("\x00 garbage [", "22 7:30", id="nothing can be read"),
    ],
)
def test_l5_a_broken_sheet_is_expected_to_speak(world: World, sheet: str, silent_at: str) -> None:
    """L5, N3: at the time that could be saved of it, else at 4:30."""
    (world.sheets / "broken.yaml").write_text(sheet)
    world.link("broken")
    world.look("21 12:00")
    assert world.ear.titles == ["【警告】SmartHR → EMC: 1社の連携設定シートに誤りがあります"]
    before = at(silent_at) - dt.timedelta(minutes=15)
    assert world.look(f"{before.day} {before.hour}:{before.minute}")["silent"] == 0
    assert world.look(silent_at)["silent"] == 1


def test_l5_no_tenant_s_broken_file_hides_another_s_silence(world: World) -> None:
    """L5: results, questions and sheets that cannot be read, before and after the one that is silent."""
    names = ("a1", "a2", "acme", "z1", "z2", "z3")
    for tenant in names:
        world.sheet(tenant)
        world.result(tenant, at("22 4:40"))
    world.link(*names)
    world.known(*names)
    world.result("acme", at("21 4:40"))
    world.store.write(f"{LINK}/tenants/a1/last_result.json", b"\xff{")
    world.store.write_json(f"{LINK}/tenants/a2/last_result.json", {"at": None})
    world.store.write(f"{LINK}/tenants/z1/waiting.json", b"[1]")
    (world.sheets / "z2.yaml").write_bytes(b"\xff\xfe\x00")
    (world.sheets / "z3.xlsx").write_bytes(b"PK\x03\x04")
    assert world.look("22 7:30")["silent"] == 3
    for line in ("a1: 2026/11/22 4:30 の処理（結果の記録を読み取れません）", "acme: 2026/11/22 4:30 の処理（最後の"):
        assert line in world.ear.lines


def test_l1_a_sheet_that_vanished_is_told_and_連携解除_ends_it(acme: World) -> None:
    """L1: a folder that is not mounted takes all Dags away, and with them everybody who could say so."""
    (acme.sheets / "acme.yaml").unlink()
    acme.look("22 7:30")
    assert "acme: 2026/11/22 4:30 の処理（連携設定シートがありません）" in acme.ear.lines
    acme.sheet("acme", state=LinkState.FROZEN)
    acme.look("22 8:00")
    (acme.sheets / "acme.yaml").unlink()
    assert acme.look("23 8:00")["silent"] == 0
    assert len(acme.ear.said) == 1


def test_n3_a_new_watch_and_a_new_time_wait_for_the_next_run(acme: World) -> None:
    """N3: an update of Renkei, and a changed 処理時刻, are no silence."""
    acme.store.delete(f"{LINK}/watch/silence.json")
    assert acme.look("22 12:00")["silent"] == 0
    acme.sheet("acme", run_at=dt.time(6, 0))
    acme.result("acme", at("22 4:40"))
    assert acme.look("22 13:00")["silent"] == 0
    assert acme.look("23 9:00")["silent"] == 1


@pytest.mark.parametrize("content", [b"{", b"{}", b'{"schedules": {"acme": ["4", null]}, "told": {}}'])
def test_l1_lost_notes_tell_again(acme: World, content: bytes) -> None:
    """L1: notes that cannot be read are no reason to be quiet."""
    acme.look("22 7:30")
    acme.store.write(f"{LINK}/watch/silence.json", content)
    acme.look("22 7:45")
    acme.look("22 8:00")
    assert len(acme.ear.said) == 2


def test_l1_a_store_out_of_reach_is_a_failure(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """L1: nobody can say who is silent, so the look does not say that nobody is."""

    def fail(path: str) -> bytes:
        raise PermissionError

    monkeypatch.setattr(acme.store.fs, "cat_file", fail)
    monkeypatch.setattr(acme.store.fs, "info", lambda path: fail(path))
    with pytest.raises(StoreError):
        acme.look("22 7:30")


@pytest.mark.parametrize("hours", ["0", "-1", "三", "1e9", "49", "3h"])
def test_l1_a_mistyped_grace_is_an_error(monkeypatch: pytest.MonkeyPatch, hours: str) -> None:
    """L1: it must not end the watch unseen."""
    monkeypatch.setenv("RENKEI_SILENCE_HOURS", hours)
    with pytest.raises(SettingError, match="RENKEI_SILENCE_HOURS"):
        silence_grace()


def test_n3_the_grace_is_a_setting(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """N3: RENKEI_SILENCE_HOURS, in parts of an hour too."""
    monkeypatch.setenv("RENKEI_SILENCE_HOURS", "0.5")
    assert acme.look("22 4:59")["silent"] == 0
    assert acme.look("22 5:00")["silent"] == 1


# --- the operator's file


@pytest.mark.parametrize(
    ("content", "channels", "fault"),
    [
        pytest.param("channels: [", (), "YAMLとして読めません", id="no YAML"),
        pytest.param("- a\n", (), "channels:", id="a list"),
        pytest.param("chanels: []\n", (), "channels:", id="another key"),
        pytest.param(
            "channels:\n- {name: 運用, service: slack_webhook, connection: ops}\n- {name: x, service: fax}\n",
            ("運用",),
            "channels[1].service",
            id="one of two",
        ),
        pytest.param(
            "channels:\n- {name: x, service: slack_webhook, connection: 'https://hooks.slack.com/services/T1/B1/xyz'}\n",
            (),
            "channels[0].connection",
            id="a secret",
        ),
    ],
)
def test_l7_faults_of_the_operator_s_file_are_named_and_not_quoted(
    tmp_path: Path, content: str, channels: tuple[str, ...], fault: str
) -> None:
    """L7, L8: where and what to do; the sound channels are used."""
    path = tmp_path / "operator.yaml"
    path.write_text(content, encoding="utf-8")
    found, faults = operator_channels(path)
    assert tuple(channel.name for channel in found) == channels
    assert fault in "\n".join(faults)
    assert "hooks.slack.com" not in "\n".join(faults)


def test_n3_a_fault_in_the_operator_s_file_fails_the_look_after_the_alarm(acme: World) -> None:
    """N3: who can be told is told first."""
    acme.operator.write_text(acme.operator.read_text("utf-8") + "- {name: x, service: fax}\n", encoding="utf-8")
    with pytest.raises(NotificationError, match="運用担当者のファイルに誤り"):
        acme.look("22 7:30")
    assert len(acme.ear.said) == 1


# --- 期限切れ予告


def test_n2_an_answer_that_will_be_too_late_is_told_once_to_the_tenant(acme: World) -> None:
    """N2: to those of its channels that want it, with the page of the run; not again, and not too late."""
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
def test_n2_the_end_of_a_registration_is_told_at_each_threshold(acme: World) -> None:
    """N2: to the tenant and to the operator, from 9:00 on, once each; its secret stands nowhere."""
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


@pytest.mark.usefixtures("ends")
def test_n2_a_further_registration_is_told_alone(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """N2: what was told once is not told again because of another one."""
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
def test_n2_many_ends_on_one_day_are_told_in_messages_that_can_be_read(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N2: twenty in one message, all of them told, once."""
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
def test_n2_every_tenant_has_its_turn_within_the_day(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """N2: a look asks for some Connections only, the next one goes on from there, and tomorrow it begins anew."""
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


# --- the Dag


def parse(path: Path) -> dict[str, DAG]:
    bag = DagBag(str(path))
    assert bag.import_errors == {}
    return dict(bag.dags)


def test_n3_the_dag_watches_without_anybody_switching_it_on() -> None:
    """N3: every 15 minutes, one look at a time, explained in Japanese; it survives Airflow's database."""
    dag = parse(ROOT / "dags/renkei_watch.py")[DAG_ID]
    assert (dag.catchup, dag.max_active_runs, dag.owner, dag.is_paused_upon_creation) == (False, 1, "renkei", False)
    assert {task.task_id: task.task_display_name for task in dag.tasks} == {"look": "見張り"}
    assert dag.timetable == DeltaTriggerTimetable(dt.timedelta(minutes=15))
    for word in ("RENKEI_OPERATOR", "RENKEI_SILENCE_HOURS", "誰にも知らせません", "renkei watch --tell"):
        assert word in str(dag.doc_md)
    again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    last = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    restriction = TimeRestriction(None, None, False)
    following = again.timetable.next_dagrun_info(
        last_automated_data_interval=DataInterval.exact(instance(last)), restriction=restriction
    )
    assert following is not None
    assert following.run_after == last + dt.timedelta(minutes=15)
    late = DataInterval.exact(instance(last - dt.timedelta(days=3)))
    following = again.timetable.next_dagrun_info(last_automated_data_interval=late, restriction=restriction)
    assert following is not None
    assert abs((following.run_after - dt.datetime.now(dt.UTC)).total_seconds()) < 60


@pytest.fixture(scope="session")
def database() -> None:
    """Airflow's metadata database, and the Dag file where Airflow looks for it."""
    from airflow.utils.db import initdb

    shutil.copyfile(ROOT / "dags/renkei_watch.py", HOME / "dags/renkei_watch.py")
    initdb()


@pytest.mark.usefixtures("database")
def test_n3_airflow_runs_the_look(acme: World, capsys: pytest.CaptureFixture[str]) -> None:
    """N3: numbers into Airflow's database; red, with what to do, while a silence could not be told."""
    acme.result("acme", dt.datetime.now(dt.UTC))
    done = parse(HOME / "dags/renkei_watch.py")[DAG_ID].test()
    (ti,) = done.get_task_instances()
    assert str(done.state) == "success"
    assert ti.xcom_pull(task_ids="look") == {"tenants": 1, "silent": 0, "back": 0, "expiring": 0}
    acme.result("acme", dt.datetime.now(dt.UTC) - dt.timedelta(days=2))
    acme.operator.unlink()
    done = parse(HOME / "dags/renkei_watch.py")[DAG_ID].test()
    assert str(done.state) == "failed"
    assert "1社から結果が届いていません（acme）" in capsys.readouterr().out


# --- the command

COMMAND = (
    "import typer; from renkei.commands import watch; app = typer.Typer(); app.callback()(lambda: None);"
    "watch.add_to(app); app()"
)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    settings = {"LC_ALL": "ja_JP.UTF-8", "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-c", COMMAND, "watch", *words],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_n3_the_command_says_who_is_silent(acme: World) -> None:
    """N3: status 1 while somebody is, 0 when nobody is; nothing is written."""
    acme.result("acme", dt.datetime.now(dt.UTC) - dt.timedelta(days=2))
    before = acme.store.files("")
    found = command()
    assert found.returncode == 1, found.stderr
    assert "acme  20" in found.stdout
    assert "1社のうち、結果が届いていない会社: 1社" in found.stdout
    found = command("--json")
    assert found.returncode == 1
    assert [one["tenant"] for one in json.loads(found.stdout)["silent"]] == ["acme"]
    assert acme.store.files("") == before
    acme.result("acme", dt.datetime.now(dt.UTC))
    assert command().returncode == 0


def test_l1_the_command_does_not_take_an_empty_store_for_peace(world: World) -> None:
    """L1: the wrong store knows nobody; so the command could not be done (it raises, which ends it with status 3)."""
    world.sheet("acme")
    found = command()
    assert found.returncode != 0
    assert "RENKEI_STORE" in found.stderr


def test_n3_the_command_tells_where_asked(acme: World) -> None:
    """N3: what could not be told is said, and not noted as told."""
    acme.result("acme", dt.datetime.now(dt.UTC) - dt.timedelta(days=2))
    found = command("--tell")
    assert found.returncode == 1, found.stderr
    assert "届けられませんでした" in found.stderr
    assert acme.store.read_json(f"{LINK}/watch/silence.json")["told"] == {}


def test_n3_many_tenants_take_little_time(world: World) -> None:
    """N3: a thousand of them, half of them silent, in a few seconds (10,000 were measured: docs/decisions/0012)."""
    names = [f"t{n:04d}" for n in range(1000)]
    world.sheet("t0000")
    content = (world.sheets / "t0000.yaml").read_bytes()
    for number, tenant in enumerate(names):
        (world.sheets / f"{tenant}.yaml").write_bytes(content.replace(b"t0000", tenant.encode()))
        world.result(tenant, at("22 4:40" if number % 2 else "21 4:40"))
    world.link(*names)
    world.known(*names)
    world.look("21 6:00")  # compiles the sheets
    with within(20):
        assert world.look("22 7:30")["silent"] == 500
    assert len(world.ear.said) == 1


def test_s4_a_freeze_that_lasts_is_told_to_the_operator_once(acme: World) -> None:
    """S4: three days after a look first saw it; another one alone; one that ended begins anew."""
    frozen = {"acme"}

    def told(now: str) -> list[str]:
        acme.ear.said.clear()
        acme.look(now, frozen=lambda: set(frozen))
        return [line for _, _, one, _ in acme.ear.said if "災害時凍結" in one.title for line in one.lines[:-1]]

    assert told("22 5:00") == []
    frozen.add("all")
    assert told("23 5:00") == []
    assert told("25 4:59") == []
    assert told("25 5:00") == ["acme: 2026/11/22 5:00 から"]
    assert told("25 5:15") == []
    assert told("26 5:00") == ["全社: 2026/11/23 5:00 から"]
    frozen.clear()
    assert told("26 6:00") == []
    frozen.add("acme")
    assert told("26 7:00") == []
    assert told("29 7:00") == ["acme: 2026/11/26 7:00 から"]


def test_s4_who_is_frozen_is_not_guessed(acme: World) -> None:
    """L1: Airflow does not answer; the others are told of all the same, and the look fails."""

    def away() -> set[str]:
        raise StoreError("Airflowの変数を読み取れません。")

    with pytest.raises(NotificationError, match="Airflowの変数を読み取れません"):
        acme.look("22 9:00", frozen=away)
    assert acme.ear.titles


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What tenants are told of their runs: tenant and subject."""
    told: list[tuple[str, str]] = []

    def tell(
        _link: str, tenant: str, channels: Sequence[Channel], event: Event, message: Message, _key: str, **_: Any
    ) -> Any:
        if tenant != OPERATOR:
            told.append((tenant, message.subject))
        return [DeliveryResult(channel, event, accepted(200)) for channel in channels if channel.wants(event)]

    monkeypatch.setattr("renkei.orchestration.channel_connections.tell", tell)
    return told


@pytest.mark.parametrize(
    ("files", "subject"),
    [
        ({}, "EMC-ERROR-X(System NG)"),
        (
            {"hold": {"digest": "d", "holds": [{"kind": "users", "text": "t", "count": 1, "of": 1}]}},
            "EMC-ERROR-G(Guard NG)",
        ),
        ({"result": {"result": "checked", "at": at("22 4:31").isoformat()}}, "EMC-OK(Check Only)"),
        ({"result": {"result": "waiting", "at": at("22 4:31").isoformat()}}, "EMC-ERROR-X(System NG)"),
    ],
    ids=["deleted", "deleted while held", "notify lost", "file not confirmed"],
)
def test_e4_a_run_that_is_over_and_told_nobody_is_told_by_its_record(
    world: World, mailbox: list[tuple[str, str]], files: dict[str, Any], subject: str
) -> None:
    """Once, and not while Airflow still works on it; the question that it asked is over too."""
    world.sheet("acme")
    world.begin("acme", **files)
    world.store.write_json(f"{LINK}/tenants/acme/waiting.json", {"run": "manual__1"})  # no more is asked of it
    world.look("22 5:00", ongoing=lambda *_: True)
    assert mailbox == []
    for now in ("22 5:15", "22 5:30"):
        world.look(now, ongoing=lambda *_: False)
        assert mailbox == [("acme", f"{subject} acme")]
    assert {"begun.json", "waiting.json"}.isdisjoint(world.store.names(f"{LINK}/tenants/acme"))


def test_e41_a_connection_that_was_taken_back_is_used_for_no_failure_either(world: World) -> None:
    """A broken sheet falls back on the channels of the one that was loaded last, as far as they are its tenant's now."""
    shared = Channel("共有", Service.SLACK_WEBHOOK, "slack_all")
    loaded = dataclasses.replace(mapping(), channels=(SLACK, shared))
    RunRecord(TenantFolder(world.store, LINK, "acme"), "r").write_json("sheet", {"mapping": mapping_to_json(loaded)})
    Baselines(TenantFolder(world.store, LINK, "acme")).promote(
        Baseline(1, "r", "d", "k", at("21 4:38").isoformat(), 1, 1)
    )

    def used(grants: Grants) -> list[str]:
        tenant = Tenant(LINKS[LINK], "acme", Compiled("acme", "", None), "", "", grants)
        return [channel.connection for channel in channels_of(tenant) if channel.connection]

    assert used(Grants(connections=frozenset({"slack_all"}))) == ["slack_webhook__acme", "slack_all"]
    assert used(Grants()) == ["slack_webhook__acme"]


@pytest.mark.parametrize("next_run", ["manual__1", "manual__2"], ids=["of the same id", "another"])
def test_e4_a_deleted_run_is_told_by_the_one_that_takes_its_place(
    world: World, mailbox: list[tuple[str, str]], next_run: str
) -> None:
    """Triggered anew before the watch has looked: the note of the deleted run would be lost, its question would stay."""
    world.sheet("acme")
    held = world.begin("acme", hold={"digest": "d", "holds": [{"kind": "users", "text": "t", "count": 1, "of": 1}]})
    world.wait("acme", at("23 4:15"))
    sheet = Compiled("acme", "", None, result_addresses=("soumu@acme.example.jp",))
    tenant = Tenant(LINKS[LINK], "acme", sheet, "", DAG_FILE)
    overtaken = partial(tell_overtaken, tenant, held.sibling(f"{next_run}.new"), next_run)
    tell_overtaken(tenant, held, "manual__1", lambda *_: False)  # the very run, tried again
    overtaken(lambda _dag_id, run_id: run_id == next_run)
    assert mailbox == [("acme", "EMC-ERROR-G(Guard NG) acme")]
    assert "waiting.json" not in world.store.names(f"{LINK}/tenants/acme")


def test_n7_no_answer_is_asked_for_a_run_that_is_gone(acme: World) -> None:
    """Deleted while it waited."""
    acme.wait("acme", at("22 4:15"))
    acme.look("22 2:30", ongoing=lambda *_: False)
    assert not acme.ear.said
    acme.look("22 2:45", ongoing=lambda *_: True)
    assert len(acme.ear.said) == 1


def test_l5_a_broken_sheet_is_told_to_the_operator_at_the_next_look_and_its_dag_is_run(world: World) -> None:
    """Each state of a sheet once; another one is another fault, and a sound one says nothing."""
    world.sheet("beta")
    (world.sheets / "acme.yaml").write_text("users: [", encoding="utf-8")
    started: list[tuple[str, str]] = []

    def start(dag_id: str, run_id: str) -> None:
        started.append((dag_id, run_id))

    for now in ("22 5:00", "22 5:15"):
        world.look(now, start=start)
    assert len(set(started)) == 1
    assert world.ear.titles == ["【警告】SmartHR → EMC: 1社の連携設定シートに誤りがあります"]
    assert "acme: 1件" in world.ear.lines
    (world.sheets / "acme.yaml").write_text("users: {", encoding="utf-8")
    world.look("22 5:30", start=start)
    assert {dag_id for dag_id, _ in started} == {"smarthr_emc__acme"}
    assert len(set(started)) == 2
    assert len(world.ear.said) == 2
    world.sheet("acme")
    world.look("22 5:45", start=start)
    assert len(world.ear.said) == 2
