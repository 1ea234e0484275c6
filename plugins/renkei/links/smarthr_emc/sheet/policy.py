"""The words of the four policy cells (新規登録処理・更新処理 × 値がある/無い場合), read and written (E18, E19)."""

from __future__ import annotations

from enum import StrEnum

from renkei.links.smarthr_emc.sheet.items import Item
from renkei.links.smarthr_emc.sheet.mapping import Action, Cell
from renkei.links.smarthr_emc.sheet.names import fold, has_control, nearest, trim
from renkei.links.smarthr_emc.sheet.raw import Fault

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
_DEFAULT_HEADS = ("デフォルト", "default")
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
    cell = _cell(text, place)
    _check(cell, item, place)
    return cell


def _cell(text: str, place: Place) -> Cell:
    head, colon, rest = trim(text).replace("：", ":", 1).partition(":")
    if fold(head) in _DEFAULT_HEADS:
        if not colon or not trim(rest) or has_control(trim(rest)):
            raise Fault("デフォルトの値が空白か、改行を含んでいます", "「デフォルト:値」の形で記入してください")
        return Cell(Action.DEFAULT, trim(rest))
    words = (_CREATE_WORDS if place.on_create else _UPDATE_WORDS) | _SHARED_WORDS
    action = words.get(fold(text))
    if action is None:
        raise Fault(f"「{trim(text)}」は「{place}」に使えない言葉です", nearest(text, words) or _choice(place))
    return Cell(action)


def _choice(place: Place) -> str:
    words = "、".join(_CREATE_WORDS if place.on_create else _UPDATE_WORDS)
    return f"{words} から選んでください" if place.when_present else f"{words}、エラー、デフォルト:値 から選んでください"


def _check(cell: Cell, item: Item, place: Place) -> None:
    word = format_cell(cell, place)
    if item.key == "operation":
        if cell.action is not Action.AUTO:
            raise Fault(f"処理フラグに「{word}」は指定できません", "「自動」と記入してください")
        return
    if cell.action is Action.AUTO:
        raise Fault(f"「自動」は{item.name}には指定できません", _choice(place))
    if place.when_present and cell.action in (Action.REJECT, Action.DEFAULT):
        raise Fault(f"「{word}」は「値がある場合」には指定できません", _choice(place))
    if item.key == "password" and not place.on_create and cell.action is not Action.SKIP:
        raise Fault(
            f"パスワードの更新処理に「{word}」は指定できません",
            "設定は新規登録時だけです。「更新しない」と記入してください",
        )
    if item.key == "user_id" and cell.action is Action.DEFAULT:
        raise Fault("ユーザIDにデフォルトは指定できません", "「エラー」または「登録しない」と記入してください")
    if item.required:
        _check_required(cell, item, place, word)


def _check_required(cell: Cell, item: Item, place: Place, word: str) -> None:
    skipped_id = item.key == "user_id" and place is Place.CREATE_BLANK  # E9: left out, listed as a warning
    if place.on_create and cell.action is Action.SKIP and not skipped_id:
        raise Fault(
            f"必須項目{item.name}の「{place}」に「{word}」は指定できません",
            "登録、エラー、デフォルト:値 から選んでください",
        )
    if not place.when_present and cell.action is Action.SET:
        raise Fault(
            f"必須項目{item.name}を空白で{word}することはできません", "「エラー」または「デフォルト:値」にしてください"
        )


def format_cell(cell: Cell, place: Place) -> str:
    """The sheet's own word for a policy."""
    if cell.action is Action.DEFAULT:
        return f"デフォルト:{cell.default}"
    words = {action: word for word, action in (_CREATE_WORDS if place.on_create else _UPDATE_WORDS).items()}
    return words.get(cell.action) or {Action.REJECT: "エラー", Action.AUTO: "自動"}[cell.action]


def format_code(cell: Cell) -> str:
    """The policy as the YAML form writes it: `SET`, `DEFAULT:X` …"""
    return f"DEFAULT:{cell.default}" if cell.action is Action.DEFAULT else cell.action.value
