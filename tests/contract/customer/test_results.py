"""結果 on the お客様ページ: what ran, and how to mend it; of people their user ids alone (L6, S5)."""

from __future__ import annotations

import datetime as dt

import pytest

from renkei.orchestration.link import dag_id
from renkei.runs.outcome import Outcome
from tests.contract.customer.world import FOLDER, LINK, NOW, CustomerWorld, problem

LATER = "manual__2026-11-30T00-10-00-00-00.abcdef012345"


def test_the_last_runs_with_how_they_ended(world: CustomerWorld) -> None:
    """By the records of the store alone, the newest first."""
    world.ran(lines=["社員 30件 新規2 更新28 削除1", "全件: 保存先の runs/x/problems.parquet"])
    world.ran(key=LATER, at=NOW, subject="EMC-ERROR-D(Update NG)", end="")
    world.ran(
        key="manual__2026-11-30T00-50-00-00-00.0123456789ab", at=NOW + dt.timedelta(minutes=1), subject="", end=""
    )
    guest = world.guest()
    shown = guest.shown("/results")
    assert shown.index("処理中または中断") < shown.index("エラー EMC-ERROR-D(Update NG)") < shown.index("正常 EMC-OK")
    one = guest.shown(f"/results/{FOLDER}")
    assert "新規2 更新28 削除1" in one
    assert "保存先" not in one
    assert " acme" not in one


def test_l6_errors_have_their_remedies_and_no_name_mail_or_phone(world: CustomerWorld) -> None:
    """`detail` may quote a value; a user id may be a mail address."""
    rows = [problem(4, "abc0004"), problem(5, "yamada@example.jp", detail="090-1234-5678")]
    said = ["氏名: 値がありません: yamada@example.jp を確認"]
    world.ran(subject="EMC-ERROR-D(Update NG)", end="", problems=rows, lines=said)
    page = world.guest().get(f"/results/{FOLDER}").text
    for words in (
        "社員 4行目",
        "abc0004",
        "氏名",
        "値がありません",
        "SmartHRで開く",
        "/crews/crew-4",
        "（メールアドレス）",
    ):
        assert words in page
    assert "対処" in page
    for words in ("山田太郎", "yamada", "example.jp", "090-1234"):
        assert words not in page


def test_many_errors_are_paged(world: CustomerWorld) -> None:
    world.ran(subject="EMC-ERROR-D(Update NG)", end="", problems=[problem(n, f"abc{n:04}") for n in range(1, 251)])
    guest = world.guest()
    first, last = guest.shown(f"/results/{FOLDER}"), guest.shown(f"/results/{FOLDER}?page=3")
    assert "250件" in first
    assert ("abc0001" in first, "abc0250" in first) == (True, False)
    assert ("abc0001" in last, "abc0250" in last) == (False, True)


@pytest.mark.parametrize("outcome", [Outcome.HOLD, Outcome.CONFIRM])
def test_what_waits_for_the_operator_is_not_the_customers_to_answer(world: CustomerWorld, outcome: Outcome) -> None:
    from renkei.links.smarthr_emc.wording import SUBJECTS

    world.ran(subject=SUBJECTS[outcome], end="")
    page = world.guest().get(f"/results/{FOLDER}").text
    assert "お客様の操作は要りません" in page
    assert page.count("<form") == 1, "the one that leaves"


def test_s5_another_companys_run_is_no_page(world: CustomerWorld) -> None:
    world.ran("beta")
    guest = world.guest()
    for key in (FOLDER, "..", "../beta", "x" * 500, "%2e%2e%2fbeta.0123456789ab", "nosuch.0123456789ab"):
        guest.get(f"/results/{key}", 404)
    assert "処理の記録は、まだありません" in guest.shown("/results")


def test_a_damaged_record_hides_no_other(world: CustomerWorld) -> None:
    world.ran()
    record = world.ran(key=LATER)
    world.store.write(f"{record.folder}/summary.json", b"{")
    guest = world.guest()
    assert "EMC-OK" in guest.shown("/results")
    guest.get(f"/results/{LATER}", 404)


def test_it_is_the_newest_that_are_listed(world: CustomerWorld) -> None:
    for day in range(1, 29):
        world.ran(
            key=f"scheduled__2026-10-{day:02}T19-30-00-00-00.0123456789ab", at=dt.datetime(2026, 10, day, tzinfo=dt.UTC)
        )
    world.ran()
    shown = world.guest().get("/results").text
    assert shown.count("/results/") == 20
    assert FOLDER in shown
    assert "2026-10-08" not in shown


def test_l5_a_long_list_of_errors_is_read_once_at_a_time(world: CustomerWorld) -> None:
    """Of 300,000 errors twenty pages at once took more than a gigabyte of the process that serves everybody."""
    for tenant in ("acme", "beta"):
        world.ran(tenant, problems=[problem(1, f"{tenant}000000001")])
    guest, beta = world.guest(), world.guest("beta")
    world.limits.reading.add(dag_id(LINK, "acme"))
    assert "ほかの操作の途中です" in guest.shown(f"/results/{FOLDER}", 409)
    guest.get("/results")
    beta.get(f"/results/{FOLDER}")
    world.limits.reading.clear()
    guest.get(f"/results/{FOLDER}")
    assert world.limits.reading == set()
