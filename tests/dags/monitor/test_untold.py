"""What nobody told is told by the watch: a run, a broken sheet (E4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from renkei.channel import OPERATOR, Channel, Event, Service
from renkei.links.smarthr_emc.sheet.codec import mapping_to_json
from renkei.notifications.deliver import DeliveryResult
from renkei.orchestration.link import LINKS
from renkei.orchestration.monitor.unfinished import tell_overtaken
from renkei.orchestration.result_notification import channels_of
from renkei.orchestration.tenant import Tenant
from renkei.sheets.compiled import Compiled
from renkei.sheets.grants import Grants
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Message, accepted
from tests.builders import mapping
from tests.dags.monitor.looks import DAG_FILE, LINK, SLACK, World, at


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

    monkeypatch.setattr("renkei.orchestration.channel_connections.notify_channels", tell)
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
