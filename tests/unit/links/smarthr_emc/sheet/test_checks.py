"""Contradictions of a sheet, each at the cell that decides (E5, E16–E20, E23, E34, L7)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc.sheet.checks.information import start_warnings
from renkei.links.smarthr_emc.sheet.parse import check_sheet, parse
from tests.unit.links.smarthr_emc.sheet.test_parse import sheet

# sheet(): U1 ユーザID, U2 パスワード, U3 氏名, U4 氏名(ヨミ), U5 緊急連絡1 媒体, U6 緊急連絡1 アドレス; U7 … are a test's own.
# A place ends with .s source, .a .b .c .d the four policy cells (but .c of a convert cell), .l 連携有無.
MAIL, PHONE, FORCED = "固定値「メールアドレス」", "固定値「電話番号」", {"パスワード強制変更": "無し(空白)"}
CLEARS = ("メールアドレス", "登録", "登録しない", "更新", "更新")


def wrong(**parts: Any) -> list[tuple[str, str]]:
    with pytest.raises(MappingError) as caught:
        parse(sheet(**parts), "acme")
    return [(problem.where, f"{problem.found} {problem.remedy}") for problem in caught.value.problems]


def doubtful(**parts: Any) -> tuple[Problem, ...]:
    return parse(sheet(**parts), "acme")[1]


@pytest.mark.parametrize(
    ("parts", "where", "message"),
    [
        ({"users": {"ユーザID": "部署1"}}, "U1.s", "何人もいる"),
        ({"users": {"ユーザID": "社員番号 or 事業所"}}, "U1.s", "「事業所」"),
        ({"users": {"ユーザID": '役職1&"-"&雇用形態'}}, "U1.s", "「役職1」、「雇用形態」"),
        ({"users": {"ユーザID": "社員番号 or 固定値「A」"}}, "U1.s", "全員が同じID"),
        ({"users": {"パスワード強制変更": ("無し", "", "デフォルト:はい")}}, "U7.b", "「はい」は指定できません"),
        ({"users": {"パスワード強制変更": ("無し", "", "デフォルト:Ｔ")}}, "U7.b", "半角大文字の T"),
        ({"users": {"パスワード強制変更": "固定値「true」"}}, "U7.s", "「true」は指定できません"),
        ({"users": {"ユーザID": f"固定値「{'a' * 40}」&社員番号"}}, "U1.s", "41文字以上"),
        (
            {"settings": {"ID付与コード": "p" * 10}, "users": {"ユーザID": f"固定値「{'a' * 30}」&社員番号"}},
            "U1.s",
            "41文字",
        ),
        ({"users": {"所属部署": f"固定値「{'a' * 31}」"}}, "U7.s", "長すぎます"),
        (
            {"settings": {"ID付与コード": "p" * 10}, "users": {"所属部署": ("部署1", "", f"デフォルト:{'a' * 21}")}},
            "U7.b",
            "デフォルトが長すぎます",
        ),
        *(
            ({"users": {"緊急連絡1 媒体": word}}, "U5.s", "『固定値「メールアドレス」』と記入してください")
            for word in ("メールアドレス", "メール", "住所", "部署1")
        ),
        *(
            ({"users": {"パスワード": cells}}, where, "EMCのパスワードに使えない文字")
            for cells, where in (
                ("固定値「ひみつ」", "U2.s"),
                ("固定値「Ａｂｃ」", "U2.s"),
                ("固定値「Welcome 1」", "U2.s"),
                ("固定値「a\u200bb」", "U2.s"),
                ("固定値「é」", "U2.s"),
                ('社員番号&"様"', "U2.s"),
                ('"a "&社員番号', "U2.s"),
                ("秘密:x or 固定値「￥」", "U2.s"),
                (("社員番号", "", "デフォルト:初期"), "U2.b"),
            )
        ),
        ({"linked": {"氏名": "×"}}, "U3.l", "必須項目氏名が連携されていません"),
        ({"users": {"氏名": ("氏名", "登録しない")}}, "U3.a", "必須項目氏名"),
        ({"settings": {"SmartHR URL": ""}}, "I1.v", "SmartHR URLが記入されていません"),
        ({"settings": {"最上位部署ID": "000", "最上位部署名": ""}}, "I5.v", "最上位部署名が記入されていません"),
    ],
)
def test_l8_a_contradiction_is_an_error_at_its_cell(parts: dict[str, Any], where: str, message: str) -> None:
    """E5, E16, E19, E23: found once, at the cell that decides."""
    found = [(at, text) for at, text in wrong(**parts) if "最上位部署名(ヨミ)" not in text]
    assert [at for at, _ in found] == [where], found
    assert message in found[0][1]


@pytest.mark.parametrize(
    "parts",
    [
        {"users": {"ユーザID": f"固定値「{'a' * 39}」&社員番号"}},
        {"users": {"ユーザID": '部署1&"-"&社員番号'}},
        {"users": {"ユーザID": "カスタム項目:ログインID or メールアドレス"}},
        {"users": {"所属部署": f"固定値「{'a' * 30}」"}},
        {"users": {"パスワード強制変更": ("無し", "", "デフォルト:F")}, "linked": {}},
        {"users": {"パスワード": ('"　a"&社員番号&"! "', "", "デフォルト:a-1")}},
    ],
)
def test_e23_what_just_fits_is_no_error(parts: dict[str, Any]) -> None:
    """E5, E19, E23: the just-good neighbours of the errors above."""
    parse(sheet(**parts), "acme")


@pytest.mark.parametrize(
    ("parts", "where", "message"),
    [
        # the id
        ({"users": {"ユーザID": "姓&名"}}, "U1.s", "同じ値の人がいる"),
        ({"users": {"ユーザID": "社員番号 or 電話番号"}}, "U1.s", "「社員番号 or 電話番号」"),
        # texts
        ({"users": {"氏名": '姓&"😀"&名'}}, "U3.s", "「😀」は、EMCに登録できない"),
        ({"users": {"氏名": '姓&"\u200b"&名'}}, "U3.s", "目に見えない文字"),
        ({"users": {"緊急連絡1 アドレス": 'メールアドレス&"@x.jp"'}}, "U6.s", "つながり"),
        # departments
        ({"users": {"所属部署": "部署1&部署2"}}, "U7.s", "部署コードがつながり"),
        # passwords
        (
            {"users": {"パスワード": "生年月日", "パスワード強制変更": "固定値「F」"}},
            "U2.s",
            "「生年月日」で、強制変更がありません",
        ),
        ({"users": {"パスワード": "社員番号", "パスワード強制変更": "固定値「F」"}}, "U2.s", "ユーザIDと同じ"),
        (
            {"users": {"パスワード": '電話番号&"x"', "パスワード強制変更": "固定値「T」"}},
            "U2.s",
            "「電話番号」なので、本人より先にほかの人がログインできます",
        ),
        ({"users": {"パスワード": "固定値「abc」", "パスワード強制変更": "固定値「F」"}}, "U2.s", "使い続けます"),
        (
            {"users": {"パスワード": "メールアドレス", "パスワード強制変更": ("無し", "", "デフォルト:F")}},
            "U2.s",
            "メール",
        ),
        *(
            ({"users": {"パスワード": known, **FORCED}}, "U2.s", "本人より先にほかの人がログインできます")
            for known in ("生年月日", "社員番号", "電話番号", "姓(ヨミガナ)&生年月日", "社員番号&入社年月日", "事業所")
        ),
        *(
            ({"users": {"パスワード": f"カスタム項目:{known}", **FORCED}}, "U2.s", f"「{known}」")
            for known in ("誕生日(4桁)", "生年月日YYYYMMDD", "携帯下4桁", "従業員番号（旧）")
        ),
        ({"users": {"パスワード": "秘密:x or 生年月日", **FORCED}}, "U2.s", "「生年月日」"),
        # names
        ({"users": {"氏名": "姓"}}, "U3.s", "名が登録されません"),
        ({"users": {"氏名": "名(ビジネスネーム優先)"}}, "U3.s", "姓が登録されません"),
        ({"users": {"氏名(ヨミ)": "姓(ヨミガナ)"}}, "U4.s", "名が登録されません"),
        ({"users": {"氏名": "固定値「山田」"}}, "U3.s", "全員が同じ"),
        ({"users": {"氏名": "緊急連絡先(氏名)"}}, "U3.s", "本人の氏名ではありません"),
        ({"users": {"氏名": "ビジネスネーム"}}, "U3.s", "ビジネスネームの無い人では空白"),
        ({"users": {"氏名": "姓&名&カスタム項目:呼\u200b称"}}, "U3.s", "2文字目にゼロ幅スペース(U+200B)"),
        # kana
        ({"users": {"氏名(ヨミ)": "姓&名"}}, "U4.s", "ヨミガナではありません"),
        # departments
        ({"users": {"所属部署": ("部署1", "", "", "", "更新")}}, "U7.d", "所属部署が無くなります"),
        ({"users": {"所属部署": ("部署1", "", "デフォルト:999")}}, "U7.b", "部署コードとして登録されます"),
        ({"users": {"所属部署": "部署1(階層)"}}, "U7.s", "部署コードではありません"),
        ({"users": {"所属部署": "固定値「D010」"}}, "U7.s", "全員の部署コード"),
        ({"users": {"所属部署": "部署1", "兼務管理部署1": "部署1"}}, "U8.s", "所属部署コードと同じ"),
        # contacts
        ({"users": {"緊急連絡1 アドレス": CLEARS}}, "U6.d", "連絡先が1つだけ"),
        (
            {
                "users": {
                    "緊急連絡1 アドレス": CLEARS,
                    "緊急連絡2 媒体": PHONE,
                    "緊急連絡2 アドレス": ("電話番号", *CLEARS[1:]),
                }
            },
            "U6.d",
            "すべて「更新」",
        ),
        (
            {"users": {"緊急連絡2 媒体": MAIL, "緊急連絡2 アドレス": "メールアドレス"}},
            "U8.s",
            "緊急連絡1 アドレスと同じ",
        ),
        (
            {"users": {"緊急連絡2 媒体": PHONE, "緊急連絡2 アドレス": "電話番号 or 緊急連絡先(電話番号)"}},
            "U8.s",
            "家族などの電話番号",
        ),
        (
            {"users": {"緊急連絡1 媒体": MAIL, "緊急連絡1 アドレス": "電話番号"}},
            "U5.s",
            "『固定値「電話番号」』にするか",
        ),
        ({"users": {"緊急連絡1 アドレス": "固定値「soumu@acme.example.jp」"}}, "U6.s", "全員の連絡先が同じ"),
        ({"users": {"緊急連絡1 アドレス": "固定値「メールアドレス」"}}, "U6.s", "でも電話番号でもありません"),
        ({"users": {"緊急連絡1 アドレス": "住所(都道府県)"}}, "U6.s", "連絡先ではありません"),
        (
            {"users": {"緊急連絡1 アドレス": ("メールアドレス", "", "デフォルト:090-0000-0000")}},
            "U6.b",
            "その形ではありません",
        ),
        ({"users": {"緊急連絡1 媒体": (MAIL, "登録しない")}}, "U5.a", "登録されないので、エラー"),
        ({"users": {"緊急連絡1 媒体": (MAIL, "登録", "", "更新しない")}}, "U5.c", "後から"),
        ({"users": {"緊急連絡1 アドレス": ("メールアドレス", "登録しない")}}, "U5.a", "媒体も登録されません"),
        # policies
        ({"users": {"検索ワード1:勤務地": ("事業所", "登録しない", "", "更新しない")}}, "U7", "連携されません"),
        ({"users": {"保有権限1": ("無し", "", "", "", "更新")}}, "U7.d", "毎日、全員のEMCの値が消えます"),
        # search words
        ({"users": {"検索ワード1": "事業所", "検索ワード2": "役職1"}}, "U7", "検索ワード1、検索ワード2に名前"),
        ({"users": {"検索ワード1:役職": "事業所", "検索ワード2:（役職）": "役職1"}}, "U8", "検索ワード1と同じ"),
        # conversions
        ({"convert": {"氏名": "日付:YYYY/MM/DD"}}, "U3.c", "「日付」は、連携元「姓、名」に合いません"),
        ({"convert": {"氏名": "全角カナ"}}, "U3.c", "合いません"),
        ({"convert": {"緊急連絡1 アドレス": "電話番号"}}, "U6.c", "合いません"),
        ({"convert": {"氏名(ヨミ)": "全角、半角"}}, "U4.c", "互いに反対"),
        # 連携情報
        ({"settings": {"結果通知先メールアドレス1": "a@gmail.com"}}, "I2.v", "個人向け"),
        ({"settings": {"結果通知先メールアドレス2": "SOUMU@acme.example.jp"}}, "I4.v", "2回記入"),
        ({"settings": {"結果通知先メールアドレス1": "name@example.co.jp"}}, "I2.v", "記入例のまま"),
        ({"settings": {"SmartHR URL": "https://example.smarthr.jp"}}, "I1.v", "記入例のまま"),
        ({"settings": {"連携開始日": "2006-04-01"}}, "I3.v", "2006年"),
        ({"settings": {"連携開始日": "2206-04-01"}}, "I3.v", "2206年"),
        ({"settings": {"処理時刻": "1:30"}}, "I4.v", "1:00の前か直後"),
        ({"settings": {"削除保留(人数割合%)": "100"}}, "I4.v", "割合では保留になりません"),
        ({"settings": {"連絡先喪失保留(割合%)": "100"}}, "I4.v", "保留になりません"),
        ({"settings": {"削除保留(最少人数)": "501"}}, "I4.v", "最多人数より多い"),
        ({"settings": {"ID付与コード": "p" * 9}, "users": {"ユーザID": "メールアドレス"}}, "I4.v", "31文字を超える人"),
        ({"settings": {"ID付与コード": "p" * 16}}, "I4.v", "部署コードが14文字"),
        *(({"settings": {"ID付与コード": f"{sign}p"}}, "I4.v", "数式として実行") for sign in "=@+-"),
    ],
)
def test_l8_what_is_doubtful_is_a_warning_at_its_cell(parts: dict[str, Any], where: str, message: str) -> None:
    """E16–E20, E22, E23, E34, L7: the sheet is taken, with one warning at the cell that decides."""
    found = doubtful(**parts)
    assert [warning.where for warning in found] == [where], [str(warning) for warning in found]
    assert message in f"{found[0].found} {found[0].remedy}"
    assert found[0].remedy


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"users": {"パスワード": "秘密:x", "パスワード強制変更": "固定値「F」"}},
        {"users": {"パスワード": "カスタム項目:初期パスワード", "パスワード強制変更": "固定値「F」"}},
        {"users": {"保有権限1": ("無し(空白)", "登録", "登録しない", "更新しない", "更新しない")}},
        {"users": {"所属部署": "部署1 or 部署2", "兼務管理部署1": "部署2"}},
        {"users": {"緊急連絡1 アドレス": CLEARS, "緊急連絡2 媒体": PHONE, "緊急連絡2 アドレス": "電話番号"}},
        {"users": {"検索ワード1:入社": "入社年月日"}, "convert": {"検索ワード1:入社": "日付:YYYY年M月D日"}},
        {"convert": {"氏名": "標準字体、空白除去", "氏名(ヨミ)": "全角カナ", "緊急連絡1 アドレス": "メールアドレス"}},
        {"users": {"検索ワード1:x": "カスタム項目:入館日"}, "convert": {"検索ワード1:x": "日付:YYYY/MM/DD"}},
        {"settings": {"処理時刻": "2:00", "ID付与コード": "p" * 8}, "users": {"ユーザID": "メールアドレス"}},
        {"settings": {"削除保留(人数割合%)": "99.9", "削除保留(最少人数)": "500"}},
        {"settings": {"結果通知先メールアドレス2": "a@gmail.com"}},
        {
            "settings": {"最上位部署ID": "9", "最上位部署名": "x", "最上位部署名(ヨミ)": "x"},
            "users": {"所属部署": ("部署1", "", "デフォルト:9")},
        },
    ],
)
def test_a_sound_sheet_is_not_warned_of(parts: dict[str, Any]) -> None:
    """L8: the just-good neighbours of the warnings above say nothing."""
    assert [str(warning) for warning in doubtful(**parts)] == []


def test_l7_no_warning_quotes_a_password() -> None:
    """L7: whatever is doubtful about a password, its text is in no message."""
    for users in (
        {"パスワード": "固定値「Sesame」", "パスワード強制変更": "固定値「F」"},
        {"パスワード": ("社員番号", "", "デフォルト:Sesame")},
        {"パスワード": '社員番号&"Sesame"', "パスワード強制変更": "固定値「F」"},
    ):
        found = doubtful(users=users)
        assert found
        assert "Sesame" not in str(found)


def test_l8_errors_and_warnings_come_together() -> None:
    """L8: a broken sheet is warned of too, but never twice at one cell."""
    judged = check_sheet(sheet({"処理時刻": "0:30"}, users={"氏名": "社員メイ", "パスワード": "固定値「x」"}), "acme")

    assert judged.mapping is None
    assert [problem.where for problem in judged.problems] == ["U3.s"]
    assert [warning.where for warning in judged.warnings] == ["I4.v", "U2.s"]


@pytest.mark.parametrize(("start", "count"), [("2027-11-23", 0), ("2027-11-24", 1), ("2020-01-01", 0)])
def test_e1_a_start_far_ahead_is_doubtful(start: str, count: int) -> None:
    """E1: more than a year from the day on which the sheet is looked at."""
    assert len([*start_warnings(dt.date.fromisoformat(start), dt.date(2026, 11, 22), "I3.v")]) == count
