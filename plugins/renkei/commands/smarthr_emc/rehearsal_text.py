"""A rehearsal and a person's trace as Japanese text on a terminal. They show people: to nobody but who asked (L6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renkei.commands.output import out
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.rehearsal.person import ItemTrace, PersonTrace, Trace
from renkei.links.smarthr_emc.rehearsal.result import (
    ItemFigures,
    MissingItem,
    Person,
    Rehearsal,
    Sample,
    StopReason,
)
from renkei.links.smarthr_emc.rehearsal.words import (
    COUNTS,
    FIGURES,
    HOLDS_UNKNOWN,
    VERDICTS,
    effect_in_words,
    emc_in_words,
    read_in_words,
    sent_in_words,
)
from renkei.links.smarthr_emc.report import crew_page
from renkei.links.smarthr_emc.wording import MODES, RECORD_SETS

COLOURS = {"good": "green", "wait": "yellow", "bad": "red"}


def show(found: Rehearsal, smarthr_url: str) -> None:
    """Everything a rehearsal says, the answer first."""
    tone, verdict = VERDICTS[found.verdict]
    out.rule(f"リハーサル: {found.tenant}({MODES[Mode(found.mode)][0]})", align="left")
    _say(read_in_words(found.read, emc_asked=found.emc_asked, stopped=found.stop is not None))
    if found.first_link:
        _say("初回連携です。")
    out.print(f"[bold {COLOURS[tone]}]{verdict}。[/]")
    _stopped(found.stop)
    _missing(found.missing)
    _counts(found)
    for hold in found.holds:
        _say(f"保留: {hold.text}", "yellow")
    if not found.holds_known:
        _say(HOLDS_UNKNOWN, "yellow")
    _problems(found, smarthr_url)
    _warnings(found, smarthr_url)
    _figures("部署の項目", found.departments)
    _figures("社員の項目", found.users)
    _sheet(found)
    _samples(found.samples)


def _say(text: str, style: str | None = None, indent: int = 0) -> None:
    out.print(" " * indent + text, style=style, markup=False)


def _table(*headings: str, numbers: int = 0) -> Table:
    """An empty table whose last `numbers` columns are figures; long texts go on in the next line."""
    table = Table(box=SIMPLE_HEAD)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place >= len(headings) - numbers else "left", overflow="fold")
    return table


def _heading(text: str) -> None:
    out.print()
    out.print(text, style="bold", markup=False)


def _stopped(stop: StopReason | None) -> None:
    if stop:
        _say(f"{stop.subject}: {stop.message}", "red", 2)


def _missing(missing: Sequence[MissingItem]) -> None:
    for one in missing:
        items = "、".join(one.items)
        _say(
            f"保存先の受信に「{one.source}」がありません({items} は試せません)。--live で受信して試してください。",
            "yellow",
        )


def _counts(found: Rehearsal) -> None:
    if not found.counts:
        return
    table = _table("", "変化", *COUNTS.values(), numbers=len(COUNTS))
    for name, counts in found.counts.items():
        changed = "あり" if found.changed.get(name) else "なし"
        table.add_row(RECORD_SETS[RecordSet(name)], changed, *(f"{counts[key]:,}" for key in COUNTS))
    out.print(table)
    if found.id_changed:
        _say(f"ID変更: {found.id_changed:,}名")
        for change in found.id_changes:
            _say(f"{change.old} → {change.new}", indent=2)


def _problems(found: Rehearsal, smarthr_url: str) -> None:
    if not found.problem_count:
        return
    _heading(f"誤り {found.problem_count:,}件")
    for group in found.problems:
        _say(
            f"{RECORD_SETS[RecordSet(group.record_set)]} {group.item}: {group.title} {group.count:,}件 → {group.remedy}",
            "red",
            2,
        )
        _people(group.people, group.count, smarthr_url if group.record_set == "users" else "")


def _warnings(found: Rehearsal, smarthr_url: str) -> None:
    if found.warnings or found.item_doubts or found.doubts:
        _heading("注意")
    for doubt in found.item_doubts:
        _say(f"{doubt.text} → {doubt.remedy}", "yellow", 2)
    for doubtful in found.doubts:
        _say(f"{doubtful.item}: {doubtful.title} {doubtful.count:,}名 → {doubtful.remedy}", "yellow", 2)
        _people(doubtful.people, doubtful.count, smarthr_url)
    for group in found.warnings:
        _say(f"{group.title}: {group.count:,}名", "yellow", 2)
        _people(group.people, group.count, smarthr_url)
    if found.clashing_tenants:
        tenants = "、".join(found.clashing_tenants)
        _say(f"ID付与コードが同じEMCのテナント({tenants})と重なる可能性があります。", "yellow", 2)


def _people(people: Iterable[Person], count: int, smarthr_url: str) -> None:
    shown = 0
    for one in people:
        shown += 1
        page = crew_page(smarthr_url, one.crew_id) if smarthr_url and one.crew_id else ""
        _say("  ".join(part for part in (one.id or "(IDなし)", one.detail, page) if part), indent=6)
    if count > shown:
        _say(f"ほか{count - shown:,}名(--all ですべて表示します)", indent=6)


def _figures(title: str, figures: Sequence[ItemFigures]) -> None:
    """Only columns in which anything happens."""
    columns = [key for key in FIGURES if any(getattr(one, key) for one in figures)]
    if not columns:
        return
    _heading(title)
    table = _table("EMC項目", "SmartHR項目", *(FIGURES[key] for key in columns), numbers=len(columns))
    for one in figures:
        if one.unknown:
            table.add_row(one.item, one.source, "(不明)")
        else:
            table.add_row(one.item, one.source, *(f"{n:,}" if (n := getattr(one, key)) else "" for key in columns))
    out.print(table)


def _sheet(found: Rehearsal) -> None:
    if not found.sheet:
        return
    _heading("今のシートとの違い")
    for line in found.sheet:
        _say(str(line), indent=2)
    effect = found.effect
    if effect is None:
        return
    _say(effect_in_words(effect), indent=2)
    for item, count in (effect.items | effect.department_items).items():
        _say(f"{item}: {count:,}", indent=4)
    if effect.unsure:
        _say(f"{'、'.join(effect.unsure)} は、この受信では比べられません。", "yellow", 4)


def _samples(samples: Sequence[Sample]) -> None:
    if samples:
        _heading(f"見本の社員 {len(samples)}名")
    for one in samples:
        _say(f"{one.user_id or '(IDなし)'}  {one.operation}  {one.why}", "bold", 2)
        for item in one.items:
            if item.value is not None and item.value != item.emc:
                _say(f"{item.item}: {emc_in_words(item.emc)} → {sent_in_words(item.value)}", indent=6)
        for problem in one.problems:
            _say(problem, "red", 6)


def show_person(found: Trace) -> None:
    """The next run's answer in one sentence, then how each value comes about."""
    out.rule("次の実行", align="left")
    out.print(found.answer, style="bold", markup=False)
    _say(read_in_words(found.read, emc_asked=True, stopped=False).partition("。")[0] + "。")
    _missing(found.missing)
    for one in found.people:
        _person(one, alone=len(found.people) == 1)


