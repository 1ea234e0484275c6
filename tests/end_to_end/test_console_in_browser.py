"""The console as people use it: Airflow's own API server below a prefix, its log-in, its frame, Chromium."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import requests

from renkei.links.smarthr_emc.sheet.excel.writer import write_workbook
from scripts.local_airflow import PROJECT, USER
from tests.builders import mapping
from tests.end_to_end.browser import PHONE, look, needs_chromium, new_page
from tests.end_to_end.console_site import Site, frame_of

pytestmark = needs_chromium
ACME, BETA, GAMMA = (f"smarthr_emc__{tenant}" for tenant in ("acme", "beta", "gamma"))


def test_one_finds_a_company_by_the_menu_and_comes_back(site: Site, page: Any) -> None:
    """Menu, search, company, back, reload: the address around the frame says where one is, and leads there again."""
    from playwright.sync_api import expect

    page.goto(f"{site.url}/dags")
    page.get_by_role("link", name="連携", exact=True).click()
    frame = frame_of(page)
    expect(frame.get_by_role("heading", name="連携一覧")).to_be_visible()
    look(page, "1-list")
    icon = page.locator("nav img[src*='renkei/console'], img[src*='renkei/console/static']").first
    expect(icon).to_be_visible()
    assert icon.evaluate("image => image.naturalWidth") > 0, icon.get_attribute("src")
    frame.get_by_label("会社名・テナントで検索").fill("アクメ")
    frame.get_by_role("button", name="検索").click()
    expect(frame.get_by_text("「アクメ」: 1社")).to_be_visible()
    expect(frame.get_by_role("link", name="ベータ商事")).to_have_count(0)
    found = re.compile(re.escape(site.framed("/")) + r"\?q=")
    expect(page).to_have_url(found)
    page.reload()
    expect(frame.get_by_text("「アクメ」: 1社")).to_be_visible()
    frame.get_by_role("link", name="株式会社アクメ").click()
    expect(frame.get_by_role("heading", name="株式会社アクメ")).to_be_visible()
    expect(page).to_have_url(site.framed(f"/dag/{ACME}"))
    look(page, "2-company")
    page.evaluate("history.back()")
    expect(frame.get_by_text("「アクメ」: 1社")).to_be_visible()
    expect(page).to_have_url(found)


def test_the_theme_is_airflows_while_the_page_is_open(site: Site, page: Any) -> None:
    """Whatever the browser prefers: the frame follows the page around it at once."""
    from playwright.sync_api import expect

    page.goto(site.framed("/"))
    body = frame_of(page).locator("html")
    expect(frame_of(page).get_by_role("heading", name="連携一覧")).to_be_visible()
    shown = set()
    for theme in ("dark", "light", "dark"):
        page.evaluate(
            "theme => { const of = document.documentElement.classList; of.remove('dark', 'light'); of.add(theme); }",
            theme,
        )
        expect(body).to_have_attribute("data-theme", theme)
        shown.add(body.evaluate("element => getComputedStyle(element).backgroundColor"))
    look(page, "3-dark")
    assert len(shown) == 2, shown


def test_a_tab_of_each_dag_shows_its_company(site: Site, page: Any) -> None:
    """And a link to a page of Airflow's leaves the frame instead of opening Airflow within Airflow."""
    from playwright.sync_api import expect

    page.goto(f"{site.url}/dags/{BETA}")
    page.get_by_role("link", name="連携の状態").click()
    frame = frame_of(page)
    expect(
        frame.get_by_text("直近の処理が失敗しました。誤りと対処を確認し、直してから実行してください。")
    ).to_be_visible()
    look(page, "4-tab")
    frame.get_by_role("link", name="実行履歴を見る").click()
    expect(frame.get_by_role("img", name=re.compile("30日間の件数"))).to_be_visible()
    look(page, "5-history")
    frame.get_by_role("link", name="ベータ商事").click()
    frame.get_by_role("link", name="AirflowのDag").click()
    expect(page).to_have_url(re.compile(re.escape(f"{site.url}/dags/{BETA}") + r"/?$"))
    expect(page.locator("iframe")).to_have_count(0)


