"""A slice of the campaign `leaks`: a few runs over marked people, and the search of everything they leave."""

from __future__ import annotations

import pytest

from tests.proof.case import Case, Effort
from tests.proof.leaks.campaign import campaign
from tests.proof.leaks.marks import EVERYTHING, PASSWORD
from tests.proof.leaks.scenarios import Scenario
from tests.proof.leaks.search import CHATS, Search


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    return campaign(tmp_path_factory.mktemp("leaks"), Effort.SLICE, print)


def test_l6_l7_no_secret_and_no_person_where_none_may_be(cases: list[Case]) -> None:
    """Every place of the slice holds."""
    assert cases
    assert [f"{case.case}: {line}" for case in cases for line in case.wrong] == []
    assert all(case.held for case in cases)


@pytest.mark.parametrize("kind", EVERYTHING)
def test_l6_search_sees_a_mark_however_it_is_written(kind: str) -> None:
    """Plain, as JSON, in a URL, and in base64 wherever it begins."""
    import base64
    import json
    from urllib.parse import quote

    mark, search = EVERYTHING[kind], Search()
    for text in (mark, json.dumps(mark), quote(mark), repr(mark.encode())):
        assert kind in search.kinds(f"before {text} after".encode(), EVERYTHING), text
    for start in ("", "a", "ab"):
        assert kind in search.kinds(base64.b64encode(f"{start}{mark} and more".encode()), EVERYTHING)
    assert search.kinds(b"nothing of the kind", EVERYTHING) == []
    assert search.kinds(PASSWORD["literal password"].encode(), EVERYTHING) == ["literal password"]


@pytest.mark.parametrize(
    ("service", "text", "wrong"),
    [
        ("teams", "", []),
        ("teams", "鼬川1 さん", ["teams about acme: family name"]),
        ("slack", "EIDZQX0001", ["slack about acme: user id"]),
        ("line", "simWorks01", ["line about acme: LINE WORKS client secret"]),
        ("line", "made anew", ["line about acme: private key"]),
    ],
)
def test_l6_search_reads_every_chat_message(service: str, text: str, wrong: list[str]) -> None:
    """A mark in one service's message is found there."""
    title = "【成功】SmartHR → EMC: acme EMC-OK"
    messages = [{"service": name, "text": f"{title}\n{text if name == service else ''}"} for name in CHATS]
    assert Search({"private key": "made anew"}).chats(messages, [Scenario("acme", "success", "EMC-OK")]) == wrong


def test_l6_search_misses_a_service_that_heard_nothing() -> None:
    """Where nothing arrived nothing was searched."""
    messages = [{"service": name, "text": "SmartHR → EMC: acme EMC-OK"} for name in CHATS[1:]]
    wrong = Search().chats(messages, [Scenario("acme", "success", "EMC-OK")])
    assert wrong == [f"{CHATS[0]} did not hear of acme"]
