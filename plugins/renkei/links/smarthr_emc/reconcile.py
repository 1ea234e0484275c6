"""Compare what EMC has with what it confirmed last (照合), and tell every difference. Writes nothing; no files, no clock.

A cell is compared only if the next update of that person would write it: an item, or a blank, that the
sheet leaves alone (更新しない) is EMC's own. So 全件書き込み undoes exactly what is reported as `differs`.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from enum import StrEnum

import numpy as np
import pandas as pd

from renkei.links.smarthr_emc.model import Operation, RecordSet
from renkei.links.smarthr_emc.records import Tally
from renkei.links.smarthr_emc.rows import UNWRITTEN, user_rows
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.wording import RECORD_SETS
from renkei.systems.emc.file_format import EmcFormat
from renkei.values.columns import constant, is_in, positions

LINES_SHOWN = 50  # as of problems (E29)
COLUMNS = ("record_set", "kind", "id", "crew_id", "item", "expected", "found")
ITEMS = {RecordSet.DEPARTMENTS: DEPARTMENT_ITEM, RecordSet.USERS: USER_ITEM}
DEPARTMENT_CELLS = ("name", "name_yomi", "parent_id")  # all of them ours: departments have no policy


class Kind(StrEnum):
    """How EMC and the baseline differ; in the order of what matters on the day of an earthquake."""

    MISSING = "missing"  # in the baseline, not in EMC
    DIFFERS = "differs"  # EMC has another value than was written
    EXTRA = "extra"  # in EMC, in nobody's baseline


def fields(record_set: RecordSet, mapping: Mapping) -> list[str]:
    """What to ask EMC for, by EMC's names: the id first, then the items that an update may write, and no others (L6)."""
    keys = DEPARTMENT_CELLS if record_set is RecordSet.DEPARTMENTS else _owned(mapping)
    return [ITEMS[record_set][key].name for key in (record_set.id_column, *keys)]


def _owned(mapping: Mapping) -> list[str]:
    return [rule.item for rule in mapping.users if rule.item not in UNWRITTEN and rule.on_update.writes]


def compare_departments(
    departments: pd.DataFrame,
    exported: pd.DataFrame,
    mapping: Mapping,
    owned_by_others: AbstractSet[str],
    emc_format: EmcFormat,
) -> pd.DataFrame:
    """Every difference between the baseline's departments and EMC's: a table of COLUMNS, by kind, then by id.

    `departments` and `mapping` are those of the baseline's run. `exported` has EMC's item names, as `fields` asks for.
    `owned_by_others` are the ids in the baselines of the account's other tenants (E28).
    """
    expected = departments[list(DEPARTMENT_CELLS)].assign(id=departments["department_id"])
    expected["crew_id"] = departments["source_id"]  # what the diff table calls so
    return _compare(RecordSet.DEPARTMENTS, expected, exported, mapping, owned_by_others, emc_format)


def compare_users(
    users: pd.DataFrame,
    target: pd.DataFrame,
    exported: pd.DataFrame,
    mapping: Mapping,
    owned_by_others: AbstractSet[str],
    emc_format: EmcFormat,
) -> pd.DataFrame:
    """The same for users. `users` and `target` (users_target: what EMC should hold) are those of the baseline's run.

    `users` tells which cells an update would write: 更新 × 値がある and 更新 × 値が無い are asked of each person.
    A cell that `target` does not know is not compared.
    """
    cells = user_rows(users, constant(Operation.UPDATE.value, users), mapping).cells
    at = positions(target["user_id"], users["user_id"])
    expected = target[["user_id", "crew_id"]].rename(columns={"user_id": "id"})
    for item in _owned(mapping):
        if item in target:
            written = np.append(cells[item].notna(), False)[at]  # nowhere is the last: not written
            expected[item] = target[item].where(written)
    return _compare(RecordSet.USERS, expected, exported, mapping, owned_by_others, emc_format)