def test_a_run_is_asked_for_before_it_is_started(site: Site, page: Any) -> None:
    """In the frame: the form posts below the prefix, and the run waits in Airflow under the user's name."""
    from playwright.sync_api import expect

    page.goto(site.framed(f"/dag/{ACME}"))
    frame = frame_of(page)
    frame.get_by_role("link", name="実行する", exact=True).first.click()
    expect(frame.get_by_role("radio", name="確認のみ")).to_be_checked()
    look(page, "6-ask")
    frame.get_by_role("button", name="実行する").click()
    expect(frame.get_by_role("heading", name="待機中 確認のみ")).to_be_visible()
    expect(frame.locator("dd", has_text=USER)).to_be_visible()
    look(page, "7-run")


def test_e36_a_held_plan_is_judged_by_name_and_approved(site: Site, page: Any) -> None:
    """From the list, in the frame: names, the reason that the form asks for, the answer under the user's name."""
    from playwright.sync_api import expect

    page.goto(site.framed("/"))
    frame = frame_of(page)
    frame.get_by_role("link", name="回答する").click()
    expect(frame.get_by_text("回答待ち")).to_be_visible()
    expect(frame.get_by_role("cell", name="小鳥遊")).to_be_visible()
    look(page, "10-approval")
    approve = frame.get_by_role("button", name="承認して登録する（社員6件を削除）")
    approve.click()
    assert frame.get_by_label("判断の理由（必須）").evaluate("field => field.validity.valueMissing")
    frame.get_by_label("判断の理由（必須）").fill("拠点閉鎖")
    approve.click()
    expect(frame.get_by_text(f"{USER}さんが承認しました。理由: 拠点閉鎖")).to_be_visible()
    expect(approve).to_have_count(0)
    look(page, "11-approved")


def test_s2_a_sheet_is_uploaded_mended_enabled_used_and_gone_back_from(site: Site, page: Any, tmp_path: Path) -> None:
    """In the frame: a workbook with an error, its marked copy, the mended one, 反映待ち, 使用中 by itself, the way back."""
    from playwright.sync_api import expect

    in_force = site.sheets / "beta.xlsx"
    before, mended, broken = in_force.read_bytes(), tmp_path / "直したシート.xlsx", tmp_path / "新しいシート.xlsx"
    sheet = mapping(settings={"会社名": "ベータ商事", "処理時刻": "05:15"})
    write_workbook(dataclasses.replace(sheet, tenant="beta", emc_account="beta"), mended)
    with zipfile.ZipFile(mended) as old, zipfile.ZipFile(broken, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b".smarthr.jp", b".example.com"))

    page.goto(site.framed(f"/dag/{BETA}"))
    frame = frame_of(page)
    frame.get_by_role("link", name="シート", exact=True).click()
    expect(frame.get_by_text("使用中 版1")).to_be_visible()
    frame.get_by_label("連携設定シート（").set_input_files(broken)
    look(page, "20-sheets")
    frame.get_by_role("button", name="アップロードして確認する").click()
    expect(frame.get_by_text("誤りがあるため、有効にできません")).to_be_visible()
    look(page, "21-sheet-errors")
    with page.expect_download() as download:
        frame.get_by_role("link", name="色付きの控えを保存").click()
    download.value.save_as(tmp_path / "控え.xlsx")
    assert openpyxl.load_workbook(tmp_path / "控え.xlsx").sheetnames[0] == "確認結果"

    all_versions = frame.get_by_label("現在の場所").get_by_text("シート", exact=True)
    all_versions.click()
    frame.get_by_label("連携設定シート（").set_input_files(mended)
    frame.get_by_role("button", name="アップロードして確認する").click()
    expect(frame.get_by_role("row", name="連携情報 処理時刻 – 04:30 05:15")).to_be_visible()
    look(page, "22-sheet-draft")
    frame.get_by_label("理由（必須）").fill("給与の締めを避ける")
    frame.get_by_role("button", name="この版を有効にする").click()
    state = frame.get_by_label("状態", exact=True)
    expect(state).to_contain_text("反映待ち")
    assert in_force.read_bytes() == mended.read_bytes()
    parse = "from scripts.past_runs import parse_into_database as p; from scripts.local_airflow import PROJECT"
    often = site.environment | {"AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0"}
    command = [sys.executable, "-c", f"{parse}; p(PROJECT / 'dags/smarthr_emc.py')"]
    subprocess.run(command, env=often, cwd=PROJECT, check=True)
    expect(state).to_contain_text("使用中")
    expect(state).to_contain_text("給与の締めを避ける")

    all_versions.click()
    look(page, "23-sheet-versions")
    frame.get_by_role("link", name="版1", exact=True).click()
    frame.get_by_role("button", name="この版に戻す").click()
    frame.get_by_label("理由（必須）").fill("元に戻す")
    frame.get_by_role("button", name="この版を有効にする").click()
    expect(state).to_contain_text("元に戻す")
    assert in_force.read_bytes() == before


