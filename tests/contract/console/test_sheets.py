"""シート on pages: uploaded, checked, compared, enabled with a reason, gone back (S1, S2, E41)."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import zipfile
from typing import Any

import pytest
from httpx import Response

from renkei.errors import MappingError
from renkei.links.smarthr_emc.sheet.excel.writer import write_workbook
from renkei.links.smarthr_emc.sheet.yaml_form import to_yaml
from renkei.orchestration.sheet_review import with_version
from renkei.orchestration.web import sheet_desk, state
from renkei.orchestration.web.sheets import tenant_of
from renkei.sheets.compiled import digest_of
from renkei.storage import records
from renkei.storage.audit import AuditEntry
from renkei.storage.store import MissingKeyError
from renkei.storage.versions import Origin
from renkei.web.tenant_sheet import TenantSheet
from scripts.page_forms import field_of, forms_of
from tests.builders import mapping
from tests.contract.console.world import BASE, ConsoleWorld, body, dag, text_of

SHEETS = f"/dag/{dag('acme')}/sheets"


@pytest.fixture
def world(empty: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> ConsoleWorld:
    """acme and beta with sheets in YAML. What Airflow has loaded is `empty.loaded`, the file of the beginning."""
    empty.company("acme", "株式会社アクメ")
    empty.company("beta", "ベータ商事")
    loaded = {"acme": digest_of(file(empty))[:12]}
    monkeypatch.setattr(sheet_desk.AirflowSheets, "loaded", lambda _, dag_id: loaded.get(dag_id.partition("__")[2], ""))
    empty.loaded = loaded  # type: ignore[attr-defined]
    return empty


def file(world: ConsoleWorld) -> bytes:
    return (world.sheets / "acme.yaml").read_bytes()


def sheet(tenant: str = "acme", **settings: str) -> bytes:
    found = mapping(settings={"会社名": "株式会社アクメ", **settings})
    return to_yaml(dataclasses.replace(found, tenant=tenant, emc_account=tenant)).encode()


def upload(
    world: ConsoleWorld, content: bytes, name: str = "new.yaml", user: str = "yuki", path: str = SHEETS
) -> Response:
    return world.browser(user).post(
        BASE + path, data={"token": world.token(user)}, files={"file": (name, content, "application/octet-stream")}
    )


def made(answer: Response) -> int:
    """The number of the version that was made."""
    assert answer.status_code == 303, text_of(answer.text)
    return int(answer.headers["location"].rpartition("/")[2])


def post(world: ConsoleWorld, path: str, user: str = "yuki", **form: str) -> Response:
    return world.browser(user).post(BASE + path, data={"token": world.token(user)} | form)


def enable(world: ConsoleWorld, number: int, user: str = "yuki", **form: str) -> Response:
    given = {"digest": digest_of(file(world)), "reason": "通知先が変わった"} | form
    return post(world, f"{SHEETS}/{number}/enable", user, **given)


def kept(world: ConsoleWorld) -> TenantSheet:
    return world.services.sheets.of(dag("acme"))


def audit_lines() -> list[Any]:
    from airflow.models.log import Log
    from airflow.utils.session import create_session
    from sqlalchemy import select

    wanted = select(Log.owner, Log.dag_id, Log.extra).where(Log.event == sheet_desk.EVENT).order_by(Log.id)
    with create_session() as session:
        return list(session.execute(wanted))


def test_s2_a_sheet_is_uploaded_compared_enabled_and_gone_back_from(world: ConsoleWorld) -> None:
    """S2: nothing changes before 有効にする; then 反映待ち until Airflow has it, then 使用中; back is a new version."""
    before = file(world)
    shown = text_of(body(world, SHEETS, "yuki"))
    assert "使用中 版1 acme.yaml" in shown
    number = made(upload(world, sheet(結果通知先メールアドレス1="hr@acme.example.jp")))
    assert (number, file(world)) == (2, before)
    shown = text_of(body(world, f"{SHEETS}/2", "yuki"))
    assert "下書き" in shown
    assert "誤り 0" in shown
    assert "結果通知先メールアドレス1" in shown
    assert "hr@acme.example.jp" in shown
    assert enable(world, 2).status_code == 303
    assert b"hr@acme.example.jp" in file(world)
    assert "反映待ち" in text_of(body(world, f"{SHEETS}/2", "yuki"))
    world.loaded["acme"] = digest_of(file(world))[:12]  # type: ignore[attr-defined]
    shown = text_of(body(world, f"{SHEETS}/2", "yuki"))
    assert "使用中" in shown
    assert "yukiさんが有効にしました。通知先が変わった" in shown
    assert made(post(world, f"{SHEETS}/1/back")) == 3
    assert enable(world, 3, reason="誤りだった").status_code == 303
    assert file(world) == before
    shown = text_of(body(world, SHEETS, "yuki"))
    assert "版3 反映待ち" in shown
    assert "以前の版に戻す（版1から）" in shown


def test_s2_an_upload_with_errors_cannot_be_enabled(world: ConsoleWorld) -> None:
    """S2, L8: each with its place, what is wrong and the remedy; the file stays."""
    before = file(world)
    number = made(upload(world, before.replace(b"https://", b"ftp://")))
    shown = text_of(body(world, f"{SHEETS}/{number}", "yuki"))
    assert "誤りがあるため、有効にできません" in shown
    assert "smarthr_url" in shown
    assert "この版を有効にする" not in shown
    assert "誤り 1" in text_of(body(world, SHEETS, "yuki")), "a list says it from the last look on"
    assert enable(world, number).status_code == 409
    assert file(world) == before


def test_s2_the_marked_copy_is_the_uploaded_workbook(world: ConsoleWorld) -> None:
    """S2: as `renkei check --marked` makes it, by a process within limits."""
    path = world.folder / "upload.xlsx"
    write_workbook(mapping(), path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(broken := io.BytesIO(), "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"smarthr.jp", b"example.com"))
    number = made(upload(world, broken.getvalue(), "記入済み.xlsx"))
    assert "色付きの控えを保存" in body(world, f"{SHEETS}/{number}", "yuki")
    answer = world.browser("yuki").get(f"{BASE}{SHEETS}/{number}/marked")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    names = zipfile.ZipFile(io.BytesIO(answer.content)).read("xl/workbook.xml").decode()
    assert "確認結果" in names
    shown = text_of(body(world, f"{SHEETS}/{number}", "yuki"))
    assert "記入済み.xlsx" in shown


def test_s2_a_workbook_does_not_take_the_place_of_yaml(world: ConsoleWorld) -> None:
    """S2, L5: two files of one tenant would stop it."""
    path = world.folder / "upload.xlsx"
    write_workbook(dataclasses.replace(mapping(), tenant="acme", emc_account="acme"), path)
    number = made(upload(world, path.read_bytes(), "acme.xlsx"))
    shown = text_of(body(world, f"{SHEETS}/{number}", "yuki"))
    assert "使用中のシートは.yamlです" in shown
    assert enable(world, number).status_code == 409
    assert [one.name for one in world.sheets.iterdir() if one.stem == "acme"] == ["acme.yaml"]


@pytest.mark.parametrize("name", ["../../beta.yaml", "beta.yaml", "acme.yaml\n.yaml", "x" * 400 + ".yaml"])
def test_s2_an_uploaded_files_name_decides_nothing(world: ConsoleWorld, name: str) -> None:
    """S2: it is shown, and the file in force keeps its own."""
    folder = sorted(one.name for one in world.sheets.iterdir())
    assert enable(world, made(upload(world, sheet(会社名="アクメ改"), name))).status_code == 303
    assert sorted(one.name for one in world.sheets.iterdir()) == folder
    assert "アクメ改".encode() in file(world)


def test_e41_what_the_operator_has_not_given_is_an_error(world: ConsoleWorld) -> None:
    """E41: as `renkei check` says it, before anything is in force."""
    number = made(upload(world, sheet() + b"emc_account: other\n"))
    shown = text_of(body(world, f"{SHEETS}/{number}", "yuki"))
    assert "許可されていません" in shown
    assert enable(world, number).status_code == 409


@pytest.mark.parametrize("reason", ["", " 　\n"])
def test_s2_a_reason_is_required(world: ConsoleWorld, reason: str) -> None:
    """S2: who, when and why."""
    number = made(upload(world, sheet(会社名="アクメ改")))
    assert enable(world, number, reason=reason).status_code == 400


def test_s2_two_pages_and_a_hand_edit(world: ConsoleWorld) -> None:
    """S2: who is late is told who was faster; what a hand changed is a version, and lost to nobody."""
    mine, yours = made(upload(world, sheet(会社名="一"))), made(upload(world, sheet(会社名="二"), user="omar"))
    seen = digest_of(file(world))
    assert enable(world, yours, "omar", digest=seen).status_code == 303
    answer = enable(world, mine, digest=seen)
    assert (answer.status_code, "omarさんが先に" in answer.text) == (409, True)
    by_hand = sheet(会社名="手")
    (world.sheets / "acme.yaml").write_bytes(by_hand)
    assert enable(world, mine, digest=digest_of(sheet(会社名="二"))).status_code == 409
    assert file(world) == by_hand
    assert "外部で変更" in text_of(body(world, SHEETS, "yuki"))
    number = kept(world).notice(world.services.now()).number
    assert kept(world).versions.content(kept(world).versions.read(number)) == by_hand


def test_s1_sheets_are_for_those_who_may_edit(world: ConsoleWorld) -> None:
    """S1: a viewer is refused, and another company's answer as one that does not exist."""
    number = made(upload(world, sheet(会社名="一")))
    paths = (
        "",
        f"/{number}",
        f"/{number}/file",
        f"/{number}/marked",
        "/compare?old=1&new=2",
        f"/../sheet-form?of={number}",
    )
    for path in paths:
        assert world.browser("ken").get(BASE + SHEETS + path).status_code in (403, 404), path
        assert world.browser("yuki").get(BASE + SHEETS.replace("acme", "beta") + path).status_code == 404, path
    assert upload(world, sheet(), user="ken").status_code == 403
    assert upload(world, sheet(), user="yuki", path=SHEETS.replace("acme", "beta")).status_code == 404
    for path in (f"/{number}/enable", f"/{number}/back", f"/{number}/try"):
        assert post(world, SHEETS + path, "ken", reason="x").status_code == 403, path
    assert "シート" not in re.findall(r'class="button"[^>]*>([^<]*)<', body(world, f"/dag/{dag('acme')}", "ken"))
    assert file(world) == sheet()


