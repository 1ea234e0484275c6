"""What the record of runs says of a person, on a terminal: to nobody but who asked (L6)."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renkei.clock import time_in_japan
from renkei.commands.output import out
from renkei.links.smarthr_emc.people.explain import Explained, Explanation


def show_recorded(found: Explanation) -> None:
    """The answer in one sentence; of one person the steps and the history, of several a list to choose from."""
    read = f": {time_in_japan(found.at)} の受信、{found.run}" if found.run else ""
    out.rule(f"実行の記録{read}", align="left")
    out.print(found.answer, style="bold", markup=False)
    for line in found.others:
        facts = (line.user_id or "(IDなし)", line.name, line.department, line.kind.value, line.why, line.crew_id)
        out.print("  " + "  ".join(fact for fact in facts if fact), markup=False)
    for person in found.people:
        _person(person, alone=len(found.people) == 1)
    if found.people:
        out.print(f"{found.looked}。", markup=False)


def _person(one: Explained, *, alone: bool) -> None:
    if not alone:
        out.print(one.answer, style="bold", markup=False)
    out.print("  ".join(fact for fact in (one.name, one.person.user_id, one.person.page) if fact), markup=False)
    table = Table(box=SIMPLE_HEAD)
    for heading in ("段階", "", "理由", "対処"):
        table.add_column(heading, overflow="fold")
    for step in one.steps:
        table.add_row(step.name, step.passed.value, step.reason, step.remedy)
    out.print(table, markup=False)
    for event in one.events:
        ids = f"{event.was} → {event.user_id}" if event.was else event.user_id
        why = f"（{event.why}）" if event.why else ""
        out.print(f"  {time_in_japan(event.at)}  {event.kind.value}  {ids}{why}", markup=False)
