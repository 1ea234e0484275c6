"""A sheet filled in on a page: nothing is lost of what was not touched, and mistakes are left to the check (S2, E15)."""

from __future__ import annotations

import dataclasses

import pytest

from renkei.channel import Channel, Service
from renkei.links.smarthr_emc.sheet.compile import compile_sheet
from renkei.links.smarthr_emc.sheet.edited import cells_of, edited
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.settings import SETTINGS
from tests.builders import mapping

FORMS = (".yaml", ".xlsx")


def read(content: bytes, suffix: str) -> Mapping:
    compiled, _ = compile_sheet(f"acme{suffix}", content, "acme")
    assert compiled.problems == ()
    assert compiled.mapping is not None
    return compiled.mapping


def setting(label: str) -> str:
    return next(f"setting.{number}" for number, one in enumerate(SETTINGS) if one.label == label)


@pytest.fixture
def full() -> Mapping:
    found = dataclasses.replace(mapping(), tenant="acme", emc_account="acme", company_name="アクメ")
    return dataclasses.replace(found, channels=(Channel("総務", Service.SLACK_WEBHOOK, "slack__acme"),))


@pytest.mark.parametrize("suffix", FORMS)
def test_e15_a_form_that_is_saved_as_it_is_changes_nothing(full: Mapping, suffix: str) -> None:
    """E15: neither with all cells given back, nor with none."""
    assert read(edited(full, cells_of(full), suffix), suffix) == full
    assert read(edited(full, {}, suffix), suffix) == full


@pytest.mark.parametrize("suffix", FORMS)
def test_s2_what_was_filled_in_is_what_the_sheet_says(full: Mapping, suffix: str) -> None:
    """S2: a setting, a policy, an item more and one less."""
    given = cells_of(full) | {
        setting("会社名"): "アクメ商事",
        setting("処理時刻"): "05:15",
        "user.full_name.update_present": "更新しない",
        "user.search_word_5.linked": "○",
        "user.search_word_5.source": "役職1",
        "user.role_1.linked": "",
    }
    found = read(edited(full, given, suffix), suffix)
    assert (found.company_name, found.run_at.hour, found.run_at.minute) == ("アクメ商事", 5, 15)
    assert found.rule("search_word_5") is not None
    assert found.rule("role_1") is None
    assert found.channels == full.channels


def test_s2_each_cell_says_one_of_its_words(full: Mapping) -> None:
    """S2: what a cell may say is a list in the sheet's own words, and what it says is of it."""
    said = cells_of(full)
    for number, one in enumerate(SETTINGS):
        if one.kind.words:
            assert said[f"setting.{number}"] in ("", *one.kind.words), one.label


@pytest.mark.parametrize("suffix", FORMS)
def test_s2_a_mistake_is_told_at_its_place(full: Mapping, suffix: str) -> None:
    """S2, L8: the file says it, and the check finds it."""
    content = edited(full, {setting("SmartHR URL"): "ftp://x", "user.full_name.create_blank": "なし"}, suffix)
    compiled, _ = compile_sheet(f"acme{suffix}", content, "acme")
    assert len(compiled.problems) == 2


def test_l7_a_literal_password_is_not_in_the_form_and_stays(full: Mapping) -> None:
    """L7: what is not shown is kept."""
    secret = "Secret-Pass-1"
    with_password = read(
        edited(full, {"user.password.source": f"固定値「{secret}」", "user.password.linked": "○"}, ".yaml"), ".yaml"
    )
    shown = cells_of(with_password)
    assert all(secret not in text for text in shown.values())
    assert read(edited(with_password, shown, ".yaml"), ".yaml") == with_password
