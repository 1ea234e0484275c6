"""What of a message Slack is given to show."""

from __future__ import annotations

import json

import pytest

from renkei.systems.delivery import CUT, Message, Tone, utf16_units
from renkei.systems.slack.payloads import payload

MARKUP = "<!channel> <@U012ABCDEF> <https://evil.example|ここ> *b* _i_ ~s~ `c` & @here :roger:"


def test_message_is_a_header_with_its_sign_lines_and_a_link() -> None:
    """N1"""
    message = Message("【失敗】acme", ("氏名: 3件", "部署: 1件"), "https://airflow.example/run?a=1&b=2", tone=Tone.BAD)
    header, lines, link = payload(message)["blocks"]
    assert header["text"] == {"type": "plain_text", "text": "⚠️ 【失敗】acme", "emoji": False}
    assert lines["text"] == {"type": "plain_text", "text": "氏名: 3件\n部署: 1件", "emoji": False}
    assert link["text"]["text"] == "<https://airflow.example/run?a=1&amp;b=2|実行結果を開く>"


def test_notification_text_has_title_and_lines() -> None:
    """N1: `text` is what a phone shows."""
    assert payload(Message("題", ("一", "二"), tone=Tone.GOOD))["text"] == "✅ 題\n一\n二"


@pytest.mark.parametrize("tone", Tone)
def test_every_tone_has_a_sign_of_its_own(tone: Tone) -> None:
    """N1"""
    signs = [payload(Message("", tone=one))["text"] for one in Tone]
    assert signs.count(payload(Message("", tone=tone))["text"]) == 1


def test_markup_in_a_text_stays_text() -> None:
    """N1: nobody is called whom the message does not mean to call."""
    given = payload(Message(MARKUP, (MARKUP,)))
    assert given["blocks"][0]["text"]["text"].endswith(MARKUP)
    assert {block["text"]["type"] for block in given["blocks"]} == {"plain_text"}
    assert "<" not in given["text"]
    assert "&lt;!channel&gt;" in given["text"]
    assert not {"link_names", "parse"} & set(given)


def test_link_label_cannot_break_out_of_the_link() -> None:
    """N1"""
    link = payload(Message("題", link="https://a.example/", link_label="x><!channel>"))["blocks"][-1]["text"]
    assert link == {
        "type": "mrkdwn",
        "text": "<https://a.example/|x&gt;&lt;!channel&gt;>",
        "verbatim": True,
    }


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "https://a.example/<!channel>",
        "https://a.example/a|b",
        "https://a b",
        "https://" + "a" * 3000,
    ],
    ids=["scheme", "angle", "bar", "blank", "long"],
)
def test_link_that_slack_would_refuse_is_text(link: str) -> None:
    """N1: a message is never lost for its link."""
    blocks = payload(Message("題", ("行",), link))["blocks"]
    assert [block["text"]["type"] for block in blocks] == ["plain_text", "plain_text"]
    assert blocks[1]["text"]["text"].startswith("行\n実行結果を開く: " + (link[:20] if len(link) < 3000 else CUT))


@pytest.mark.parametrize(
    "text",
    [
        "あ" * 100_000,
        "👨‍👩‍👧‍👦" * 20_000,
        "\ud800x\x00y\x1b" * 20_000,
        "<&>" * 40_000,
        "行\n" * 50_000,
        "a\u0301" * 50_000,
    ],
    ids=["kana", "family", "surrogate", "escaped", "lines", "combining"],
)
def test_limits_are_kept_by_cutting(text: str) -> None:
    """N1"""
    given = payload(Message(text, (text,), "https://a.example/", link_label=text))
    header, lines, link = (block["text"]["text"] for block in given["blocks"])
    assert utf16_units(header) <= 150
    assert utf16_units(lines) <= 3000
    assert len(link) <= 3000
    assert utf16_units(given["text"]) <= 3000
    assert lines.endswith(CUT)
    json.dumps(given, ensure_ascii=False).encode()  # no lone surrogate is left
    assert not {"\x00", "\x1b"} & set(header + lines + link)


def test_line_that_fits_is_not_cut() -> None:
    """N1"""
    assert payload(Message("題", ("あ" * 3000,)))["blocks"][1]["text"]["text"] == "あ" * 3000


@pytest.mark.parametrize("lines", [(), ("",), (" ", "\n")], ids=["none", "empty", "blank"])
def test_message_without_lines_has_no_empty_block(lines: tuple[str, ...]) -> None:
    """N1: Slack refuses an empty text with invalid_blocks."""
    assert [block["type"] for block in payload(Message("題", lines))["blocks"]] == ["header"]


def test_title_is_one_line() -> None:
    """N1"""
    assert payload(Message(" 一\r\n二\t三 "))["blocks"][0]["text"]["text"].endswith(" 一 二 三")
