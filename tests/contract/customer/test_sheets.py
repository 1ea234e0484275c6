"""シート on the お客様ページ: uploaded, seen through at once, and then the operator's to enable (S2, S5)."""

from __future__ import annotations

import dataclasses
from typing import Any, NoReturn

import pytest

from renkei.links.smarthr_emc.sheet.excel.writer import write_workbook
from renkei.links.smarthr_emc.sheet.yaml_form import to_yaml
from renkei.orchestration import sheet_reviews
from renkei.orchestration.link import dag_id
from renkei.orchestration.public.connection_secrets import DAG_FILE
from renkei.orchestration.sheet_reviews import SheetReviews
from renkei.sheets import bounded
from renkei.sheets.compiled import digest_of
from renkei.sheets.tenant_files import MAX_BYTES
from renkei.storage import records
from renkei.storage.audit import AuditEntry
from renkei.storage.versions import Origin
from renkei.web.customer import uploads as uploads_module
from renkei.web.customer.invitations import CustomerRight
from renkei.web.tenant_sheet import Actor, TenantSheet
from tests.builders import mapping
from tests.contract.customer.world import LABEL, LINK, NOW, CustomerWorld, sheet, text_of
from tests.unit.links.smarthr_emc.sheet.hostile import slow_workbook

BROKEN = sheet().replace("source: 社員番号".encode(), "source: 社員番号 または".encode())


def workbook(tmp_path: Any) -> bytes:
    path = tmp_path / "acme.xlsx"
    write_workbook(dataclasses.replace(mapping(settings={"会社名": "株式会社アクメ"}), tenant="acme"), path)
    return bytes(path.read_bytes())


def test_s2_what_a_customer_uploads_waits_for_the_operator(world: CustomerWorld) -> None:
    """Its page says what would change; the sheet in force, and who enabled it, stay what they were."""
    before = (world.sheets / "acme.yaml").read_bytes()
    guest = world.guest()
    answer = guest.upload(sheet(連携開始日="2026-12-24"))
    assert answer.status_code == 303
    shown = guest.shown("/sheets/1")
    assert "誤り 0" in shown
    assert "運用担当者の確認待ち" in shown
    assert "2026-12-24" in shown
    ((number, version),) = world.versions()
    assert (number, version.origin, version.by, version.by_name) == (1, Origin.CUSTOMER, "invitation 1", LABEL)
    assert version.digest == digest_of(sheet(連携開始日="2026-12-24"))
    assert (world.sheets / "acme.yaml").read_bytes() == before
    assert "運用担当者が確認しています" in guest.shown("/")
    folder = f"console/audit/{NOW.date()}"
    looks = [records.read(world.store, f"{folder}/{name}", AuditEntry) for name in world.store.names(folder)]
    assert [(one.by, one.what) for one in looks] == [("invitation 1", "sheet customer")]


def test_what_is_wrong_is_shown_with_its_place_and_its_remedy(world: CustomerWorld) -> None:
    guest = world.guest()
    guest.upload(BROKEN)
    shown = guest.shown("/sheets/1")
    assert "誤りがあるため、このままでは使えません" in shown
    assert "お客様の修正待ち 誤り 1" in shown
    assert "運用担当者の確認待ち" not in shown
    assert "場所 内容 対処" in shown
    assert "このシートに誤りがあるため、違いを示せません" in shown


def test_s2_a_sheet_with_errors_is_the_customers_to_mend_wherever_it_is_named(world: CustomerWorld) -> None:
    guest = world.guest()
    guest.upload(BROKEN)
    guest.get("/sheets/1")
    assert "版1 お客様の修正待ち 誤り 1 直して、もう一度アップロードしてください" in guest.shown("/sheets")
    start = guest.shown("/")
    assert "（版1）に誤りが1件あります。直したファイルを、もう一度アップロードしてください" in start
    assert "運用担当者が確認しています" not in start
    guest.upload(sheet(連携開始日="2026-12-24"))
    guest.get("/sheets/2")
    assert "運用担当者が確認しています" in guest.shown("/")
    listed = guest.shown("/sheets")
    assert "修正待ち" not in listed
    assert "版2 運用担当者の確認待ち" in listed


