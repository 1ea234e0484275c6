"""E40: an id that passes to another person, through SmartHR and EMC as they run."""

from __future__ import annotations

from typing import Any

from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.notify import collect
from renkei.links.smarthr_emc.report import body
from renkei.runs.outcome import Outcome
from tests.harness.sheet import SHEET, full_mapping
from tests.harness.tenant import FORMAT, NOW, counts
from tests.harness.world import World

KEEPING = SHEET | {"緊急連絡2 アドレス": ("電話番号", "SET", "SKIP", "SET", "SKIP")}


def of_user(world: World, user_id: str) -> dict[str, Any]:
    """One record as EMC keeps it, with the digest of its password."""
    found: dict[str, Any] = world.by_hand("GET", "users", user_id)
    return found


def linked_with_numbers(world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    """After a first link: two people with telephone numbers; the first one has a role set in EMC's screen."""
    world.tenant.mapping = full_mapping(KEEPING | {"パスワード": '"first"&社員番号'})
    one, other = world.active()[:2]
    for crew, number in ((one, "090-1111-1111"), (other, "090-2222-2222")):
        world.patch(crew["id"], tel_number=number)
    world.tenant.run()
    world.by_hand("PATCH", "users", one["emp_code"], 保有権限1="管理者")
    return one, other


def test_e40_a_leavers_number_and_nothing_else_goes_to_the_joiner(world: World) -> None:
    """No telephone number, role or password of the leaver stays; counted as 更新, and told with both people."""
    leaver, _ = linked_with_numbers(world)
    (joiner,) = world.day(joiners=1)["joiners"]
    world.smarthr.sim("DELETE", f"companies/acme/crews/{leaver['id']}")
    world.patch(joiner, emp_code=leaver["emp_code"], tel_number=None, last_name="引継")
    world.tenant.mapping = full_mapping(KEEPING | {"パスワード": '"second"&社員番号'})
    before = of_user(world, leaver["emp_code"])
    job = world.tenant.plan(manual=False)
    stages.approve.decide(job, True, "運用", "保有権限は引き継がない", NOW)
    assert world.tenant.load(job) == "loaded"

    after = of_user(world, leaver["emp_code"])
    assert after["values"]["氏名"].startswith("引継")
    assert after["values"]["パスワード強制変更"] == "T"
    assert not {"緊急連絡2 アドレス", "緊急連絡2 媒体", "保有権限1"} & set(after["values"])
    assert after["password_sha256"] != before["password_sha256"]
    assert counts(job) == {"created": 0, "updated": len(world.active()), "deleted": 0}
    text = body(collect(job.record, "https://acme.smarthr.jp", Outcome.OK, "", NOW, NOW))
    assert "引き継ぎ（ユーザIDが別の人に移ったもの）: 1件" in text
    pages = [f"https://acme.smarthr.jp/crews/{crew}" for crew in (leaver["id"], joiner)]
    assert f"  {leaver['emp_code']}  前の人: {pages[0]}  今の人: {pages[1]}\n" in text
    assert world.tenant.run(manual=False) == "unchanged"


def test_e40_two_people_who_swap_numbers_under_a_freeze(world: World) -> None:
    """災害時凍結 keeps values of the one who has them, never for another; the swap is loaded and stays."""
    one, other = linked_with_numbers(world)
    world.patch(one["id"], emp_code=other["emp_code"], tel_number=None)
    world.patch(other["id"], emp_code=one["emp_code"])
    world.tenant.disaster = True
    job = world.tenant.plan(manual=False)
    stages.approve.decide(job, True, "運用", "保有権限は引き継がない", NOW)
    assert stages.load.apply(job, world.tenant.target, FORMAT, str, NOW, disaster_now=True) == "loaded"

    assert "緊急連絡2 アドレス" not in of_user(world, other["emp_code"])["values"]
    assert of_user(world, one["emp_code"])["values"]["緊急連絡2 アドレス"] == "090-2222-2222"
    assert counts(job)["updated"] == len(world.active())
