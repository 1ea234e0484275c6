"""From raw lines to a mapping, or to every problem at once (E15–E26, L7, L8)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc.sheet.codec import section_digest
from renkei.links.smarthr_emc.sheet.mapping import (
    Guards,
    LinkState,
    Loader,
    Mapping,
    RootDepartment,
    Source,
    SourceField,
)
from renkei.links.smarthr_emc.sheet.parse import parse, partial_sheet
from renkei.links.smarthr_emc.sheet.policy import format_code
from renkei.links.smarthr_emc.sheet.raw import RawRow, RawSetting, RawSheet
from renkei.links.smarthr_emc.sheet.side_runs import side_runs
from renkei.texts import RawCell

SETTINGS = {
    "SmartHR URL": "https://acme.smarthr.jp/",
    "結果通知先メールアドレス1": "soumu@acme.example.jp",
    "連携開始日": "2026-04-01",
}
DEPARTMENTS = {
    "部署ID": "部署コード",
    "部署名": "部署名",
    "部署名(ヨミ)": "固定値「ブショ」",
    "親部署ID": "親部署コード",
}
USERS = {
    "ユーザID": "社員番号",
    "パスワード": "秘密:first",
    "氏名": "姓&名",
    "氏名(ヨミ)": "氏名(ヨミガナ)",
    "緊急連絡1 媒体": "固定値「メールアドレス」",
    "緊急連絡1 アドレス": "メールアドレス",
}
Line = str | tuple[str, ...]


def line(part: str, item: str, cells: Line, number: int, linked: str | None) -> RawRow:
    """A line; `cells` is the source, or the source and the four policy cells."""
    source, *words = (cells,) if isinstance(cells, str) else cells
    words += [""] * (4 - len(words))
    found = [RawCell(text, f"{part}{number}.{name}") for name, text in zip("sabcd", (source, *words), strict=True)]
    mark = None if linked is None else RawCell(linked, f"{part}{number}.l")
    return RawRow(RawCell(item, f"{part}{number}"), mark, *found)


def sheet(
    settings: dict[str, str] | None = None,
    departments: dict[str, str] | None = None,
    users: dict[str, Line] | None = None,
    extra: tuple[tuple[str, Line], ...] = (),
    linked: dict[str, str] | None = None,
    convert: dict[str, str] | None = None,
) -> RawSheet:
    """A sound sheet with some lines changed (None removes one), `extra` user lines, and 連携有無 cells."""
    info = {**SETTINGS, **(settings or {})}
    rows = {**DEPARTMENTS, **(departments or {})}
    people = {**USERS, **(users or {})}
    marks = linked or {}
    return RawSheet(
        "acme",
        tuple(RawSetting(RawCell(k, f"I{n}"), RawCell(v, f"I{n}.v")) for n, (k, v) in enumerate(info.items(), 1)),
        tuple(line("D", k, v, n, marks.get(k)) for n, (k, v) in enumerate(rows.items(), 1) if v is not None),
        tuple(
            replace(line("U", k, v, n, marks.get(k)), convert=RawCell((convert or {}).get(k, ""), f"U{n}.c"))
            for n, (k, v) in enumerate((*people.items(), *extra), 1)
            if v is not None
        ),
    )


def read(raw: RawSheet) -> Mapping:
    return parse(raw, "acme")[0]


def problems(raw: RawSheet) -> tuple[Problem, ...]:
    with pytest.raises(MappingError) as caught:
        parse(raw, "acme")
    return caught.value.problems


def policies(mapping: Mapping, item: str) -> str:
    rule = mapping.rule(item)
    assert rule is not None
    cells = (rule.on_create.when_present, rule.on_create.when_blank)
    return " ".join(map(format_code, (*cells, rule.on_update.when_present, rule.on_update.when_blank)))


SAMPLE_TABLE = {  # text 1, 連携設定シート イメージ
    "処理フラグ": ("-", "", "自動", "", "自動"),
    "ユーザID": ("メールアドレス", "登録", "エラー", "更新しない", "エラー"),
    "パスワード強制変更": ("無し(空白)", "登録", "デフォルト:T", "更新", "更新しない"),
    "パスワード": ("固定値「XXXXXX」", "登録", "エラー", "更新しない", "更新しない"),
    "氏名": ("氏名", "登録", "エラー", "更新", "エラー"),
    "氏名(ヨミ)": ("氏名(ヨミガナ)", "登録", "エラー", "更新", "エラー"),
    "所属部署コード": ("部署1", "登録", "登録しない", "更新", "更新しない"),
    "保有権限1": ("無し(空白)", "登録", "登録しない", "更新しない", "更新しない"),
    "緊急連絡10 媒体": ("固定値「メールアドレス」", "登録", "登録しない", "更新", "更新"),
    "緊急連絡10 アドレス": ("メールアドレス", "登録", "登録しない", "更新", "更新"),
    "検索ワード1:勤務地": ("事業所", "登録", "登録しない", "更新", "更新しない"),
    "検索ワード2:居住地": ("住所(都道府県)", "登録", "登録しない", "更新", "更新しない"),
    "検索ワード3:役職": ("役職1", "登録", "登録しない", "更新", "更新"),
}


def test_e18_the_sample_table_of_the_guide() -> None:
    """Every line of text 1's table means what its words say, in the order of EMC's items."""
    without = dict.fromkeys(USERS)
    mapping, warnings = parse(sheet(users={**without, **SAMPLE_TABLE}), "acme")

    assert {rule.item: (policies(mapping, rule.item), rule.label) for rule in mapping.users} == {
        "operation": ("AUTO AUTO AUTO AUTO", ""),
        "user_id": ("SET REJECT SKIP REJECT", ""),
        "password_reset": ("SET DEFAULT:T SET SKIP", ""),
        "password": ("SET REJECT SKIP SKIP", ""),
        "full_name": ("SET REJECT SET REJECT", ""),
        "full_name_yomi": ("SET REJECT SET REJECT", ""),
        "primary_department_id": ("SET SKIP SET SKIP", ""),
        "role_1": ("SET SKIP SKIP SKIP", ""),
        "contact_10_medium": ("SET SKIP SET SET", ""),
        "contact_10_address": ("SET SKIP SET SET", ""),
        "search_word_1": ("SET SKIP SET SKIP", "勤務地"),
        "search_word_2": ("SET SKIP SET SKIP", "居住地"),
        "search_word_3": ("SET SKIP SET SET", "役職"),
    }
    department = mapping.rule("primary_department_id")
    assert department is not None
    assert department.source == Source(((SourceField("部署1(コード)"),),))
    assert [warning.where for warning in warnings] == ["U2.s", "U12.d"]  # literal password, only contact


def test_e16_the_second_table_of_the_guide_with_its_short_names() -> None:
    """Text 1's 項目定義: short names, 固定値 in 連携有無, summary lines left blank; only 部署名(ヨミ) is missing."""
    users = {
        "ユーザID": "社員番号 or メールアドレス",
        "パスワード": "社員番号",
        "氏名": "姓&名",
        "氏名ヨミ": "姓（ヨミガナ）&名（ヨミガナ）",
        "所属部署": "部署1",
        "兼務管理部署1～10": "",
        "保有権限": "",
        "連絡先1～10": "",
        "検索ワード1": "",
    }
    linked = {key: "○" if value else "" for key, value in users.items()} | {"パスワード": "固定値"}
    linked |= {"部署ID": "○", "部署名": "〇", "部署名(ヨミ)": "連携しない(固定値)", "親部署ID": "◯"}
    without = dict.fromkeys(USERS)

    found = problems(sheet(departments={"部署名(ヨミ)": ""}, users={**without, **users}, linked=linked))
    mapping = read(sheet(departments={"部署名(ヨミ)": "ブショ"}, users={**without, **users}, linked=linked))

    assert [problem.where for problem in found] == ["D3.s"]
    assert mapping.departments.yomi == "ブショ"
    assert [rule.item for rule in mapping.users] == [
        "user_id",
        "password",
        "full_name",
        "full_name_yomi",
        "primary_department_id",
    ]


