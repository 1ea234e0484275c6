"""E40: an id that passes to another person, through SmartHR and EMC as they run."""

from __future__ import annotations

from typing import Any

from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.notify import collect
from renkei.links.smarthr_emc.report import body
from renkei.runs.outcome import Outcome
from tests.contract.rig import FORMAT, NOW, SHEET, counts, mapping_of
from tests.contract.stage import Stage

KEEPING = SHEET | {"緊急連絡2 アドレス": ("電話番号", "SET", "SKIP", "SET", "SKIP")}


def of_user(stage: Stage, user_id: str) -> dict[str, Any]:
    """One record as EMC keeps it, with the digest of its password."""
    found: dict[str, Any] = stage.emc.sim("GET", f"/accounts/acme/users/{user_id}").json()
    return found


def linked_with_numbers(stage: Stage) -> tuple[dict[str, Any], dict[str, Any]]:
    """After a first link: two people with telephone numbers; the first one has a role set in EMC's screen."""
    stage.tenant.mapping = mapping_of(KEEPING | {"パスワード": '"first"&社員番号'})
    one, other = stage.active()[:2]
    for crew, number in ((one, "090-1111-1111"), (other, "090-2222-2222")):
        stage.patch(crew["id"], tel_number=number)
    stage.tenant.run()
    stage.emc.sim("PATCH", f"/accounts/acme/users/{one['emp_code']}", json={"保有権限1": "管理者"})
    return one, other


def test_e40_a_leavers_number_and_nothing_else_goes_to_the_joiner(stage: Stage) -> None:
    """No telephone number, role or password of the leaver stays; counted as 更新, and told with both people."""
    leaver, _ = linked_with_numbers(stage)
    (joiner,) = stage.day(joiners=1)["joiners"]
    stage.smarthr.sim("DELETE", f"companies/acme/crews/{leaver['id']}")
    stage.patch(joiner, emp_code=leaver["emp_code"], tel_number=None, last_name="引継")
    stage.tenant.mapping = mapping_of(KEEPING | {"パスワード": '"second"&社員番号'})
    before = of_user(stage, leaver["emp_code"])
    job = stage.tenant.plan(manual=False)
    stages.approve.decide(job, True, "運用", "保有権限は引き継がない", NOW)
    assert stage.tenant.load(job) == "loaded"

    after = of_user(stage, leaver["emp_code"])
    assert after["values"]["氏名"].startswith("引継")
    assert after["values"]["パスワード強制変更"] == "T"
    assert not {"緊急連絡2 アドレス", "緊急連絡2 媒体", "保有権限1"} & set(after["values"])
    assert after["password_sha256"] != before["password_sha256"]
    assert counts(job) == {"created": 0, "updated": len(stage.active()), "deleted": 0}
    text = body(collect(job.record, "https://acme.smarthr.jp", Outcome.OK, "", NOW, NOW))
    assert "引き継ぎ（ユーザIDが別の人に移ったもの）: 1件" in text
    pages = [f"https://acme.smarthr.jp/crews/{crew}" for crew in (leaver["id"], joiner)]
    assert f"  {leaver['emp_code']}  前の人: {pages[0]}  今の人: {pages[1]}\n" in text
    assert stage.tenant.run(manual=False) == "unchanged"


def test_e40_two_people_who_swap_numbers_under_a_freeze(stage: Stage) -> None:
    """災害時凍結 keeps values of the one who has them, never for another; the swap is loaded and stays."""
    one, other = linked_with_numbers(stage)
    stage.patch(one["id"], emp_code=other["emp_code"], tel_number=None)
    stage.patch(other["id"], emp_code=one["emp_code"])
    stage.tenant.disaster = True
    job = stage.tenant.plan(manual=False)
    stages.approve.decide(job, True, "運用", "保有権限は引き継がない", NOW)
    assert stages.load.apply(job, stage.tenant.target, FORMAT, str, NOW, disaster_now=True) == "loaded"

    assert "緊急連絡2 アドレス" not in of_user(stage, other["emp_code"])["values"]
    assert of_user(stage, one["emp_code"])["values"]["緊急連絡2 アドレス"] == "090-2222-2222"
    assert counts(job)["updated"] == len(stage.active())
