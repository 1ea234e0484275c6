"""kintone連携設定 over HTTP: the three steps of text 5 with its words, each as its job does it, and who may."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException

from renkei.errors import ConnectionError_, RenkeiError
from renkei.jobs.records import Jobs
from renkei.links.hotprofile_kintone import history
from renkei.links.hotprofile_kintone.loading import at_fault
from renkei.orchestration import jobs as task
from renkei.orchestration.hotprofile_kintone import connections
from renkei.orchestration.hotprofile_kintone import jobs as kinds
from renkei.systems.kintone.errors import KintoneAwayError, KintoneSettingError, KintoneUnreachedError, QuotaSpentError
from renkei.systems.kintone.form import Field
from renkei.web.services import Right
from tests.conftest import ROOT
from tests.contract.console.kintone_world import DAG, SHEET, KintoneWorld
from tests.contract.console.world import BASE, NOW, text_of
from tests.harness.hotprofile_kintone import FORM

PAGE = "/kintone"
DAG_FILE = str(ROOT / "dags/renkei_jobs.py")


@pytest.fixture
def world(place: Path, monkeypatch: pytest.MonkeyPatch) -> KintoneWorld:
    """The clients are the app and the source in memory."""
    for module in (task, kinds):
        monkeypatch.setattr(module, "utcnow", lambda: NOW)
    world = KintoneWorld(place)
    kintone = world.link.kintone

    def client(_mapping: object, spend: object) -> object:
        kintone.spend = spend  # type: ignore[assignment]
        return kintone

    monkeypatch.setattr(connections, "kintone_client", client)
    monkeypatch.setattr(connections, "hotprofile_client", lambda _tenant: world.link.hotprofile)
    return world


def done(world: KintoneWorld, path: str, **form: str) -> str:
    """What the job's page shows when the job is over."""
    place = world.sent(path, status=303, **form)
    number = int(place.rpartition("/")[2])
    run = Jobs(world.folder_of_acme).read(number).request.run
    with suppress(AirflowFailException):  # the page says why
        task.run_job(f"{DAG}/{number}", run, DAG_FILE)
    return html_of(world, place)


def html_of(world: KintoneWorld, place: str) -> str:
    answer = world.browser("yuki").get(BASE + place)
    assert answer.status_code == 200, answer.text[:2000]
    return answer.text


def test_k12_the_three_steps_of_text_5_from_reading_the_app_to_the_first_run(world: KintoneWorld) -> None:
    """K12: 読み込み → 項目マッピング → 検索 → テスト → 「正常に処理が行われました。」 and what kintone holds; then it is linked."""
    first = world.shown(PAGE)
    for words in (
        "https://acme.cybozu.com",
        "5分ごと",
        "renkei",
        "info@acme.example.jp",
        "会社 1 – 未読み込み 読み込み",
    ):
        assert words in first
    assert "会社 未実施" in first
    assert "テスト待ち" in first
    assert "読み込みに成功しました 会社（アプリID 1）: フィールド 3個。" in text_of(
        done(world, "/kintone/load", of="companies")
    )
    second = world.shown(PAGE)
    assert "会社ID id 文字列(1行) ◉ 更新キー 空にする – – 問題なし" in second
    assert "備考 note 文字列(複数行) 書かない" in second
    world.link.hotprofile.put(7, "<b>七")
    found = done(world, "/kintone/find", of="companies", source_id="7")
    assert "会社名 <b>七 name <b>七" in text_of(found)
    assert "<b>七" not in found
    assert world.link.kintone.records == {}, "nothing is written yet"
    tested = done(world, "/kintone/test", of="companies", source_id="7")
    assert "正常に処理が行われました。" in tested
    assert "会社名 <b>七 name <b>七" in text_of(tested)
    assert world.link.kintone.by_key() == {"7": "<b>七"}
    third = world.shown(PAGE)
    assert "会社 合格" in third
    assert "次の実行から連携します" in third
    assert "会社 完了 正常に処理が行われました。 0 1 0" in world.shown("/processed"), "the test stands in the list"
    world.link.run()
    assert "8:00 から" in world.shown(PAGE)


def test_k12_after_a_change_of_the_mapping_the_test_is_to_be_passed_again(world: KintoneWorld) -> None:
    """K12: by the mapping's digest; what is enabled is linked only then."""
    world.link.pass_test()
    assert "会社 合格" in world.shown(PAGE)
    world.write_sheet(SHEET.replace("field: note", "field: note2"))
    assert "会社 未実施" in world.shown(PAGE)


def test_k9_a_conversion_is_shown_in_the_sheets_words(world: KintoneWorld) -> None:
    world.write_sheet(SHEET.replace("field: name", "field: name, convert: 電話番号"))
    shown = world.shown(PAGE)
    assert "空にする 電話番号" in shown
    assert "PHONE" not in shown