def test_e15_every_setting_reaches_the_mapping() -> None:
    """連携情報 with all its lines, written as people write them."""
    mapping = read(
        sheet(
            {
                "連携URL": "",
                "結果通知先メールアドレス1": "a@acme.example.jp、ｂ@acme.example.jp\nc@acme.example.jp",
                "結果通知先メールアドレス3": "d@acme.example.jp",
                "連携開始日": "２０２６年４月１日",
                "処理時刻": "５：０５",
                "会社コード": "abc",
                "最上位部署ＩＤ": "000",
                "最上位部署名": "株式会社アクメ",
                "最上位部署名（ヨミ）": "アクメ",
                "連携状態": "連携解除",
                "取込方式": "ファイル",
                "EMCアカウント": "group",
                "SmartHRリクエスト数(毎秒)": "3",
                "削除保留(人数割合％)": "12.5%",
                "空白化保留(最少件数)": "0",
            }
        )
    )

    assert mapping.result_addresses == tuple(f"{name}@acme.example.jp" for name in "abcd")
    assert (mapping.smarthr_url, mapping.link_start_on) == ("https://acme.smarthr.jp", dt.date(2026, 4, 1))
    assert (mapping.run_at, mapping.id_prefix, mapping.emc_account) == (dt.time(5, 5), "abc", "group")
    assert mapping.root_department == RootDepartment("000", "株式会社アクメ", "アクメ")
    assert (mapping.state, mapping.loader) == (LinkState.FROZEN, Loader.FILE_DROP)
    assert mapping.requests_per_second == 3
    assert mapping.guards == Guards(delete_users_percent=12.5, clear_least=0)


