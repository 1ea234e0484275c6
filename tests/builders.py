"""Small builders for tests of the SmartHR → EMC link: sheets, reads, snapshots and planned days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from renkei.links.smarthr_emc import diff, snapshot
from renkei.links.smarthr_emc.fetch import source_columns
from renkei.links.smarthr_emc.model import Counts, Mode, RecordSet
from renkei.links.smarthr_emc.plan import DepartmentPlan, People, UserPlan, plan_departments, plan_users
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.parse import parse
from renkei.links.smarthr_emc.sheet.raw import RawRow, RawSetting, RawSheet
from renkei.links.smarthr_emc.snapshot import Snapshot
from renkei.systems.emc.file_format import EmcFormat, load_format
from renkei.texts import RawCell

EMC_FORMAT: EmcFormat = load_format(Path(__file__).parents[1] / "include/contracts/emc_format.yaml")

SETTINGS = {
    "SmartHR URL": "https://acme.smarthr.jp",
    "結果通知先メールアドレス1": "soumu@acme.example.jp",
    "連携開始日": "2026-04-01",
}
# The least a sheet must have; every other line is a test's own.
USERS: dict[str, str | tuple[str, ...]] = {
    "ユーザID": "社員番号",
    "パスワード": "固定値「Passw0rd」",
    "氏名": "姓",
    "氏名(ヨミ)": "姓(ヨミガナ)",
}
CONTACT = {"緊急連絡1 媒体": "固定値「メールアドレス」", "緊急連絡1 アドレス": "メールアドレス"}
# A sheet as a customer writes it, with a literal password.
SHEET = """
smarthr_url: https://acme.smarthr.jp
result_addresses: [soumu@acme.example.jp]
link_start_on: 2026-04-01
run_at: "05:00"
departments: {yomi: ブショ}
users:
  - {item: ユーザID, source: 社員番号}
  - {item: パスワード, source: '固定値「Sesame」 or 社員番号', on_create: {when_blank: 'DEFAULT:Open'}}
  - {item: 氏名, source: 氏名}
  - {item: 氏名(ヨミ), source: 氏名(ヨミガナ)}
  - {item: '検索ワード1:勤務地', source: 事業所}
