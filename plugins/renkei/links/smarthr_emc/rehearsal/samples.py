"""Ten people who show what the sheet does, chosen for their oddity; the same ones for the same read and sheet."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from renkei.links.smarthr_emc.model import Operation, Reason, RecordSet
from renkei.links.smarthr_emc.rehearsal.figures import SampleCriteria
from renkei.links.smarthr_emc.rehearsal.people import People, items_of
from renkei.links.smarthr_emc.rehearsal.result import Sample, SampleItem
from renkei.links.smarthr_emc.rehearsal.simulated_run import SimulatedRun
from renkei.links.smarthr_emc.sheet.form import item_name
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.wording import OPERATIONS, PROBLEMS
from renkei.values.columns import is_in
from renkei.values.variants import in_jis_x_0208

MAX_SAMPLES = 10  # people, the ordinary one among them
LEFT_OUT = "登録しない"
DEPARTMENT = "primary_department_id"
RARE = 0.05  # of the people: what more than so many lack is no oddity


def samples(
    people: People,
    marks: SampleCriteria,
    mapping: Mapping,
    problems: pd.DataFrame,
    warned: list[tuple[str, str, str]],
    run: SimulatedRun,
) -> tuple[Sample, ...]:
    """At most ten people, the oddest first and an ordinary one last; nobody twice.

    `warned` are the run's warnings (kind, user id, crew id).
    """
    table = people.table
    found: list[Sample] = list(_outside(run, warned))
    picked: dict[int, tuple[str, str]] = {}
    odd = list(_odd(people, marks, mapping, problems, warned))
    for _ in range(MAX_SAMPLES):  # one of each kind, then a second one of each …
        for kind, why, places in odd:
            place = next((place for place in places if place not in picked), None)
            if place is not None and len(found) + len(picked) < MAX_SAMPLES - 1:
                picked[place] = (kind, why)
    if (place := _ordinary(people, marks, problems, picked)) is not None:
        picked[place] = ("ordinary", "比較のための普通の人")
    if not picked:
        return tuple(found[:MAX_SAMPLES])
    shown = _shown(table.iloc[list(picked)], people, list(picked), mapping)
    wrong = _wrong(problems)
    for (place, (kind, why)), items in zip(picked.items(), shown, strict=True):
        row = table.iloc[place]
        found.append(
            Sample(
                kind,
                why,
                row["user_id"],
                row["crew_id"],
                OPERATIONS[people.write_as.iloc[place]],
                items,
                wrong.get(row["crew_id"], ()),
            )
        )
    return tuple(found)


def _outside(run: SimulatedRun, warned: list[tuple[str, str, str]]) -> Iterator[Sample]:
    """One who is deleted for the loss of an id, one who is left out for the lack of one, one who leaves."""
    diff = run.record.table("users_diff")
    for reason, why in (
        (Reason.LOST_ID, "ユーザIDの値が無くなり、EMCから削除される"),
        (Reason.GONE, "SmartHRにいなくなり、EMCから削除される"),
    ):
        for row in diff[diff["reason"] == reason.value].head(1).itertuples():
            yield Sample(reason.value, why, str(row.id), str(row.crew_id), OPERATIONS[Operation.DELETE.value])
    for kind, user_id, crew_id in warned:
        if kind == "no_id":
            yield Sample("no_id", "ユーザIDの値が無く、EMCに登録されない", user_id, crew_id, LEFT_OUT)
            return


def _odd(
    people: People,
    marks: SampleCriteria,
    mapping: Mapping,
    problems: pd.DataFrame,
    warned: list[tuple[str, str, str]],
) -> Iterator[tuple[str, str, list[int]]]:
    """Kind, reason and candidates (places among the people, the first one first)."""
    table = people.table
    by_crew = {crew: place for place, crew in _places_of(table, problems, warned)}
    wrong = problems.loc[problems["record_set"] == RecordSet.USERS.value, "crew_id"].value_counts(sort=False)
    ranked = sorted((-int(count), by_crew[crew]) for crew, count in wrong.items() if crew in by_crew)
    if ranked:
        yield "problems", f"誤りがある(最も多い人で{-ranked[0][0]}件)", [place for _, place in ranked[:MAX_SAMPLES]]
    for kind, why in (
        ("lost_contact", "緊急連絡先が1件も無くなる"),
        ("no_contact", "緊急連絡先が1件も無い"),
        ("taken_over", "同じ氏名の別の従業員として登録し直された"),
        ("adopted", "EMCに既に登録があり、更新として取り込む"),
        ("recreated", "EMCに登録が無く、登録し直す"),
    ):
        yield kind, why, sorted(by_crew[crew] for k, _, crew in warned if k == kind and crew in by_crew)[:MAX_SAMPLES]
    changed = sorted(by_crew[crew] for k, _, crew in warned if k == "id_change" and crew in by_crew)
    yield "id_change", "ユーザIDが変わる", changed[:MAX_SAMPLES]
    if marks.changes.any():
        yield "most_changes", f"変わる項目が最も多い({marks.changes.max()}項目)", _largest(marks.changes)
    created = _first(people.creates.to_numpy(dtype=bool))
    if 0 < len(created) < len(table):
        yield "created", "新しく登録される", created
    names = {rule.item: item_name(rule) for rule in mapping.users}
    rare = sorted((count, place, item) for item, (count, place) in marks.rare_blank.items())
    for count, place, item in rare[:1]:
        if count == 1 or count <= RARE * len(table):
            yield "rare_blank", f"「{names[item]}」が空白(この人を含めて{count}人だけ)", [place]
    yield from _by_values(people)
    step = max(1, len(table) // MAX_SAMPLES)
    yield "spread", "全体から等間隔に選んだ人", list(range(step // 2, len(table), step))


def _by_values(people: People) -> Iterator[tuple[str, str, list[int]]]:
    """Those whom a column of values makes odd: department, name, characters."""
    cells = people.cells
    if DEPARTMENT in cells:
        departments = cells[DEPARTMENT].fillna("")
        counts = departments[departments != ""].value_counts(sort=False)
        without = (departments == "").to_numpy(dtype=bool)
        if without.any() and not without.all():
            yield "no_department", f"所属部署が無い({int(without.sum())}人)", _first(without)
        if len(counts) > 1:
            rarest = int(counts.min())
            few = is_in(departments, counts.index[counts == rarest].tolist()).to_numpy(dtype=bool)
            yield "rare_department", f"所属が最も少ない部署の人({rarest}人)", _first(few)
    if "full_name" not in cells:
        return
    names = cells["full_name"].fillna("")
    odd = _odd_characters(names)
    if odd:
        where = names.str.contains("[" + "".join(f"\\x{{{ord(c):x}}}" for c in odd) + "]", regex=True)
        yield "variants", f"氏名に異体字などがある({int(where.sum())}人)", _first(where.to_numpy(dtype=bool))
    lengths = names.str.len().to_numpy(dtype="int32")
    if len(lengths):
        yield "longest_name", f"氏名が最も長い({lengths.max()}文字)", _largest(lengths)


def _odd_characters(names: pd.Series[str]) -> list[str]:
    """Letters beyond JIS X 0208 (髙, 﨑), and what shows nothing."""
    characters = set("".join(names.drop_duplicates().tolist()))
    return sorted(
        c
        for c in characters
        if unicodedata.category(c) == "Cf" or (unicodedata.category(c) == "Lo" and not in_jis_x_0208(c))
    )


def _ordinary(
    people: People, marks: SampleCriteria, problems: pd.DataFrame, picked: dict[int, tuple[str, str]]
) -> int | None:
    """The first of those who are like most others: without problems, as many changes and blanks as is usual."""
    if not len(people.table):
        return None
    wrong = is_in(people.table["crew_id"], problems["crew_id"]).to_numpy(dtype=bool)
    likeness = (marks.changes.astype("int64") * 1000 + marks.blanks) * 2 + people.creates.to_numpy(dtype=bool)
    free = ~wrong
    free[list(picked)] = False
    if not free.any():
        return None
    kinds, counts = np.unique(likeness[free], return_counts=True)
    usual = kinds[counts.argmax()]
    return int((free & (likeness == usual)).argmax())


def _places_of(
    table: pd.DataFrame, problems: pd.DataFrame, warned: list[tuple[str, str, str]]
) -> Iterator[tuple[int, str]]:
    """Where those stand who are spoken of; the others need not be looked up."""
    spoken = {crew for _, _, crew in warned} | set(problems["crew_id"].unique().tolist())
    crews = table["crew_id"]
    for place in crews[is_in(crews, spoken)].index:
        yield int(place), crews[place]


def _largest(values: Any) -> list[int]:
    """The places of the largest value, the first ones."""
    return _first(values == values.max())


def _first(where: Any) -> list[int]:
    return [int(place) for place in where.nonzero()[0][:MAX_SAMPLES]]


def _shown(rows: pd.DataFrame, people: People, places: list[int], mapping: Mapping) -> list[tuple[SampleItem, ...]]:
    """Every item of each sample, but passwords (L7)."""
    cells = people.cells.iloc[places]
    has = {item: people.has(item).iloc[places] for item in items_of(mapping)}
    names = {rule.item: item_name(rule) for rule in mapping.users}
    user_id = USER_ITEM["user_id"].name
    return [
        (
            SampleItem(
                user_id, rows["user_id"].iloc[n], None if people.creates.iloc[place] else rows["user_id"].iloc[n]
            ),
            *(
                SampleItem(
                    names[item],
                    _text(cells[item].iloc[n]) if people.written else None,
                    _text(has[item].iloc[n]),
                )
                for item in items_of(mapping)
            ),
        )
        for n, place in enumerate(places)
    ]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _wrong(problems: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """What is wrong with each crew that has a problem, in words."""
    rows = problems[problems["record_set"] == RecordSet.USERS.value]
    found: dict[str, tuple[str, ...]] = {}
    for crew_id, item, kind in rows[["crew_id", "item", "kind"]].head(100_000).itertuples(index=False, name=None):
        found[crew_id] = (*found.get(crew_id, ()), f"{USER_ITEM[item].name}: {PROBLEMS.get(kind, kind)}")
    return found