def _compare(
    record_set: RecordSet,
    expected: pd.DataFrame,
    exported: pd.DataFrame,
    mapping: Mapping,
    owned_by_others: AbstractSet[str],
    emc_format: EmcFormat,
) -> pd.DataFrame:
    """`expected` has id, crew_id and one column per item; a missing cell is not ours to compare."""
    names = ITEMS[record_set]
    exported_ids = exported[names[record_set.id_column].name]
    at = positions(expected["id"], exported_ids)
    frames = [_rows(record_set, Kind.MISSING, expected[at < 0])]
    here, at = expected[at >= 0], at[at >= 0]
    for item in expected.columns.drop(["id", "crew_id"]):
        found = pd.Series(exported[names[item].name].array.take(at), index=here.index)
        unlike = here[item].notna() & (here[item] != found)
        # What the file's encoding made of it is what EMC was given: CP932 brings 〜 back as ～.
        sent = here.loc[unlike, item].map(
            lambda text: text.encode(emc_format.encoding, "replace").decode(emc_format.encoding)
        )
        wrong = sent.index[(sent != found[unlike]).to_numpy()]
        frames.append(_rows(record_set, Kind.DIFFERS, here.loc[wrong], item, here.loc[wrong, item], found[wrong]))
    ours = exported_ids.str.startswith(mapping.id_prefix) & ~is_in(exported_ids, expected["id"])
    extra = exported_ids[ours & ~is_in(exported_ids, owned_by_others)]
    frames.append(_rows(record_set, Kind.EXTRA, extra.to_frame("id").assign(crew_id="")))
    table = pd.concat(frames, ignore_index=True)
    order = table["kind"].map({kind.value: number for number, kind in enumerate(Kind)})
    return table.assign(order=order).sort_values(["order", "id"], kind="stable", ignore_index=True)[list(COLUMNS)]


def _rows(
    record_set: RecordSet,
    kind: Kind,
    records: pd.DataFrame,
    item: str = "",
    expected: pd.Series[str] | str = "",
    found: pd.Series[str] | str = "",
) -> pd.DataFrame:
    return (
        records[["id", "crew_id"]]
        .assign(record_set=record_set.value, kind=kind.value, item=item, expected=expected, found=found)
        .astype("str")
    )


def tally(differences: pd.DataFrame) -> dict[RecordSet, Tally]:
    """The figures of a table of differences, for the run's record and its report."""
    found = {}
    for record_set in RecordSet:
        rows = differences[differences["record_set"] == record_set.value]
        records = rows.groupby("kind")["id"].nunique()
        items = rows.loc[rows["kind"] == Kind.DIFFERS.value, "item"].value_counts()
        found[record_set] = Tally(
            **{kind.value: int(records.get(kind.value, 0)) for kind in Kind},
            items={key: int(items[key]) for key in ITEMS[record_set] if key in items},
        )
    return found


_FINDINGS = {
    Kind.MISSING: ("EMCにありません", "次回の処理で再登録されます"),
    Kind.DIFFERS: (
        "{items}が連携した値と異なります",
        "「全件書き込み」を実行すると連携設定シートどおりに戻ります",
    ),
    Kind.EXTRA: (
        "余分です（手で登録された可能性があります）",
        "EMCの画面で確認し、不要であれば削除してください",
    ),
}


def lines(differences: pd.DataFrame) -> list[str]:
    """The mail's text: the figures, then up to 50 records by id and item, each with what to do; no values (L6, L8)."""
    figures = tally(differences)
    total = sum(one.missing + one.differs + one.extra for one in figures.values())
    if not total:
        return ["照合結果: EMCと前回データに差異はありません。"]
    text = [f"照合結果: EMCと前回データに{total}件の差異があります。EMCには何も書き込んでいません。"]
    for record_set, one in figures.items():
        items = "、".join(f"{ITEMS[record_set][key].name} {count}件" for key, count in one.items.items())
        text.append(
            f"- {RECORD_SETS[record_set]}: EMCに無い {one.missing}件、値が異なる {one.differs}件"
            + (f"（{items}）" if items else "")
            + f"、余分 {one.extra}件"
        )
    shown = _record_lines(differences, LINES_SHOWN)
    rest = total - len(shown)
    return text + shown + ([f"- ほか{rest}件（全件は処理記録にあります）"] if rest else [])


def _record_lines(differences: pd.DataFrame, most: int) -> list[str]:
    found: list[str] = []
    for kind in Kind:
        for record_set in RecordSet:
            rows = differences[(differences["kind"] == kind.value) & (differences["record_set"] == record_set.value)]
            ids = rows["id"].drop_duplicates().head(most - len(found))
            names = {key: item.name for key, item in ITEMS[record_set].items()}
            what, remedy = _FINDINGS[kind]
            for record_id, items in rows[is_in(rows["id"], ids)].groupby("id", sort=False)["item"]:
                of = what.format(items="、".join(names[key] for key in items if key))
                id_name = names[record_set.id_column]
                found.append(f"- {RECORD_SETS[record_set]} {id_name}: {record_id}／{of}／{remedy}")
    return found
