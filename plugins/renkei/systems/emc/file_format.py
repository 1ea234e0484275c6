"""What EMC's import files look like: one validated object, because EMC's own format is not public (E37).

Every value below is an assumption (docs/assumptions.md names them) that the real specification may
replace: an operator points RENKEI_EMC_FORMAT at another YAML file and nothing else changes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from renkei.errors import SettingError

MediumKind = Literal["mail", "phone", "app"]
Symbol = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Length = Annotated[int, Field(ge=1, le=10_000)]


class Flags(BaseModel):
    """処理フラグ: the symbol of each operation."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    create: Symbol
    update: Symbol
    delete: Symbol

    @model_validator(mode="after")
    def distinct(self) -> Flags:
        if len({self.create, self.update, self.delete}) != 3:
            raise ValueError("create, update and delete must be three different symbols")
        return self


class EmcFormat(BaseModel):
    """Encoding, columns, symbols, media and lengths of the two files.

    `user_columns` and `department_columns` map our item key to the header of its column, in the
    order of the file. `lengths` are characters including ID付与コード.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: str
    line_end: Literal["\r\n", "\n"]
    quote_all: bool
    clear_marker: Symbol
    flags: Flags
    media: dict[str, MediumKind]
    lengths: dict[str, Length]
    user_columns: dict[str, str]
    department_columns: dict[str, str]

    @field_validator("encoding")
    @classmethod
    def known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError as error:
            raise ValueError(f"{value} is not an encoding") from error
        return value

    @model_validator(mode="after")
    def columns_complete(self) -> EmcFormat:
        for columns, needed in (
            (self.user_columns, ("operation", "user_id", "password", "full_name", "full_name_yomi")),
            (self.department_columns, ("operation", "department_id", "name", "name_yomi", "parent_id")),
        ):
            missing = [key for key in needed if key not in columns]
            if missing:
                raise ValueError(f"columns are missing: {', '.join(missing)}")
            if len(set(columns.values())) != len(columns):
                raise ValueError("two columns have one header")
            self._encodable(*columns.values())
        self._encodable(self.clear_marker, *self.media, self.flags.create, self.flags.update, self.flags.delete)
        return self

    def _encodable(self, *texts: str) -> None:
        for text in texts:
            if text.encode(self.encoding, "ignore").decode(self.encoding) != text:
                raise ValueError(f"{text!r} cannot be written in the encoding {self.encoding}")

    @cached_property
    def key_by_header(self) -> Mapping[str, str]:
        """Header of a user column → item key."""
        return {header: key for key, header in self.user_columns.items()}

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of everything above: files of another format are other files (E14)."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def length_of(self, key: str) -> int | None:
        """The limit of an item, by its key or by its family (`search_word_3` → `search_word`)."""
        family = re.sub(r"_\d+", "", key)
        return self.lengths.get(key, self.lengths.get(family))


def load_format(path: Path) -> EmcFormat:
    """The format written in a YAML file.

    Raises:
        SettingError: the file is missing or does not describe a format; says which entry is wrong.
    """
    try:
        return EmcFormat.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise SettingError(
            f"EMC取込ファイルの形式定義（{path.name}）がありません。RENKEI_EMC_FORMATを確認してください。"
        ) from error
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingError(f"EMC取込ファイルの形式定義（{path.name}）に誤りがあります: {error}") from error
