"""What of a message Chatwork is given to show."""

from __future__ import annotations

import pytest

from renkei.systems.chatwork.payloads import form
from renkei.systems.delivery import CUT, Message, Tone, utf16_units


def body(message: Message) -> str:
    return form(message)["body"]


def test_message_is_a_box_with_title_lines_and_address() -> None:
    """N1"""
    message = Message("【失敗】acme", ("氏名: 3件", "部署: 1件"), "https://airflow.example/run?a=1", tone=Tone.BAD)
    assert form(message) == {
        "body": "[info][title]⚠️ 【失敗】acme[/title]氏名: 3件\n部署: 1件\n実行結果を開く: https://airflow.example/run?a=1[/info]",
        "self_unread": "0",
    }


def test_tags_of_a_text_stay_text() -> None:
    """N1: nobody is called whom the message does not mean to call."""
    tags = "[toall] [To:12] [rp aid=1 to=2-3] [/info][info][title]x[/title] [code] [line:1]"
    sent = body(Message(tags, (tags,), "https://a.example/[toall]", link_label=tags))
    inside = sent.removeprefix("[info][title]").removesuffix("[/info]").replace("[/title]", "", 1)
    assert not {"[", "]"} & set(inside)
    assert "［toall］ ［To:12］" in inside
    assert "https://a.example/%5Btoall%5D" in inside


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Message("題"), "[info][title]ℹ️ 題[/title][/info]"),
        (Message("題", ("", "")), "[info][title]ℹ️ 題[/title][/info]"),
        (Message("一\r\n二"), "[info][title]ℹ️ 一 二[/title][/info]"),
        (Message("題", link="https://a.example/"), "[info][title]ℹ️ 題[/title]実行結果を開く: https://a.example/[/info]"),
        (Message("題", ("行",), "javascript:x"), "[info][title]ℹ️ 題[/title]行\n実行結果を開く: javascript:x[/info]"),
    ],
    ids=["title", "empty lines", "lines in the title", "link", "no link of the web"],
)  # fmt: skip
def test_what_is_missing_leaves_no_gap(message: Message, expected: str) -> None:
    """N1"""
    assert body(message) == expected


@pytest.mark.parametrize(
    "text",
    ["あ" * 100_000, "👨‍👩‍👧‍👦" * 20_000, "\ud800x\x00y\x1b" * 30_000, "[toall]" * 20_000, "行\n" * 50_000],
    ids=["kana", "family", "surrogate", "tags", "lines"],
)
def test_limit_is_kept_by_cutting_lines(text: str) -> None:
    """N1"""
    sent = body(Message(text, (text,), "https://a.example/", link_label=text))
    assert 60_000 < utf16_units(sent) <= 65_535
    assert sent.endswith("https://a.example/[/info]")
    assert sent.count(CUT) == 3  # title, lines, label
    assert not {"\x00", "\x1b"} & set(sent)
    sent.encode()  # no lone surrogate is left
