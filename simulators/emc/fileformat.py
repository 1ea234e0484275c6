"""The file format that this simulated EMC expects: encoding, columns, symbols, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

KINDS = ("flag", "id", "text", "choice", "password", "department", "medium", "address")


@dataclass(frozen=True)
class Column:
    """One column of a file; `max_length` counts characters, 0 means unlimited."""

    name: str
    kind: str
    max_length: int = 0
    required: bool = False


@dataclass(frozen=True)
class DataSet:
    """The columns of one file, in order."""

    file: str
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        kinds = [column.kind for column in self.columns]
        names = [column.name for column in self.columns]
        if unknown := set(kinds) - set(KINDS):
            raise ValueError(f"{self.file}: unknown column kinds {sorted(unknown)}, expected {KINDS}")
        if kinds.count("flag") != 1 or kinds.count("id") != 1:
            raise ValueError(f"{self.file}: exactly one flag column and one id column are needed")
        if len(set(names)) != len(names):
            raise ValueError(f"{self.file}: a column name occurs twice")
        for position, kind in enumerate(kinds):
            follower = kinds[position + 1] if position + 1 < len(kinds) else ""
            if (kind == "medium") != (follower == "address"):
                raise ValueError(f"{self.file}: each medium column must be followed by its address column")

    @cached_property
    def header(self) -> list[str]:
        return [column.name for column in self.columns]

    @cached_property
    def id_column(self) -> Column:
        return next(column for column in self.columns if column.kind == "id")

    @cached_property
    def stored(self) -> list[str]:
        """Names of the items that can be read back: all but the flag and the password, the id first."""
        others = [column.name for column in self.columns if column.kind not in ("flag", "password", "id")]
        return [self.id_column.name, *others]

    @cached_property
    def references(self) -> list[str]:
        """Names of the items whose value is the id of a department."""
        return [column.name for column in self.columns if column.kind == "department"]

    @cached_property
    def title(self) -> str:
        """Name of the item that a person recognises a record by."""
        return next((column.name for column in self.columns if column.kind == "text"), self.id_column.name)

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Names of each medium item and its address item."""
        return [
            (column.name, self.columns[position + 1].name)
            for position, column in enumerate(self.columns)
            if column.kind == "medium"
        ]


@dataclass(frozen=True)
class FileFormat:
    """Everything about the files that a real EMC specification would fix.

    `encoding` must keep ASCII bytes for ASCII characters outside of multi-byte ones (CP932, UTF-8), because rows
    are counted before the text is decoded.
    """

    encoding: str
    newline: str
    quote_all: bool
    add: str
    update: str
    delete: str
    clear_marker: str
    choices: tuple[str, ...]
    mail: str
    phone: str
    app: str
    departments: DataSet
    users: DataSet

    @property
    def media(self) -> tuple[str, str, str]:
        return (self.mail, self.phone, self.app)

    def data_set(self, file: str) -> DataSet:
        return self.departments if file == "departments" else self.users

    def description(self) -> dict[str, Any]:
        """The part of the format that `GET /account` tells a client."""
        return {
            "encoding": self.encoding,
            "newline": self.newline,
            "quote_all": self.quote_all,
            "flags": {"add": self.add, "update": self.update, "delete": self.delete},
            "clear_marker": self.clear_marker,
            "media": list(self.media),
            "departments": self.departments.header,
            "users": self.users.header,
        }


def _user_columns() -> tuple[Column, ...]:
    contacts = [
        column
        for slot in range(1, 11)
        for column in (
            Column(f"緊急連絡{slot} 媒体", "medium"),
            Column(f"緊急連絡{slot} アドレス", "address", max_length=256),
        )
    ]
    return (
        Column("処理フラグ", "flag"),
        Column("ユーザID", "id", max_length=40, required=True),
        Column("パスワード強制変更", "choice"),
        Column("パスワード", "password", max_length=64, required=True),
        Column("氏名", "text", max_length=60, required=True),
        Column("氏名(ヨミ)", "text", max_length=120, required=True),
        Column("所属部署コード", "department", max_length=30),
        *(Column(f"兼務管理部署{slot}", "department", max_length=30) for slot in range(1, 11)),
        *(Column(f"保有権限{slot}", "text", max_length=60) for slot in range(1, 6)),
        *contacts,
        *(Column(f"検索ワード{slot}", "text", max_length=100) for slot in range(1, 6)),
    )


DEFAULT_FORMAT = FileFormat(
    encoding="cp932",
    newline="\r\n",
    quote_all=True,
    add="A",
    update="U",
    delete="D",
    clear_marker="#CLEAR#",
    choices=("T", "F"),
    mail="メールアドレス",
    phone="電話番号",
    app="アプリ",
    departments=DataSet(
        "departments",
        (
            Column("処理フラグ", "flag"),
            Column("部署ID", "id", max_length=30, required=True),
            Column("部署名", "text", max_length=60, required=True),
            Column("部署名(ヨミ)", "text", max_length=120, required=True),
            Column("親部署ID", "department", max_length=30),
        ),
    ),
    users=DataSet("users", _user_columns()),
)


def load_format(path: Path) -> FileFormat:
    """The format written in a YAML file: the keys of `FileFormat`, the data sets as lists of `Column` keys.

    Keys that are left out keep their default.

    Raises:
        ValueError: a key is unknown or a data set is inconsistent.
    """
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    names = [field.name for field in fields(FileFormat)]
    if not isinstance(given, Mapping) or not set(given) <= set(names):
        raise ValueError(f"{path}: expected a mapping with the keys {names}")
    values = {name: given.get(name, getattr(DEFAULT_FORMAT, name)) for name in names}
    values["choices"] = tuple(values["choices"])
    for name in ("departments", "users"):
        if name in given:
            values[name] = DataSet(name, tuple(Column(**column) for column in given[name]))
    return FileFormat(**values)
