"""Invented companies of any size, as the tables and as the CSV files that a read of them would leave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

FAMILIES = (("佐藤", "サトウ"), ("鈴木", "スズキ"), ("高橋", "タカハシ"), ("田中", "タナカ"), ("渡辺", "ワタナベ"))
GIVEN = (("陽菜", "ヒナ"), ("蓮", "レン"), ("結衣", "ユイ"), ("大翔", "ヒロト"), ("美咲", "ミサキ"), ("悠真", "ユウマ"))
PLACES = ("本社", "大阪支社", "名古屋支店", "福岡営業所")
PREFECTURES = ("東京都", "大阪府", "愛知県", "福岡県", "北海道")
POSITIONS = ("", "", "", "主任", "係長", "課長", "部長")


def departments(size: int) -> pd.DataFrame:
    """One department for about a hundred people, five below each."""
    count = min(max(20, size // 100), 5000)
    codes = [f"D{number:05d}" for number in range(count)]
    parents = ["", *(codes[(number - 1) // 5] for number in range(1, count))]
    names = [f"第{number}部" for number in range(count)]
    columns = {"source_id": codes, "code": codes, "name": names, "full_name": names, "parent_code": parents}
    table = pd.DataFrame(columns, dtype="str")
    table.insert(0, "line", range(1, count + 1))
    table["has_parent"] = table["parent_code"] != ""
    return table


def people(size: int, second_day: bool) -> pd.DataFrame:
    """`size` crews in the columns that the sheet of hinata reads; every 20th is 退職済.

    A hundredth has no 社員番号 and is known by its mail address. On the second day one in 150 has left, one in
    5,000 is new, and one in 200 of the others has moved.
    """
    rng = np.random.default_rng(1)
    numbers = np.arange(size)
    family, given = (rng.integers(0, len(names), size) for names in (FAMILIES, GIVEN))
    own, second = (rng.integers(0, len(departments(size)), size) for _ in range(2))
    padded = pd.Series(numbers).astype("str").str.zfill(7)
    phone = pd.Series(rng.integers(10_000_000, 99_999_999, size)).astype("str")
    table = pd.DataFrame(
        {
            "crew_id": "c" + padded,
            "emp_status": np.where(numbers % 20 == 7, "retired", np.where(numbers % 50 == 3, "absent", "employed")),
            "社員番号": padded.mask(numbers % 100 == 11, ""),
            "メールアドレス": ("p" + padded + "@hinata.example.jp").mask(numbers % 40 == 1, ""),
            "姓": _pick([name for name, _ in FAMILIES], family),
            "名": _pick([name for name, _ in GIVEN], given),
            "姓(ヨミガナ)": _pick([yomi for _, yomi in FAMILIES], family),
            "名(ヨミガナ)": _pick([yomi for _, yomi in GIVEN], given),
            "部署1(コード)": "D" + pd.Series(own).astype("str").str.zfill(5),
            "部署2(コード)": ("D" + pd.Series(second).astype("str").str.zfill(5)).mask(numbers % 20 != 0, ""),
            "電話番号": ("090-" + phone.str[:4] + "-" + phone.str[4:]).mask(numbers % 13 == 0, ""),
            "事業所": _pick(PLACES, rng.integers(0, len(PLACES), size)),
            "住所(都道府県)": _pick(PREFECTURES, rng.integers(0, len(PREFECTURES), size)),
            "役職1": _pick(POSITIONS, rng.integers(0, len(POSITIONS), size)),
        },
        dtype="str",
    )
    texts = table.columns[2:]
    table[texts] = table[texts].mask(table["emp_status"] == "retired", "")  # fetch keeps nothing else of them
    joins = numbers >= size - size // 5000
    if second_day:
        moved = (numbers % 200 == 5) & (table["emp_status"] != "retired")
        table["部署1(コード)"] = table["部署1(コード)"].mask(moved, "D00001")
        table = table[numbers % 150 != 2]
    else:
        table = table[~joins]
    table = table.reset_index(drop=True)
    table.insert(0, "line", range(1, len(table) + 1))
    return table


def write_csv(table: pd.DataFrame, path: Path) -> None:
    table.drop(columns="line").to_csv(path, index=False)


def _pick(values: list[str] | tuple[str, ...], chosen: np.ndarray) -> np.ndarray:
    return np.take(np.array(values, dtype=object), chosen)
