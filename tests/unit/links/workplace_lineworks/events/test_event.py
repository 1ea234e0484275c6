"""The event of our contract, and what a member reads of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from renkei.links.workplace_lineworks.events.event import BadEventError, event_of, events_of
from renkei.links.workplace_lineworks.events.texts import HAPPENED, told
from renkei.links.workplace_lineworks.sheet.mapping import EVENTS
from renkei.systems.delivery import Tone
from tests.harness.workplace_events import an_event


def body(*events: Any) -> bytes:
    return json.dumps(events[0] if len(events) == 1 else list(events)).encode()


def test_w1_every_kind_of_the_sheet_has_its_words() -> None:
    assert set(HAPPENED) == set(EVENTS)
    for kind in EVENTS:
        assert event_of(body(an_event(kind=kind))).kind == kind


def test_a_member_reads_the_document_its_number_and_the_way_to_it_and_nobodys_name() -> None:
    event = event_of(body(an_event(actor={"name": "山田太郎"}, applicant="yamada")))
    message = told(event, ["slack"])
    assert message.title == "【WORKPLACE】承認の依頼が届いています"
    assert message.lines == (
        "件名: 経費精算書",
        "文書番号: KEIHI-2026-001",
        "日時: 2026/04/01 9:00",
        "※Slackには送信できませんでした。「マイ情報」で登録を確認してください。",
    )
    assert (message.link, message.link_label, message.tone) == (
        "https://workplace.example.jp/wf/doc-1",
        "文書を開く",
        Tone.WAITING,
    )
    assert "山田" not in repr(event)


def test_a_title_of_5000_characters_is_told_by_its_beginning() -> None:
    message = told(event_of(body(an_event(document={"title": "稟議\n" + "山" * 4997}))))
    assert message.lines[0].startswith("件名: 稟議 山")
    assert (len(message.lines[0]), message.lines[0][-7:]) == (204, "…（以下省略）")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "deleted"}, "kind"),
        ({"id": ""}, "id"),
        ({"id": "a b"}, "id"),
        ({"recipients": []}, "recipients"),
        ({"recipients": ["x"] * 501}, "recipients"),
        ({"occurred_at": "2026-04-01T00:00:00"}, "occurred_at"),
        ({"document": {"id": "a/b"}}, "document.id"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59-01:00"}, "occurred_at"),
        ({"document": {"title": "山" * 10_001}}, "document.title"),
        ({"sequence": 0}, "sequence"),
    ],
)
def test_l6_what_is_no_event_is_told_by_its_field_and_never_quoted(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(BadEventError) as raised:
        event_of(body({**an_event(**wrong), "recipients": wrong.get("recipients", ["secret-user"])}))
    assert f"{field}: " in str(raised.value)
    assert not any(word in str(raised.value) for word in ("secret-user", "山", "経費"))


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"[1]", b"{" * 5000, b"\xff\xfe", b'{"id": 1e999}'])
def test_what_is_no_json_of_ours_is_refused(content: bytes) -> None:
    with pytest.raises(BadEventError):
        events_of(content)


def test_a_file_has_one_event_or_a_list() -> None:
    assert len(events_of(body(an_event()))) == 1
    assert [one.id for one in events_of(body(an_event(1), an_event(2)))] == ["evt-1", "evt-2"]