def test_the_marked_copy_of_a_workbook_is_the_customers(world: CustomerWorld, tmp_path: Any) -> None:
    guest = world.guest()
    guest.upload(workbook(tmp_path), "シート.xlsx")
    answer = guest.get("/sheets/1/marked")
    assert answer.content.startswith(b"PK")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert "attachment" in answer.headers["Content-Disposition"]
    guest.upload(sheet())
    guest.get("/sheets/2/marked", 404)


def test_s5_what_the_operator_uploaded_is_not_a_customers_to_see(world: CustomerWorld) -> None:
    operators = TenantSheet(world.folder(), world.sheets)
    operators.keep(sheet(連携開始日="2027-01-01"), "x.yaml", Origin.UPLOAD, Actor("yuki", "結城"), NOW)
    guest = world.guest()
    guest.get("/sheets/1", 404)
    shown = guest.shown("/sheets")
    assert "まだありません" in shown
    assert "結城" not in shown


def test_its_state_follows_what_the_operator_does(world: CustomerWorld) -> None:
    guest = world.guest()
    guest.upload(sheet(連携開始日="2026-12-24"))
    guest.upload(sheet(連携開始日="2026-12-25"))
    operators = TenantSheet(world.folder(), world.sheets)
    operators.enable(1, operators.file().digest, Actor("yuki", "結城"), "確認した", NOW)
    shown = guest.shown("/sheets")
    assert "版2 使用していません" in shown
    assert "版1 使用中" in shown
    assert "結城" not in shown
    guest.upload(sheet(連携開始日="2026-12-26"))
    world.now = NOW
    assert shown.count("使用中") == 1


@pytest.mark.parametrize(
    "path", ["/sheets/0", "/sheets/2", "/sheets/99999999999", "/sheets/1x", "/sheets/-1", "/sheets/１"]
)
def test_what_is_no_number_of_his_is_no_page(world: CustomerWorld, path: str) -> None:
    guest = world.guest()
    guest.upload(sheet())
    guest.get(path, 404)


def test_s5_another_companys_is_not_reached_by_number(world: CustomerWorld) -> None:
    world.guest("beta").upload(sheet("beta"))
    world.guest("acme").get("/sheets/1", 404)
    assert world.versions("acme") == []


def test_files_that_are_none_are_said_to_be(world: CustomerWorld) -> None:
    guest = world.guest()
    assert "選ばれていないか、空です" in text_of(guest.upload(b"").text)
    assert "選ばれていないか、空です" in text_of(guest.post("/sheets", files={"x": ("x", b"")}).text)
    big = guest.upload(b"x" * (MAX_BYTES + 1))
    assert (big.status_code, "大きすぎます" in big.text) == (400, True)
    assert guest.upload(b"x" * (MAX_BYTES + 200_000)).status_code == 413
    assert world.versions() == []
    guest.upload(b"\x00\xff" * 500, "x.xlsx")
    assert "誤り" in guest.shown("/sheets/1")