def test_e15_what_is_left_out_has_defaults() -> None:
    """A sheet with only the required lines: 4:30, no prefix, an EMC account of its own."""
    mapping, warnings = parse(sheet(), "acme")

    assert (mapping.run_at, mapping.id_prefix, mapping.emc_account) == (dt.time(4, 30), "", "acme")
    assert (mapping.state, mapping.loader, mapping.guards) == (LinkState.ACTIVE, Loader.HTTP, Guards())
    assert warnings == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [("reconcile", dt.time(5, 30, 30))]),
        ({"事前確認時刻": "18:00", "照合": "毎日"}, [("check", dt.time(18, 0, 15)), ("reconcile", dt.time(5, 30, 30))]),
        ({"事前確認時刻": "2:30", "照合": "しない"}, [("check", dt.time(2, 30, 15))]),
        (
            {"処理時刻": "23:30", "事前確認時刻": "21:00"},
            [("check", dt.time(21, 0, 15)), ("reconcile", dt.time(0, 30, 30))],
        ),
        ({"取込方式": "ファイル"}, []),
        ({"事前確認時刻": "18:00", "連携状態": "連携解除"}, []),
    ],
    ids=str,
)
def test_e43_e44_the_sheet_says_what_runs_beside_the_daily_run(changes: dict[str, str], expected: list[Any]) -> None:
    """By default 照合 an hour after it; neither changes what decides a value, so that nothing is loaded anew (E14)."""
    mapping = parse(sheet(changes), "acme")[0]
    assert [(one.mark, one.at) for one in side_runs(mapping)] == expected
    plain = parse(sheet(), "acme")[0]
    assert section_digest(mapping, "users") == section_digest(plain, "users")


def test_demo_hosts_are_taken_only_when_allowed() -> None:
    """An http simulator is a SmartHR only where the caller says so."""
    raw = sheet({"SmartHR URL": "http://127.0.0.1:8181"})

    assert parse(raw, "acme", ("127.0.0.1:8181",))[0].smarthr_url == "http://127.0.0.1:8181"
    assert parse(raw, "acme", ("127.0.0.1",))[0].smarthr_url == "http://127.0.0.1:8181"
    assert [problem.where for problem in problems(raw)] == ["I1.v"]
    with pytest.raises(MappingError, match="形が正しくありません"):
        parse(sheet({"SmartHR URL": "ftp://127.0.0.1:8181"}), "acme", ("127.0.0.1:8181",))


