"""The words of the four policy cells (新規登録処理・更新処理 × 値がある/無い場合), read and written (E18, E19)."""

from __future__ import annotations

import re
from enum import StrEnum

from renkei.links.smarthr_emc.sheet.items import Item
from renkei.links.smarthr_emc.sheet.mapping import Action, Cell
from renkei.texts import Fault, fold, has_control, trim

_SET, _SKIP, _REJECT, _AUTO = (Cell(a) for a in (Action.SET, Action.SKIP, Action.REJECT, Action.AUTO))


class Place(StrEnum):
    """Which of the four cells; the value is the column's Japanese name."""

    CREATE_PRESENT = "新規登録処理: 値がある場合"
    CREATE_BLANK = "新規登録処理: 値が無い場合"
    UPDATE_PRESENT = "更新処理: 値がある場合"
    UPDATE_BLANK = "更新処理: 値が無い場合"

    @property
    def on_create(self) -> bool:
        return self in (Place.CREATE_PRESENT, Place.CREATE_BLANK)

    @property
    def when_present(self) -> bool:
        return self in (Place.CREATE_PRESENT, Place.UPDATE_PRESENT)


_CREATE_WORDS = {"登録": Action.SET, "登録しない": Action.SKIP}
_UPDATE_WORDS = {"更新": Action.SET, "更新しない": Action.SKIP}
_SHARED_WORDS = {
    "エラー": Action.REJECT,
    "自動": Action.AUTO,
    "set": Action.SET,
    "skip": Action.SKIP,
    "reject": Action.REJECT,
    "auto": Action.AUTO,
}
DEFAULT_HEADS = ("デフォルト", "default")
_DEFAULT_WORD = re.compile(
    r"(?:デフォルト値?|default|既定値?|初期値|固定値)\s*[:：=＝]?\s*([^:：=＝\s].*)", re.I | re.DOTALL
)
_NEGATED = re.compile("しな|せず|なし|無し|ない|不要|不可|禁止|非")
_SET_WORD = re.compile("(?:新規|上書き?)?(?:登録|更新)(?:する|します|を行う|行う|可|あり|有り|有)?")
_ERROR_WORDS = {
    fold(word) for word in ("エラーにする", "エラーとする", "error", "err", "ng", "エラ", "エーラ", "エラー停止")
}
_SKIP_WORDS = {
    fold(word)
    for word in ("何もしない", "そのまま", "維持", "変更しない", "変更なし", "残す", "スキップ", "保持", "対象外")
}
_SET_WORDS = {
    fold(word)
    for word in ("追加", "新規", "上書き", "上書きする", "反映", "反映する", "変更", "連携", "連携する", "ok")
}
_ANY_DEFAULT = Cell(Action.DEFAULT, "値")
_REQUIRED = (_SET, _REJECT, _SET, _REJECT)
_OPTIONAL = (_SET, _SKIP, _SET, _SKIP)
_DEFAULTS = {
    "operation": (_AUTO, _AUTO, _AUTO, _AUTO),
    "user_id": (_SET, _REJECT, _SKIP, _REJECT),
    "password": (_SET, _REJECT, _SKIP, _SKIP),
    "password_reset": (_SET, Cell(Action.DEFAULT, "T"), _SET, _SKIP),
}


def default_cell(item: Item, place: Place) -> Cell:
    """What a blank policy cell of `item` means."""
    cells = _DEFAULTS.get(item.key, _REQUIRED if item.required else _OPTIONAL)
    return cells[list(Place).index(place)]


def parse_cell(text: str, item: Item, place: Place) -> Cell:
    """The policy in one cell; a blank one gives the item's default.

    Raises:
        Fault: the word is unknown, or not allowed for this item in this cell.
    """
    if not trim(text):
        return default_cell(item, place)
    head, _, rest = trim(text).replace("：", ":", 1).partition(":")
    sound = True
    if fold(head) in DEFAULT_HEADS:
        sound = bool(trim(rest)) and not has_control(trim(rest))
        cell = Cell(Action.DEFAULT, trim(rest)) if sound else _ANY_DEFAULT
    elif action := _actions(place).get(fold(text)):
        cell = Cell(action)
    else:
        found = f"「{trim(text)}」は「{place}」に使えない言葉です"
        meant = _meant(trim(text), place)
        sensible = meant is not None and not _objection(meant, item, place)
        raise Fault(
            found, f"「{format_cell(meant, place)}」と記入してください" if meant and sensible else _choice(item, place)
        )
    if objection := _objection(cell, item, place):
        raise Fault(objection, _choice(item, place))
    if not sound:
        raise Fault("デフォルトの値が空白か、改行を含んでいます", "「デフォルト:値」の形で記入してください")
    return cell


