"""Conversions and doubtful values in whole runs, from a running SmartHR into a running EMC."""

from __future__ import annotations

from dataclasses import replace

import pytest

from renkei.errors import RecordError
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.notify import collect
from renkei.links.smarthr_emc.report import body
from renkei.links.smarthr_emc.sheet.conversion import conversions_of
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.stages.job import Job
from renkei.runs.outcome import Outcome
from tests.harness.sheet import SHEET, full_mapping
from tests.harness.tenant import NOW
from tests.harness.world import World, ids


def convert(world: World, **words: str) -> None:
    """Fill the 変換 column of some items from the next run on."""
    rules = (
        replace(rule, conversions=conversions_of(words.get(rule.item, ""), USER_ITEM[rule.item]))
        for rule in world.tenant.mapping.users
    )
    world.tenant.change(users=tuple(rules))


def mail_of(job: Job, outcome: Outcome = Outcome.OK) -> str:
    return body(collect(job.record, "https://acme.smarthr.jp", outcome, "", NOW, NOW))


def person(world: World) -> tuple[str, str]:
    """Crew id and 社員番号 of somebody."""
    one = world.active()[0]
    return one["id"], one["emp_code"]


def test_e22_emc_has_what_the_sheet_converts(linked: World) -> None:
    """E22: kana, telephone, mail and kanji as the 変換 column asks; the same values again are 変化なし."""
    crew_id, user_id = person(linked)
    linked.patch(
        crew_id,
        last_name="髙橋",
        last_name_yomi="ﾀｶﾊｼ",
        first_name_yomi="はなこ",
        email="Ｈａｎａｋｏ＠Example.JP",
        tel_number="０９０（１２３４）５６７８",
    )
    convert(
        linked,
        full_name="標準字体",
        full_name_yomi="全角カナ",
        contact_1_address="メールアドレス",
        contact_2_address="電話番号",
    )
    job = linked.tenant.plan()
    assert linked.tenant.load(job) == "loaded"

    first_name = linked.crews()[crew_id]["first_name"]
    user = linked.users()[user_id]
    assert user["氏名"] == f"高橋　{first_name}"
    assert user["氏名(ヨミ)"] == "タカハシ　ハナコ"
    assert (user["緊急連絡1 アドレス"], user["緊急連絡2 アドレス"]) == ("Hanako@example.jp", "090-1234-5678")
    assert crew_id not in mail_of(job)
    assert linked.tenant.run() == "unchanged"


def test_e14_a_word_in_the_conversion_column_is_a_change(linked: World) -> None:
    """E14: the same people are written again, and once only; taken out, they are as they were."""
    before = linked.users()
    convert(linked, full_name="空白除去")
    assert linked.tenant.run(manual=False) == "loaded"
    assert {user["氏名"] for user in linked.users().values()} == {
        user["氏名"].replace("　", "") for user in before.values()
    }
    assert linked.tenant.run(manual=False) == "unchanged"
    convert(linked)
    assert linked.tenant.run(manual=False) == "loaded"
    assert linked.users() == before


def test_e5_a_converted_id_is_the_id(world: World) -> None:
    """E5, E22: SmartHR's full-width number and the half-width one of the next day are one person."""
    crew_id, user_id = person(world)
    wide = user_id.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    world.patch(crew_id, emp_code=wide)
    world.tenant.mapping = full_mapping(SHEET | {"パスワード": "固定値「Passw0rd」"})
    convert(world, user_id="半角")
    assert world.tenant.run() == "loaded"
    assert user_id in world.users()
    assert wide not in world.users()

    world.patch(crew_id, emp_code=user_id)
    job = world.tenant.plan()
    assert job.record.json("diff")["sets"]["users"]["counts"]["deleted"] == 0
    assert sorted(world.users()) == ids(world.active())


def test_e22_a_variant_character_is_told_and_written_as_it_is(linked: World) -> None:
    """E22: 髙 arrives in EMC as 髙; the mail names the person, the character and the word that would change it."""
    crew_id, user_id = person(linked)
    linked.patch(crew_id, last_name="髙橋")
    job = linked.tenant.plan(manual=False)
    assert linked.tenant.load(job) == "loaded"

    assert linked.users()[user_id]["氏名"].startswith("髙橋　")
    text = mail_of(job)
    assert f"  {user_id}  https://acme.smarthr.jp/crews/{crew_id}  氏名: 「髙」(U+9AD9)\n" in text
    assert "異体字を含む値" in text
    assert "「標準字体」" in text
    assert "橋" not in text
    found = job.record.table("hygiene").query("kind == 'variant'")
    assert [user_id, crew_id, "full_name"] in found[["id", "crew_id", "item"]].to_numpy().tolist()


def test_e22_a_doubtful_value_is_told_on_quiet_days_too(linked: World) -> None:
    """E22, E29: what is doubtful in EMC stays doubtful: told by every run that received it, until it is mended."""
    crew_id, _ = person(linked)
    linked.patch(crew_id, last_name="髙橋")
    check = linked.tenant.plan(Mode.CHECK_ONLY)
    assert crew_id in mail_of(check, Outcome.CHECKED)
    linked.tenant.run()

    quiet = linked.tenant.plan(manual=False)
    assert linked.tenant.load(quiet) == "unchanged"
    assert "異体字" in mail_of(quiet)
    assert crew_id in mail_of(quiet)


def test_e29_an_uncarried_character_is_mended_by_the_word_that_its_error_names(linked: World) -> None:
    """E29: 𠮷 stops the run with its code point and 標準字体; with that word the next run writes 吉."""
    crew_id, user_id = person(linked)
    linked.patch(crew_id, last_name="𠮷田")
    with pytest.raises(RecordError):
        linked.tenant.run(run_id="bad")
    text = body(collect(linked.tenant.record("bad"), "https://acme.smarthr.jp", Outcome.DATA, "", NOW, NOW))
    assert (
        f"ユーザID: {user_id}／https://acme.smarthr.jp/crews/{crew_id}／EMCで扱えない異体字（「𠮷」(U+20BB7)）／"
        in text
    )
    assert "氏名の変換に「標準字体」を指定" in text

    convert(linked, full_name="標準字体")
    assert linked.tenant.run() == "loaded"
    assert linked.users()[user_id]["氏名"].startswith("吉田　")