def test_s3_a_company_is_added_and_its_way_begins_by_itself(site: Site, page: Any) -> None:
    """In the frame: text 1's form, its ids while one types, 反映待ち until the Dag is there, then 連携開始までの流れ."""
    from playwright.sync_api import expect

    page.goto(site.framed("/"))
    frame = frame_of(page)
    frame.get_by_role("link", name="連携を追加する").click()
    for label, text in (
        ("会社名（必須）", "オメガ物産"), ("会社のID（必須）", "omega"), ("SmartHR URL（必須）", "https://omega.smarthr.jp/"),
        ("結果通知メールアドレス", "soumu@omega.example.jp"),
        ("連携開始日（必須）", (dt.date.today() + dt.timedelta(days=30)).isoformat()),
    ):  # fmt: skip
        frame.get_by_label(label).fill(text)
    frame.get_by_label("ID付与コード", exact=True).press_sequentially("om-")
    expect(frame.get_by_role("row", name="ユーザID 123456789 om-123456789 12/40文字")).to_be_visible()
    look(page, "24-adding")
    frame.get_by_role("button", name="連携を開始する").click()
    expect(frame.get_by_text("反映待ち")).to_be_visible()
    assert (site.sheets / "omega.xlsx").is_file()
    parse = "from scripts.past_runs import parse_into_database as p; from scripts.local_airflow import PROJECT"
    command = [sys.executable, "-c", f"{parse}; p(PROJECT / 'dags/smarthr_emc.py')"]
    subprocess.run(command, env=site.environment, cwd=PROJECT, check=True)
    expect(frame.get_by_role("heading", name="連携開始までの流れ")).to_be_visible()
    expect(frame.get_by_text("登録されていない接続: emc__omega、first_password__omega")).to_be_visible()
    look(page, "25-way")