@pytest.mark.parametrize(
    ("label", "value", "message"),
    [
        ("事前確認時刻", "夕方", "時刻ではありません"),
        ("事前確認時刻", "2:31", "事前確認時刻 02:31 から処理時刻 04:30 まで2時間ありません"),
        ("事前確認時刻", "4:30", "まで2時間ありません"),
        ("照合", "毎週", "毎日 または しない"),
        ("SmartHR URL", "", "SmartHR URLが記入されていません"),
        ("SmartHR URL", "http://acme.smarthr.jp", "形が正しくありません"),
        ("SmartHR URL", "https://acme.example.jp", "形が正しくありません"),
        ("SmartHR URL", "https://evil.example/?x=.smarthr.jp", "形が正しくありません"),
        ("SmartHR URL", "https://acme.smarthr.jp@evil.example", "形が正しくありません"),
        ("SmartHR URL", "https://.smarthr.jp", "形が正しくありません"),
        ("SmartHR URL", "https://[", "形が正しくありません"),
        ("SmartHR URL", "https://acme.smarthr.jp/crews", "「https://acme.smarthr.jp」と記入"),
        ("SmartHR URL", "https://app.smarthr.jp", "会社ごとのURL"),
        ("結果通知先メールアドレス1", "", "結果通知先メールアドレス1が記入されていません"),
        ("結果通知先メールアドレス1", "soumu@", "メールアドレスの形"),
        ("結果通知先メールアドレス1", "a@b.example.jp, b@, c＠, d@b.example.jp", "2件目、3件目のメールアドレスの形"),
        ("結果通知先メールアドレス1", ",".join(f"a{n}@b.example.jp" for n in range(6)), "6件あります"),
        ("連携開始日", "", "連携開始日が記入されていません"),
        ("連携開始日", "来月", "日付ではありません"),
        ("連携開始日", "2026-02-30", "日付ではありません"),
        ("処理時刻", "25:00", "時刻ではありません"),
        ("処理時刻", "24:00", "時刻ではありません"),
        ("処理時刻", "4:60", "時刻ではありません"),
        ("処理時刻", "朝", "時刻ではありません"),
        ("ID付与コード", "a b", "使えない文字"),
        ("ID付与コード", "あ", "使えない文字"),
        ("ID付与コード", "a,b", "使えない文字"),
        ("ID付与コード", "a" * 21, "21文字"),
        ("会社名", "社" * 41, "41文字"),
        ("最上位部署ID", "000", "最上位部署名が記入されていません"),
        ("連携状態", "停止", "連携中 または 連携解除"),
        ("取込方式", "FTP", "API または ファイル"),
        ("EMCアカウント", "A社", "EMCアカウントの名前"),
        ("SmartHRリクエスト数(毎秒)", "11", "1から10"),
        ("削除保留(人数割合%)", "101", "0から100"),
        ("削除保留(人数割合%)", "多め", "0から100"),
        ("削除保留(最少人数)", "-1", "0以上"),
        ("削除保留(最少人数)", "1.5", "0以上"),
        ("処理時間", "4:30", "項目名を「処理時刻」にしてください"),
        ("連携 URL", "https://acme.smarthr.jp", "2か所"),
    ],
)
def test_l8_a_bad_setting_is_named(label: str, value: str, message: str) -> None:
    """Each fault of 連携情報 is found, where it stands, with a remedy."""
    found = problems(sheet({label: value}))

    assert any(message in f"{problem.found} {problem.remedy}" for problem in found), found
    assert all(problem.where and problem.remedy for problem in found)


def test_e15_a_setting_may_go_as_far_as_it_says() -> None:
    """The longest texts, the limits of the numbers, and five addresses, of which one that stands twice is one."""
    five = [f"a{n}@b.example.jp" for n in range(5)]
    mapping = read(
        sheet(
            {
                "会社名": "社" * 40,
                "ID付与コード": "p" * 20,
                "結果通知先メールアドレス1": ",".join([*five, five[0]]),
                "SmartHRリクエスト数(毎秒)": "10",
                "削除保留(人数割合%)": "100",
                "空白化保留(割合%)": "0",
            }
        )
    )

    assert (mapping.company_name, mapping.id_prefix) == ("社" * 40, "p" * 20)
    assert mapping.result_addresses == tuple(five)
    assert mapping.requests_per_second == 10
    assert (mapping.guards.delete_users_percent, mapping.guards.clear_percent) == (100, 0)
    assert read(sheet({"SmartHRリクエスト数(毎秒)": "1"})).requests_per_second == 1