def test_k8_each_line_has_the_verdict_of_the_apps_form(world: KintoneWorld) -> None:
    """K7, K8, K11: a code that is gone, a key that may be none, a required field that nothing fills; who may be key."""
    fields = {
        "id": replace(FORM.fields["id"], unique=False),
        "note": FORM.fields["note"],
        "other": Field("other", "NUMBER", "<i>番号", unique=True, required=True),
    }
    world.link.kintone.form_ = replace(FORM, fields=fields)
    read = text_of(done(world, "/kintone/load", of="companies"))
    assert "項目のマッピング設定に誤りが3件あります" in read
    html = world.html(PAGE)
    shown = text_of(html)
    assert "会社名 name – 空にする – – kintoneのアプリにフィールドコード「name」がありません" in shown
    assert "「値の重複を禁止する」が設定されていません" in shown
    assert "kintoneの必須フィールド「other」に連携する項目がなく" in shown
    assert "other <i>番号 数値 選択できます" in shown
    assert "<i>" not in html


@pytest.mark.parametrize(
    ("error", "look_at"),
    [
        (KintoneSettingError("x", "GAIA_AP01"), ("アプリID",)),
        (KintoneSettingError("x", "GAIA_IA02"), ("ログイン情報", "アプリID")),
        (KintoneSettingError("x", "CB_WA01"), ("ログイン情報",)),
        (KintoneSettingError("x", "GAIA_IL23"), ("サブドメイン",)),
        (KintoneSettingError("x"), ("サブドメイン", "ログイン情報")),
        (ConnectionError_("x"), ("ログイン情報",)),
        (KintoneAwayError("x", unknown=False), ()),
        (KintoneUnreachedError("x", unknown=False), ("サブドメイン",)),
        (QuotaSpentError("x"), ()),
    ],
)
def test_k12_a_failed_reading_says_what_to_look_at(error: RenkeiError, look_at: tuple[str, ...]) -> None:
    """K12: サブドメイン, アプリID or ログイン情報; maintenance and a spent day are none of them."""
    assert at_fault(error) == look_at


def test_k12_a_failed_reading_is_told_and_leaves_the_last_form(world: KintoneWorld) -> None:
    """K12, K17: a host that nobody knows is the サブドメイン; the reason stands on the page."""
    done(world, "/kintone/load", of="companies")

    def nobody() -> None:
        raise KintoneUnreachedError("kintoneに接続できません。", unknown=False)

    world.link.kintone.before = nobody
    shown = text_of(done(world, "/kintone/load", of="companies"))
    assert "読み込みに失敗しました kintoneに接続できません。 サブドメインが正しいかどうかご確認ください。" in shown
    assert "会社ID id 文字列(1行)" in world.shown(PAGE)


def test_k12_a_test_that_fails_says_why_and_nothing_is_passed(world: KintoneWorld) -> None:
    """K12: a record that is not there, one that kintone does not take."""
    assert "IDが「9」の会社がありません" in done(world, "/kintone/find", of="companies", source_id="9")
    world.link.hotprofile.put(8, "十文字を超える会社の名前")
    assert "最大文字数10を超えています" not in world.shown(PAGE)
    done(world, "/kintone/load", of="companies")
    assert "最大文字数10を超えています" in done(world, "/kintone/find", of="companies", source_id="8")
    assert "連携テストに失敗しました。" in done(world, "/kintone/test", of="companies", source_id="8")
    assert "会社 未実施" in world.shown(PAGE)
    assert history.last_lines(world.link.database, "acme") == {}, "no run of the link"
    assert "会社 停止" in world.shown("/processed")


def test_s1_settings_are_for_those_who_may_change_the_dag_and_a_test_for_who_may_run_it(world: KintoneWorld) -> None:
    """S1: a viewer is refused; nobody writes to kintone without the right to run; unknown data sets are none."""
    world.html(PAGE, "ken", 403)
    world.door.rights["ken"]["acme"] = {Right.SEE, Right.EDIT}
    assert "Dagを実行する権限も必要です" in world.shown(PAGE, "ken")
    form = {"of": "companies", "source_id": "1"}
    assert world.sent("/kintone/test", "ken", 403, **form)
    for path in ("/kintone/load", "/kintone/find", "/kintone/test"):
        world.sent(path, status=404, of="leads", source_id="1")
        answer = world.browser("yuki").post(f"{BASE}/dag/{DAG}{path}", data=form)
        assert answer.status_code == 403, "no token"
    assert world.sent("/kintone/find", status=400, of="companies", source_id="x" * 65)
    assert world.hands.done == []


def test_l5_a_sheet_that_is_broken_or_gone_says_so(world: KintoneWorld) -> None:
    """L5: the page leads to the faults."""
    world.write_sheet(SHEET.replace("app: 1", "app: https://acme.cybozu.com/k/1/"))
    assert "連携設定シートを読み取れません" in world.shown(PAGE)
    (world.own_sheets / "acme.yaml").unlink()
    world.services.knowledge.changed()
    assert "連携設定シートを読み取れません" in world.shown(PAGE)
    world.sent("/kintone/load", status=404, of="companies")
    assert re.search("シートのファイルがありません", world.shown(""))