def _person(one: PersonTrace, *, alone: bool) -> None:
    out.print()
    if not alone:
        out.print(one.answer, style="bold", markup=False)
    valid = "有効" if one.valid else "有効ではない"
    before = "前回データにあり" if one.in_baseline else "前回データになし"
    facts = (f"ユーザID {one.user_id or '(なし)'}", one.status, valid, before, one.operation, one.page)
    _say("  ".join(fact for fact in facts if fact))
    for problem in one.problems:
        _say(problem, "red", 2)
    if one.items:
        table = _table("EMC項目", "SmartHR項目と値", "適用", "EMCへ", "EMCの現在")
        for item in one.items:
            table.add_row(
                item.item,
                _origin(item),
                f"{item.cell}\n= {item.word}",
                sent_in_words(item.sent),
                emc_in_words(item.emc),
            )
        out.print(table)
        for item in one.items:
            for note in (*((item.note,) if item.note else ()), *item.problems):
                _say(f"{item.item}: {note}", "red" if note in item.problems else None, 2)


def _origin(item: ItemTrace) -> str:
    """The source, what each part of it holds, and what the conversions made of it."""
    lines = [item.source]
    lines += [f"  {term.term} = {term.value or '(空白)'}" for term in item.terms]
    if item.used and item.used != item.source:
        lines.append(f"  使ったもの: {item.used}")
    return "\n".join([*lines, *(f"  {one.word} → {one.value or '(空白)'}" for one in item.conversions)])
