"""The run that the stages hand on, and what several of them see to before they go on."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

from renkei.errors import BaselineError
from renkei.links.smarthr_emc import load
from renkei.links.smarthr_emc.baseline import standing, was_linked
from renkei.links.smarthr_emc.load import Target
from renkei.links.smarthr_emc.model import Mode, RecordSet, RunStart
from renkei.links.smarthr_emc.sheet.index import mapping_from_json
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.snapshot import SetSummary
from renkei.storage.gate import Gate
from renkei.storage.runs import RunRecord


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one tenant: its record, the sheet as it was when the run began, what was asked for."""

    record: RunRecord
    mapping: Mapping
    start: RunStart

    @property
    def mode(self) -> Mode:
        return self.start.mode

    @property
    def is_frozen(self) -> bool:
        """Whether the snapshot is taken."""
        return self.record.json_or_none("snapshot") is not None

    def summary(self, record_set: RecordSet) -> SetSummary:
        """The figures of the snapshot."""
        return SetSummary(**self.record.json("snapshot")["sets"][record_set.value])

    def gate(self) -> Gate:
        return Gate(self.record.store, self.record.link, self.mapping.emc_account)


def resume(record: RunRecord, current: Mapping) -> Job:
    """The run as it was begun. Only a literal password comes from the current sheet: records hold none (L6)."""
    start = RunStart.from_json(record.json("run"))
    mapping = mapping_from_json(record.json("sheet")["mapping"])
    password = current.rule("password")
    users = tuple(password if rule.item == "password" and password else rule for rule in mapping.users)
    return Job(record, dataclasses.replace(mapping, users=users), start)


def settle_own(job: Job, target: Target, now: dt.datetime) -> bool:
    """Finish an earlier load of this tenant that nobody heard of; whether this very run is the one now confirmed."""
    pending = job.gate().pending()
    if pending is not None and pending.tenant == job.record.tenant:
        load.settle(job.gate(), target, job.record, now)
    current = standing(job.record).baseline
    return current is not None and current.run == job.record.run


def refuse_lost_baseline(job: Job, target: Target) -> None:
    """Without a baseline a run is the first link only if neither the store nor EMC knows of an earlier one (E31).

    Raises:
        BaselineError: one of them does.
    """
    if was_linked(job.record) or target.ever_committed(job.record.tenant):
        raise BaselineError(
            "この会社は以前に連携されていますが、前回データが保存先にありません。初回連携として扱うと削除すべき社員が残るため、"
            "何も書き込みません。保存先を復元するか、「再連携」を実行してください。"
        )
