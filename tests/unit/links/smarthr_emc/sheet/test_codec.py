"""E14, E15, L7: a mapping as JSON, what is kept of it, and when two sheets write the same."""

from __future__ import annotations

import dataclasses
import json

from renkei.links.smarthr_emc.sheet.codec import (
    mapping_from_json,
    mapping_to_json,
    section_digest,
    to_plain,
    without_password,
)
from renkei.links.smarthr_emc.sheet.mapping import Conversion, Convert, Mapping
from renkei.notifications.channel import Channel, Service
from renkei.notifications.event import Event
from tests.builders import mapping


def converted(*conversions: Conversion) -> Mapping:
    """The least mapping, 氏名 with these conversions."""
    sheet = mapping()
    users = (dataclasses.replace(r, conversions=conversions) if r.item == "full_name" else r for r in sheet.users)
    return dataclasses.replace(sheet, users=tuple(users))


def test_e15_conversions_are_kept_in_their_order() -> None:
    """E15: JSON gives an equal mapping back, on one line."""
    sheet = converted(Conversion(Convert.HALF_WIDTH), Conversion(Convert.DATE, "YYYY年M月D日"))
    text = mapping_to_json(sheet)
    assert mapping_from_json(text) == sheet
    assert "\n" not in text


def test_e14_a_conversion_is_a_change_of_the_sheet() -> None:
    """E14: adding one, another form or another order write other values; the departments stay as they are."""
    date, other = Conversion(Convert.DATE, "YYYY"), Conversion(Convert.DATE, "MM")
    lower = Conversion(Convert.LOWER)
    sheets = [mapping(), converted(date), converted(other), converted(date, lower), converted(lower, date)]
    assert len({section_digest(sheet, "users") for sheet in sheets}) == len(sheets)
    assert len({section_digest(sheet, "departments") for sheet in sheets}) == 1


def test_e14_a_sheet_without_conversions_keeps_its_digest() -> None:
    """E14: the column alone changes nothing: a rule without any is written as before there were any."""
    assert all(len(rule) == 7 for rule in to_plain(mapping())["users"])
    old = json.loads(mapping_to_json(mapping()))
    assert mapping_from_json(json.dumps(old)) == mapping()


CHANNELS = (
    Channel("総務", Service.SLACK_BOT, "slack_bot__acme", "社員:1", True, frozenset({Event.FAILURE, Event.HOLD})),
    Channel("店長", Service.MAIL, "", "a@b.example.jp", False, frozenset()),
)


def test_n1_channels_are_kept_in_their_order() -> None:
    """N1: JSON gives equal channels back."""
    sheet = dataclasses.replace(mapping(), channels=CHANNELS)
    assert mapping_from_json(mapping_to_json(sheet)) == sheet


def test_e14_channels_are_no_change_of_the_sheet() -> None:
    """E14: they decide no value, and a sheet without any is written as before there were any."""
    sheet = dataclasses.replace(mapping(), channels=CHANNELS)
    for section in ("departments", "users"):
        assert section_digest(sheet, section) == section_digest(mapping(), section)
    assert "channels" in to_plain(sheet)
    assert "channels" not in to_plain(mapping())


def test_l7_no_literal_password_is_kept() -> None:
    """L7: neither as a constant nor as a default, and the digest does not tell two of them apart."""
    one, other = (
        mapping({"パスワード": (f"社員番号&固定値「{text}」", "登録", f"デフォルト:{text}")})
        for text in ("Tulip7", "Rose88")
    )
    kept = mapping_to_json(without_password(one))
    assert "Tulip7" in mapping_to_json(one)
    assert "Tulip7" not in kept
    assert "社員番号" in kept
    assert section_digest(one, "users") == section_digest(other, "users")
