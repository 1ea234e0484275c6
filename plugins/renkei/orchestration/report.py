"""How a run ended, and what a link says of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from renkei.channel import Event
from renkei.clock import TOKYO
from renkei.runs.outcome import Outcome
from renkei.storage.runs import RunRecord
from renkei.systems.delivery import Message, Tone, key_of

if TYPE_CHECKING:
    from renkei.orchestration.tenant import Tenant

TONES = {Event.SUCCESS: Tone.GOOD, Event.HOLD: Tone.WAITING, Event.FAILURE: Tone.BAD}


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended, or what it waits for. Without a `record` nothing is known of it but this."""

    tenant: Tenant
    record: RunRecord | None
    outcome: Outcome
    message: str  # of the error that stopped it, already Japanese
    started: dt.datetime
    ended: dt.datetime
    warnings: Sequence[str] = ()  # of the sheet and its channels
    links: Mapping[str, str] = field(default_factory=dict)  # pages of Airflow, by what they show
    run_id: str = ""  # Airflow's


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of a run."""

    event: Event
    message: Message  # short in chat, the whole report in a mail
    operators_message: Message
    # By the run's name: the same for the same result, so that a repetition tells nobody twice.
    key: Callable[[str], str]
    summary: Callable[[], list[str]]  # the first line is the subject with the tenant
    calls: bool = True  # somebody has to see to it: else a side run does not tell it
    heard: Callable[[], None] = lambda: None  # called when somebody has heard it
    quiet: bool = False  # nothing that anybody waits for, or all of it was told before: it counts as heard


def plain_report(end: RunEnd, lines: Sequence[str]) -> Report:
    """The report of a link that has nothing to say but its own `lines`, beside how the run ended."""
    tenant, outcome = end.tenant, end.outcome
    event = Event.HOLD if outcome.waiting else Event.SUCCESS if outcome.succeeded else Event.FAILURE
    subject = tenant.link.subjects()[outcome]
    times = [f"{at.astimezone(TOKYO):%Y/%m/%d %H:%M:%S}" for at in (end.started, end.ended)]
    said = [f"処理日時: {'～'.join(times)}", *end.message.splitlines(), *lines]
    company = tenant.sheet.company
    whose = tenant.name if company == tenant.name else f"{company}（{tenant.name}）"
    message = Message(
        title=f"【{event.label}】{tenant.link.label}: {whose} {subject}",
        lines=(*said, *(f"注意: {text}" for text in end.warnings)),
        link=next(iter(end.links.values()), ""),
        link_label="実行結果を開く",
        tone=TONES[event],
        subject=f"{subject} {company}",
    )
    same = [subject, str(end.started), *end.message.splitlines(), *lines]
    return Report(event, message, message, lambda run: key_of(run, *same), lambda: [f"{subject} {tenant.name}", *said])
