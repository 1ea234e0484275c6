"""Names of invented people: surnames by how common they are, given names by gender, readings and Latin spelling."""

from __future__ import annotations

# Kanji, reading, families per ten thousand people (rounded). The long tail is left out, so the figures are relative.
_SURNAMES = """
佐藤 サトウ 149|鈴木 スズキ 143|高橋 タカハシ 112|田中 タナカ 106|伊藤 イトウ 85|渡辺 ワタナベ 84|山本 ヤマモト 83
中村 ナカムラ 83|小林 コバヤシ 81|加藤 カトウ 70|吉田 ヨシダ 66|山田 ヤマダ 64|佐々木 ササキ 53|山口 ヤマグチ 51
松本 マツモト 50|井上 イノウエ 49|木村 キムラ 46|林 ハヤシ 43|斎藤 サイトウ 43|清水 シミズ 42|山崎 ヤマザキ 38
森 モリ 37|池田 イケダ 36|橋本 ハシモト 36|阿部 アベ 35|石川 イシカワ 33|山下 ヤマシタ 33|中島 ナカジマ 32
石井 イシイ 31|小川 オガワ 31|前田 マエダ 31|岡田 オカダ 30|長谷川 ハセガワ 30|藤田 フジタ 30|後藤 ゴトウ 29
近藤 コンドウ 29|村上 ムラカミ 29|遠藤 エンドウ 26|青木 アオキ 26|坂本 サカモト 26|斉藤 サイトウ 25|福田 フクダ 25
太田 オオタ 25|西村 ニシムラ 24|藤井 フジイ 24|金子 カネコ 23|岡本 オカモト 23|藤原 フジワラ 23|三浦 ミウラ 23
中野 ナカノ 23|中川 ナカガワ 22|原田 ハラダ 22|松田 マツダ 22|竹内 タケウチ 21|小野 オノ 21|田村 タムラ 21
中山 ナカヤマ 20|和田 ワダ 20|石田 イシダ 20|森田 モリタ 19|上田 ウエダ 19|原 ハラ 19|内田 ウチダ 18
柴田 シバタ 18|酒井 サカイ 18|宮崎 ミヤザキ 18|横山 ヨコヤマ 18|高木 タカギ 17|安藤 アンドウ 17|宮本 ミヤモト 17
大野 オオノ 17|小島 コジマ 17|谷口 タニグチ 17|工藤 クドウ 16|今井 イマイ 16|高田 タカダ 16|増田 マスダ 16
丸山 マルヤマ 16|杉山 スギヤマ 16|村田 ムラタ 16|大塚 オオツカ 15|新井 アライ 15|藤本 フジモト 15|小山 コヤマ 15
平野 ヒラノ 15|河野 コウノ 15|上野 ウエノ 15|武田 タケダ 14|野口 ノグチ 14|松井 マツイ 14|千葉 チバ 14
菅原 スガワラ 14|岩崎 イワサキ 14|久保 クボ 13|木下 キノシタ 13|佐野 サノ 13|野村 ノムラ 13|松尾 マツオ 13
菊地 キクチ 13|市川 イチカワ 13|杉本 スギモト 13|古川 フルカワ 12|大西 オオニシ 12|島田 シマダ 12|水野 ミズノ 12
桜井 サクライ 12|高野 タカノ 12|渡部 ワタベ 12|吉川 ヨシカワ 12|山内 ヤマウチ 12|西田 ニシダ 11|飯田 イイダ 11
菊池 キクチ 11|西川 ニシカワ 11|小松 コマツ 11|北村 キタムラ 11|安田 ヤスダ 11|五十嵐 イガラシ 11|川口 カワグチ 10
平田 ヒラタ 10|関 セキ 10|中田 ナカタ 10|久保田 クボタ 10|服部 ハットリ 10|東 ヒガシ 10|岩田 イワタ 10
土屋 ツチヤ 10|川崎 カワサキ 10|福島 フクシマ 9|本田 ホンダ 9|辻 ツジ 9|樋口 ヒグチ 9|秋山 アキヤマ 9
永井 ナガイ 9|田口 タグチ 9|中西 ナカニシ 9|吉村 ヨシムラ 9|川上 カワカミ 9|石原 イシハラ 9|大橋 オオハシ 9
髙橋 タカハシ 6|渡邊 ワタナベ 6|渡邉 ワタナベ 5|齋藤 サイトウ 5|德田 トクダ 2|濵田 ハマダ 2|宮﨑 ミヤザキ 2
四月一日 ワタヌキ 1|小鳥遊 タカナシ 1|勅使河原 テシガワラ 1
"""

