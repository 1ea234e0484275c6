"""What of a message Teams is given to show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from renkei.systems.delivery import CUT, Message, Tone
from renkei.systems.teams.payloads import ZERO, content, plain


def card(message: Message) -> dict[str, Any]:
    sent = json.loads(content(message))
    assert sent["type"] == "message"
    (attachment,) = sent["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    return dict(attachment["content"])


def test_message_is_a_card_with_title_a_block_for_each_line_and_a_button() -> None:
    """N1"""
    message = Message("【失敗】acme", ("氏名: 3件", "部署: 1件"), "https://airflow.example/run?a=1", tone=Tone.BAD)
    given = card(message)
    title, *lines = given["body"]
    assert (given["type"], given["version"], given["msteams"]) == ("AdaptiveCard", "1.4", {"width": "Full"})
    assert (title["text"], title["weight"], title["color"]) == ("⚠️ 【失敗】acme", "Bolder", "Attention")
    assert [line["text"] for line in lines] == ["氏名: 3件", "部署: 1件"]
    assert all(block["type"] == "TextBlock" and block["wrap"] for block in given["body"])
    assert given["actions"] == [
        {"type": "Action.OpenUrl", "title": "実行結果を開く", "url": "https://airflow.example/run?a=1"}
    ]


def test_message_without_link_has_no_button() -> None:
    """N1"""
    assert "actions" not in card(Message("題"))
    assert card(Message("題", link="javascript:x"))["body"][1]["text"] == "実行結果を開く: javascript:x"


def test_empty_line_is_room_before_the_next() -> None:
    """N1"""
    lines = card(Message("題", ("一", "二", "", "三\n四")))["body"][1:]
    assert [(line["text"], line["spacing"]) for line in lines] == [
        ("一", "Medium"), ("二", "Small"), ("三", "Medium"), ("四", "Small"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**b** *i*", "＊＊b＊＊ ＊i＊"),
        ("_i_ __b__", "＿i＿ ＿＿b＿＿"),
        ("smarthr_emc__acme", "smarthr_emc__acme"),
        ("`c`", "｀c｀"),
        ("~~s~~", f"~{ZERO}~s~{ZERO}~"),
        ("[ここ](https://evil.example)", f"[ここ]{ZERO}(https://evil.example)"),
        ("[line:1]", "[line:1]"),
        ("<at>全員</at>", f"<{ZERO}at>全員<{ZERO}/at>"),
        ("1 < 2 & 3", "1 < 2 & 3"),
        ("&lt; &#60;", f"&{ZERO}lt; &{ZERO}#60;"),
        ("C:\\*", "C:\\＊"),
        ("C:\\[x", f"C:\\{ZERO}[x"),
        ("C:\\temp", "C:\\temp"),
        ("- 項目", f"{ZERO}- 項目"),
        ("  # 見出し", f"{ZERO}  # 見出し"),
        ("1. 項目", f"{ZERO}1. 項目"),
        ("> 引用", f"{ZERO}> 引用"),
        ("2026-11-22", "2026-11-22"),
        ("{{DATE(2026-01-01T00:00:00Z)}}", f"{{{ZERO}{{DATE(2026-01-01T00:00:00Z)}}}}"),
    ],
    ids=lambda value: value[:12],
)
def test_markdown_of_a_text_stays_text(text: str, shown: str) -> None:
    """N1: on every client, phones too, where a backslash does not escape."""
    assert plain(text) == shown
    assert card(Message(text.strip(), (text,)))["body"][1]["text"] == shown


def test_nobody_is_called() -> None:
    """N1: a mention needs an entity beside the text."""
    assert "entities" not in card(Message("<at>全員</at>", ("<at>全員</at>", "@all")))["msteams"]


@pytest.mark.parametrize(
    "text",
    [
        "あ" * 100_000,
        "👨‍👩‍👧‍👦" * 20_000,
        "\ud800x\x00y\x1b" * 30_000,
        '"\\\t' * 30_000,
        "行\n" * 50_000,
        "*_<[](" * 20_000,
        "- \n" * 40_000,
    ],
    ids=["kana", "family", "surrogate", "escaped", "lines", "markdown", "lists"],
)
def test_size_is_kept_by_cutting_lines(text: str) -> None:
    """N1: a card over 28 KB is lost after Teams has answered 202."""
    message = Message(text, (text,), "https://a.example/", link_label=text)
    sent = content(message)
    assert 20_000 < len(sent) <= 28_000
    assert sent.isascii()
    given = card(message)
    assert CUT in given["body"][0]["text"]
    assert given["body"][-1]["text"].endswith(CUT)
    assert given["actions"][0]["url"] == "https://a.example/"
    shown = "".join(block["text"] for block in given["body"])
    assert not {"\x00", "\x1b"} & set(shown)
    shown.encode()  # no lone surrogate is left