"""
NO_IDS: pd.Series = pd.Series([], dtype="str")

Line = str | tuple[str, ...]


def mapping(
    users: dict[str, Line] | None = None,
    settings: dict[str, str] | None = None,
    department_name: str = "部署名",
    yomi: str = "ブショ",
) -> Mapping:
    """The mapping of a sheet with these lines added to (or put in place of) the least ones.

    A user line is its SmartHR項目, or that and the four policy cells in the sheet's own words.
    """
    info = {**SETTINGS, **(settings or {})}
    departments = {
        "部署ID": "部署コード",
        "部署名": department_name,
        "部署名(ヨミ)": f"固定値「{yomi}」",
        "親部署ID": "親部署コード",
    }
    raw = RawSheet(
        "acme",
        tuple(RawSetting(RawCell(label, label), RawCell(value, label)) for label, value in info.items()),
        tuple(_row(item, source) for item, source in departments.items()),
        tuple(_row(item, line) for item, line in {**USERS, **(users or {})}.items()),
    )
    return parse(raw, "acme")[0]


def _row(item: str, line: Line) -> RawRow:
    source, *words = (line,) if isinstance(line, str) else line
    words += [""] * (4 - len(words))
    return RawRow(RawCell(item, item), None, *(RawCell(text, item) for text in (source, *words)))


def crew(crew_id: str, emp_code: str = "", status: str = "employed", **values: str) -> dict[str, str]:
    """One crew as read: crew id, 社員番号, 在籍状況, and values by column (a name for 姓 unless given)."""
    named = {"姓": "山田", "姓(ヨミガナ)": "ヤマダ"}
    return {"crew_id": crew_id, "emp_status": status, "社員番号": emp_code, **named, **values}


def crews(sheet: Mapping, rows: Iterable[dict[str, str]]) -> pd.DataFrame:
    """The table that fetch_users makes of `rows`: only mapped columns, nothing kept of 退職済 crews."""
    rows = list(rows)
    table = pd.DataFrame(
        {
            "crew_id": [row["crew_id"] for row in rows],
            "emp_status": [row["emp_status"] for row in rows],
            **{
                column: ["" if row["emp_status"] == "retired" else row.get(column, "") for row in rows]
                for column in source_columns(sheet)
            },
        },
        dtype="str",
    )
    table.insert(0, "line", range(1, len(table) + 1))
    return table


def departments(*rows: tuple[str, str | None] | tuple[str, str | None, str]) -> pd.DataFrame:
    """The table that fetch_departments makes of (code, parent's code or None for none, name)."""
    table = pd.DataFrame(
        {
            "source_id": [f"d{n}" for n in range(1, len(rows) + 1)],
            "code": [row[0] for row in rows],
            "name": [row[2] if len(row) > 2 else f"{row[0]}部" for row in rows],
            "full_name": [f"本社/{row[0]}部" for row in rows],
            "parent_code": [row[1] or "" for row in rows],
        },
        dtype="str",
    )
    table.insert(0, "line", range(1, len(table) + 1))
    table["has_parent"] = pd.array([row[1] is not None for row in rows], dtype="bool")
    return table


def freeze(sheet: Mapping, people: Iterable[dict[str, str]], tree: pd.DataFrame | None = None) -> Snapshot:
    """The snapshot of one read."""
    return snapshot.freeze(departments() if tree is None else tree, crews(sheet, people), sheet)


@dataclass(frozen=True)
class Day:
    """One planned day: what a run would write, and what the next run compares with."""

    snapshot: Snapshot
    diff: pd.DataFrame
    department_diff: pd.DataFrame
    lost: frozenset[str]
    users: UserPlan
    departments: DepartmentPlan
    counts: dict[RecordSet, Counts]
    changed: dict[RecordSet, bool]

    def operations(self) -> dict[str, str]:
        return dict(zip(self.diff["id"], self.diff["operation"], strict=True))

    def reasons(self) -> dict[str, str]:
        return dict(zip(self.diff["id"], self.diff["reason"], strict=True))

    def row(self, user_id: str) -> dict[str, Any]:
        """The cells written for one user id: missing ones as None."""
        found = self.users.rows[self.users.rows["user_id"] == user_id]
        assert len(found) == 1, user_id
        return {name: None if pd.isna(value) else value for name, value in found.iloc[0].items()}

    def problems(self) -> list[tuple[str, str, str]]:
        """(id, item, kind) of every problem of the users."""
        return found(self.users.problems)

    def warnings(self, kind: str) -> list[tuple[str, str]]:
        """(user id, crew id) of every warning of a kind."""
        return [(user_id, crew_id) for k, user_id, crew_id in self.users.warnings if k == kind]


def found(problems: pd.DataFrame) -> list[tuple[str, str, str]]:
    """(id, item, kind) of every row of a problems table."""
    return list(problems[["id", "item", "kind"]].itertuples(index=False, name=None))


def plan_day(
    sheet: Mapping,
    people: Iterable[dict[str, str]],
    yesterday: Day | None = None,
    tree: pd.DataFrame | None = None,
    in_emc: dict[str, dict[str, str]] | None = None,
    mode: Mode = Mode.NORMAL,
    gone_from_emc: frozenset[str] = frozenset(),
) -> Day:
    """Snapshot, diff and plan of one read against `yesterday`, all of which EMC confirmed.

    `in_emc` is what EMC says of users that are new to us (user id → items), and `gone_from_emc` what it does not
    have although yesterday confirmed it; with neither, it is not asked.
    """
    today = freeze(sheet, people, tree)
    before = yesterday.snapshot if yesterday else None
    table, lost = diff.diff_users(before and before.users, today.users, yesterday.lost if yesterday else frozenset())
    department_table = diff.diff_departments(before and before.departments, today.departments)
    if in_emc is not None or gone_from_emc:
        kept = set(yesterday.users.target["user_id"]) if yesterday else set()
        table = diff.reconcile(table, (kept | set(in_emc or {})) - gone_from_emc)
    if before is not None:
        table = diff.hand_over(table, before.users, today.users, sheet)
    deleted = department_table.loc[department_table["operation"] == "DELETE", "id"]
    users = plan_users(
        People.of(today.users),
        table,
        yesterday.users.target if yesterday else None,
        pd.DataFrame([{"user_id": user_id, **items} for user_id, items in (in_emc or {}).items()], dtype="str"),
        today.departments["department_id"],
        deleted,
        lost,
        sheet,
        EMC_FORMAT,
    )
    tables = {RecordSet.USERS: table, RecordSet.DEPARTMENTS: department_table}
    return Day(
        snapshot=today,
        diff=table,
        department_diff=department_table,
        lost=lost,
        users=users,
        departments=plan_departments(today.departments, department_table, EMC_FORMAT, before and before.departments),
        counts={s: diff.count(tables[s], before and before.summary[s], today.summary[s]) for s in RecordSet},
        changed={s: diff.is_changed(before and before.summary[s], today.summary[s], mode) for s in RecordSet},
    )