@pytest.mark.parametrize(("prefix", "own"), [("", 30), ("p" * 10, 20)])
def test_e23_the_root_department_has_room_for_the_prefix(prefix: str, own: int) -> None:
    """30 characters with it."""

    def root(length: int) -> RawSheet:
        lines = {"最上位部署ID": "0" * length, "最上位部署名": "会社", "最上位部署名(ヨミ)": "カイシャ"}
        return sheet({"ID付与コード": prefix, **lines})

    assert read(root(own)).root_department == RootDepartment("0" * own, "会社", "カイシャ")
    assert any("最上位部署IDが長すぎます" in problem.found for problem in problems(root(own + 1)))


@pytest.mark.parametrize(
    ("lines", "where", "message"),
    [
        ({"部署名": "役職1"}, "D2.s", "部署名 または 部署名(階層)"),
        ({"部署ID": "部署名"}, "D1.s", "部署コード"),
        ({"親部署ID": "なし"}, "D4.s", "親部署コード"),
        ({"部署名(ヨミ)": "部署名"}, "D3.s", "『固定値「部署名」』と記入"),
        ({"部署名(ヨミ)": "社員番号"}, "D3.s", "固定値だけ"),
        ({"部署名(ヨミ)": None}, "acme 部署データ", "部署名(ヨミ)の固定値"),
        ({"部署名(ヨミ)": "固定値「　」"}, "D3.s", "固定値が空白"),
        ({"部署長": "部署名"}, "D5", "部署データの項目はありません"),
        ({"部署コード": "部署コード"}, "D5", "2回"),
    ],
)
def test_e21_a_bad_department_line_is_named(lines: dict[str, str], where: str, message: str) -> None:
    """Department lines take only what SmartHR's departments have, and a constant reading."""
    found = problems(sheet(departments=lines))

    assert [problem.where for problem in found] == [where]
    assert message in f"{found[0].found} {found[0].remedy}"


@pytest.mark.parametrize(
    ("lines", "where", "message"),
    [
        ({"氏名": None}, "acme ユーザデータ", "必須項目氏名が連携されていません"),
        ({"ユーザID": None}, "acme ユーザデータ", "必須項目ユーザID"),
        ({"氏名": "無し"}, "U3.s", "必須項目氏名が無し(空白)"),
        ({"ユーザID": "固定値「A」 or 社員番号"}, "U1.s", "全員が同じID"),
        ({"緊急連絡1 媒体": None}, "U6", "緊急連絡1 媒体も連携"),
        ({"緊急連絡1 アドレス": None}, "U5", "緊急連絡1 アドレスも連携"),
        ({"緊急連絡1 アドレス": "メルアド"}, "U6.s", "SmartHR項目はありません"),
        ({"緊急連絡1 媒体": "無し"}, "U5.s", "媒体が無し(空白)"),
        ({"氏名": "秘密:x"}, "U3.s", "パスワードだけ"),
        ({"氏名": "社員メイ"}, "U3.s", "SmartHR項目はありません"),
        ({"氏名": ("氏名", "登録", "登録しない")}, "U3.b", "必須項目氏名"),
        ({"部屋": "社員番号"}, "U7", "ユーザデータの項目はありません"),
        ({"氏名ヨミ": "社員番号"}, "U7", "2回"),
        ({"連絡先1～10": "電話番号"}, "U7", "項目ごとに1行ずつ"),
        ({"検索ワード1:勤\n務地": "事業所"}, "U7", "改行"),
    ],
)
def test_e16_a_bad_user_line_is_named(lines: dict[str, Line], where: str, message: str) -> None:
    """Each fault of ユーザデータ is found once, where it stands."""
    found = problems(sheet(users=lines))

    assert [problem.where for problem in found] == [where], found
    assert message in f"{found[0].found} {found[0].remedy}"


def test_l8_all_problems_are_found_at_once() -> None:
    """Faults in all three parts come back together, in reading order."""
    raw = sheet({"処理時刻": "x"}, {"部署名": "x"}, {"氏名": ("x", "x"), "ユーザID": ("社員番号", "x")})

    assert [problem.where for problem in problems(raw)] == ["I4.v", "D2.s", "U1.a", "U3.s", "U3.a"]


