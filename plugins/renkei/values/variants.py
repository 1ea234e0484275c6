"""標準字体: the form that JIS X 0208 carries of a variant character (異体字), for people and screens that need it.

Sources: 常用漢字表 (平成22年内閣告示第2号, いわゆる康熙字典体 in brackets), 人名用漢字 (戸籍法施行規則別表第二の二),
表外漢字字体表 (平成12年国語審議会答申, 簡易慣用字体), and Unicode's own decompositions of the CJK compatibility
ideographs. A variant that JIS X 0208 carries as well (龍, 澤, 國) is a name like any other and stays;
邉 and 邊 alone are listed all the same, because one family is written in a dozen ways with them.
"""

from __future__ import annotations

import functools
import unicodedata

# Variant and standard form, in pairs.
_PAIRS = (
    "髙高 﨑崎 𠮷吉 𡈽土 圡土 𣘺橋 槗橋 栁柳 𥔎碕 𦚰脇 𣳾泰 𫝆今 濵浜 瀨瀬 德徳 增増 寬寛 黑黒 黃黄 橫横 薰薫 賴頼 郞郎 鄕郷 "
    "綠緑 緖緒 緣縁 靑青 淸清 敎教 悅悦 閒間 甁瓶 羡羨 贒賢 勛勲 喆哲 咊和 冝宜 曻昇 昻昂 曺曹 桒桑 凞熙 \ufa15熙 靏鶴 靍鶴 "
    "﨔欅 隝島 每毎 步歩 卽即 戶戸 揭掲 渴渇 溫温 狀状 瘦痩 晚晩 曆暦 歷歴 旣既 產産 稅税 說説 閱閲 銳鋭 巢巣 鍊錬 錄録 "
    "虛虚 𠮟叱 塡填 剝剥 頰頬 噓嘘 繫繋 蔣蒋 萊莱 醬醤 顚顛 摑掴 瀆涜 焰焔 禱祷 簞箪 麵麺 蠟蝋 軀躯 屢屡 嚙噛 鹼鹸 驒騨 搔掻 "
    "潑溌 醱醗 俠侠 囊嚢 鷗鴎 邉辺 邊辺"
)
_COMPATIBILITY = (*range(0xF900, 0xFB00), *range(0x2F800, 0x2FA20))


@functools.cache
def standard_forms() -> dict[str, str]:
    """Variant → its standard form, always one character that JIS X 0208 carries; nothing leads to a variant again."""
    forms = {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in _COMPATIBILITY}
    forms = {variant: form for variant, form in forms.items() if form != variant and in_jis_x_0208(form)}
    return forms | {pair[0]: pair[1] for pair in _PAIRS.split()}


def in_jis_x_0208(character: str) -> bool:
    """Whether every reader has it: ASCII, half-width kana, or 第1・第2水準, by whichever Unicode spelling CP932 uses."""
    if character in "～－∥￠￡￢":  # Unicode's tables of Shift_JIS and CP932 differ in these six signs alone
        return True
    try:
        character.encode("shift_jis")
    except UnicodeEncodeError:
        return False
    return True
