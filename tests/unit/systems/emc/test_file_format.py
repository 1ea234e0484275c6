"""The format object of EMC's files: what is written down is either usable or refused with a reason (E37)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from renkei.errors import SettingError
from renkei.systems.emc.file_format import EmcFormat, load_format

ROOT = Path(__file__).resolve().parents[4]
FORMAT = ROOT / "include/contracts/emc_format.yaml"


def written(folder: Path, **changes: Any) -> Path:
    """The project's format with some entries changed; None removes one."""
    content = yaml.safe_load(FORMAT.read_text(encoding="utf-8")) | changes
    path = folder / "format.yaml"
    path.write_text(
        yaml.safe_dump({k: v for k, v in content.items() if v is not None}, allow_unicode=True), encoding="utf-8"
    )
    return path


def columns(name: str) -> dict[str, str]:
    return dict(yaml.safe_load(FORMAT.read_text(encoding="utf-8"))[name])


def test_e37_the_project_s_own_format_is_sound() -> None:
    """CP932, CRLF, everything quoted, the three flags and all columns of E16."""
    found = load_format(FORMAT)

    assert (found.encoding, found.line_end, found.quote_all) == ("cp932", "\r\n", True)
    assert (found.flags.create, found.flags.update, found.flags.delete) == ("A", "U", "D")
    assert list(found.department_columns.values()) == ["処理フラグ", "部署ID", "部署名", "部署名(ヨミ)", "親部署ID"]
    assert len(found.user_columns) == 7 + 10 + 5 + 20 + 5
    assert found.key_by_header["緊急連絡10 アドレス"] == "contact_10_address"


@pytest.mark.parametrize(
    ("item", "limit"),
    [
        ("user_id", 40),
        ("department_id", 30),
        ("parent_id", 30),
        ("primary_department_id", 30),
        ("secondary_department_10", 30),
        ("contact_3_address", 256),
        ("search_word_5", 100),
        ("role_2", 60),
        ("password_reset", None),
    ],
)
def test_e23_the_limit_of_an_item_is_its_own_or_its_family_s(item: str, limit: int | None) -> None:
    """Numbered items share one entry."""
    assert load_format(FORMAT).length_of(item) == limit


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoding": "cp9321"}, "cp9321"),
        ({"encoding": None}, "encoding"),
        ({"line_end": "\r"}, "line_end"),
        ({"quote_all": "sometimes"}, "quote_all"),
        ({"clear_marker": ""}, "clear_marker"),
        ({"clear_marker": "消去😀"}, "clear_marker|encod"),
        ({"flags": {"create": "A", "update": "A", "delete": "D"}}, "different"),
        ({"flags": {"create": "A", "update": "U"}}, "delete"),
        ({"flags": {"create": "", "update": "U", "delete": "D"}}, "create"),
        ({"media": {"メールアドレス": "letter"}}, "letter|media"),
        ({"lengths": {"user_id": 0}}, "user_id"),
        ({"lengths": {"user_id": "forty"}}, "user_id"),
        ({"colour": "red"}, "colour"),
        ({"user_columns": {"operation": "処理フラグ", "user_id": "ユーザID"}}, "password, full_name, full_name_yomi"),
        ({"department_columns": {k: v for k, v in columns("department_columns").items() if k != "name"}}, "name"),
        ({"user_columns": columns("user_columns") | {"full_name_yomi": "氏名"}}, "one header"),
        ({"user_columns": columns("user_columns") | {"full_name": "氏名😀"}}, "user_columns|encod"),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, dict) else "",
)
def test_e37_a_format_that_cannot_be_used_is_refused_with_the_entry_s_name(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    """The message names the file and what in it is wrong."""
    path = written(tmp_path, **changes)

    with pytest.raises(SettingError, match=words) as caught:
        load_format(path)
    assert "format.yaml" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"- a\n- b\n", b"a: [", b"\xff\xfe", b"just text"])
def test_e37_a_file_that_is_no_format_at_all_is_refused(tmp_path: Path, content: bytes) -> None:
    """Empty, a list, broken YAML, not UTF-8, a text: a setting to mend, never another exception."""
    path = tmp_path / "format.yaml"
    path.write_bytes(content)

    with pytest.raises(SettingError, match=r"format\.yaml"):
        load_format(path)


def test_e37_a_missing_file_names_the_setting_that_points_to_it(tmp_path: Path) -> None:
    """An operator knows where to look."""
    with pytest.raises(SettingError, match="RENKEI_EMC_FORMAT"):
        load_format(tmp_path / "none.yaml")


def test_e37_the_format_is_the_only_place_to_change(tmp_path: Path) -> None:
    """Another encoding, other flags and other headers are one file away."""
    path = written(tmp_path, encoding="utf-8-sig", line_end="\n", flags={"create": "1", "update": "2", "delete": "9"})

    assert isinstance(load_format(path), EmcFormat)
