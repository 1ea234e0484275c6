"""Each step of the way to a running link done wrongly, in Chromium over a whole Airflow: what a person is told, and how he goes on.

One Airflow, one public service and the systems around them serve all of it (`whole_site`); pages are the plain ones.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from renkei.links.smarthr_emc.connecting import LOGIN_LASTS
from renkei.links.smarthr_emc.sheet.yaml_form import to_yaml
from renkei.storage.database.database import open_database
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.customer.tables import INVITATION
from scripts.local_airflow import USER
from tests.end_to_end.browser import PATIENCE_MS, PHONE, look, needs_chromium, new_page, used_again
from tests.end_to_end.whole_site import VIEWER, WholeSite, whole_site

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, index: Path, new_database: Path) -> Iterator[WholeSite]:
    with whole_site(tmp_path_factory.mktemp("whole"), index, new_database) as found:
        yield found


def somebody(whole: WholeSite, chromium: Any, user: str = USER, **options: Any) -> Any:
    """A browser of its own, in which that user has logged in; nobody has for ""."""
    page = new_page(chromium, ignore_https_errors=True, **options)
    if user:
        page.context.add_cookies([whole.cookie(user)])
    return page


@pytest.fixture(scope="module")
def tab(chromium: Any) -> Iterator[Any]:
    found = new_page(chromium, ignore_https_errors=True)
    yield found
    found.context.close()


@pytest.fixture(scope="module")
def cookie(whole: WholeSite) -> dict[str, str]:
    return whole.cookie()


@pytest.fixture
def page(whole: WholeSite, tab: Any, cookie: dict[str, str]) -> Iterator[Any]:
    yield from used_again(tab, [cookie])
    for system in (whole.smarthr, whole.emc):
        system.sim("DELETE", "faults")


# --- 連携を追加する


def test_s3_a_company_that_cannot_be_added_is_told_why_and_nothing_typed_is_lost(whole: WholeSite, page: Any) -> None:
    """A name that is taken, ids that are too long, an ID付与コード that meets another company's of the same EMC."""
    from playwright.sync_api import expect

    page.goto(whole.at("/new/smarthr_emc"))
    typed = {
        "会社名（必須）": "デルタ電機", "会社のID（必須）": "acme", "SmartHR URL（必須）": f"{whole.smarthr.url}/",
        "結果通知メールアドレス": "soumu@delta.example.jp",
        "連携開始日（必須）": (dt.date.today() + dt.timedelta(days=30)).isoformat(),
    }  # fmt: skip
    for label, text in typed.items():
        page.get_by_label(label).fill(text)
    code, begin = page.get_by_label("ID付与コード", exact=True), page.get_by_role("button", name="連携を開始する")
    begin.click()
    expect(page.get_by_role("alert")).to_contain_text("この会社のIDは既に使われています")
    expect(page.get_by_label("会社のID（必須）")).to_have_attribute("aria-invalid", "true")
    look(page, "r01-taken")

    typed["会社のID（必須）"] = "delta"
    page.get_by_label("会社のID（必須）").fill("delta")
    code.fill("delta-delta-delta-20")
    for label, text in (("部署ID", "delta-honsha"), ("部署名", "デルタ"), ("部署名（ヨミ）", "デルタ")):
        page.get_by_role("textbox", name=re.compile(rf"^{label}($|（ID)")).fill(text)
    expect(page.locator("#samples")).to_contain_text("長すぎます")
    begin.click()
    expect(page.get_by_role("alert")).to_contain_text("ID付与コードを含めて32文字")
    look(page, "r02-long")
    page.get_by_role("textbox", name=re.compile("^部署ID（ID")).fill("")
    page.get_by_role("textbox", name="部署名", exact=True).fill("")
    page.get_by_role("textbox", name="部署名（ヨミ）", exact=True).fill("")

    code.fill("b-")
    page.get_by_text("複数の会社を1つのエマージェンシーコールに").click()
    page.get_by_label("EMCアカウント").fill("acme")
    begin.click()
    expect(page.get_by_role("alert")).to_contain_text("まだ開始していません")
    expect(page.get_by_role("alert")).to_contain_text("beta")
    look(page, "r03-clash")
    for label, text in typed.items():
        expect(page.get_by_label(label)).to_have_value(text)
    expect(code).to_have_value("b-")
    assert not (whole.folder / "mappings/smarthr_emc/delta.xlsx").exists(), "nothing is kept before it is sure"


