"""データ処理状況一覧, 失敗レコード and なぜkintoneに（い）ないのか over HTTP: who may, what is said, and what a press does."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest

from renkei.errors import StoreError
from renkei.links.hotprofile_kintone.model import Mode, host_of
from renkei.links.hotprofile_kintone.quota import Quota
from renkei.links.hotprofile_kintone.tables import FAILED, WORK
from renkei.orchestration.hotprofile_kintone import connections
from renkei.storage import audit
from tests.contract.console.kintone_world import DAG, SHEET, KintoneWorld
from tests.contract.console.world import BASE, NOW, dag, text_of

OWN = ("/processed", "/failed", "/conflicts", "/record")
LONG = "十文字を超える会社の名前"  # the app takes ten


@pytest.fixture
def world(place: Path) -> KintoneWorld:
    return KintoneWorld(place)


def test_k20_the_list_says_what_each_run_did(world: KintoneWorld) -> None:
    """K20: run, set, read, added, updated, unchanged, failed, held, requests, window; where each data set stands."""
    world.linked("アクメ", LONG)
    shown = world.shown("/processed", "ken")
    assert re.search(r"会社 有効 11/30\(月\) 8:00 .*? 1 0 1 ", shown), "written, waiting, failed"
    assert re.search(r"通常 会社 完了 2 1 0 0 1 0 2 11/30.*～", shown)
    world.link.run(Mode.CHECK_ONLY)
    assert re.search(r"確認のみ 会社 \S+ 2 0 0 1 1 予定 0 1 ", world.shown("/processed")), "what would be written"


def test_k15_the_gauge_says_when_requests_will_be_spent(world: KintoneWorld) -> None:
    """K15: of today, at today's pace; what 初期連携 still has."""
    assert "0 / 5,000回（残り 5,000回） このペースでは、本日中に上限に達しません" in world.shown("/processed")
    quota = Quota(world.link.database, host_of(world.mapping), "1", 5_000)
    quota.reserve(2_500, NOW)  # in ten hours
    assert "このペースでは 11/30(月) 20:00 ごろに上限に達します" in world.shown("/processed")
    quota.reserve(2_500, NOW)
    assert "100% 5,000 / 5,000回（残り 0回） 上限に達しました" in world.shown("/processed")


def test_k18_a_failed_record_says_its_cause_its_remedy_and_where_it_is(world: KintoneWorld) -> None:
    """K18: id, field, cause, remedy, link into kintone; 再連携 is a run of that mode as the user."""
    world.linked("アクメ", LONG)
    world.link.wait(minutes=5)
    world.link.hotprofile.put(1, LONG)
    world.link.wait(minutes=1)
    world.link.run()
    html = world.html("/failed")
    assert "最大文字数10を超えています" in html
    assert "Hot Profileの値を短くするか" in html
    assert 'href="https://acme.cybozu.com/k/1/show#record=1"' in html
    assert 'href="https://acme.cybozu.com/k/1/"' in html, "the second was never there"
    assert LONG not in html
    assert world.sent("/failed/again", status=303) == f"/dag/{DAG}/runs/manual__1"
    assert world.hands.done == [("start", DAG, "RETRY_FAILED")]


