"""What to write instead of a SmartHR item that there is not: by what the word means and the EMC item needs (L8).

Never by spelling alone: 「所属部署」 is spelled like 部署9, and means 部署1. Whoever writes what is advised word for word
gets a sound cell.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from renkei.links.smarthr_emc.sheet.catalogue import NAMES, SLOTS, UNIQUE, canonical
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_REFERENCES, SEARCH_WORDS, USER_ITEM, USER_ITEMS
from renkei.texts import fold, similar, trim

CATALOGUE_SHEET = "シート「SmartHR項目一覧」"

_MEANINGS = {
    "姓": "苗字 名字 氏 姓漢字 ラストネーム lastname last_name",
    "名": "名前 下の名前 名漢字 ファーストネーム firstname first_name",
    "姓(ヨミガナ)": "セイ 姓カナ 姓かな 姓よみ 姓よみがな 姓ふりがな 苗字カナ 苗字ヨミ 名字カナ カナ姓 姓読み",
    "名(ヨミガナ)": "メイ 名カナ 名かな 名よみ 名よみがな 名ふりがな 名前カナ 名前ヨミ カナ名 名読み",
    "氏名": "姓名 お名前 フルネーム 漢字氏名 氏名漢字 従業員氏名 社員氏名 従業員名 社員名 戸籍氏名 戸籍上の氏名 本名",
    "氏名(ヨミガナ)": "フリガナ ふりがな カナ かな ヨミ よみ よみがな ヨミガナ 読み 読み仮名 読みがな 氏名カナ 氏名かな 氏名よみ 氏名よみがな "
    "氏名ふりがな 氏名読み カナ氏名 カナ名 姓名カナ 姓名ヨミ 姓名フリガナ カタカナ氏名 氏名カタカナ",
    "社員番号": "職員番号 社員no 社員ナンバー 従業員コード 従業員no 従業員ナンバー 社番 職員コード 職員no 従業員番号no 社員id番号 empcode emp_code",
    "メールアドレス": "メルアド メアド mail email mailaddress メールaddress emailアドレス mailアドレス 電子メール 電子メールアドレス メールアドレス1",
    "電話番号": "電話 tel telno 電話no phone 携帯電話番号 携帯番号 携帯電話 携帯 本人電話番号 本人の電話番号 電話番号1",
    "生年月日": "誕生日 生まれた日 birthday",
    "事業所": "事業所名 事業場 事業場名 勤務事業所 所属事業所",
    "雇用形態": "雇用形態名 雇用区分 社員区分 従業員区分",
    "等級": "等級名 グレード",
    "職種": "職種名",
    "役職1": "役職 役職名 肩書 肩書き",
    "入社年月日": "入社年月 入社日付 入社した日",
    "住所": "自宅住所 本人住所 居住地 自宅",
    "住所(都道府県)": "居住都道府県 住所都道府県 都道府県名",
    "緊急連絡先(電話番号)": "緊急電話番号 緊急連絡先tel",
}
_WORDS = {fold(word): name for name, words in _MEANINGS.items() for word in words.split()}
_WHOLE_NAME = {fold(word) for word in ("名前", "氏", "お名前")}  # alone in 氏名, not the first name
_DEPARTMENT = re.compile(
    r"(?:所属|本務|主務|主|主たる|メイン)?(?:部署|部門|組織|所属)(?P<slot>\d*)(?:の?(?:部署|部門|組織)?(?:名称?|コード|id|番号))?"
)
_SECONDARY = re.compile(
    r"(?:兼務管理|兼務|兼任|副務|サブ)(?:部署|部門|組織|所属|先)?(?P<slot>\d*)(?:の?(?:部署|部門)?(?:名称?|コード|id|番号))?"
)
_MEDIA = {
    "メールアドレス": "メール mail email eメール メルアド メアド 携帯メール pcメール 会社メール 社用メール 個人メール 電子メール",
    "電話番号": "電話 tel phone 携帯 携帯電話 携帯電話番号 携帯番号 固定電話 自宅電話 sms ショートメッセージ 音声 音声電話",
    "アプリ": "app application アプリケーション スマホアプリ 専用アプリ プッシュ push プッシュ通知 アプリ通知",
}
_MEDIUM = {fold(word): medium for medium, words in _MEDIA.items() for word in (medium, *words.split())}
_JOINED = re.compile(r"[\s+＋・,、，。/／|｜]+|と")
_HEAD = re.compile(r"[\s:：=＝(（「『\"“]*")
_CUSTOM = re.compile(
    r"(?:従業員)?(?:カスタム|独自|追加|オリジナル|custom)(?:の?項目|フィールド)?\s*[:：「『(（_\-\s]\s*", re.I
)
_CLOSING = ' 　)）」』"”'


def quoted(text: str) -> str:
    """`text` set off from a sentence; the brackets are no part of what is to be written."""
    return f"『{text}』" if "「" in text or "」" in text else f"「{text}」"


def medium(word: str, fallback: str = "メールアドレス") -> str:
    """The usual EMC medium that a word for one means."""
    return _MEDIUM.get(fold(word), fallback)


@dataclass(frozen=True, slots=True)
class Line:
    """The line that advice is for: its EMC item (may be empty), the medium beside an address, the tenant."""

    item: str = ""
    medium: str = ""
    tenant: str = "会社名"


NO_LINE = Line()


def usual(line: Line) -> str:
    """What SmartHR項目 usually says in a line; empty where each customer has something else."""
    item = line.item
    if item in DEPARTMENT_REFERENCES:
        return f"部署{_slot(item)}"
    if item.endswith("_medium"):
        return "固定値「メールアドレス」"
    if item.endswith("_address"):
        return "電話番号" if line.medium == "電話番号" else "メールアドレス"
    return {
        "user_id": "社員番号",
        "password": f"秘密:first_password__{line.tenant}",
        "password_reset": "無し(空白)",
        "full_name": "姓&名",
        "full_name_yomi": "氏名(ヨミガナ)",
    }.get(item, "")


def _slot(item: str) -> int:
    """The department's slot that an EMC reference is usually taken from: 部署1 is the primary one."""
    return 1 if item == "primary_department_id" else min(int(item.rpartition("_")[2]) + 1, SLOTS)