@pytest.mark.parametrize("token", ["", "omar"])
def test_s1_an_upload_from_elsewhere_is_refused(world: ConsoleWorld, token: str) -> None:
    """S1: by its token and by where it comes from; nothing is kept."""
    before = kept(world).versions.numbers()
    data = {"token": world.token(token) if token else ""}
    answer = world.browser("yuki").post(BASE + SHEETS, data=data, files={"file": ("a.yaml", sheet())})
    other = world.browser("yuki", **{"Sec-Fetch-Site": "cross-site"}).post(
        BASE + SHEETS, data={"token": world.token("yuki")}, files={"file": ("a.yaml", sheet())}
    )
    nobody = world.browser().post(BASE + SHEETS, data=data, files={"file": ("a.yaml", sheet())})
    assert (answer.status_code, other.status_code, nobody.status_code) == (403, 403, 401)
    assert kept(world).versions.numbers() == before


def test_s2_what_is_too_much_is_not_read(world: ConsoleWorld) -> None:
    """S2: by its length, before its body; and only uploads may have that much."""
    huge = b"x" * 20_100_000
    assert upload(world, huge).status_code == 413
    assert post(world, f"{SHEETS}/1/enable", reason="x" * 100_000).status_code == 413
    assert upload(world, b"").status_code == 400
    assert world.browser("yuki").post(BASE + SHEETS, data={"token": world.token("yuki")}).status_code == 400


