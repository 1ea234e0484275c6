"""What happened to a company beside its runs: its sheet, its Connections, answers, 災害時凍結. No clock, no files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from renkei.web.facts import CompanyEvents, ConnectionChange, Run, RunBeginning


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is seen at a run: it happened before it began, or while it went on."""

    at: dt.datetime
    text: str
    tone: str


SINCE = ""  # in place of a run's id: after the newest of them began


def timeline(
    runs: Sequence[Run], past: CompanyEvents, changes: Sequence[ConnectionChange] = (), beside: Sequence[Event] = ()
) -> Mapping[str, Sequence[Event]]:
    """The events of each run by its id, newest first; `runs`, `changes` and what else happened `beside` are given newest
    first.

    What changed between two runs is told at the later one, where both have a record.
    """
    found: dict[str, list[Event]] = {SINCE: [], **{run.run_id: [] for run in runs}}
    for reply in past.replies:
        by = f"（{reply.by}さん）" if reply.by else "（回答なし。期限切れ）"
        found[reply.run_id].append(Event(reply.at, f"回答: {reply.chosen or '–'}{by}", "wait"))
    known = [(run, past.begun[run.run_id]) for run in runs if run.run_id in past.begun]
    for (run, begun), (_, before) in pairwise(known):
        at = run.started or run.at
        found[run.run_id] += [Event(at, text, "cold") for text in _changes(before, begun)]
    others = [*(Event(change.at, _connection(change), "cold") for change in changes), *beside]
    for event in sorted(others, key=lambda one: one.at, reverse=True):
        later = [run for run in runs if (run.started or run.at) >= event.at]
        found[later[-1].run_id if later else SINCE].append(event)
    return {run_id: events for run_id, events in found.items() if events}


def _connection(change: ConnectionChange) -> str:
    fields = f"。入力された項目: {'、'.join(change.fields)}" if change.fields else ""
    return f"接続「{change.name}」の{change.done}（{change.by or '–'}さん{fields}）"


def _changes(before: RunBeginning, begun: RunBeginning) -> Sequence[str]:
    changed = before.sheet_digest != begun.sheet_digest
    texts = [f"シートが変わりました（識別値 {begun.sheet_digest[:12]}）"] if changed else []
    if before.frozen != begun.frozen:
        texts.append("災害時凍結中になりました" if begun.frozen else "災害時凍結が解除されました")
    return texts