def instead(text: str, unknown: Sequence[str], line: Line) -> tuple[str, str]:
    """For a cell with items that there are not: the remedy, and the whole cell as it should be ("" where nobody knows).

    `unknown` are the words of `text` that are no SmartHR item.
    """
    cell = _rewritten(trim(text), unknown, line.item)
    if cell and _fits(cell, line.item):
        return f"{quoted(cell)}と記入してください", cell
    first = unknown[0]
    custom = f"お客様がSmartHRで作った項目なら{quoted(f'カスタム項目:{first}')}と記入"
    wanted = usual(line)
    if not wanted:
        return f"{custom}し、そうでなければ{CATALOGUE_SHEET}にある名前を記入してください", ""
    name = USER_ITEM[line.item].name
    remedy = f"{name}には、通常は{quoted(wanted)}と記入します。ほかの項目は{CATALOGUE_SHEET}から選びます({custom})"
    return remedy, wanted


def _fits(cell: str, item: str) -> bool:
    """Whether what a word means can be what the EMC item holds: no title for a department, no surname for an address."""
    if item == "user_id":
        return all(set(one.split("&")) & UNIQUE or "カスタム項目" in one for one in cell.split(" or "))
    if item in DEPARTMENT_REFERENCES:
        return cell.startswith(("部署", "カスタム項目")) and "&" not in cell
    if item.endswith("_medium"):
        return cell.startswith(("固定値", "カスタム項目"))
    if item.endswith("_address"):
        return not set(re.split(r" or |&", cell)) - {"メールアドレス", "電話番号"} or cell.startswith("カスタム項目")
    if item == "full_name_yomi":
        return "氏名(ヨミガナ" in cell or cell.count("ヨミガナ") > 1 or cell.startswith("カスタム項目")
    if item == "full_name":
        return cell not in ("姓", "名") and "ヨミガナ" not in cell and bool(set(cell) & set("姓名") or "ネーム" in cell)
    return True


def _rewritten(text: str, unknown: Sequence[str], item: str) -> str:
    """The whole cell with each unknown word replaced by what it means; empty unless all of them mean something."""
    if len(unknown) == 1 and fold(text) == fold(unknown[0]):
        return _meaning(text, item, alone=True)
    for word in unknown:
        known = _meaning(word, item, alone=False)
        if not known or word not in text:
            return ""
        text = text.replace(word, known)
    return text


def _meaning(word: str, item: str, *, alone: bool) -> str:
    """What a word for an item means in this line, as SmartHR項目 has to say it; empty where nobody knows."""
    plain = fold(word)
    if item.endswith("_medium"):
        bare = _HEAD.sub("", trim(word).removeprefix("固定値"), count=1).rstrip(_CLOSING)
        return f"固定値「{_MEDIUM[fold(bare)]}」" if fold(bare) in _MEDIUM else ""
    if head := _headed(word):
        return head
    if department := _department(plain, item):
        return department
    if item == "full_name_yomi" and alone and plain in {*_WHOLE_NAME, fold("氏名")}:
        return "氏名(ヨミガナ)"
    if item == "full_name" and alone and plain in _WHOLE_NAME:
        return "氏名"
    if plain in _WORDS:
        return _WORDS[plain]
    return _parts(word, item) or similar(word, NAMES)