def test_s2_a_bomb_costs_its_sender_an_error(world: ConsoleWorld) -> None:
    """S2, L5: a zip that would unpack to gigabytes is a sheet with a mistake."""
    with zipfile.ZipFile(bomb := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", b"\0" * 300_000_000)
    number = made(upload(world, bomb.getvalue(), "bomb.xlsx"))
    assert "誤りがあるため、有効にできません" in text_of(body(world, f"{SHEETS}/{number}", "yuki"))


def test_s2_a_folder_that_is_read_only_is_said_to_be(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """S2: kept in Git; the checked file is offered."""
    number = made(upload(world, sheet(会社名="一")))
    monkeypatch.setattr("renkei.sheets.placed.os.access", lambda *_: False)
    for path in (SHEETS, f"{SHEETS}/{number}"):
        assert "読み取り専用です" in text_of(body(world, path, "yuki"))
    shown = text_of(body(world, f"{SHEETS}/{number}", "yuki"))
    assert "有効にしてください" not in shown
    assert shown.index("ダウンロードして、シートを管理している場所（Gitなど）で差し替えてください") < shown.index(
        "検査"
    )
    assert enable(world, number).status_code == 409
    answer = world.browser("yuki").get(f"{BASE}{SHEETS}/{number}/file")
    assert answer.content == sheet(会社名="一")


def test_s2_two_versions_are_compared(world: ConsoleWorld) -> None:
    """S2: item by item, in the sheet's own words."""
    made(upload(world, sheet(会社名="一")))
    made(upload(world, sheet(会社名="二")))
    shown = text_of(body(world, f"{SHEETS}/compare?old=2&new=3", "yuki"))
    assert "連携情報 会社名 – 一 二" in shown
    assert world.browser("yuki").get(f"{BASE}{SHEETS}/compare?old=2&new=99").status_code == 404


def test_s2_a_version_is_rehearsed_as_a_job(world: ConsoleWorld) -> None:
    """S2, E42: of that version, whatever is in force."""
    number = made(upload(world, sheet(会社名="一")))
    answer = post(world, f"{SHEETS}/{number}/try", which="0")
    assert (answer.status_code, "/jobs/1" in answer.headers["location"]) == (303, True)
    request = records.read(world.store, "smarthr_emc/tenants/acme/jobs/00000001/request.json", dict[str, Any])
    assert request["asked"] == {"read": "stored", "mode": "NORMAL", "version": str(number)}
    assert "リハーサル 待機中 yuki" in text_of(body(world, f"{SHEETS}/{number}", "yuki"))
    assert post(world, f"{SHEETS}/{number}/try", which="7").status_code == 400


def test_s1_each_change_is_in_both_audit_logs(world: ConsoleWorld) -> None:
    """S1, S2: who did what in the store, who enabled what and why in Airflow."""
    before = len(audit_lines())
    number = made(upload(world, sheet(会社名="一")))
    enable(world, number)
    looks = [records.read(world.store, key, AuditEntry) for key in world.store.files("console/audit")]
    assert [(one.by, one.what) for one in looks] == [("yuki", "sheet upload"), ("yuki", f"sheet enable {number}")]
    (row,) = audit_lines()[before:]
    assert (row[0], row[1], "通知先が変わった" in json.loads(row[2])["reason"]) == ("yuki", dag("acme"), True)


def test_s2_the_versions_origin_is_on_record(world: ConsoleWorld) -> None:
    """S2: by whom, from which file."""
    number = made(upload(world, sheet(会社名="一"), "第2版.yaml"))
    found = kept(world).versions.read(number)
    assert (found.by, found.by_name, found.file_name, found.origin) == ("yuki", "yuki", "第2版.yaml", Origin.UPLOAD)


def test_s2_a_sheet_is_edited_on_the_page(world: ConsoleWorld) -> None:
    """S2: the form has what the sheet says; what is saved is a new version of the same form, checked like any."""
    before, path = file(world), f"/dag/{dag('acme')}/sheet-form"
    shown = body(world, path, "yuki")
    (drawn,) = [form.fields for form in forms_of(shown) if "of" in form.fields]
    name = next(key for key, value in drawn.items() if value == "株式会社アクメ")
    assert "<option selected>登録</option>" in shown
    number = made(post(world, path, of="1", **{name: "アクメ改", "user.full_name.create_blank": "エラー"}))
    assert file(world) == before
    found = kept(world).versions.read(number)
    assert (found.origin, found.of) == (Origin.FORM, 1)
    assert "会社名 – 株式会社アクメ アクメ改" in text_of(body(world, f"{SHEETS}/{number}", "yuki"))
    numbers = kept(world).versions.numbers()
    bad = post(world, path, of="1", **{name: "アクメ改", "user.user_id.source": "ありえない項目"})
    assert bad.status_code == 422
    assert "誤りがあるため、まだ保存していません" in text_of(bad.text)
    assert "「ありえない項目」" in text_of(bad.text)
    assert (field_of(bad.text, name), field_of(bad.text, "user.user_id.source")) == ("アクメ改", "ありえない項目")
    assert kept(world).versions.numbers() == numbers
    assert world.browser("ken").get(BASE + path).status_code == 403
    assert post(world, path, "ken", of="1").status_code == 403
    assert post(world, path, of="99").status_code == 404


def test_s3_the_way_to_the_first_run_says_what_is_missing(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3: by facts alone; for who may edit the Dag."""
    path = f"/dag/{dag('acme')}/start"
    shown = text_of(body(world, path, "yuki"))
    assert "1. シート 完了" in shown
    assert "2. 連携済み 次にすること" in shown
    monkeypatch.setenv("AIRFLOW_CONN_SMARTHR__ACME", "http://x")
    assert "次にすること 登録されていない接続: emc__acme" in text_of(body(world, path, "yuki"))
    monkeypatch.setenv("AIRFLOW_CONN_EMC__ACME", "http://x")
    shown = text_of(body(world, path, "yuki"))
    assert "4. 通知テスト 次にすること" in shown
    world.ran("acme", days_ago=-1)
    shown = text_of(body(world, path, "yuki"))
    assert "最初のシートから最初の連携の成功まで: 18時間33分" in shown
    assert "7. 初回連携 完了" in shown
    assert world.browser("ken").get(BASE + path).status_code == 403
    assert world.browser("yuki").get(BASE + path.replace("acme", "beta")).status_code == 404


def test_e42_a_job_reads_the_version_it_was_asked_about(world: ConsoleWorld) -> None:
    """E42, S2: compiled within limits, with the operator's grants; what cannot be used is refused."""
    tenant = tenant_of(state.dags()[dag("acme")])
    number = made(upload(world, sheet(会社名="一")))
    assert with_version(tenant, number).mapping.company_name == "一"
    assert tenant.mapping.company_name == "株式会社アクメ"
    for content in (b"nonsense: 1\n", sheet() + b"emc_account: other\n"):
        with pytest.raises(MappingError):
            with_version(tenant, made(upload(world, content)))
    with pytest.raises(MissingKeyError):
        with_version(tenant, 99)