def test_s3_smarthr_is_connected_by_its_log_in_and_a_run_uses_it(site: Site, page: Any) -> None:
    """Out of the frame to SmartHR's log-in and consent, and back into it; no code comes into Airflow's log (L7)."""
    from playwright.sync_api import expect

    page.goto(site.framed(f"/dag/{GAMMA}"))
    frame = frame_of(page)
    frame.get_by_role("link", name="SmartHRの接続").click()
    expect(frame.get_by_text("未連携", exact=True)).to_be_visible()
    frame.get_by_role("link", name="連携する", exact=True).click()
    page.get_by_label("メールアドレス").fill("admin@gamma")
    page.get_by_label("パスワード").fill("smarthr")
    page.get_by_role("button", name="ログイン").click()
    look(page, "30-consent")
    page.get_by_role("button", name="許可する").click()
    expect(frame.get_by_role("status")).to_have_text("連携済みになりました。")
    assert page.url == site.framed(f"/dag/{GAMMA}/smarthr?said=CONNECTED")
    expect(frame.get_by_role("row", name=f"許可した人 {USER}さん")).to_be_visible()
    look(page, "31-connected")
    read = "from renkei.orchestration.smarthr_emc.hooks import smarthr_client as c; import sys; c('gamma', sys.argv[1]).check()"
    subprocess.run([sys.executable, "-c", read, site.smarthr.url], env=site.environment, check=True)
    frame.get_by_role("button", name="連携解除").click()
    expect(frame.get_by_text("連携を解除しました。")).to_be_visible()
    log = site.log.read_text("utf-8", "replace")
    assert "/renkei/console/smarthr/callback" in log, "the access log was there"
    assert not re.search(r"code_[\w-]{20}|gamma\.[0-9a-f]{64}", log)


