"""What of a message Google Chat is given to show."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest

from renkei.systems.delivery import CUT, Message, Tone
from renkei.systems.google_chat.payloads import content


def widgets(message: Message) -> list[dict[str, Any]]:
    (card,) = json.loads(content(message))["cardsV2"]
    (section,) = card["card"]["sections"]
    return list(section["widgets"])


def test_message_is_a_card_with_title_lines_and_a_button() -> None:
    """N1"""
    message = Message("【失敗】acme", ("氏名: 3件", "部署: 1件"), "https://airflow.example/run?a=1&b=2", tone=Tone.BAD)
    assert widgets(message) == [
        {"textParagraph": {"text": "<b>⚠️ 【失敗】acme</b>"}},
        {"textParagraph": {"text": "氏名: 3件<br>部署: 1件"}},
        {
            "buttonList": {
                "buttons": [
                    {
                        "text": "実行結果を開く",
                        "onClick": {"openLink": {"url": "https://airflow.example/run?a=1&b=2"}},
                    }
                ]
            }
        },
    ]


def test_notification_shows_the_title() -> None:
    """N1: a phone shows no card."""
    assert json.loads(content(Message("題", tone=Tone.GOOD)))["fallbackText"] == "✅ 題"


def test_markup_in_a_text_stays_text() -> None:
    """N1: nobody is called; `text`, in which <users/all> calls everybody, is not used."""
    markup = '<users/all> <b>x</b> <a href="https://evil.example">y</a> &lt; *b* _i_ ~s~ `c` @all'
    sent = json.loads(content(Message(markup, (markup,))))
    assert "text" not in sent
    title, lines = (widget["textParagraph"]["text"] for widget in widgets(Message(markup, (markup,))))
    assert "<" not in lines
    assert "<" not in title.removeprefix("<b>").removesuffix("</b>")
    assert html.unescape(lines) == markup


@pytest.mark.parametrize("lines", [(), ("",), (" ", "\n")], ids=["none", "empty", "blank"])
def test_message_without_lines_has_no_empty_paragraph(lines: tuple[str, ...]) -> None:
    """N1"""
    assert len(widgets(Message("題", lines))) == 1


def test_link_that_is_none_of_the_web_is_text() -> None:
    """N1"""
    assert widgets(Message("題", ("行",), "javascript:x"))[1:] == [
        {"textParagraph": {"text": "行<br>実行結果を開く: javascript:x"}}
    ]


@pytest.mark.parametrize(
    "text",
    ["あ" * 100_000, "👨‍👩‍👧‍👦" * 20_000, "\ud800x\x00y\x1b" * 30_000, "<&>" * 40_000, "行\n" * 50_000, "😀" * 100_000],
    ids=["kana", "family", "surrogate", "escaped", "lines", "emoji"],
)
def test_limits_are_kept_by_cutting_lines(text: str) -> None:
    """N1"""
    message = Message(text, (text,), "https://a.example/", link_label=text)
    sent = content(message)
    assert len(sent) <= 32_000
    assert sent.isascii()
    title, lines, button = widgets(message)
    shown = title["textParagraph"]["text"] + lines["textParagraph"]["text"]
    assert 2_000 < len(lines["textParagraph"]["text"]) <= 4_000
    assert lines["textParagraph"]["text"].endswith(CUT)
    assert button["buttonList"]["buttons"][0]["onClick"]["openLink"]["url"] == "https://a.example/"
    assert not {"\x00", "\x1b"} & set(shown)
    shown.encode()  # no lone surrogate is left
