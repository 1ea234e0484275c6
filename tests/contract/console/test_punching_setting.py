"""LINE WORKSのAPI登録, アカウント設定, 初回メッセージ送信, 打刻メッセージ編集 over HTTP, with text 4's words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from renkei.errors import SettingError
from renkei.jobs.records import Jobs
from renkei.links.lineworks_kot.accounts import AccountState
from renkei.links.lineworks_kot.kinds import Kind
from renkei.links.lineworks_kot.registration import note_registration
from renkei.links.lineworks_kot.words_store import Words
from renkei.orchestration import jobs as task
from renkei.orchestration.lineworks_kot import import_jobs
from renkei.orchestration.lineworks_kot import jobs as kinds
from renkei.outbox.outbox import Outbox
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Delivery, Verdict, later, refused
from scripts.page_forms import field_of
from tests.contract.console.punching_world import DAG, DAG_FILE, LINK, SATO, SHEET, TANAKA, PunchingWorld
from tests.contract.console.world import BASE, NOW, dag
from tests.harness.punching import World as Punching

OWN = ("/lineworks", "/accounts", "/first", "/words", "/accounts.csv", "/punches", "/punch")
PEM = "-----BEGIN PRIVATE KEY-----\nMIIabc+/=\n-----END PRIVATE KEY-----\n"
FIRST = {
    "client_id": "client",
    "client_secret": "very-secret",
    "service_account": "abc.serviceaccount@acme",
    "private_key": PEM,
    "bot_id": "2000001",
}
KEYS = {"key": [SATO.key, TANAKA.key], "was": ["", ""]}


@pytest.fixture
def world(place: Path, monkeypatch: pytest.MonkeyPatch) -> PunchingWorld:
    return PunchingWorld(place, monkeypatch)


def test_p2_p3_the_two_stages_with_text_4s_messages(world: PunchingWorld) -> None:
    assert "確認のうえ、同意します。" in world.shown("/lineworks")
    assert "チェックが入っていません" in world.sent("/lineworks/agree", status=400)
    assert "利用規約への同意がまだです" in world.sent("/lineworks/first", status=400, **FIRST)
    world.sent("/lineworks/agree", agreed="1")
    assert "同意済 yukiさん" in world.shown("/lineworks")

    first = "第一段階のAPI登録が成功しました。連携を完了するためボットシークレット情報を入力してください。"
    assert first in world.done("/lineworks/first", **FIRST)
    login = {"login": "client", "password": "very-secret"}
    extra = {"service_account": "abc.serviceaccount@acme", "private_key": PEM, "bot_id": "2000001"}
    assert ("register", "lineworks__acme", "lineworks", login, extra) in world.hands.done
    assert first in world.shown("/lineworks")

    world.sent("/lineworks/second", bot_secret="bot-secret")
    assert world.hands.done[-1] == ("register", "lineworks__acme", "lineworks", {}, {"bot_secret": "bot-secret"})
    shown = world.html("/lineworks")
    assert "LINE WORKS と連携できました。" in shown
    assert "連携済（未確認）" in shown
    for secret in ("very-secret", "bot-secret", "MIIabc"):
        assert secret not in shown


def test_p11_the_callback_url_is_shown_where_the_public_service_has_an_address(
    world: PunchingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sent("/lineworks/agree", agreed="1")
    note_registration(world.database, "acme", first_at=NOW)
    assert "運用担当者から案内されたアドレス" in world.shown("/lineworks")
    monkeypatch.setenv("RENKEI_PUBLIC_URL", "https://renkei.example.jp/")
    assert "https://renkei.example.jp/renkei/lineworks/acme/callback を登録します。" in world.shown("/lineworks")


def test_p1_p3_a_first_stage_that_fails_says_what_to_look_at_and_opens_no_second(world: PunchingWorld) -> None:
    world.sent("/lineworks/agree", agreed="1")
    world.fault = SettingError("LINE WORKSがアプリの利用を拒否しています（invalid_scope）。")
    assert "第一段階のAPI登録に失敗しました。 LINE WORKSがアプリ" in world.done("/lineworks/first", **FIRST)
    assert "第一段階のAPI登録がまだです" in world.sent("/lineworks/second", status=400, bot_secret="x")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("client_id", "cli ent", "Client IDの4文字目に半角スペース(U+0020)が入っています"),
        ("client_secret", "secret\u3000", "Client Secretの7文字目に全角スペース(U+3000)が入っています"),
        ("service_account", "abc\u200b@acme", "Service Accountの4文字目にゼロ幅スペース(U+200B)が入っています"),
        ("bot_id", "ボット", "Bot IDに全角の文字があります"),
        ("bot_id", "12a", "Bot ID が数字ではありません"),
        ("private_key", "MIIabc", "Private Keyが秘密鍵の形ではありません"),
        ("private_key", PEM.replace("abc", "a c"), "Private Keyが秘密鍵の形ではありません"),
    ],
)
def test_p4_a_blank_in_what_was_pasted_names_field_and_place_and_nothing_is_kept(
    world: PunchingWorld, field: str, value: str, said: str
) -> None:
    world.sent("/lineworks/agree", agreed="1")
    shown = world.sent("/lineworks/first", status=400, **{**FIRST, field: value})
    assert said in shown
    assert not any(one[0] == "register" for one in world.hands.done)
    assert "very-secret" not in shown


def test_p5_employees_are_read_shown_by_group_and_given_their_accounts(world: PunchingWorld) -> None:
    assert "従業員 2名を読み込みました。" in world.done("/accounts/read")
    shown = world.shown("/accounts?division=2000&type=2")
    assert "1003 田中 美咲 大阪センター アルバイト" in shown
    assert "佐藤" not in shown
    place = world.sent("/accounts", entered=["sato@acme", "nobody@acme"], **KEYS)
    assert place.endswith("saved=2")
    assert "登録済 1件、アカウントなし 1件" in world.done("/accounts/check")
    shown = world.shown("/accounts")
    assert "LINE WORKSアカウントIDに誤りがないか確認してください yukiさん" in shown
    assert world.accounts.states() == {AccountState.LINKED: 1, AccountState.UNKNOWN: 1}


def test_p5_what_was_entered_is_asked_about_at_once(world: PunchingWorld) -> None:
    """Until then the employee is a stranger to the bot: entered in the evening, it would be one on the next morning."""
    world.done("/accounts/read")
    note_registration(world.database, "acme", first_at=NOW)
    world.sent("/accounts", entered=["sato@acme", ""], **KEYS)
    jobs = Jobs(TenantFolder(world.store, LINK, "acme"))
    job = jobs.read(jobs.numbers()[0])
    assert job.request.kind == "check_accounts"
    world.accounts.put({KEYS["key"][1]: "tanaka@acme"}, "yuki", NOW)
    task.run_job(f"{DAG}/{job.number}", job.request.run, DAG_FILE)
    assert world.accounts.states() == {AccountState.LINKED: 1, AccountState.UNKNOWN: 1}
    world.sent("/accounts", entered=["sato@acme", "tanaka@acme"], key=KEYS["key"], was=["sato@acme", "tanaka@acme"])
    assert len(jobs.numbers()) == 2, "where nothing changed nobody is asked"


def test_p4_p5_a_wrong_id_is_named_beside_its_field_and_nobodys_is_changed(world: PunchingWorld) -> None:
    world.done("/accounts/read")
    shown = world.sent("/accounts", status=400, entered=["sato@acme", "ta naka"], **KEYS)
    assert "LINE WORKSアカウントIDの3文字目に半角スペース" in shown
    assert "1名の入力に誤りがあります。まだ登録していません" in shown
    world.sent("/accounts", entered=["same@acme", ""], **KEYS)
    shown = world.sent("/accounts", status=409, entered=["", "same@acme"], **KEYS)
    assert "ほかの従業員に登録されています" in shown
    assert world.accounts.by_entered() == {"same@acme": "1001"}


def test_p5_a_page_that_is_old_changes_nothing(world: PunchingWorld) -> None:
    world.done("/accounts/read")
    world.sent("/accounts", entered=["sato@acme", ""], **KEYS)
    assert "ほかの人が先に" in world.sent("/accounts", status=409, entered=["hanako@acme", ""], **KEYS)
    foreign = {"key": ["c" * 64], "was": [""], "entered": ["x@acme"]}
    assert "画面の内容が古く" in world.sent("/accounts", status=409, **foreign)


HEAD = "従業員コード,LINE WORKSアカウントID\n"


def uploaded(world: PunchingWorld, text: str) -> str:
    """What the page of the job shows that looked at the file."""
    return world.done("/accounts/import", files={"file": ("a.csv", (HEAD + text).encode())})


def test_p5_a_file_is_checked_shown_and_taken_over_as_it_was_shown(world: PunchingWorld) -> None:
    world.done("/accounts/read")
    shown = uploaded(world, "1001,sato @acme\n9999,x@acme\n")
    assert "誤りが2件あります。まだ何も登録していません。" in shown
    assert "ファイル 3行目 従業員コード" in shown
    assert "誤りのあるファイルは登録できません" in world.done("/accounts/import/confirm", file="2")
    assert "追加 2名 変更 0名" in uploaded(world, "1001,sato@acme\n1003,tanaka@acme\n")
    assert world.accounts.states() == {}
    assert "登録しました（変更 2名）。" in world.done("/accounts/import/confirm", file="4")
    assert world.accounts.by_entered() == {"sato@acme": "1001", "tanaka@acme": "1003"}
    assert "1001,佐藤 花子,本社,正社員,sato@acme,未確認" in world.html("/accounts.csv")


def test_p5_what_somebody_changed_after_it_was_shown_is_not_taken_over(world: PunchingWorld) -> None:
    world.done("/accounts/read")
    uploaded(world, "1001,sato@acme\n1003,tanaka@acme\n")
    world.accounts.put({SATO.key: "hanako@acme"}, "総務", NOW)
    assert "ほかの人が先にアカウントを変更しました" in world.done("/accounts/import/confirm", file="2")
    assert world.accounts.by_entered() == {"hanako@acme": "1001"}
    assert "もう一度インポート" in world.done("/accounts/import/confirm", file="99")


def test_p5_whose_accounts_were_taken_over_are_asked_about_at_once(world: PunchingWorld) -> None:
    """LINE WORKS that is away takes nothing back."""
    world.done("/accounts/read")
    note_registration(world.database, "acme", first_at=NOW)
    uploaded(world, "1001,sato@acme\n")
    assert "登録済 1件" in world.done("/accounts/import/confirm", file="2")
    uploaded(world, "1003,tanaka@acme\n")
    world.monkeypatch.setattr(kinds, "find_user", lambda _, __: later(503, "away"))
    shown = world.done("/accounts/import/confirm", file="4")
    assert "登録しました（変更 1名）。 LINE WORKSへの確認は終わっていません。" in shown
    assert world.accounts.states() == {AccountState.LINKED: 1, AccountState.NEW: 1}


def test_p5_ten_thousand_rows_are_no_work_of_the_page_and_every_fault_can_be_downloaded(world: PunchingWorld) -> None:
    world.done("/accounts/read")
    text = HEAD + "".join(f"x{number},u {number}@acme\n" for number in range(10_000))
    with world.monkeypatch.context() as without:
        without.setattr(import_jobs, "read_accounts", None)
        place = world.sent("/accounts/import", files={"file": ("a.csv", text.encode())})
    number = int(place.rpartition("/")[2])
    job = Jobs(TenantFolder(world.store, LINK, "acme")).read(number)
    task.run_job(f"{DAG}/{number}", job.request.run, DAG_FILE)
    shown = world.shown(place.partition(DAG)[2])
    assert "誤りが20,000件あります。" in shown
    assert "はじめの1,000件を表示しています" in shown
    told = world.html(f"/accounts/import/{number}/problems.csv").splitlines()
    assert len(told) == 20_001
    assert told[-1].startswith("ファイル 10001行目 ")
    assert not world.store.files(f"{TenantFolder(world.store, LINK, 'acme').path}/imports"), "no job is done twice"


def test_p5_a_file_may_be_larger_than_a_form_and_is_bounded(world: PunchingWorld) -> None:
    assert "CSV" in world.done("/accounts/import", files={"file": ("a.csv", b"x" * 200_000 + b"\0")})
    assert "大きすぎます" in world.sent("/accounts/import", status=413, files={"file": ("a.csv", b"x" * 5_000_000)})
    assert "大きすぎます" in world.sent("/accounts", status=413, entered=["x" * 70_000], key=["a"], was=[""])


def test_p6_first_messages_go_to_all_who_are_registered_once(world: PunchingWorld) -> None:
    world.done("/accounts/read")
    world.sent("/accounts", entered=["sato@acme", "nobody@acme"], **KEYS)
    world.done("/accounts/check")
    shown = world.shown("/first")
    assert "登録済みの全従業員に送信されます。対象従業員を指定することはできません。" in shown
    assert "1名に送ります（約1分かかります）" in shown
    assert "まだ送っていません" in world.sent("/first/send", status=409)
    assert "初回メッセージを1名に送ります。" in world.done("/first/send", sure="1")
    assert "初回メッセージを0名に送ります。" in world.done("/first/send", sure="1")
    assert "1001 佐藤 花子 本社 送信待ち" in world.shown("/first")
    assert "初回メッセージを1名に送ります。" in world.done("/first/send", sure="1", again="1")
    assert "初回メッセージを1名に送ります。" in world.done("/first/send", code="1001")
    waiting = Outbox(world.database, world.store, LINK, "acme").listed(most=10)
    assert [one.content().to for one in waiting] == ["u-sato"] * 3
    assert "このトークに、次の文言を含むメッセージを送ると打刻されます。" in waiting[0].content().message.text()


def test_p7_words_are_edited_added_and_gone_back_to(world: PunchingWorld) -> None:
    assert "休憩開始、休憩終了、外出開始、外出終了は、連携設定シート" in world.shown("/words")
    world.write_sheet(SHEET + "breaks: 表示する\n")
    words = Words(world.database, "acme")
    two = {"kind": ["1", "2", "3", "4"], "text": ["おはよう", "退勤", "休憩", "休憩おわり"]}
    added = world.sent("/words", status=200, version="0", add="1", **two)
    assert "打刻種別 文言設定" in added
    assert words.current().version == 0
    world.sent("/words", version="0", why="あいさつ", **two)
    assert words.current().of(Kind.CLOCK_IN) == ["おはよう"]
    assert words.current().of(Kind.GO_OUT) == ["外出"], "what is switched off is kept"
    shown = world.shown("/words?saved=1")
    assert "登録した情報は即時反映されます。" in shown
    assert "休憩開始の「休憩」: 休憩終了の「休憩おわり」に含まれます" in shown
    assert "初期状態で存在する打刻種別は削除できません" in world.sent(
        "/words", status=400, version="1", kind=["1", "2", "3", "4"], text=["", "退勤", "休憩", "休憩おわり"]
    )
    assert "ほかの人が先に" in world.sent("/words", status=409, version="0", **(two | {"text": ["a", "b", "c", "d"]}))
    world.sent("/words/back", version="1", to="0")
    assert (words.current().of(Kind.CLOCK_IN), words.current().why) == (["出勤"], "版0に戻す")


def test_p18_the_buttons_follow_a_changed_word_at_once(world: PunchingWorld) -> None:
    note_registration(world.database, "acme", first_at=NOW)
    put = list[list[str]]()
    answers = iter([Delivery(Verdict.ACCEPTED), refused(403, "forbidden")])
    world.monkeypatch.setattr(kinds, "put_menu", lambda _api, _bot, texts: put.append(texts) or next(answers))
    jobs = Jobs(TenantFolder(world.store, LINK, "acme"))

    def shown_by_its_job(number: int) -> str:
        job = jobs.read(number)
        assert job.request.kind == kinds.MENU
        task.run_job(f"{DAG}/{number}", job.request.run, DAG_FILE)
        return world.shown(f"/jobs/{number}")

    assert world.sent("/words", version="0", kind=["1", "2"], text=["おはよう", "退勤"]).endswith("?saved=1&menu=1")
    assert "いま更新しています" in world.shown("/words?saved=1&menu=1")
    assert "トークのメニューを更新しました: おはよう、退勤" in shown_by_its_job(1)
    assert world.sent("/words/back", version="1", to="0").endswith("menu=1")
    assert "更新できませんでした（forbidden）" in shown_by_its_job(2)
    assert put == [["おはよう", "退勤"], ["出勤", "退勤"]]
    world.sent("/words", version="2", kind=["1", "2"], text=["出勤", "退勤"])
    assert jobs.numbers() == [2, 1], "where nothing changed nothing is put"


def test_l6_names_are_for_those_who_may_edit_and_every_look_is_noted(world: PunchingWorld) -> None:
    world.done("/accounts/read")
    for path in OWN:
        world.html(path, "ken", 403)
        theirs = world.browser("yuki").get(f"{BASE}/dag/{dag('acme')}{path}")
        assert theirs.status_code == 404, "another link's company"
    world.html("/accounts")
    world.html("/accounts.csv")
    noted = [json.loads(world.store.read(name)) for name in world.store.files("console/audit")]
    assert {("yuki", "accounts"), ("yuki", "accounts.csv")} <= {(one["by"], one["what"]) for one in noted}
    assert "佐藤" not in json.dumps(noted, ensure_ascii=False)


def test_what_is_not_there_yet_is_said_with_the_next_step(world: PunchingWorld) -> None:
    assert "「従業員を読み込む」を押すと" in world.shown("/accounts")
    assert "LINE WORKSで確認できた登録がありません" in world.shown("/first")
    world.write_sheet("result_addresses: []")
    for path in ("/lineworks", "/words", "/first"):
        assert "連携設定シートを読み取れません" in world.shown(path)


def test_p10_l6_the_list_of_punches_and_why_over_http(world: PunchingWorld) -> None:
    """Held ones have their buttons; who is asked for stands in no address."""
    puncher = Punching(world.folder)
    puncher.receive("出勤", issued="30 09:00")
    puncher.receive("退勤", issued="28 18:00")
    for _ in range(2):
        puncher.work()
    shown = world.shown("/punches")
    assert "1001 佐藤 花子 出勤 出勤 11/30(月) 打刻済み 送信待ち" in shown
    assert "24時間より前のメッセージです。 打刻するかどうかを決めてください。 打刻する 打刻しない" in shown
    assert "打刻済み 1 承認待ち 1" in shown
    number = field_of(world.html("/punches"), "number")
    world.sent("/punches/decide", number=number, word="yes")
    assert "ほかの人が先に決めたか" in world.sent("/punches/decide", status=409, number=number, word="no")
    assert "承認済み（送信待ち） 1" in world.shown("/punches")
    assert "この日に、メッセージは届いていません" in world.sent("/punches", status=200, code="1003", day="2026-11-30")
    told = world.sent("/punch", status=200, code="1001", day="2026-11-30")
    assert "出勤をKING OF TIMEに打刻しました。" in told
    assert "勤務日 ✓ 済み 11/30 の勤務です" in told
    world.html("/punches", "ken", 403)
