"""E17: every SmartHR item of the catalogue can be found by its name, and reads a known property of a crew."""

from __future__ import annotations

import pytest

from renkei.links.smarthr_emc.sheet.catalogue import CATALOGUE, COMPOSITES, NAMES, canonical
from renkei.links.smarthr_emc.sheet.mapping import SourceField
from renkei.texts import fold


def test_e17_no_two_names_fold_to_one() -> None:
    """Tolerant matching never confuses two items."""
    assert len({fold(name) for name in NAMES}) == len(NAMES)
    assert all(canonical(name) == name for name in NAMES)


def test_e17_composites_are_made_of_columns() -> None:
    """Whatever is joined is in the catalogue itself, so a reader only meets single columns."""
    names = {term.name for terms in COMPOSITES.values() for term in terms if isinstance(term, SourceField)}
    assert names <= set(CATALOGUE)


@pytest.mark.parametrize(
    ("text", "column", "join"),
    [
        ("社員番号", ("emp_code",), ""),
        ("部署1", ("departments", 0, "name"), ""),
        ("部署10(コード)", ("departments", 9, "code"), ""),
        ("部署2(階層)", ("departments", 1, "full_name"), ""),
        ("役職1", ("positions", 0, "name"), ""),
        ("事業所", ("biz_establishment_id",), "biz_establishments"),
        ("住所(都道府県)", ("address", "pref"), ""),
        ("住民票住所（郵便番号）", ("resident_card_address", "zip_code"), ""),
        ("緊急連絡先の住所(ヨミガナ)", ("emergency_address", "literal_yomi"), ""),
        ("姓(ビジネスネーム優先)", ("preferred_last_name",), ""),
        ("雇用形態", ("employment_type", "name"), ""),
        ("職種", ("job_category", "name"), ""),
        ("SmartHRアカウントID", ("user_id",), ""),
    ],
)
def test_e17_an_item_knows_where_a_crew_holds_it(text: str, column: tuple[str | int, ...], join: str) -> None:
    """Name to path, and to the property that has to be asked for (L6)."""
    name = canonical(text)
    assert name is not None
    item = CATALOGUE[name]
    whole = ("biz_establishment",) if join else ()  # SmartHR gives the id or the whole of it
    assert (item.column, item.join, item.fields) == (column, join, (column[0], *whole))


def test_e17_codes_have_the_words_that_smarthr_shows() -> None:
    """An enum's codes become labels."""
    assert CATALOGUE["在籍状況"].labels == {"employed": "在職中", "absent": "休職中", "retired": "退職済"}
    assert CATALOGUE["戸籍上の性別"].labels["female"] == "女性"


@pytest.mark.parametrize("text", ["社員コード", "社員ｺｰﾄﾞ", "従業員番号"])
def test_e17_the_employee_number_has_other_names(text: str) -> None:
    """What customers call 社員番号."""
    assert canonical(text) == "社員番号"
