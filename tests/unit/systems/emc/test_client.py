"""EmcClient over a Session whose wire is a function: how each answer is taken (E37, L1, L4, L6)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from renkei.errors import RejectedLoadError, RetriableLoadError
from renkei.systems.emc import client as module
from renkei.systems.emc.client import EmcClient, ImportBusyError
from renkei.systems.emc.encode import ImportFile
from renkei.systems.emc.payloads import read_import
from tests.harness.clock import SkipClock, no_waits
from tests.unit.systems.transport import Answer, Seen, Wire, session_over

OPEN = {"id": "imp_1", "key": "k1", "state": "open"}
USERS = ImportFile("氏名".encode("cp932"), 1)


@pytest.fixture
def clock() -> Iterator[SkipClock]:
    with no_waits(module) as clock:
        yield clock


def client_over(*answers: Answer | Exception) -> tuple[EmcClient, Wire]:
    """A client whose requests get `answers` one after the other; the last one stays."""
    left = list(answers)

    def reply(_: Seen) -> Answer | Exception:
        return left.pop(0) if len(left) > 1 else left[0]

    wire = Wire(reply)
    return EmcClient(session_over(wire), "https://emc.example/"), wire


def test_e37_submit_speaks_the_contract(clock: SkipClock) -> None:
    """Opened under the key with rows and digests, one PUT per changed file, one commit."""
    done = OPEN | {"state": "committed", "counts": {"users": {"added": 1}}, "notices": []}
    client, wire = client_over(Answer(OPEN, 201), Answer("", 204), Answer(done))
    found = client.submit("k1", "acme", "f" * 64, None, USERS)

    assert [(seen.method, seen.path) for seen in wire.seen] == [
        ("POST", "/api/v1/imports"),
        ("PUT", "/api/v1/imports/imp_1/users"),
        ("POST", "/api/v1/imports/imp_1/commit"),
    ]
    assert wire.seen[0].headers["Idempotency-Key"] == "k1"
    assert json.loads(wire.seen[0].body) == {
        "source": "acme",
        "plan_digest": "f" * 64,
        "departments": None,
        "users": {"rows": 1, "sha256": USERS.sha256},
    }
    assert wire.seen[1].body == USERS.content
    assert (found.state, found.counts) == ("committed", {"users": {"added": 1}})


@pytest.mark.parametrize("state", ["committed", "rejected", "aborted"])
def test_l4_an_import_that_is_decided_already_is_not_sent_again(clock: SkipClock, state: str) -> None:
    """The answer to the opening tells what became of the key: no file, no commit."""
    client, wire = client_over(Answer(OPEN | {"state": state}))

    assert client.submit("k1", "acme", "d", USERS, USERS).state == state
    assert len(wire.seen) == 1


def test_an_import_that_is_being_applied_is_waited_for(clock: SkipClock) -> None:
    """A commit that answers 202 is asked about until it is decided."""
    applying = OPEN | {"state": "applying"}
    client, wire = client_over(
        Answer(OPEN, 201),
        Answer("", 204),
        Answer(applying, 202),
        Answer(applying),
        Answer(OPEN | {"state": "rejected"}),
    )

    assert client.submit("k1", "acme", "d", None, USERS).state == "rejected"
    assert [seen.path for seen in wire.seen[-2:]] == ["/api/v1/imports/imp_1"] * 2
    assert len(clock.slept) == 2


def test_l1_an_import_that_never_ends_is_given_up_as_unknown(clock: SkipClock) -> None:
    """After half an hour the outcome is open, not assumed."""
    client, _ = client_over(Answer({"imports": [OPEN | {"state": "applying"}]}), Answer(OPEN | {"state": "applying"}))

    with pytest.raises(RetriableLoadError, match="結果が分かるまで"):
        client.find_import("k1")
    assert 1700 < sum(clock.slept) < 1900


@pytest.mark.parametrize(
    "failure",
    [
        Answer({"code": "SERVER_ERROR"}, 500),
        Answer("<h1>メンテナンス</h1>", 503),
        Answer({"code": "TOO_MANY_REQUESTS"}, 429, {"Retry-After": "7"}),
        requests.ConnectionError("reset"),
        requests.ReadTimeout("slow"),
        Answer({"name": "acme"}, cut=True),
    ],
    ids=["500", "503", "429", "connection", "timeout", "cut"],
)
def test_a_passing_fault_is_asked_again(clock: SkipClock, failure: Answer | Exception) -> None:
    """Every call of the contract may be repeated, so it is; up to four times, then it is an open question."""
    client, wire = client_over(failure, failure, Answer({"name": "acme"}))
    assert client.check() == {"name": "acme"}
    assert len(wire.seen) == 3

    client, wire = client_over(failure)
    with pytest.raises(RetriableLoadError):
        client.check()
    assert len(wire.seen) == 4


def test_a_429_waits_as_long_as_emc_says(clock: SkipClock) -> None:
    """Retry-After is obeyed."""
    client, _ = client_over(Answer({}, 429, {"Retry-After": "7"}), Answer({}))
    client.check()

    assert sum(clock.slept) >= 7


@pytest.mark.parametrize("answer", [Answer("<html>OK</html>"), Answer("[]"), Answer('"ok"'), Answer("")])
def test_l1_an_answer_that_is_no_contract_is_an_open_question(clock: SkipClock, answer: Answer) -> None:
    """A proxy's page with status 200 confirms nothing."""
    client, _ = client_over(answer)

    with pytest.raises(RetriableLoadError, match="取込仕様の形式"):
        client.check()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"imports": None},
        {"imports": [{}]},
        {"imports": ["imp_1"]},
        {"imports": [OPEN | {"state": "done"}]},
        {"imports": [OPEN | {"errors": [{"line": 1}]}]},
        {"imports": [OPEN | {"key": "another", "state": "committed"}]},
    ],
    ids=str,
)
def test_l1_an_outcome_that_cannot_be_understood_is_an_open_question(clock: SkipClock, body: Any) -> None:
    """Neither "there was none" nor any state is read into it."""
    client, _ = client_over(Answer(body))

    with pytest.raises(RetriableLoadError):
        client.find_import("k1")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer({"code": "UNAUTHORIZED"}, 401), "トークン"),
        (Answer({"code": "FORBIDDEN"}, 403), "トークン"),
        (Answer({"code": "BAD_REQUEST", "message": "山田"}, 400), "BAD_REQUEST"),
        (Answer({"code": "KEY_REUSED"}, 409), "KEY_REUSED"),
        (Answer("", 302, {"Location": "https://elsewhere.example/"}), "302"),
        (Answer("<html>404</html>", 404), "404"),
    ],
    ids=["401", "403", "400", "409", "302", "404"],
)
def test_a_refusal_is_final_and_followed_nowhere(clock: SkipClock, answer: Answer, words: str) -> None:
    """One request; the token goes to no other host; EMC's message, which may name a person, is not repeated (L6)."""
    client, wire = client_over(answer)

    with pytest.raises(RejectedLoadError, match=words) as caught:
        client.check()
    assert len(wire.seen) == 1
    assert "山田" not in str(caught.value)