_MALE = """
翔太 ショウタ|大輔 ダイスケ|拓也 タクヤ|健太 ケンタ|直樹 ナオキ|達也 タツヤ|誠 マコト|和也 カズヤ|健一 ケンイチ
剛 ツヨシ|浩 ヒロシ|哲也 テツヤ|学 マナブ|隆 タカシ|亮 リョウ|翔 ショウ|大樹 ダイキ|雄太 ユウタ|悠斗 ユウト|蓮 レン
陽翔 ハルト|湊 ミナト|蒼 アオイ|樹 イツキ|大翔 ヒロト|一郎 イチロウ|茂 シゲル|豊 ユタカ|修 オサム|進 ススム
隆之 タカユキ|裕介 ユウスケ|慎也 シンヤ|洋平 ヨウヘイ|俊介 シュンスケ|祐樹 ユウキ|智也 トモヤ
竜也 リュウヤ|聡 サトシ|勝 マサル
純一 ジュンイチ|康平 コウヘイ|貴之 タカユキ|優 ユウ|光 ヒカル|京介 キョウスケ|新之助 シンノスケ|秀樹 ヒデキ
徹 トオル|淳 ジュン
"""

_FEMALE = """
美咲 ミサキ|愛 アイ|彩 アヤ|陽子 ヨウコ|恵子 ケイコ|裕子 ユウコ|智子 トモコ|久美子 クミコ|由美子 ユミコ|真由美 マユミ
優子 ユウコ|麻衣 マイ|香織 カオリ|恵 メグミ|千尋 チヒロ|舞 マイ|葵 アオイ|さくら サクラ|結衣 ユイ|陽菜 ヒナ
凛 リン|詩 ウタ|芽依 メイ|結菜 ユイナ|莉子 リコ|美穂 ミホ|直美 ナオミ|明美 アケミ|幸子 サチコ|和子 カズコ
洋子 ヨウコ|純子 ジュンコ|友美 トモミ|沙織 サオリ|瞳 ヒトミ|里奈 リナ|早紀 サキ|奈々 ナナ|桃子 モモコ|絵里 エリ
典子 ノリコ|弘子 ヒロコ|京子 キョウコ|理沙 リサ|七海 ナナミ|ひなた ヒナタ|千夏 チナツ|真央 マオ|佳奈 カナ|由紀 ユキ
"""


def _rows(text: str) -> list[list[str]]:
    return [entry.split() for line in text.strip().splitlines() for entry in line.split("|")]


SURNAMES: list[tuple[str, str]] = [(kanji, yomi) for kanji, yomi, _ in _rows(_SURNAMES)]
SURNAME_WEIGHTS: list[int] = [int(weight) for _, _, weight in _rows(_SURNAMES)]
GIVEN: dict[str, list[tuple[str, str]]] = {
    "male": [(kanji, yomi) for kanji, yomi in _rows(_MALE)],
    "female": [(kanji, yomi) for kanji, yomi in _rows(_FEMALE)],
}

_TWO = {
    "キャ": "kya", "キュ": "kyu", "キョ": "kyo", "シャ": "sha", "シュ": "shu", "ショ": "sho", "チャ": "cha",
    "チュ": "chu", "チョ": "cho", "ニャ": "nya", "ニュ": "nyu", "ニョ": "nyo", "ヒャ": "hya", "ヒュ": "hyu",
    "ヒョ": "hyo", "ミャ": "mya", "ミュ": "myu", "ミョ": "myo", "リャ": "rya", "リュ": "ryu", "リョ": "ryo",
    "ギャ": "gya", "ギュ": "gyu", "ギョ": "gyo", "ジャ": "ja", "ジュ": "ju", "ジョ": "jo",
}  # fmt: skip
_KATAKANA = (
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"
    "ガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポ"
)
_LATIN = """
a i u e o ka ki ku ke ko sa shi su se so ta chi tsu te to na ni nu ne no ha hi fu he ho
ma mi mu me mo ya yu yo ra ri ru re ro wa o n
ga gi gu ge go za ji zu ze zo da ji zu de do ba bi bu be bo pa pi pu pe po
"""
_ONE = dict(zip(_KATAKANA, _LATIN.split(), strict=True))


def romaji(yomi: str) -> str:
    """Latin spelling of a katakana reading, long vowels shortened as in mail addresses (ショウタ -> shota)."""
    out: list[str] = []
    double = False
    position = 0
    while position < len(yomi):
        if yomi[position] == "ッ":
            double, position = True, position + 1
            continue
        step = 2 if yomi[position : position + 2] in _TWO else 1
        syllable = _TWO[yomi[position : position + 2]] if step == 2 else _ONE[yomi[position]]
        out.append(syllable[0] + syllable if double else syllable)
        double, position = False, position + step
    return "".join(out).replace("ou", "o").replace("oo", "o").replace("uu", "u")