# --- 連携する


def begin_login(page: Any, who: str) -> None:
    """Off to SmartHR, and logged in there."""
    page.context.clear_cookies(name="sim_smarthr")
    page.get_by_role("link", name=re.compile("^(もう一度)?連携する$")).click()
    page.get_by_label("メールアドレス").fill(who)
    page.get_by_label("パスワード").fill("smarthr")
    page.get_by_role("button", name="ログイン").click()


def way_back(page: Any) -> str:
    """The consent is given, and the address to which SmartHR then sends the browser; it has not gone there."""
    found: list[str] = []

    def held(route: Any) -> None:
        if route.request.method == "GET":
            return route.continue_()
        found.append(route.fetch(max_redirects=0).headers["location"])
        route.fulfill(body="held")

    page.route("**/oauth/authorization*", held)
    page.get_by_role("button", name="許可する").click()
    page.wait_for_load_state()
    page.unroute("**/oauth/authorization*")
    return found[0]


def test_s3_a_log_in_at_smarthr_that_fails_says_why_and_changes_nothing(
    whole: WholeSite, page: Any, chromium: Any
) -> None:
    """Refused, another company, no administrator, given up, too late, in another browser, SmartHR without an answer."""
    from playwright.sync_api import expect

    here, alert = whole.at("/smarthr", "beta"), page.get_by_role("alert")
    page.goto(here)
    begin_login(page, "admin@beta")
    page.get_by_role("button", name="キャンセル").click()
    expect(alert).to_contain_text("キャンセルされました。連携は変わっていません")
    look(page, "r10-cancelled")
    begin_login(page, "admin@acme")
    page.get_by_role("button", name="許可する").click()
    expect(alert).to_contain_text("ログインした会社が、シートのSmartHR URLと違います")
    look(page, "r11-other-company")
    begin_login(page, "member@beta")
    expect(page.get_by_text("SmartHRの管理者権限が必要です")).to_be_visible()

    page.goto(here)
    expect(page.get_by_text("SmartHRで許可待ち", exact=True)).to_be_visible()
    begin_login(page, "admin@beta")
    back = way_back(page)
    other = somebody(whole, chromium)
    other.goto(back)
    expect(other.get_by_role("alert")).to_contain_text("同じブラウザで操作してください")
    look(other, "r12-other-browser")
    other.context.close()
    late(whole, "beta")
    page.goto(back)
    expect(alert).to_contain_text("ログインの有効期限（10分）が切れたか、すでに使われています")
    look(page, "r13-late")

    for kind, said in (("not_json", "連携できたか分かりません"), ("maintenance_503", "メンテナンス中です")):
        whole.smarthr.fault(path="/oauth/token", kind=kind, times=1)
        begin_login(page, "admin@beta")
        page.get_by_role("button", name="許可する").click()
        expect(alert).to_contain_text(said)
    look(page, "r14-away")
    expect(page.get_by_text("連携済み", exact=True)).to_have_count(0)


def late(whole: WholeSite, tenant: str) -> None:
    """The log-ins that are under way were begun ten minutes earlier."""
    folder = TenantFolder(whole.store(), "smarthr_emc", tenant)
    for name in folder.store.names(folder.source_logins):
        if ".used" not in name:
            key = f"{folder.source_logins}/{name}"
            login = json.loads(folder.store.read(key))
            at = dt.datetime.fromisoformat(login["expires_at"]) - LOGIN_LASTS
            folder.store.write(key, json.dumps({**login, "expires_at": at.isoformat()}).encode())


def trial_of(page: Any, name: str) -> Any:
    """The row of a Connection in what a job says of all of them."""
    from playwright.sync_api import expect

    expect(page.get_by_text("開始したときのデータによる結果です")).to_be_visible()
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))


