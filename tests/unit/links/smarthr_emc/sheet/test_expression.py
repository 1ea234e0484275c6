"""E17: the grammar of the SmartHR項目 column."""

from __future__ import annotations

import pytest

from renkei.links.smarthr_emc.sheet.expression import format_source, parse_source
from renkei.links.smarthr_emc.sheet.mapping import Constant, CustomField, Secret, Source, SourceField, Term
from renkei.texts import Fault

LAST, FIRST = SourceField("姓"), SourceField("名")
CODE, MAIL = SourceField("社員番号"), SourceField("メールアドレス")


def one(*terms: Term) -> Source:
    return Source((terms,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("社員番号", one(CODE)),
        ("社員番号 or メールアドレス", Source(((CODE,), (MAIL,)))),
        ("社員番号またはメールアドレス", Source(((CODE,), (MAIL,)))),
        ("社員番号　ＯＲ　メール", Source(((CODE,), (MAIL,)))),
        ("従業員番号orメール", Source(((CODE,), (MAIL,)))),
        ("姓&名", one(LAST, FIRST)),
        ("姓＆名", one(LAST, FIRST)),
        ('姓&"　"&名', one(LAST, Constant("　"), FIRST)),
        ("姓 & ”　” & 名", one(LAST, Constant("　"), FIRST)),
        ("姓&「・」&名", one(LAST, Constant("・"), FIRST)),
        ("姓（ヨミガナ）&名（ヨミガナ）", one(SourceField("姓(ヨミガナ)"), SourceField("名(ヨミガナ)"))),
        ("姓(ﾖﾐｶﾞﾅ)", one(SourceField("姓(ヨミガナ)"))),
        ("氏名", one(LAST, Constant(" "), FIRST)),
        ("氏名 or メールアドレス", Source(((LAST, Constant(" "), FIRST), (MAIL,)))),
        ("都道府県", one(SourceField("住所(都道府県)"))),
        ("住所（丁目･番地）", one(SourceField("住所(丁目・番地)"))),
        ("部署10（階層）", one(SourceField("部署10(階層)"))),
        ("戸籍上の性別(性別)", one(SourceField("戸籍上の性別"))),
        ("固定値「XXXXXX」", one(Constant("XXXXXX"))),
        ('固定値"A&B or C"', one(Constant("A&B or C"))),
        ("固定値『「本社」』", one(Constant("「本社」"))),
        ("固定値：本社", one(Constant("本社"))),
        ("「本社」", one(Constant("本社"))),
        ('固定値"say ""hi"""', one(Constant('say "hi"'))),
        ("カスタム項目:Color  Code", one(CustomField("Color  Code"))),
        ("カスタム項目：「A or B & C」", one(CustomField("A or B & C"))),
        ("ｶｽﾀﾑ項目:拠点 or 事業所", Source(((CustomField("拠点"),), (SourceField("事業所"),)))),
        ("秘密:first-password", one(Secret("first-password"))),
        ("固定値「秘密:first」", one(Secret("first"))),
        ("固定値：秘密：first", one(Secret("first"))),
        ("無し(空白)", Source()),
        ("無し（空白）", Source()),
        ("空白", Source()),
        ("-", Source()),
        ("－", Source()),
    ],
)
def test_e17_a_source_is_read_as_people_write_it(text: str, expected: Source) -> None:
    """Each way of writing gives its source, and the written form of that reads back."""
    assert parse_source(text) == expected
    assert parse_source(format_source(expected)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "空白"),
        ("社員コート", "カスタム項目:社員コート"),
        ("メールアドレズ", "「メールアドレス」と記入してください"),
        ("姓&", "前後に項目がありません"),
        ("or 姓", "前後に項目がありません"),
        ("姓&無し", "つなげません"),
        ("固定値", "固定値「…」"),
        ("固定値「」", "固定値が空白"),
        ("固定値「　」", "固定値が空白"),
        ("固定値「本社", "閉じられていません"),
        ("固定値「本社」支店", "余分な文字「支店」"),
        ("「A」「B」", "「&」を記入"),
        ("カスタム項目:", "項目名が空白"),
        ("カスタム項目「 」", "項目名が空白"),
        ("秘密:", "名前に使えない"),
        ("秘密:a b", "名前に使えない"),
        ("部署11", "部署1"),
        ("姓\n名", "改行"),
    ],
)
def test_l8_a_source_that_means_nothing_is_refused_with_a_remedy(text: str, message: str) -> None:
    """What cannot be read says what was found and what to do, naming the nearest item."""
    with pytest.raises(Fault, match=message):
        parse_source(text)


def test_e17_a_text_with_every_quote_survives() -> None:
    """Where no kind of quotes is free, the closing one is doubled."""
    source = one(Constant('「a」『b』"c"'), LAST, CustomField('「a」&『b』"c"'))
    assert parse_source(format_source(source)) == source