def _headed(word: str) -> str:
    """固定値 or カスタム項目 with its content written some other way."""
    if word.startswith("固定値"):
        content = _HEAD.sub("", word.removeprefix("固定値"), count=1).rstrip(_CLOSING)
        return f"固定値「{content}」" if content and not set(content) & set("「」") else ""
    if found := _CUSTOM.match(word):
        content = trim(word[found.end() :].rstrip(_CLOSING))
        return f"カスタム項目:{content}" if content and not set(content) & set("「」&＆") else ""
    return ""


def _department(plain: str, item: str) -> str:
    """The slot that a word for a department means: that of the line, or the number that stands with it."""
    if found := _SECONDARY.fullmatch(plain):
        slot = int(found["slot"]) + 1 if found["slot"] else max(_slot(item) if item in DEPARTMENT_REFERENCES else 2, 2)
    elif found := _DEPARTMENT.fullmatch(plain):
        slot = int(found["slot"] or (_slot(item) if item in DEPARTMENT_REFERENCES else 1))
    else:
        return ""
    code = item not in DEPARTMENT_REFERENCES and ("コード" in plain or plain.endswith("id"))
    return f"部署{slot}{'(コード)' if code else ''}" if 1 <= slot <= SLOTS else ""


def _parts(word: str, item: str) -> str:
    """Several items in one cell without the sign that joins them."""
    parts = [part for part in _JOINED.split(word) if part]
    if len(parts) < 2 and (found := re.fullmatch("(姓|セイ)(名|メイ)", word)):
        parts = list(found.groups())
    known = list(_known(parts, item))
    if len(parts) < 2 or len(known) < len(parts):
        return ""
    instead = item in DEPARTMENT_REFERENCES or item.endswith("_address")
    return (" or " if instead or (item == "user_id" and not re.search("[+＋]|と", word)) else "&").join(known)


def _known(parts: Sequence[str], item: str) -> Iterator[str]:
    for part in parts:
        name = canonical(part) or _WORDS.get(fold(part))
        if name and item == "full_name_yomi" and name in ("姓", "名"):
            name += "(ヨミガナ)"
        if name:
            yield name


_ITEM_WORDS = {
    "user_id": "ログインid ユーザー id 社員番号 従業員番号 社員id ユーザid番号 ユーザ番号 アカウント",
    "password": "pw password パス 仮パスワード ログインパスワード",
    "password_reset": "強制変更 パスワード変更 初回パスワード変更 パスワード強制",
    "full_name": "名前 姓名 お名前 社員名 従業員名 氏名漢字 漢字氏名 ユーザ名 ユーザー名 利用者名",
    "full_name_yomi": "フリガナ ふりがな カナ ヨミ ヨミガナ よみがな 氏名かな カナ氏名 氏名読み 読み仮名",
    "primary_department_id": "部署 部署名 部署コード 部署id 所属 所属部署名 所属部門 主務部署 本務部署 部門",
    "secondary_department_1": "兼務 兼務部署 兼務管理部署 兼務先 兼任部署",
    "role_1": "権限 管理権限 ロール 管理者権限",
    "contact_1_address": "メールアドレス メール 電話番号 電話 携帯電話 携帯番号 連絡先 緊急連絡先 緊急連絡 アドレス",
    "contact_1_medium": "媒体 連絡媒体 緊急連絡媒体 連絡手段",
}
_ITEM_OF = {fold(word): key for key, words in _ITEM_WORDS.items() for word in words.split()}
_SEARCHED = {
    *map(fold, ("役職", "勤務地", "事業所", "居住地", "雇用形態", "等級", "職種", "拠点", "勤務先", "住所", "性別")),
    *map(fold, ("入社日", "資格", "検索ワード")),
}


def other_item(text: str, taken: Container[str]) -> tuple[str, str]:
    """For a line whose EMC item there is not: the item that it can be renamed to ("" for none), and the remedy.

    An item that has a line of its own (`taken`) is filled in there: a second one would be the next mistake.
    """
    key = _ITEM_OF.get(fold(text), "")
    if not key and (name := similar(text, [item.name for item in USER_ITEMS])):
        key = next(item.key for item in USER_ITEMS if item.name == name)
    if key and key not in taken:
        return key, f"項目名を「{USER_ITEM[key].name}」にしてください"
    if key:
        return "", f"「{USER_ITEM[key].name}」の行に記入し、この行を削除してください"
    if fold(text) not in _SEARCHED:
        return "", "項目名を確認するか、行を削除してください"
    label = "" if fold(text) == fold("検索ワード") else f":{trim(text)}"
    free = next((n for n in range(1, SEARCH_WORDS + 1) if f"search_word_{n}" not in taken), 0)
    if free:
        return f"search_word_{free}", f"項目名を「検索ワード{free}{label}」にしてください"
    return "", f"使っていない検索ワードの行の項目名を「検索ワード1{label}」のようにして記入し、この行を削除してください"