@pytest.mark.parametrize(
    ("cells", "where"),
    [
        ("Sesame!2026", "U2.s"),
        ("固定値「Sesame!2026」x", "U2.s"),
        (("秘密:x", "デフォルト:Sesame"), "U2.a"),
        (("秘密:x", "登録", "Sesame!2026"), "U2.b"),
        (("秘密:x", "登録", "エラー", "更新しない", "デフォルト:Sesame"), "U2.d"),
    ],
)
def test_l7_a_password_is_never_quoted(cells: Line, where: str) -> None:
    """A password written where or how it should not be is refused, and its text is in no message."""
    found = problems(sheet(users={"パスワード": cells}))

    assert [problem.where for problem in found] == [where]
    assert "Sesame" not in str(found)


def test_l8_a_password_left_blank_is_said_to_be_blank() -> None:
    """L8: the line is linked, and nothing stands in it."""
    (found,) = problems(sheet(users={"パスワード": ""}, linked={"パスワード": "○"}))
    assert (found.where, found.found) == ("U2.s", "SmartHR項目が空白です")


def test_l7_a_password_in_the_wrong_column_is_not_quoted_either() -> None:
    """Typed into 連携有無 of its own line."""
    (found,) = problems(sheet(linked={"パスワード": "Sesame!2026"}, users={"パスワード": "社員番号"}))

    assert found.where == "U2.l"
    assert "Sesame" not in str(found)


@pytest.mark.parametrize(
    ("lines", "where", "message"),
    [
        ({"パスワード": "固定値「XXXXXX」"}, "U2.s", "シートに書かれています"),
        ({"パスワード": ("秘密:x", "登録", "デフォルト:abc")}, "U2.b", "シートに書かれています"),
        ({"パスワード": "社員番号", "パスワード強制変更": "社員番号"}, "U2.s", "強制変更がありません"),
        ({"緊急連絡1 アドレス": ("メールアドレス", "", "", "", "更新")}, "U6.d", "連絡先が1つだけ"),
        ({"緊急連絡1 媒体": None, "緊急連絡1 アドレス": None}, "U1", "連絡先が1つも"),
        ({"緊急連絡1 媒体": "固定値「メール」"}, "U5.s", "「メール」という媒体"),
        ({"緊急連絡1 媒体": ("カスタム項目:媒体", "", "デフォルト:FAX")}, "U5.b", "「FAX」という媒体"),
    ],
)
def test_l7_doubtful_lines_are_warned_of(lines: dict[str, Line], where: str, message: str) -> None:
    """The sheet is taken, with a warning at the line."""
    _, warnings = parse(sheet(users=lines), "acme")

    assert [warning.where for warning in warnings] == [where]
    assert message in warnings[0].found


def test_e15_an_unlinked_line_is_not_read() -> None:
    """× and blank in 連携有無 leave a line out (warned of when it has a source); a strange word is a problem."""
    lines = {"検索ワード1": "事業所", "検索ワード2": "役職1"}
    mapping, warnings = parse(sheet(users=lines, linked={"検索ワード1": "×", "検索ワード2": ""}), "acme")

    assert mapping.rule("search_word_1") is None
    assert mapping.rule("search_word_2") is None
    assert [warning.where for warning in warnings] == ["U7.s", "U8.s"]
    assert [p.where for p in problems(sheet(users=lines, linked={"検索ワード1": "たぶん"}))] == ["U7.l"]
    assert [p.where for p in problems(sheet(users={"検索ワード1": ""}, linked={"検索ワード1": "○"}))] == ["U7.s"]


def test_e16_a_search_word_is_known_in_any_width() -> None:
    """The item is matched as people type it, its label stays word for word."""
    rule = read(sheet(users={"検索ﾜｰﾄﾞ ２： 勤務（地） ": "事業所"})).rule("search_word_2")
    assert rule is not None
    assert rule.label == "勤務（地）"


def test_e9_a_crew_without_an_id_may_be_left_out() -> None:
    """新規×値が無い of ユーザID may be 登録しない."""
    mapping = read(sheet(users={"ユーザID": ("社員番号", "登録", "登録しない")}))
    assert policies(mapping, "user_id") == "SET SKIP SKIP REJECT"


def test_l5_a_broken_sheet_still_gives_its_addresses_and_time() -> None:
    """What is sound in 連携情報 can be used although the rest is not."""
    raw = sheet({"処理時刻": "5:00", "連携開始日": "x"}, users={"氏名": None})

    found = partial_sheet(raw)

    assert (found.result_addresses, found.run_at) == (("soumu@acme.example.jp",), dt.time(5, 0))
    assert found.link_start_on is None
