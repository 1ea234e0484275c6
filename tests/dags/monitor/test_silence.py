"""A tenant from which nothing is heard is told to the operator, once, and so is its end (N6)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from renkei.channel import OPERATOR, Event
from renkei.errors import NotificationError, SettingError, StoreError
from renkei.links.smarthr_emc.sheet.mapping import LinkState
from renkei.orchestration.monitor.operator_channels import operator_channels
from renkei.settings import silence_grace
from renkei.systems.delivery import Delivery, accepted, later, unknown
from tests.dags.monitor.looks import LINK, World, at
from tests.harness.patience import within


def test_n6_a_day_of_silence_is_told_once_and_so_is_its_end(acme: World) -> None:
    """N6: nothing within the grace, one message for the day, one for the next day, one when a result comes."""
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
def test_n6_what_nobody_took_is_told_again_and_the_dag_fails(acme: World, answer: Delivery) -> None:
    """N6: a red Dag while nobody knows, and the news at the next look."""
    acme.ear.answer = answer
    for now in ("22 7:30", "22 7:45"):
        with pytest.raises(NotificationError, match=r"1社から結果が届いていません（acme）.*届けられませんでした"):
            acme.look(now)
    acme.ear.answer = accepted(200)
    acme.look("22 8:00")
    acme.look("22 8:15")
    assert len(acme.ear.said) == 3


@pytest.mark.parametrize("content", [None, "", "channels: []\n"], ids=["no file", "empty", "no channel"])
def test_n6_without_channels_of_the_operator_a_silence_is_a_red_dag(acme: World, content: str | None) -> None:
    """N6: it fails as long as somebody is silent, and only then."""
    acme.operator.unlink()
    if content is not None:
        acme.operator.write_text(content)
    assert acme.look("22 7:15")["silent"] == 0
    for now in ("22 7:30", "22 7:45"):
        with pytest.raises(NotificationError, match=r"acme.*RENKEI_OPERATOR.*誰にも知らせていません"):
            acme.look(now)
    acme.result("acme", at("22 8:00"))
    assert acme.look("22 8:15")["silent"] == 0


def test_n6_the_never_linked_and_the_unlinked_are_not_expected_to_speak(world: World) -> None:
    """N6, E31, E32: no baseline; 連携解除; 連携開始日 in the future."""
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
    """L5, N6: at the time that could be saved of it, else at 4:30."""
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


def test_n6_a_new_watch_and_a_new_time_wait_for_the_next_run(acme: World) -> None:
    """N6: an update of Renkei, and a changed 処理時刻, are no silence."""
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


def test_n6_the_grace_is_a_setting(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """N6: RENKEI_SILENCE_HOURS, in parts of an hour too."""
    monkeypatch.setenv("RENKEI_SILENCE_HOURS", "0.5")
    assert acme.look("22 4:59")["silent"] == 0
    assert acme.look("22 5:00")["silent"] == 1


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


def test_n6_a_fault_in_the_operator_s_file_fails_the_look_after_the_alarm(acme: World) -> None:
    """N6: who can be told is told first."""
    acme.operator.write_text(acme.operator.read_text("utf-8") + "- {name: x, service: fax}\n", encoding="utf-8")
    with pytest.raises(NotificationError, match="運用担当者のファイルに誤り"):
        acme.look("22 7:30")
    assert len(acme.ear.said) == 1


def test_n6_many_tenants_take_little_time(world: World) -> None:
    """N6: a thousand of them, half of them silent, in a few seconds (10,000 were measured: docs/decisions/0012)."""
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