def test_k18_ten_thousand_failures_are_paged_and_grouped(world: KintoneWorld) -> None:
    """K18: a hundred on a page, each cause once with its count."""
    world.linked("アクメ")
    rows = [
        {
            "tenant": "acme", "data_set": "companies", "source_id": f"{n:06}", "updated_at": "2026-11-30 09:00:00",
            "digest": b"", "key": None, "old_key": None, "body": b"", "state": FAILED, "initial": False, "since": NOW,
            "failed_at": NOW, "field": "name", "code": "CB_VA01", "cause": "<script>", "remedy": "直してください",
            "told": True,
        }
        for n in range(10_000)
    ]  # fmt: skip
    with world.link.database.writing() as connection:
        connection.execute(WORK.insert(), rows)
    html = world.html("/failed?page=100")
    assert html.count('<tr><th scope="row">') == 100
    assert "9,901～10,000 / 10,000件" in text_of(html)
    assert "フィールド「name」: <script> 10,000件" in text_of(html)
    assert "<script>" not in html
    assert "失敗しているレコードはありません" not in world.shown("/failed?of=nosuch&page=zz")
    assert '/failed.csv" download>' in html
    lines = world.html("/failed.csv").splitlines()
    assert len(lines) == 1 + 10_000
    assert lines[0] == "\ufeffID,対象,フィールド,原因,対処,kintoneのエラー,失敗した日時,kintone"
    assert lines[1].startswith("000000,会社,name,<script>,直してください,CB_VA01,")
    assert lines[-1].endswith(",https://acme.cybozu.com/k/1/")
    assert len(world.html("/failed.csv?of=leads").splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1", r"kintoneに連携済みです.* 登録 ✓ 済み kintoneのレコード番号 1"),
        ("2", r"連携していません。項目: フィールド「name」: 会社名: 12文字あり.* 更新キー – まだです"),
        ("99", r"連携していません。受信: .*までに登録・更新されたデータの中にありません.* 項目 – まだです"),
    ],
)
def test_s4_why_a_record_is_or_is_not_in_kintone(world: KintoneWorld, text: str, says: str) -> None:
    """S4: one sentence, then six steps up to the one that stopped it, with its reason and remedy."""
    world.linked("アクメ", LONG)
    shown = world.sent("/record", of="companies", text=text)
    assert re.search(says, shown)
    steps = ("受信", "項目", "更新キー", "検査", "上限", "登録")
    assert re.search(".*".join(f" {step} [✓✕–] " for step in steps), shown)


def test_s4_why_names_the_setting_the_quota_and_the_newer_version(world: KintoneWorld) -> None:
    """S4: before enabling the test; when requests are spent the next day; of a changed record what kintone would get."""
    assert "会社の連携テストに合格していません" in world.sent("/record", of="companies", text="1")
    world.linked("アクメ")
    world.link.wait(minutes=5)
    world.link.hotprofile.put(1, "<b>新")
    world.link.clock = world.link.hotprofile.clock = NOW
    world.link.quota = 0
    world.link.run()
    Quota(world.link.database, host_of(world.mapping), "1", 5_000).reserve(5_000 - 3, NOW)
    html = world.browser("yuki").post(
        f"{BASE}/dag/{DAG}/record", data={"token": world.token("yuki"), "of": "companies", "text": "1"}
    )
    shown = text_of(html.text)
    assert "その後に更新された内容は、まだ書き込んでいません。" in shown
    assert "会社名 <b>新 name <b>新" in shown
    assert "<b>新" not in html.text


def test_s1_ids_and_values_are_only_for_those_who_may_change_the_dag(world: KintoneWorld) -> None:
    """S1: a viewer sees counts alone; another company, and another link's, answers as none."""
    world.linked(LONG)
    assert "失敗レコード" not in world.shown("/processed", "ken")
    for path in ("/failed", "/failed.csv", "/record"):
        world.html(path, "ken", 403)
    for path, form in (("/record", {"of": "companies", "text": "1"}), ("/failed/again", {})):
        world.sent(path, "ken", 403, **form)
        answer = world.browser("yuki").post(f"{BASE}/dag/{DAG}{path}", data=form)
        assert answer.status_code == 403, "no token"
    world.company("acme", "エーシーエムイー")
    for path in OWN:
        for one in (DAG.replace("acme", "beta"), dag("acme")):
            assert world.browser("yuki").get(f"{BASE}/dag/{one}{path}").status_code == 404
    assert world.hands.done == []
    menu = world.shown("", "ken")
    assert "データ処理状況一覧" in menu
    assert "失敗レコード" not in menu