def test_s3_a_grant_that_smarthr_revokes_is_seen_and_a_wrong_token_is_told(whole: WholeSite, page: Any) -> None:
    """連携済み, a reload; revoked at SmartHR → 再認可が必要 → connected again → 連携解除; then a token that is wrong."""
    from playwright.sync_api import expect

    here = whole.at("/smarthr", "beta")
    page.goto(here)
    begin_login(page, "admin@beta")
    back = way_back(page)
    page.goto(back)
    expect(page.get_by_role("status")).to_have_text("連携済みになりました。")
    page.goto(back)
    expect(page.get_by_role("alert")).to_contain_text("すでに使われています。連携済みでなければ、")
    expect(page.get_by_text("連携済み", exact=True)).to_be_visible()
    look(page, "r20-twice")

    whole.smarthr.sim("POST", "oauth/revoke")
    page.get_by_role("button", name="接続を確かめる").click()
    expect(trial_of(page, "smarthr__beta")).to_contain_text("再認可が必要")
    expect(page.get_by_role("status")).to_contain_text("つながらない接続が")
    look(page, "r21-revoked-trial")
    page.goto(whole.at("/?q=beta"))
    reload_until(page, page.get_by_role("row", name="ベータ商事").filter(has_text="再認可が必要"))
    page.get_by_role("link", name="ベータ商事").click()
    page.get_by_role("link", name="SmartHRの接続を開く").click()
    look(page, "r22-revoked")
    begin_login(page, "admin@beta")
    page.get_by_role("button", name="許可する").click()
    expect(page.get_by_role("status")).to_have_text("連携済みになりました。")
    page.get_by_role("button", name="連携解除").click()
    expect(page.get_by_role("status")).to_contain_text("連携を解除しました")
    expect(page.get_by_text("未連携", exact=True)).to_be_visible()
    look(page, "r23-ended")

    page.get_by_role("link", name="アクセストークンを登録する").click()
    page.get_by_label("アクセストークン").fill("shr_sim_wrong")
    page.get_by_role("button", name="登録して確かめる").click()
    expect(trial_of(page, "smarthr__beta")).to_contain_text("SmartHRのアクセストークンが無効です")
    look(page, "r24-wrong-token")
    page.goto(here)
    page.get_by_role("link", name="アクセストークンを登録し直す").click()
    expect(page.get_by_label("アクセストークン")).to_have_value("")


# --- the sheet