def test_e15_a_hostile_sheet_costs_its_own_page_alone(world: CustomerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read by a process with a second of a processor; the page says that it took too long."""
    monkeypatch.setattr(bounded, "CPU_S", 1)
    monkeypatch.setattr(bounded.Compiler.__init__, "__defaults__", (1, bounded.START_S))
    guest = world.guest()
    guest.upload(slow_workbook(), "../../etc/\u202exslx.シート.xlsx")
    shown = guest.shown("/sheets/1")
    assert "時間がかかりすぎます" in shown
    assert world.versions()[0][1].file_name == "xslx.シート.xlsx"
    assert world.guest("beta").get("/sheets")


def test_uploads_of_a_day_are_bounded(world: CustomerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever invitation they come by, and whichever process takes them."""
    monkeypatch.setattr(uploads_module, "MAX_A_DAY", 3)
    answers = [world.guest().upload(sheet(連携開始日=f"2026-12-{day}")).status_code for day in range(10, 15)]
    assert answers == [303] * 3 + [429] * 2
    assert len(world.versions()) == 3
    assert world.guest("beta").upload(sheet("beta")).status_code == 303


def test_l5_one_company_holds_up_no_other(world: CustomerWorld) -> None:
    """Whoever sends slowly, or a sheet that takes its time, takes his company's one place."""
    guest = world.guest()
    guest.upload(sheet())
    for places in (world.limits.uploading, world.limits.reviewing):
        places.add(f"{LINK}__acme")
    assert guest.upload(sheet()).status_code == 409
    assert "ほかの操作の途中です" in guest.shown("/sheets/1", 409)
    other = world.guest("beta")
    assert other.upload(sheet("beta")).status_code == 303
    assert "誤り" in other.shown("/sheets/1")
    assert world.limits.uploading == world.limits.reviewing == {f"{LINK}__acme"}
    world.limits.uploading |= {f"other {number}" for number in range(8)}
    full = other.upload(sheet("beta"))
    assert (full.status_code, full.headers["Retry-After"]) == (503, "30")


def test_a_company_without_a_sheet_can_send_its_first(world: CustomerWorld) -> None:
    (world.sheets / "acme.yaml").unlink()
    guest = world.guest(allows=frozenset({CustomerRight.SHEET}))
    assert "シート 次にすること" in guest.shown("/")
    guest.upload(sheet())
    assert "いま使っているシートがない" in guest.shown("/sheets/1")
    assert not (world.sheets / "acme.yaml").exists()
    assert world.folder().link == LINK


def test_s5_who_may_send_no_sheet_has_no_such_page_and_leaves_no_version(world: CustomerWorld) -> None:
    """S5: neither by looking nor by sending a form of another page of his."""
    guest = world.guest(allows=frozenset(CustomerRight) - {CustomerRight.SHEET})
    guest.get("/sheets", 404)
    assert guest.upload(sheet()).status_code == 404
    assert world.versions() == []


def test_l5_what_is_remembered_of_sheets_is_bounded_by_its_size(
    world: CustomerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty files of 20 MB are a day's uploads of one company; what they take is taken from all."""
    reviews = SheetReviews(DAG_FILE)
    for number in range(4):
        reviews.review(dag_id(LINK, "acme"), "a.yaml", sheet() + f"# {number}".encode(), frozenset())
    assert len(reviews._known) == 4
    monkeypatch.setattr(sheet_reviews, "REMEMBERED_BYTES", 2 * len(sheet()) + 100)
    last = reviews.review(dag_id(LINK, "acme"), "a.yaml", sheet() + b"# 9", frozenset())
    assert [*reviews._known.values()][-1] is last
    assert len(reviews._known) == 2


def test_s5_a_look_that_took_too_long_is_not_remembered(world: CustomerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else 「しばらくしてから、もう一度」 would never come true."""
    reviews, company = SheetReviews(DAG_FILE), dag_id(LINK, "acme")
    with monkeypatch.context() as slow:
        slow.setattr(bounded.Compiler, "compile", _never)
        assert not reviews.review(company, "a.yaml", sheet(), frozenset()).is_read
    assert reviews.review(company, "a.yaml", sheet(), frozenset()).is_read


def _never(*_: object) -> NoReturn:
    raise bounded.NotCompiledError


def test_l6_whose_addresses_the_sheet_in_force_names_is_not_shown(world: CustomerWorld) -> None:
    """An operator's colleague, or a superior of who was invited."""
    found = mapping(settings={"会社名": "株式会社アクメ", "連携開始日": "2026-12-01"})
    found = dataclasses.replace(found, tenant="acme", emc_account="acme")
    before, after = (to_yaml(dataclasses.replace(found, result_addresses=(one,))) for one in ("a@old.jp", "b@new.jp"))
    (world.sheets / "acme.yaml").write_text(before, encoding="utf-8")
    guest = world.guest()
    guest.upload(after.encode())
    shown = guest.shown("/sheets/1")
    assert "（メールアドレス） （メールアドレス）" in shown
    assert "@" not in shown