def _meant(text: str, place: Place) -> Cell | None:
    """The policy that a word of a person's own can only mean; None where it may mean several."""
    plain = fold(text)
    if found := _DEFAULT_WORD.fullmatch(trim(text)):
        value = trim(found[1]).strip('「」『』"()（）')
        return Cell(Action.DEFAULT, value) if value and not has_control(value) else None
    if plain in _ERROR_WORDS:
        return Cell(Action.REJECT)
    if plain in _SKIP_WORDS or (_NEGATED.search(plain) and ("登録" in plain or "更新" in plain)):
        return Cell(Action.SKIP)
    wording = _SET_WORD.fullmatch(plain)
    if plain in _SET_WORDS or wording:
        return Cell(Action.SET) if place.when_present or (wording and not place.on_create) else None
    return None


def offered(item: Item, place: Place) -> tuple[tuple[Cell, ...], bool]:
    """The policies that one cell may have, and whether there are no others: デフォルト:値 is free text (E18).

    A デフォルト is among them only where a blank cell means it.
    """
    default = default_cell(item, place)
    plain = (Cell(action) for action in Action if action is not Action.DEFAULT)
    cells = (*(cell for cell in plain if not _objection(cell, item, place)),)
    more = (default,) if default.action is Action.DEFAULT else ()
    return cells + more, bool(_objection(_ANY_DEFAULT, item, place))


def words(item: Item, place: Place) -> tuple[tuple[str, ...], bool]:
    """`offered` in the words of the sheet."""
    cells, strict = offered(item, place)
    return tuple(format_cell(cell, place) for cell in cells), strict


def _actions(place: Place) -> dict[str, Action]:
    return (_CREATE_WORDS if place.on_create else _UPDATE_WORDS) | _SHARED_WORDS


def _choice(item: Item, place: Place) -> str:
    """The remedy: what this item takes in this cell."""
    offered, strict = words(item, place)
    if not strict and default_cell(item, place).action is not Action.DEFAULT:
        offered += ("デフォルト:値",)
    choice = f"「{offered[0]}」と記入してください" if len(offered) == 1 else f"{'、'.join(offered)} から選んでください"
    return f"設定は新規登録時だけです。{choice}" if item.key == "password" and not place.on_create else choice


def _objection(cell: Cell, item: Item, place: Place) -> str:
    """Why this item cannot have this policy in this cell; empty when it can."""
    word = format_cell(cell, place)
    if item.key == "operation":
        return "" if cell.action is Action.AUTO else f"処理フラグに「{word}」は指定できません"
    if cell.action is Action.AUTO:
        return f"「自動」は{item.name}には指定できません"
    if place.when_present and cell.action in (Action.REJECT, Action.DEFAULT):
        return f"「{word}」は「値がある場合」には指定できません"
    if item.key == "password" and not place.on_create and cell.action is not Action.SKIP:
        return f"パスワードの更新処理に「{word}」は指定できません"
    if item.key == "user_id" and cell.action is Action.DEFAULT:
        return "ユーザIDにデフォルトは指定できません"
    if item.required:
        return _required_objection(cell, item, place, word)
    return ""


def _required_objection(cell: Cell, item: Item, place: Place, word: str) -> str:
    skipped_id = item.key == "user_id" and place is Place.CREATE_BLANK  # E9: left out, listed as a warning
    if place.on_create and cell.action is Action.SKIP and not skipped_id:
        return f"必須項目{item.name}の「{place}」に「{word}」は指定できません"
    if not place.when_present and cell.action is Action.SET:
        return f"必須項目{item.name}を空白で{word}することはできません"
    return ""


def format_cell(cell: Cell, place: Place) -> str:
    """The sheet's own word for a policy."""
    if cell.action is Action.DEFAULT:
        return f"デフォルト:{cell.default}"
    own = {action: word for word, action in (_CREATE_WORDS if place.on_create else _UPDATE_WORDS).items()}
    return own.get(cell.action) or {Action.REJECT: "エラー", Action.AUTO: "自動"}[cell.action]


def format_code(cell: Cell) -> str:
    """The policy as the YAML form writes it: `SET`, `DEFAULT:X` …"""
    return f"DEFAULT:{cell.default}" if cell.action is Action.DEFAULT else cell.action.value