def test_e27_a_busy_account_is_told_apart(clock: SkipClock) -> None:
    """Another import of the account: come back later, without hammering."""
    client, wire = client_over(Answer({"code": "IMPORT_IN_PROGRESS"}, 409, {"Retry-After": "5"}))

    with pytest.raises(ImportBusyError):
        client.submit("k1", "acme", "d", None, USERS)
    assert len(wire.seen) == 1


def test_find_asks_in_parts_that_the_contract_allows(clock: SkipClock) -> None:
    """25,000 ids are three questions; nobody is asked about twice, and nothing is asked for nobody."""
    client, wire = client_over(Answer({"items": [{"ユーザID": "u1"}]}))
    ids = [f"u{number}" for number in range(25_000)]
    found = client.find("users", ids, ["ユーザID"])

    bodies = [json.loads(seen.body) for seen in wire.seen]
    assert [len(body["ids"]) for body in bodies] == [10_000, 10_000, 5_000]
    assert [one for body in bodies for one in body["ids"]] == ids
    assert len(found) == 3
    assert client.find("users", [], ["ユーザID"]) == []
    assert len(wire.seen) == 3


def test_e31_a_committed_import_of_the_tenant_is_history(clock: SkipClock) -> None:
    """EMC is asked for this tenant's committed imports, and one is enough."""
    client, wire = client_over(Answer({"imports": [OPEN]}), Answer({"imports": []}))

    assert client.ever_committed("acme") is True
    assert client.ever_committed("acme") is False
    assert wire.seen[0].query == {"source": "acme", "state": "committed", "limit": "1"}


@pytest.mark.parametrize("first", [requests.ConnectionError("reset"), Answer({"code": "SERVER_ERROR"}, 500)])
def test_l4_an_abort_whose_answer_was_lost_is_done(clock: SkipClock, first: Answer | Exception) -> None:
    """The second DELETE hears NOT_OPEN because the first one worked: the account is free, which was the wish."""

    def reply(seen: Seen) -> Answer | Exception:
        if seen.method == "GET":
            return Answer(OPEN | {"state": "aborted"})
        return first if len(wire.seen) == 1 else Answer({"code": "NOT_OPEN"}, 409)

    wire = Wire(reply)
    client = EmcClient(session_over(wire), "https://emc.example")

    client.withdraw(module.read_import(OPEN))


def page(*ids: str, total: int, following: str | None = None, version: Any = 7) -> Answer:
    """One page of the export, as the contract writes it."""
    items = [{"ユーザID": user_id, "氏名": f"名前{user_id}"} for user_id in ids]
    return Answer({"version": version, "total": total, "items": items, "next": following})


