"""Ten thousand records that kintone cannot take: each named with its remedy, none lost, hardly a request spent (K18, K19)."""

from __future__ import annotations

from renkei.links.hotprofile_kintone import history
from renkei.links.hotprofile_kintone.history import FailedRecord
from renkei.links.hotprofile_kintone.wording import MAX_LISTED, listed
from tests.harness.hotprofile_kintone import NINE, LinkWorld

MANY = 10_000
LONG = "名前が十文字より長い会社"


def test_k18_k19_ten_thousand_failures_cost_nothing_and_lose_nobody(world: LinkWorld) -> None:
    """One good record in a hundred is written meanwhile; what is mended follows by itself."""
    for number in range(1, MANY + 1):
        world.hotprofile.put(number, LONG)
    good = [f"{number}0500" for number in range(100, 200)]
    for one in good:
        world.hotprofile.put(one)
    world.wait(minutes=5)
    before = world.kintone.requests
    line = world.run()["companies"]
    assert (line.read, line.added, line.failed, line.held) == (MANY + 100, 100, MANY, 0)
    assert world.kintone.requests - before <= 1 + 2 * (MANY + 100) // 500  # the form, and the good ones of each 500
    assert {one["id"] for one in world.kintone.records.values()} == {*good}

    found = history.failed_records(world.database, "acme", limit=MANY + 1)
    assert {one.source_id for one in found} == {str(number) for number in range(1, MANY + 1)}
    assert {(one.field, one.cause, one.remedy) for one in found} == {
        (
            "name",
            "会社名: 12文字あり、kintoneのフィールドの最大文字数10を超えています",
            "Hot Profileの値を短くするか、kintoneのフィールドの最大文字数を広げてください",
        )
    }
    every = [one for part in history.failed_parts(world.database, "acme") for one in part]
    assert sorted(one.source_id for one in every) == sorted(one.source_id for one in found)
    assert [one.source_id for part in history.failed_parts(world.database, "acme", "leads") for one in part] == []

    requests = world.kintone.requests
    world.wait(minutes=5)
    assert world.run()["companies"].failed == MANY  # and nothing is tried again by itself
    assert world.kintone.requests - requests <= 1
    for number in range(1, 301):
        world.hotprofile.put(number, f"直{number}")
    world.wait(minutes=5)
    line = world.run()["companies"]
    assert (line.added, line.failed) == (300, MANY - 300)


def test_k20_a_mail_of_ten_thousand_can_be_read() -> None:
    """The causes with their counts, a hundred records, and where all of them are."""
    first = [
        FailedRecord("companies", str(n), NINE, "name", "TOO_LONG", "会社名: 12文字あります", "短くしてください", False)
        for n in range(MAX_LISTED)
    ]
    causes = [("name", "会社名: 12文字あります", 9_000), ("", "更新キーが空です", 1_000)]
    lines = [*listed(first, MANY, causes)]
    assert lines[:4] == [
        "失敗レコード 10,000件:",
        "  フィールド「name」: 会社名: 12文字あります 9,000件",
        "  更新キーが空です 1,000件",
        "はじめの100件:",
    ]
    assert lines[4] == "  会社 ID 0 フィールド「name」: 会社名: 12文字あります → 短くしてください"
    assert len(lines) == 4 + 100 + 2
    assert "  ほか9,900件。すべては「失敗レコード」の画面から、ファイル（CSV）で保存できます" in lines

    few = [*listed(first[:2], 2, causes)]
    assert few[1].startswith("  会社 ID 0 ")
    many_causes = [("", f"原因{n}", 1) for n in range(30)]
    assert "  ほか10種類の原因" in [*listed(first, MANY, many_causes)]
