"""What calendars must hold after the last run, told by the two simulators' own lists alone, without the product."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

OWN = "歯医者"  # what people have entered themselves
HALVES = {"MORNING": ("09:00:00", "13:00:00"), "AFTERNOON": ("13:00:00", "18:00:00")}
Shown = tuple[str, str, str, str]  # member's address, summary, start, end


def wrong_about(absences: list[dict[str, Any]], lineworks: dict[str, Any], calendars: dict[str, Any]) -> list[str]:
    """Every approved absence of somebody with a calendar is in it, an event for each period; nothing else of ours is."""
    active = {one["userId"]: one["email"] for one in lineworks["users"] if not one["isSuspended"]}
    wanted = Counter[Shown]()
    for one in absences:
        if one["status"] == "APPROVED" and one["user_id"] in active.values():
            spans = [_span(period) for period in one["periods"]]
            if all(spans):
                wanted.update((one["user_id"], one["kind"], *span) for span in spans if span)
    found = Counter[Shown](
        (active[user], event[0]["summary"], _text(event[0]["start"]), _text(event[0]["end"]))
        for user, events in calendars["calendars"].items()
        for event in events.values()
        if event[0]["summary"] != OWN
    )
    return [
        *(f"missing {one}" for one in (wanted - found).elements()),
        *(f"too much {one}" for one in (found - wanted).elements()),
        *(["people were told of events"] if calendars["notices"] else []),
    ]


def _span(period: dict[str, str]) -> tuple[str, str] | None:
    if period["unit"] == "ALL_DAY":
        after = dt.date.fromisoformat(period["end_on"]) + dt.timedelta(days=1)
        return (period["start_on"], str(after)) if period["end_on"] >= period["start_on"] else None
    if period["unit"] in HALVES:
        start, end = HALVES[period["unit"]]
        return f"{period['on']}T{start}", f"{period['on']}T{end}"
    return f"{period['start_at']}:00", f"{period['end_at']}:00"


def _text(time: dict[str, str]) -> str:
    return time.get("date") or time["dateTime"]