def test_e37_an_export_is_every_page_in_one_table(clock: SkipClock) -> None:
    """Each page begins after the last id of the one before; only the items asked for are read."""
    client, wire = client_over(page("a", "b", total=3, following="b"), page("c", total=3))
    found = client.export("users", ["ユーザID", "氏名"])

    assert found.to_dict("list") == {"ユーザID": ["a", "b", "c"], "氏名": ["名前a", "名前b", "名前c"]}
    assert [(seen.path, seen.query.get("after", "")) for seen in wire.seen] == [
        ("/api/v1/users", ""),
        ("/api/v1/users", "b"),
    ]
    assert {(seen.query["fields"], seen.query["limit"]) for seen in wire.seen} == {("ユーザID,氏名", "1000")}


def test_e37_an_export_of_nobody_has_its_columns(clock: SkipClock) -> None:
    """An empty account is an answer."""
    client, _ = client_over(page(total=0))
    found = client.export("users", ["ユーザID", "氏名"])

    assert (list(found.columns), len(found)) == (["ユーザID", "氏名"], 0)
    assert set(found.dtypes.astype(str)) == {"str"}


def test_l1_pages_of_two_versions_are_never_put_together(clock: SkipClock) -> None:
    """EMC changed in between: the export begins again, and what it had read before is forgotten."""
    client, wire = client_over(
        page("a", "b", total=3, following="b"),
        page("d", total=3, version=8),
        page("a", "c", total=3, following="c", version=8),
        page("d", total=3, version=8),
    )

    assert client.export("users", ["ユーザID"])["ユーザID"].tolist() == ["a", "c", "d"]
    assert [seen.query.get("after", "") for seen in wire.seen] == ["", "b", "", "c"]


def test_l1_an_emc_that_never_stands_still_is_not_exported(clock: SkipClock) -> None:
    """Three beginnings, then a later attempt of the task."""
    pages = [page("a", total=2, following="a", version=1), page("b", total=2, version=2)]
    client, wire = client_over(*pages * 3)

    with pytest.raises(RetriableLoadError, match="変わり続けている"):
        client.export("users", ["ユーザID"])
    assert len(wire.seen) == 6


@pytest.mark.parametrize(
    "pages",
    [
        [page("a", "b", total=3, following="b"), page("b", "c", total=3)],
        [page("a", "b", total=4, following="b"), page("a", "b", total=4)],
        [page("b", "a", total=2)],
        [page("a", "a", total=2)],
        [page("a", "", total=2)],
        [page("a", "b", total=4, following="c"), page("d", total=4)],
        [page("a", "b", total=3)],
        [page("a", "b", total=1)],
        [page("a", total=2, following="a"), page(total=2, following="z")],
    ],
    ids=["overlap", "same page", "order", "twice", "no id", "shifted", "short", "long", "endless"],
)
def test_l1_pages_that_are_not_everybody_once_are_refused(clock: SkipClock, pages: list[Answer]) -> None:
    """Absence from such a list would prove nothing."""
    client, _ = client_over(*pages)

    with pytest.raises(RetriableLoadError, match="全件と言えない"):
        client.export("users", ["ユーザID"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"version": 7, "total": 0, "items": None, "next": None},
        {"version": 7, "total": 0, "items": []},
        {"version": None, "total": 0, "items": [], "next": None},
        {"version": 7, "total": 1, "items": [{"ユーザID": "a"}], "next": None},
        {"version": 7, "total": 1, "items": [{"ユーザID": "a", "氏名": None}], "next": None},
        {"version": 7, "total": 1, "items": [{"ユーザID": "a", "氏名": 1}], "next": None},
        {"version": 7, "total": 1, "items": ["a"], "next": None},
    ],
    ids=str,
)
def test_l1_a_page_that_cannot_be_understood_is_no_export(clock: SkipClock, body: Any) -> None:
    """An item left out is not a blank one."""
    client, _ = client_over(Answer(body))

    with pytest.raises(RetriableLoadError, match="取込仕様の形式"):
        client.export("users", ["ユーザID", "氏名"])


@pytest.mark.parametrize("code", ["山田　太郎", "a@example.jp", {"name": "山田"}, None, "X" * 41, "BAD REQUEST"])
def test_l6_a_code_that_is_none_goes_no_further(clock: SkipClock, code: Any) -> None:
    """What EMC says in place of a code may quote what it was sent; neither the message nor the reasons repeat it."""
    client, _ = client_over(Answer({"code": code, "message": "山田"}, 422))
    with pytest.raises(RejectedLoadError) as refused:
        client.check()
    assert str(refused.value) == "EMCが要求を受け付けませんでした（HTTP 422、理由不明）。"
    finding = {"file": "users", "line": 1, "item": "氏名", "code": code, "message": "山田"}
    assert [problem.code for problem in read_import(OPEN | {"state": "rejected", "errors": [finding]}).errors] == [""]
