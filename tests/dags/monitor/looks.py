"""A world that the watch looks at: sheets, a store, the operator, and what was said to whom."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from renkei.channel import Channel, Event, Service
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.notifications.deliver import DeliveryResult
from renkei.orchestration.monitor.monitor import monitor
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Delivery, Message, accepted
from tests.builders import mapping
from tests.conftest import ROOT

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
        return monitor(self.store, DAG_FILE, at(now), self.ear, **airflow)

    def begin(self, tenant: str, **files: Any) -> RunRecord:
        """A run that has begun and told nobody, with what is in its record."""
        note = {"run": "manual__1", "folder": "manual__1.f", "started": at("22 4:30").isoformat()}
        self.store.write_json(f"{LINK}/tenants/{tenant}/begun.json", note)
        record = RunRecord(TenantFolder(self.store, LINK, tenant), "manual__1.f")
        for name, content in files.items():
            record.write_json(name, content)
        return record