def test_l6_a_look_is_noted_and_leaves_nothing_of_what_was_asked(
    world: KintoneWorld, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L6, L1: who, when and which page; who cannot be noted is shown nothing."""
    caplog.set_level(logging.DEBUG)
    world.linked("アクメ")
    world.html("/failed")
    world.sent("/record", of="companies", text="秘密の鍵")
    noted = [json.loads(world.store.read(name)) for name in world.store.files("console/audit")]
    assert [(one["by"], one["what"]) for one in noted] == [("yuki", "failed"), ("yuki", "record")]
    assert "秘密の鍵" not in caplog.text + json.dumps(noted, ensure_ascii=False)

    def refuse(*_: object) -> None:
        raise StoreError("保存先に書き込めません。")

    monkeypatch.setattr(audit, "note", refuse)
    assert "保存先に書き込めません" in world.shown("/failed", status=503)


def test_l8_a_database_that_is_away_and_a_sheet_that_is_gone_say_so(
    world: KintoneWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L8: without the sheet the history is there all the same; without the database each page says why."""
    world.linked("アクメ", LONG)
    (world.own_sheets / "acme.yaml").unlink()
    world.services.knowledge.changed()
    assert "会社 完了 2 1" in world.shown("/processed")
    assert "/k/1/" not in world.html("/failed")
    assert "連携設定シートを読み取れない" in world.sent("/record", of="companies", text="1")
    world.write_sheet(SHEET)

    def away() -> None:
        raise StoreError("データベース(RENKEI_DATABASE)を読み書きできません（OperationalError）。")

    monkeypatch.setattr(connections, "database", away)
    for path in ("/processed", "/failed"):
        assert "RENKEI_DATABASE" in world.shown(path, status=503)
    assert "RENKEI_DATABASE" in world.sent("/record", status=503, of="companies", text="1")
    assert "RENKEI_DATABASE" in world.shown("")


def test_s4_the_company_and_its_runs_are_on_the_console(world: KintoneWorld) -> None:
    """S4: 連携一覧, 会社の状態 and 実行履歴, with counts of the tasks that wrote and why a data set stopped."""
    assert "アプリを読み込み、連携テストに合格すると、次の実行から連携します。 kintone連携設定を開く" in world.shown("")
    world.linked("アクメ")
    said = {
        "plan": {"companies": {"read": 7, "unchanged": 1}},
        "write_companies": {"added": 2, "updated": 4, "failed": 0, "held": 0},
        "write_leads": {"result": "loaded"},
    }
    world.airflow_ran("manual__2", "run2.000000000000", said)
    assert re.search(
        r"株式会社アクメ Hot Profile → kintone ・ acme .* 7 2 4 0 ", text_of(world.browser("ken").get(f"{BASE}/").text)
    )
    company = world.shown("", "ken")
    assert "kintoneに連携済み 1 待ち 0 失敗 0" in company
    assert "即応証明" not in company
    assert "災害時凍結" not in company
    world.link.change_mapping(app="2")
    world.link.kintone.form_ = world.link.kintone.form_.__class__("2", "1", {})
    world.link.pass_test()
    world.link.run()
    world.airflow_ran("manual__3", f"run{world.link.runs}.000000000000", {}, "failed")
    world.store.write(f"{world.folder_of_acme.runs}/run{world.link.runs}.000000000000/x.json", b"{}")
    assert "kintoneのアプリにフィールドコード「id」がありません" in world.shown("/runs/manual__3", "ken")


def test_k23_what_people_changed_in_kintone_is_listed(world: KintoneWorld) -> None:
    """Field and what became of it, with the way to the record; never a value."""
    assert "競合を検知する項目がありません" in world.shown("/conflicts")
    world.write_sheet(SHEET.replace("field: name}", "field: name, conflict: 残す}"))
    world.link.mapping = world.mapping
    world.linked("アクメ")
    assert "見つかっていません" in world.shown("/conflicts")
    world.link.kintone.by_hand("1", name="手で直した名前")
    world.link.hotprofile.put(1, "新しい名前")
    world.link.wait(minutes=11)
    world.link.run()
    html = world.html("/conflicts")
    assert re.search(r"1 会社 name kintoneの値を残しました", text_of(html))
    assert "show#record=1" in html
    assert "手で直した" not in html
