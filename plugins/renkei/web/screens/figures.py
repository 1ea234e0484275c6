"""Figures as SVG: geometry and texts alone, without a colour and without a clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from renkei.clock import TOKYO
from renkei.web.facts import Counts, Run
from renkei.web.screens.overview import Day
from renkei.web.screens.words import RUN_STATES

SQUARE, GAP = 10, 3


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with its class and what it says to those who point at it."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Strip:
    """Squares in a row."""

    width: int
    height: int
    boxes: Sequence[Box]
    text: str  # for those who do not see it


def strip(days: Sequence[Day]) -> Strip:
    """The 14日の帯: a good day is a full square, a bad one too, other days are lower."""
    boxes = [
        Box(
            number * (SQUARE + GAP),
            0 if day.tone in ("good", "bad", "wait") else SQUARE - 4,
            SQUARE,
            SQUARE if day.tone in ("good", "bad", "wait") else 4,
            day.tone,
            day.text,
        )
        for number, day in enumerate(days)
    ]
    bad = sum(day.tone == "bad" for day in days)
    none = sum(day.tone == "none" for day in days)
    text = f"{len(days)}日間: 失敗 {bad}日、実行なし {none}日"
    return Strip(len(days) * (SQUARE + GAP) - GAP, SQUARE, boxes, text)


WIDTH, UPPER, LOWER, LEFT, BETWEEN, MARKS = 760, 150, 70, 52, 30, 22
TOP = 8


@dataclass(frozen=True, slots=True)
class Label:
    """A text on the chart."""

    x: float
    y: float
    text: str
    anchor: str = "end"
    kind: str = "axis"
    said: str = ""  # to those who point at it


@dataclass(frozen=True, slots=True)
class Chart:
    """実行履歴: people per day as bars and a line; below, what is new and gone on a scale of its own; marks."""

    width: int
    height: int
    boxes: Sequence[Box]
    line: str  # points of 有効件数
    dots: Sequence[tuple[float, float]]
    rules: Sequence[float]  # heights of horizontal lines
    labels: Sequence[Label]
    text: str


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day of the chart."""

    day: dt.date
    counts: Counts | None = None
    failed: bool = False
    held: bool = False
    looked: bool = False  # 確認のみ and its like
    said: str = ""


def by_day(runs: Sequence[Run], today: dt.date, days: int, waiting: str = "") -> list[DayFigures]:
    """The days, oldest first: the figures of the last run of each day that wrote; `runs` are given newest first."""
    of_day: dict[dt.date, list[Run]] = {}
    for run in runs:
        if run.is_result:
            of_day.setdefault(run.at.astimezone(TOKYO).date(), []).append(run)
    found = []
    for back in range(days - 1, -1, -1):
        day = today - dt.timedelta(days=back)
        its = of_day.get(day, [])
        written = next((run.counts for run in its if run.writes and run.state == "success" and run.counts), None)
        said = "、".join(run.subject or RUN_STATES.get(run.state, run.state) for run in its)
        failed, held = any(run.state == "failed" for run in its), any(run.run_id == waiting for run in its)
        looked = any(not run.writes for run in its)
        found.append(DayFigures(day, written, failed, held, looked, f"{day.month}/{day.day} {said or '実行なし'}"))
    return found


def chart(days: Sequence[DayFigures]) -> Chart:
    """The geometry. Without any figures it is empty axes and marks."""
    counted = [day.counts for day in days if day.counts]
    most = _round(max((max(one.valid, one.created + one.updated + one.deleted) for one in counted), default=0))
    changes = [(one.created + one.deleted, one.valid) for one in counted]
    # A first link would make every other day's change invisible: its bar ends at the upper edge.
    usual = [change for change, valid in changes if change * 2 < valid] or [change for change, _ in changes]
    change = _round(max(usual, default=0))
    step = (WIDTH - LEFT - 4) / max(1, len(days))
    wide = max(1.0, step * 0.72)
    base, second = TOP + UPPER, TOP + UPPER + BETWEEN + LOWER
    boxes: list[Box] = []
    points, labels = [], []
    for number, day in enumerate(days):
        x = LEFT + number * step + (step - wide) / 2
        if day.counts:
            one = day.counts
            said = f"{day.said}: 有効 {one.valid:,}、新規 {one.created:,}、更新 {one.updated:,}、削除 {one.deleted:,}"
            upper = (("updated", one.updated), ("created", one.created), ("deleted", one.deleted))
            boxes += _stack(x, base, wide, UPPER, most, upper, said)
            created = min(one.created, change)
            lower = (("created", created), ("deleted", min(one.deleted, change - created)))
            boxes += _stack(x, second, wide, LOWER, change, lower, said)
            points.append((round(x + wide / 2, 1), round(base - UPPER * one.valid / most, 1)))
        mark, kind = (
            ("✕", "bad") if day.failed else ("！", "wait") if day.held else ("○", "cold") if day.looked else ("", "")
        )
        if mark:
            labels.append(Label(round(x + wide / 2, 1), second + MARKS - 6, mark, "middle", kind, day.said))
    labels += [Label(LEFT - 8, base + 4, "0"), Label(LEFT - 8, TOP + 8, f"{most:,}"), Label(LEFT - 8, second + 4, "0")]
    labels.append(Label(LEFT - 8, second - LOWER + 8, f"{change:,}"))
    every = max(1, len(days) // 8)
    for number in range(len(days) - 1, -1, -every):
        day = days[number]
        x = round(LEFT + (number + 0.5) * step, 1)
        labels.append(Label(x, second + MARKS + 14, f"{day.day.month}/{day.day.day}", "middle"))
    failed, held = sum(day.failed for day in days), sum(day.held for day in days)
    text = f"{len(days)}日間の件数。失敗 {failed}日、保留 {held}日"
    if counted:
        text += f"。有効件数は {counted[0].valid:,} から {counted[-1].valid:,}"
    line = " ".join(f"{x},{y}" for x, y in points)
    dots = points if len(points) <= 45 else []
    return Chart(
        WIDTH,
        int(second + MARKS + 22),
        boxes,
        line,
        dots,
        (TOP, base, second - LOWER, second),
        labels,
        text,
    )


def _stack(
    x: float, base: float, wide: float, height: int, most: int, parts: Sequence[tuple[str, int]], said: str
) -> list[Box]:
    found, y = [], base
    for kind, count in parts:
        tall = height * count / most
        if count:
            y -= tall
            found.append(Box(round(x, 1), round(y, 1), round(wide, 1), round(tall, 1), kind, said))
    return found


def _round(most: int) -> int:
    """A round number at or above it, at least 1."""
    size = int(10 ** max(0, len(str(most)) - 1))
    return max(1, next(size * step for step in (1, 2, 3, 4, 5, 6, 8, 10) if size * step >= most))