def test_a_statement_is_printed_from_a_page_of_its_own(site: Site, page: Any, tmp_path: Path) -> None:
    """A frame cannot print: it leads to the plain page, whose button prints, and which is one A4 as a PDF."""
    from playwright.sync_api import expect

    page.goto(site.framed(f"/dag/{ACME}"))
    frame = frame_of(page)
    frame.get_by_role("link", name="即応証明").click()
    expect(frame.get_by_text("証明できません: ")).to_be_visible()
    expect(frame.get_by_role("button", name="印刷・PDF")).to_be_hidden()
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="印刷用に開く").click()
    plain = opened.value
    expect(plain.get_by_role("button", name="印刷・PDF")).to_be_visible()
    assert plain.url == site.plain(f"/dag/{ACME}/readiness")
    plain.evaluate("window.print = () => { document.title = 'printed'; }")
    plain.get_by_role("button", name="印刷・PDF").click()
    expect(plain).to_have_title("printed")
    written = plain.pdf(path=str(tmp_path / "statement.pdf"), prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", written)) == 1


def test_who_has_left_is_found_and_explained(site: Site, page: Any) -> None:
    """In the frame, from the company on: those who are deleted, one of them, why; nobody's name comes into an address."""
    from playwright.sync_api import expect

    page.goto(site.framed(f"/dag/{ACME}"))
    frame = frame_of(page)
    frame.get_by_role("link", name="予定と社員を探す").click()
    frame.get_by_role("button", name="削除 1").click()
    expect(frame.get_by_role("status")).to_have_text("削除: 1人")
    gone = frame.get_by_role("row").filter(has_text="小鳥遊")
    look(page, "12-people")
    gone.get_by_role("button", name="詳しく見る").click()
    expect(frame.get_by_role("status")).to_contain_text("EMCから削除")
    expect(frame.get_by_role("heading", name="小鳥遊")).to_be_visible()
    look(page, "13-person")
    assert page.url == site.framed(f"/dag/{ACME}/person")


def test_a_name_is_text_and_a_reload_asks_again(site: Site, chromium: Any, login: Any) -> None:
    """Outside the frame, on a narrow screen: whatever somebody is called, and what was asked for stays."""
    from playwright.sync_api import expect

    page = new_page(chromium, storage_state=login, viewport=PHONE)
    page.goto(site.plain(f"/dag/{ACME}/people"))
    page.get_by_role("searchbox").fill("SCRIPT")
    page.get_by_role("button", name="検索").click()
    for _ in range(2):
        expect(page.get_by_role("status")).to_contain_text("「SCRIPT」")
        expect(page.get_by_role("cell", name="<script>alert(5)</script>")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 420
        page.reload()
    page.get_by_role("button", name="詳しく見る").click()
    expect(page.get_by_role("heading", name="<script>alert(5)</script>")).to_be_visible()
    look(page, "14-narrow-person")
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    assert page.said == []
    page.context.close()


def test_a_session_that_ended_is_a_log_in_and_not_an_empty_page(site: Site, chromium: Any, login: Any) -> None:
    """A part that htmx asks for would show the log-in inside the list; the page reloads itself instead."""
    from playwright.sync_api import expect

    page = new_page(chromium, storage_state=login)
    page.goto(site.plain("/"))
    expect(page.get_by_role("heading", name="連携一覧")).to_be_visible()
    page.context.clear_cookies()
    page.get_by_label("会社名・テナントで検索").fill("アクメ")
    page.get_by_role("button", name="検索").click()
    expect(page).to_have_url(re.compile("/af/auth/login"))
    page.context.close()


def test_pages_work_without_scripts(site: Site, chromium: Any, login: Any) -> None:
    """Outside the frame, on a narrow screen: links, search and forms are the browser's own."""
    from playwright.sync_api import expect

    page = new_page(chromium, storage_state=login, java_script_enabled=False, viewport=PHONE)
    page.goto(site.plain("/"))
    page.get_by_label("会社名・テナントで検索").fill("beta")
    page.get_by_role("button", name="検索").click()
    expect(page.get_by_text("「beta」: 1社")).to_be_visible()
    look(page, "8-narrow-list")
    page.get_by_role("link", name="ベータ商事").click()
    look(page, "9-narrow-company")
    page.get_by_role("link", name="誤りと対処を見る").click()
    expect(page.get_by_role("heading", name="失敗 EMC-ERROR-D(Update NG)")).to_be_visible()
    page.get_by_role("link", name="ベータ商事").click()
    page.get_by_role("link", name="実行する").first.click()
    page.get_by_label("確認のみ").check()
    page.get_by_role("button", name="実行する").click()
    expect(page.get_by_role("heading", name="待機中 確認のみ")).to_be_visible()
    page.goto(site.plain(f"/dag/{ACME}/person"))
    page.get_by_role("searchbox").fill("小鳥遊")
    page.get_by_role("button", name="調べる").click()
    expect(page.get_by_role("status")).to_contain_text("EMCから削除")
    page.context.close()


NARROW = [
    "/",
    "/new/smarthr_emc",
    "/many",
    *(
        f"/dag/{BETA}{part}"
        for part in ("", "/runs", "/run", "/sheets", "/sheets/1", "/sheet-form", "/smarthr", "/invitations")
    ),
]
STACKED = [f"/dag/{BETA}/{part}" for part in ("channels", "events", "members", "connections", "start")]


@pytest.mark.parametrize("path", [*NARROW, *STACKED])
def test_no_page_is_wider_than_a_narrow_screen(site: Site, page: Any, path: str) -> None:
    """Wide tables move within themselves; those that are read or filled in on a phone stand one line below another."""
    page.set_viewport_size(PHONE)
    page.goto(site.plain(path))
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    moving = "[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
    assert path not in STACKED or page.evaluate(moving) == 0


def test_s2_k8_the_sheet_of_kintone_is_filled_in_checked_mended_and_enabled(site: Site, page: Any) -> None:
    """In the frame: 連携情報, items with the codes that were read, the 対応表 of users; a mistake is told at its place."""
    from playwright.sync_api import expect

    dag, workbook = "hotprofile_kintone__kin", site.sheets.parent / "hotprofile_kintone/kin.xlsx"
    page.goto(site.framed(f"/dag/{dag}"))
    frame = frame_of(page)
    frame.get_by_role("link", name="シート", exact=True).click()
    frame.get_by_role("link", name="画面で編集する").click()
    expect(frame.get_by_label("サブドメイン（必須）")).to_have_value("https://acme.cybozu.com")
    companies = frame.get_by_role("region", name="会社", exact=True)
    tel = companies.get_by_label("代表電話番号 kintoneフィールドコード")
    offered = tel.evaluate("field => [...field.list.options].map(option => option.value)")
    assert offered == ["id", "name", "note"]
    frame.get_by_label("連携間隔（必須）").select_option("1時間")
    frame.get_by_label("通知先メールアドレス（必須）").fill("soumu@kin.example.jp")
    tel.fill("note")
    users = frame.get_by_role("region", name="ユーザー対応表")
    users.get_by_role("textbox").nth(0).fill("山田 太郎")
    users.get_by_role("textbox").nth(1).fill("yamada")
    look(page, "30-kintone-form")
    save = frame.get_by_role("button", name="新しい版として保存し、確認する")
    save.click()
    expect(frame.get_by_text("フィールドコード「note」が2回記入されています")).to_be_visible()
    look(page, "31-kintone-errors")
    expect(users.get_by_role("textbox").nth(1)).to_have_value("yamada")
    tel.fill("tel")
    save.click()
    expect(frame.get_by_role("row", name="連携情報 連携間隔（分） – 5 60")).to_be_visible()
    look(page, "32-kintone-draft")
    frame.get_by_label("理由（必須）").fill("電話番号も連携する")
    frame.get_by_role("button", name="この版を有効にする").click()
    expect(frame.get_by_label("状態", exact=True)).to_contain_text("反映待ち")
    cells = [cell.value for sheet in openpyxl.load_workbook(workbook) for row in sheet for cell in row]
    assert {"tel", "yamada", "1時間"} <= set(cells)


@pytest.mark.parametrize(
    ("dag", "changed"), [("lineworks_kot__kot", "打刻商店改"), ("workplace_lineworks__wp", "不在工業改")]
)
def test_s2_the_sheets_of_the_other_links_are_filled_in(site: Site, page: Any, dag: str, changed: str) -> None:
    """In the frame: the form, its one change, the version enabled: the file in force says it."""
    from playwright.sync_api import expect

    page.goto(site.framed(f"/dag/{dag}/sheet-form"))
    frame = frame_of(page)
    frame.get_by_label("会社名", exact=True).fill(changed)
    look(page, f"33-{dag}")
    frame.get_by_role("button", name="新しい版として保存し、確認する").click()
    expect(frame.get_by_role("row", name=re.compile(f"会社名.*{changed}"))).to_be_visible()
    frame.get_by_label("理由（必須）").fill("社名を変えた")
    frame.get_by_role("button", name="この版を有効にする").click()
    expect(frame.get_by_label("状態", exact=True)).to_contain_text("反映待ち")
    link, _, tenant = dag.partition("__")
    assert f"company_name: {changed}" in (site.sheets.parent / link / f"{tenant}.yaml").read_text(encoding="utf-8")


def test_s5_customers_come_in_by_the_api_server_where_there_is_no_public_service(site: Site) -> None:
    """Below its prefix; its access log has neither the invitation nor what the source system sends back (L7)."""
    command = [sys.executable, "-m", "scripts.demo_invitation", "acme"]
    made = subprocess.run(command, cwd=PROJECT, env=site.environment, stdout=subprocess.PIPE, check=True)
    address, _, token = made.stdout.decode().splitlines()[-1].partition("#")
    assert address == f"{site.url}/renkei/customer/enter"
    browser = requests.Session()
    browser.headers["Sec-Fetch-Site"] = "same-origin"
    assert browser.get(address, timeout=120).status_code == 200
    start = browser.post(address, data={"invitation": token}, timeout=120)
    assert start.url == f"{site.url}/renkei/customer/"
    assert "株式会社アクメ" in start.text
    assert f'href="{site.prefix}/renkei/customer/sheets"' in start.text
    assert requests.get(start.url, timeout=120).status_code == 404
    browser.get(f"{start.url}connection/back?state=acme.secret-state&code=secret-code", timeout=120)
    log = site.log.read_text()
    assert "/renkei/customer/enter" in log
    assert [secret for secret in (token, "secret-state", "secret-code") if secret in log] == []
