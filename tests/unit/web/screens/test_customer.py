"""What the お客様ページ says: the customer's steps, the states of what he uploaded, and nothing of people."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from renkei.storage.versions import Move, Moved, MoveEnd, Origin, Version
from renkei.web.customer.facts import Company, Connected, ConnectionState
from renkei.web.customer.invitations import CustomerRight
from renkei.web.screens.customer import Facts, lines_of, steps, uploads, without_addresses

NOW = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def company(**facts: Any) -> Company:
    return Company(**({"dag_id": "smarthr_emc__acme", "name": "株式会社アクメ", "source": "SmartHR", "target": "EMC",
                       "sheet": True} | facts))  # fmt: skip


def said(
    one: Company,
    stand: ConnectionState | None = None,
    allowed: frozenset[CustomerRight] = frozenset(CustomerRight),
    **more: Any,
) -> dict[str, tuple[str, str]]:
    """State and page of each step by its title."""
    facts = Facts(one, allowed, Connected(stand) if stand else None, more.get("uploads", ()), NOW)
    return {step.title: (step.label, step.page) for step in steps(facts)}


def version(digest: str, at: dt.datetime = NOW, origin: Origin = Origin.CUSTOMER) -> Version:
    return Version(digest, "x.xlsx", 10, at, "invitation 1", "総務", origin)


def unknown(number: int) -> None:
    """Nobody has looked at any version."""


def moved(digest: str, at: dt.datetime, *, done: bool = True) -> Moved:
    return Moved(1, Move(1, digest, "", at, "yuki", "結城", "理由"), MoveEnd(at, done))


def test_a_company_at_its_beginning_is_told_what_is_its_to_do() -> None:
    assert said(company(sheet=False), ConnectionState.NONE) == {
        "シート": ("次にすること", "sheets"),
        "SmartHRの接続": ("次にすること", "connection"),
        "結果の確認": ("未完了", "results"),
        "連携開始日": ("未完了", ""),
    }


def test_a_company_whose_link_runs_has_nothing_left_to_do() -> None:
    one = company(last_result=NOW, link_start_on=dt.date(2026, 11, 30))
    assert {label for label, _ in said(one, ConnectionState.LINKED).values()} == {"完了"}


def test_a_day_in_japan_begins_there() -> None:
    """At 0:30 of the day in Japan it is the day before in UTC."""
    one = company(last_result=NOW, link_start_on=dt.date(2026, 11, 30))
    facts = [Facts(one, (), None, (), dt.datetime(2026, 11, 29, hour, 30, tzinfo=dt.UTC)) for hour in (14, 15)]
    assert [steps(fact)[-1].label for fact in facts] == ["未完了", "完了"]


@pytest.mark.parametrize(
    ("stand", "label"),
    [
        (ConnectionState.NONE, "次にすること"),
        (ConnectionState.UNDER_WAY, "次にすること"),
        (ConnectionState.VOID, "次にすること"),
        (ConnectionState.LINKED, "完了"),
        (ConnectionState.OTHERWISE, "完了"),
    ],
)
def test_every_stand_of_the_connection_has_its_step(stand: ConnectionState, label: str) -> None:
    assert said(company(), stand)["SmartHRの接続"] == (label, "connection")


def test_what_the_invitation_does_not_allow_has_no_button_and_is_not_asked_for() -> None:
    facts = Facts(company(sheet=False), frozenset(), Connected(ConnectionState.NONE), (), NOW)
    assert [step.page for step in steps(facts)] == [""] * 4
    assert [step.text for step in steps(facts)[:2]] == [
        "この招待では操作できません。運用担当者に確認してください。"
    ] * 2


def test_a_link_without_a_page_to_connect_has_no_such_step() -> None:
    assert "SmartHRの接続" not in said(company())


def test_what_waits_for_the_operator_is_said_before_all_else() -> None:
    found = uploads([(2, version("b"))], [moved("a", NOW - HOUR)], "a", unknown)
    assert said(company(), uploads=found)["シート"] == ("確認待ち", "sheets")


def test_uploads_are_the_customers_own_with_their_states() -> None:
    """What the operator put into force later has answered those of before."""
    versions = [
        (5, version("e", NOW)),
        (4, version("d", NOW - HOUR, Origin.UPLOAD)),
        (3, version("c", NOW - 3 * HOUR)),
        (2, version("b", NOW - 4 * HOUR)),
    ]
    moves = [moved("z", NOW + HOUR, done=False), moved("c", NOW - 2 * HOUR)]
    assert [(one.number, one.label, one.waits) for one in uploads(versions, moves, "c", unknown)] == [
        (5, "運用担当者の確認待ち", True),
        (3, "使用中", False),
        (2, "使用していません", False),
    ]
    noted = Moved(1, Move(1, "z", "", NOW + HOUR, "", "", "", outside=True), MoveEnd(NOW + HOUR, True))
    for none in ([], [noted]):  # that somebody has looked at the pages answers nothing
        assert [one.waits for one in uploads(versions, none, "", unknown)] == [True] * 3


def test_s2_a_sheet_with_errors_waits_for_the_customer() -> None:
    """S2: the customer is told to mend it, until he has sent another one, which waits for the operator."""
    versions, errors = [(2, version("b")), (1, version("a"))], {2: 3, 1: 1}
    found = uploads(versions, [], "", errors.get)
    assert [(one.label, one.errors) for one in found] == [("お客様の修正待ち", 3), ("使用していません", 1)]
    step = steps(Facts(company(), frozenset(CustomerRight), None, found, NOW))[0]
    assert step.label == "次にすること"
    assert step.text == (
        "アップロードしたシート（版2）に誤りが3件あります。直したファイルを、もう一度アップロードしてください。"
    )
    mended = uploads(versions, [], "", {2: 0, 1: 1}.get)
    assert [one.label for one in mended] == ["運用担当者の確認待ち", "使用していません"]
    assert steps(Facts(company(), frozenset(CustomerRight), None, mended, NOW))[0].label == "確認待ち"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("yamada@example.jp を確認", "（メールアドレス） を確認"),
        ("宛先: yamada＠example.jp、sato@example.jp。", "宛先: （メールアドレス）、（メールアドレス）。"),
        ("「a.b+c@d.e」がありません", "「（メールアドレス）」がありません"),
        ("abc0001 は重複しています", "abc0001 は重複しています"),
        ("処理日時: 2026/11/30 4:30:00～4:31:00", "処理日時: 2026/11/30 4:30:00～4:31:00"),
    ],
)
def test_l6_a_mail_address_is_shown_to_nobody(text: str, shown: str) -> None:
    assert without_addresses(text) == shown


def test_a_long_text_costs_no_more_than_its_length() -> None:
    """A hundred thousand characters that might all begin an address."""
    text = "x@y " + "a" * 100_000
    assert without_addresses(text) == "（メールアドレス） " + "a" * 100_000


def test_a_summary_is_shown_without_the_tenant_and_the_operators_paths() -> None:
    lines = ["EMC-OK acme", "社員 30件", "全件: 保存先の smarthr_emc/tenants/acme/runs/x/problems.parquet"]
    assert lines_of(lines, "acme") == ("EMC-OK", ["社員 30件"])
    assert lines_of([], "acme") == ("", [])