def upload(page: Any, file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    page.get_by_label("連携設定シート（").set_input_files(file)
    page.get_by_role("button", name="アップロードして確認する").click()


def test_s2_who_confirms_an_outdated_sheet_changes_nothing_and_sees_who_was_first(
    whole: WholeSite, page: Any, chromium: Any, tmp_path: Path
) -> None:
    """Two people, two drafts; the second one goes on from what is in force now, and back to the first one's."""
    from playwright.sync_api import expect

    other, shown = somebody(whole, chromium), whole.folder / "mappings/smarthr_emc/gamma.yaml"
    for one, day in ((page, 2), (other, 3)):
        one.goto(whole.at("/sheets", "gamma"))
        upload(one, tmp_path / f"{day}.yaml", to_yaml(whole.sheet("gamma", link_start_on=dt.date(2026, 4, day))))
        one.get_by_label("理由（必須）").fill(f"{day}日から")
    page.get_by_role("button", name="この版を有効にする").click()
    expect(page.get_by_label("状態", exact=True)).to_contain_text("反映待ち")
    other.get_by_role("button", name="この版を有効にする").click()
    expect(other.get_by_role("heading", name="有効にしていません")).to_be_visible()
    expect(other.get_by_text(f"{USER}さんが先にシートを変更しました")).to_be_visible()
    look(other, "r30-torn")
    assert "2026-04-02" in shown.read_text(encoding="utf-8")
    other.get_by_role("link", name="シートの画面に戻る").click()
    expect(other.get_by_role("row", name=re.compile("連携開始日.*2026-04-02.*2026-04-03"))).to_be_visible()
    other.get_by_label("理由（必須）").fill("やはり3日から")
    other.get_by_role("button", name="この版を有効にする").click()
    expect(other.get_by_label("状態", exact=True)).to_contain_text("やはり3日から")
    assert "2026-04-03" in shown.read_text(encoding="utf-8")
    other.context.close()

    page.goto(whole.at("/sheets/2", "gamma"))
    page.get_by_role("button", name="この版に戻す").click()
    page.get_by_label("理由（必須）").fill("元に戻す")
    page.get_by_role("button", name="この版を有効にする").click()
    expect(page.get_by_label("状態", exact=True)).to_contain_text("元に戻す")
    assert "2026-04-02" in shown.read_text(encoding="utf-8")


# --- Connections and channels


def register(page: Any, whole: WholeSite, tenant: str, name: str, fields: dict[str, str]) -> None:
    """The form of a Connection is filled in and tried."""
    page.goto(whole.at(f"/connections/{name}", tenant))
    for label, text in fields.items():
        page.get_by_label(re.compile(f"^{re.escape(label)}(（任意）)?$")).fill(text)
    page.get_by_role("button", name="登録して確かめる").click()


def test_s2_a_connection_with_a_wrong_value_is_told_apart_by_what_is_wrong(whole: WholeSite, page: Any) -> None:
    """EMC: its token, another address without a token; then right."""
    from playwright.sync_api import expect

    url, token = "EMC取込APIのURL", "トークン"
    register(page, whole, "acme", "emc__acme", {token: "emc_sim_wrong"})
    expect(trial_of(page, "emc__acme")).to_contain_text("トークン")
    expect(page.get_by_role("status")).to_contain_text("「emc__acme」はつながりません")
    look(page, "r40-emc-token")
    page.goto(whole.at("/connections/emc__acme", "acme"))
    page.get_by_label(url, exact=True).fill("https://emc.example.jp")
    page.get_by_role("button", name="登録して確かめる").click()
    expect(page.get_by_role("alert")).to_contain_text(token)
    look(page, "r41-emc-elsewhere")
    register(page, whole, "acme", "emc__acme", {url: whole.emc.url, token: "emc_sim_acme"})
    expect(trial_of(page, "emc__acme")).to_contain_text("○")


def test_n1_a_webhook_that_was_revoked_is_told_by_its_test(whole: WholeSite, page: Any) -> None:
    """What is wrong and what to do; registered again, it arrives."""
    from playwright.sync_api import expect

    webhook = whole.neighbours.chat_registrations()["slack_webhook"]["url"]
    page.goto(whole.at("/channels/new", "acme"))
    page.get_by_label("名前").fill("総務のSlack")
    page.get_by_label("Incoming WebhookのURL").fill(f"{webhook}x")
    page.get_by_role("button", name="登録する").click()
    expect(page.get_by_role("status")).to_contain_text("として有効にしました")
    row = page.get_by_role("row", name="総務のSlack")
    for address, said in ((f"{webhook}x", "には届きませんでした。"), (webhook, "に届きました。")):
        reload_until(page, row)
        if address == webhook:
            row.get_by_role("link", name="総務のSlack").click()
            page.get_by_label("Incoming WebhookのURL").fill(webhook)
            page.get_by_role("button", name="登録する").click()
        row.get_by_role("button").click()
        expect(page.get_by_role("status")).to_contain_text(said)
        look(page, f"r45-{said}")
        page.get_by_role("link", name="通知連携に戻る").click()


def reload_until(page: Any, wanted: Any) -> None:
    """Airflow reads a sheet again in its own time, and the console its companies; the pages tell so by themselves, later."""
    for _ in range(PATIENCE_MS // 500):
        if wanted.count():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(page.content())


# --- rehearsal and runs


def rehearse(page: Any, whole: WholeSite) -> None:
    page.goto(whole.at("/rehearsal", "acme"))
    page.get_by_label("今のSmartHRとEMCで試す").check()
    page.get_by_role("button", name="リハーサルを始める").click()


def run(page: Any, whole: WholeSite, mode: str) -> None:
    """Asked for on the page; where the Dag is paused, it is not any more."""
    page.goto(whole.at("/run", "acme"))
    page.get_by_role("radio", name=mode).check()
    page.get_by_role("button", name="実行する").click()


def test_s3_a_rehearsal_that_cannot_read_says_whose_fault_it_is(whole: WholeSite, page: Any) -> None:
    """SmartHR in maintenance; begun again, EMC away."""
    from playwright.sync_api import expect

    job = page.locator("#job")
    whole.smarthr.fault(path="/crews", kind="maintenance_503")
    rehearse(page, whole)
    expect(job.get_by_text(re.compile("SmartHR.*メンテナンス"))).to_be_visible()
    look(page, "r50-smarthr-away")
    whole.smarthr.clear()
    whole.emc.sim("POST", "faults", [{"path": "*", "kind": "maintenance_503", "times": 100}])
    rehearse(page, whole)
    expect(job.get_by_text(re.compile("EMCがメンテナンス中です"))).to_be_visible()
    expect(job.get_by_text("EMCの登録内容と比べ終わる前に止まりました")).to_be_visible()
    look(page, "r51-emc-away")


def test_s3_runs_that_fail_or_are_held_lead_back_to_emc_ok(whole: WholeSite, page: Any) -> None:
    """確認のみ with a bad row; 通常 held, refused, held again, approved; each page says what to do next."""
    from playwright.sync_api import expect

    heading = page.get_by_role("heading", level=1)
    crew = next(iter(whole.smarthr.sim("GET", "companies/acme/crews")))
    name = {"last_name": crew["last_name"], "first_name": crew["first_name"]}
    whole.smarthr.sim("PATCH", f"companies/acme/crews/{crew['id']}", dict.fromkeys(name, ""))
    run(page, whole, "確認のみ")
    expect(heading).to_contain_text("失敗 EMC-ERROR-D")
    expect(page.get_by_role("region", name="誤りの一覧")).to_contain_text("氏名")
    look(page, "r55-bad-row")
    page.goto(whole.at("", "acme"))
    expect(page.get_by_label("次にすること")).to_contain_text("誤りと対処を確認し、直してから実行してください")
    whole.smarthr.sim("PATCH", f"companies/acme/crews/{crew['id']}", name)

    whole.smarthr.sim("POST", "companies/acme/day", {"leavers": 12})
    for answer, ended in (("登録しない", "失敗"), ("承認して登録する", "成功 EMC-OK")):
        run(page, whole, "通常")
        expect(heading).to_contain_text("要対応")
        page.get_by_role("link", name="内容を確認して回答する").first.click()
        page.get_by_label("判断の理由（必須）").fill("確認した")
        page.get_by_role("button", name=re.compile(f"^{answer}")).click()
        expect(page.get_by_label("回答の状態")).to_contain_text(f"{USER}さんが")
        look(page, f"r57-{answer}")
        page.get_by_label("現在の場所").get_by_role("link", name=re.compile("の実行$")).click()
        expect(heading).to_contain_text(ended)
        look(page, f"r58-{answer}")
    assert whole.neighbours.emc_head_count("acme")["users"] == whole.neighbours.valid_crews("acme")


# --- お客様ページ

CLOSED = "このページは開けません"


def invited(page: Any, whole: WholeSite, tenant: str) -> tuple[str, str]:
    """The invitation's name, and its link as it lies in the clipboard once コピー was pressed."""
    from playwright.sync_api import expect

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(whole.at("/invitations", tenant))
    page.get_by_label("だれに（必須").fill("総務部 ご担当者様")
    page.get_by_label("理由（必須）").fill("準備")
    page.get_by_role("button", name="招待のリンクを作る").click()
    page.get_by_role("button", name="コピー").click()
    expect(page.get_by_text("コピーしました")).to_be_visible()
    link = str(page.evaluate("navigator.clipboard.readText()"))
    assert link == page.locator("#link").input_value()
    return page.get_by_role("heading", name=re.compile("^招待.*のリンク$")).inner_text().removesuffix("のリンク"), link


def enter(customer: Any, link: str) -> None:
    customer.goto(link)
    customer.get_by_role("button", name="開く").click()


def test_s5_an_invitation_opens_one_company_for_whom_it_was_given_to(
    whole: WholeSite, page: Any, chromium: Any, tmp_path: Path
) -> None:
    """Copied by its button; two windows, two browsers, no scripts, 420 px; a broken file; another company's; expired; revoked."""
    from playwright.sync_api import expect

    (name, link), (_, others) = invited(page, whole, "acme"), invited(page, whole, "beta")
    look(page, "r60-made")
    phone = somebody(whole, chromium, "", viewport=PHONE)
    enter(phone, link)
    expect(phone.get_by_role("heading", name="株式会社アクメ")).to_be_visible()
    phone.get_by_role("link", name="シート", exact=True).click()
    for file, content in (
        ("broken.xlsx", b"PK\x03\x04 no workbook"),
        ("empty.yaml", b""),
        ("photo.yaml", bytes(range(256))),
    ):
        (tmp_path / file).write_bytes(content)
        phone.get_by_label("連携設定シート").set_input_files(tmp_path / file)
        phone.get_by_role("button", name="アップロードして確認する").click()
        expect(
            phone.get_by_text(re.compile("誤りがあるため、このままでは使えません|ファイルが選ばれていないか、空です"))
        ).to_be_visible()
        for found in phone.get_by_role("region", name="誤り").all():
            assert found.evaluate("one => one.scrollWidth <= one.clientWidth"), "what to do is in sight, too"
        narrow(phone, f"r61-{file}")
        phone.goto(f"{whole.public_url}/renkei/customer/sheets")

    window = phone.context.new_page()
    enter(window, link)  # the same browser once more: the session before is over, with the words of its forms
    expect(window.get_by_role("heading", name="株式会社アクメ")).to_be_visible()
    phone.get_by_label("連携設定シート").set_input_files(tmp_path / "photo.yaml")
    phone.get_by_role("button", name="アップロードして確認する").click()
    expect(phone.get_by_role("heading", name="操作を受け付けませんでした")).to_be_visible()
    narrow(phone, "r62-two-windows")
    phone.goto(f"{whole.public_url}/renkei/customer/results")
    expect(phone.get_by_role("heading", name="処理の結果")).to_be_visible()

    plain = somebody(whole, chromium, "", java_script_enabled=False, viewport=PHONE)
    plain.goto(link)  # the copied address in another browser, without scripts: nothing is in the field
    plain.get_by_label("招待のリンク").fill(link)
    plain.get_by_role("button", name="開く").click()
    expect(plain.get_by_role("heading", name="株式会社アクメ")).to_be_visible()
    narrow(plain, "r63-plain")

    other = somebody(whole, chromium, "", viewport=PHONE)
    enter(other, others)
    expect(other.get_by_role("heading", name="ベータ商事")).to_be_visible()
    enter(phone, others)  # who opens another company's link is in that company alone
    expect(phone.get_by_role("heading", name="ベータ商事")).to_be_visible()

    page.goto(whole.at("/invitations", "acme"))
    row = page.get_by_role("row", name=name)
    row.get_by_role("button", name="取り消す").click()
    expect(row.get_by_role("button")).to_have_count(0)
    expect(row).to_contain_text("取り消し")
    look(page, "r64-revoked")
    plain.reload()
    expect(plain.get_by_role("heading", name=CLOSED)).to_be_visible()
    narrow(plain, "r65-closed")
    enter(other, link)
    expect(other.get_by_role("heading", name=CLOSED)).to_be_visible()
    enter(other, others)  # in the tab in which the revoked one was refused
    expect(other.get_by_role("heading", name="ベータ商事")).to_be_visible()
    expire(whole)
    other.reload()
    expect(other.get_by_role("heading", name=CLOSED)).to_be_visible()
    for address in (f"{link}x", link.partition("#")[0] + "#nonsense"):
        enter(other, address)
        expect(other.get_by_role("heading", name=CLOSED)).to_be_visible()
    for one in (phone, plain, other):
        one.context.close()


# --- by mouse


def test_s2_a_company_is_paused_frozen_and_exported_by_mouse(whole: WholeSite, page: Any, tmp_path: Path) -> None:
    """And back: what was pressed is seen on its page at once, and what is downloaded lands."""
    from playwright.sync_api import expect

    company = whole.at("", "beta")
    page.goto(company)
    for pressed, then in (("一時停止を解除", "一時停止"), ("一時停止", "一時停止を解除")):
        press_until(page, company, pressed, then)
    for pressed, said in (("削除と消去を止める", "凍結中"), ("凍結を解除する", "凍結していません")):
        page.goto(company)
        page.get_by_role("link", name="災害時凍結", exact=True).click()
        page.get_by_label("理由（必須）").fill("地震のため")
        page.get_by_role("button", name=re.compile(pressed)).click()
        expect(page.get_by_label("いまの状態")).to_contain_text(said)
        look(page, f"r70-{said}")
    page.goto(whole.at("/?q=beta"))
    for kind, begins in (("CSV", b"\xef\xbb\xbf"), ("Excel", b"PK")):
        with page.expect_download() as download:
            page.get_by_role("link", name=kind, exact=True).click()
        download.value.save_as(tmp_path / kind)
        assert (tmp_path / kind).read_bytes().startswith(begins), kind


def press_until(page: Any, company: str, pressed: str, then: str) -> None:
    """SQLite may be locked, of which Airflow makes a 500 that the page explains: pressed again, as a person does."""
    for _ in range(20):
        if page.get_by_role("button", name=then, exact=True).count():
            return
        with page.expect_navigation():
            page.get_by_role("button", name=pressed, exact=True).click()
        page.goto(company)
    raise AssertionError(f"{pressed}: {page.content()}")


def test_s2_many_sheets_are_uploaded_as_a_zip_by_mouse(whole: WholeSite, page: Any, tmp_path: Path) -> None:
    """One new company, one sheet with a mistake, one that is none: a table, and the sound one is enabled."""
    from playwright.sync_api import expect

    sheet = to_yaml(dataclasses.replace(whole.sheet("gamma"), tenant="omega", emc_account="omega"))
    sheets = {"omega.yaml": sheet, "sigma.yaml": sheet.replace("2026-04-01", "2026-13-01"), "photo.png": "no sheet"}
    with zipfile.ZipFile(tmp_path / "多くの会社.zip", "w") as packed:
        for name, content in sheets.items():
            packed.writestr(name, content)
    page.goto(whole.at("/many"))
    page.get_by_label("zipファイル（").set_input_files(tmp_path / "多くの会社.zip")
    page.get_by_role("button", name="アップロードして検査する").click()
    enable = page.get_by_role("button", name="誤りのないシートを有効にする（1社）")
    expect(enable).to_be_visible()
    expect(page.get_by_role("row", name="sigma")).to_contain_text("誤り")
    look(page, "r75-many")
    page.get_by_label("理由（必須）").fill("新しい会社")
    enable.click()
    expect(page.get_by_role("row", name="omega")).to_contain_text("使用中")
    look(page, "r76-many-enabled")
    assert (whole.folder / "mappings/smarthr_emc/omega.yaml").is_file()


# --- rights


def test_s1_who_may_only_look_finds_neither_button_nor_page(whole: WholeSite, chromium: Any) -> None:
    """Under Airflow's simple users; FAB's are tried in test_rights_under_fab.py."""
    from playwright.sync_api import expect

    page = somebody(whole, chromium, VIEWER)
    page.goto(whole.at("", "acme"))
    expect(page.get_by_role("heading", name="株式会社アクメ")).to_be_visible()
    assert page.locator("main form").count() == 0
    look(page, "r80-viewer")
    for part in ("/sheets", "/connections", "/smarthr", "/invitations", "/run", "/rehearsal", "/start", "/members"):
        page.goto(whole.at(part, "acme"))
        expect(page.get_by_role("heading", name="この操作の権限がありません")).to_be_visible()
    page.context.close()


def narrow(page: Any, name: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], f"{name}: cut off at the side"
    look(page, name)


def expire(whole: WholeSite) -> None:
    """Every invitation has ended a minute ago."""
    database = open_database(f"sqlite:///{whole.folder}/renkei.db")
    with database.writing() as connection:
        connection.execute(INVITATION.update().values(expires_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)))
