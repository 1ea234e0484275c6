"""The mapping of a data set against the form of its kintone app: everything that would go wrong, before it does (K7 to K11)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from renkei.errors import Problem
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Item
from renkei.systems.kintone.form import KEY_TYPES, Field, Form
from renkei.texts import Fault, narrow, similar

# Text 5, 連携できる項目タイプ. A lookup is a text, number or link that has one.
TYPES = {
    "SINGLE_LINE_TEXT": "文字列(1行)",
    "MULTI_LINE_TEXT": "文字列(複数行)",
    "RICH_TEXT": "リッチエディター",
    "NUMBER": "数値",
    "USER_SELECT": "ユーザー選択",
    "DROP_DOWN": "ドロップダウン",
    "RADIO_BUTTON": "ラジオボタン",
    "DATE": "日付",
    "TIME": "時刻",
    "DATETIME": "日時",
    "LINK": "リンク",
}
OTHERS = {
    "CHECK_BOX": "チェックボックス",
    "MULTI_SELECT": "複数選択",
    "FILE": "添付ファイル",
    "CALC": "計算",
    "ORGANIZATION_SELECT": "組織選択",
    "GROUP_SELECT": "グループ選択",
    "RECORD_NUMBER": "レコード番号",
    "CREATOR": "作成者",
    "CREATED_TIME": "作成日時",
    "MODIFIER": "更新者",
    "UPDATED_TIME": "更新日時",
    "STATUS": "ステータス",
    "STATUS_ASSIGNEE": "作業者",
    "CATEGORY": "カテゴリー",
    "REFERENCE_TABLE": "関連レコード一覧",
    "GROUP": "グループ",
    "SUBTABLE": "テーブル",
}
IN_TABLES = ("SINGLE_LINE_TEXT",)  # text 5: テーブル内の文字列1行
_READ_AGAIN = "kintoneでフィールドコードを確認して記入し、もう一度読み込みを行ってください"


def app_id_fault(text: str) -> Fault | None:
    """What is wrong with an アプリID; a pasted URL is answered with the digits to enter (K13)."""
    plain = narrow(text)
    if re.fullmatch("[1-9][0-9]{0,9}", plain):
        return None
    found = re.search(r"/k/(?:guest/[0-9]+/)?([1-9][0-9]{0,9})(?:[/?#]|$)", plain)
    if found:
        return Fault("アプリIDにURLが記入されています", f"アプリIDの「{found[1]}」だけを記入してください")
    return Fault(
        "アプリIDが数字ではありません", "アプリのURLが https://xxx.cybozu.com/k/123/ の場合は「123」と記入してください"
    )


def form_problems(data_set: DataSet, form: Form, where: Callable[[str], str] | None = None) -> list[Problem]:
    """What keeps the data set from being written to an app with this form, in the order of its items; none if nothing.

    `where` gives the place in the sheet of an item by its name, and of the data set itself by an empty name.
    """
    place = where or (lambda item: f"{data_set.label} {item}".strip())
    found = [
        Problem(place(item.item), fault.found, fault.remedy)
        for item in data_set.items
        for fault in _item_faults(item, data_set, form)
    ]
    mapped = {item.table or item.field for item in data_set.items}
    filled = form.filled_by()
    for field in form.fields.values():
        if field.required and not field.has_default and field.code not in mapped | filled.keys():
            found.append(
                Problem(
                    place(""),
                    f"kintoneの必須フィールド「{field.code}」に連携する項目がなく、初期値もありません",
                    "項目を割り当てるか、kintoneで初期値を設定するか、必須を外してください",
                )
            )
    return found


def _item_faults(item: Item, data_set: DataSet, form: Form) -> list[Fault]:
    same = Counter((one.table, one.field) for one in data_set.items)
    field = _field_of(item, form)
    faults = [field] if isinstance(field, Fault) else _field_faults(item, field, form)
    if same[item.table, item.field] > 1:
        faults.append(
            Fault(
                f"フィールドコード「{item.field}」に複数の項目が割り当てられています",
                "項目とフィールドは1対1で割り当ててください",
            )
        )
    if item.conflict and isinstance(field, Field) and field.type == "RICH_TEXT":
        found = f"リッチエディター「{field.code}」では、競合を検知できません（kintoneが書式を書き換えるため）"
        faults.append(Fault(found, "この項目の競合を空白にしてください"))
    if item.item == data_set.key and isinstance(field, Field):
        faults += _key_faults(item, field)
    return faults


def _field_of(item: Item, form: Form) -> Field | Fault:
    """The field that an item goes to, or why there is none."""
    if not item.table:
        field = form.fields.get(item.field)
        if field is not None:
            return field
        table = next((one.code for one in form.fields.values() if one.cell(item.field)), "")
        if table:
            return Fault(
                f"フィールド「{item.field}」はテーブルの中にあります", f"テーブルに「{table}」と記入してください"
            )
        return _unknown("フィールドコード", item.field, form.fields)
    table_field = form.fields.get(item.table)
    tables = {code: one for code, one in form.fields.items() if one.type == "SUBTABLE"}
    if table_field is None or table_field.type != "SUBTABLE":
        return _unknown("テーブル", item.table, tables)
    cells = {cell.code: cell for cell in table_field.cells}
    return cells.get(item.field) or _unknown(f"テーブル「{item.table}」の中にフィールドコード", item.field, cells)


def _unknown(what: str, code: str, known: dict[str, Field]) -> Fault:
    labels = [one.code for one in known.values() if one.label == code]  # the name that people see, not the code
    near = labels[0] if len(labels) == 1 else similar(code, known)
    remedy = f"「{near}」と記入するか、{_READ_AGAIN}" if near else _READ_AGAIN
    return Fault(f"kintoneのアプリに{what}「{code}」がありません", remedy)


def _field_faults(item: Item, field: Field, form: Form) -> list[Fault]:
    lookup = form.filled_by().get(field.code)
    if lookup:
        return [
            Fault(
                f"フィールド「{field.code}」はルックアップ「{lookup}」がコピーする先なので、書き込めません",
                f"この項目を外し、ルックアップ「{lookup}」に項目を割り当ててください",
            )
        ]
    if item.table and field.type not in IN_TABLES:
        return [
            Fault(
                f"テーブルの中の{type_name(field)}「{field.code}」には連携できません",
                f"テーブルの中で連携できるのは{TYPES['SINGLE_LINE_TEXT']}だけです。別のフィールドを選んでください",
            )
        ]
    if field.type == "SUBTABLE":
        return [
            Fault(
                f"「{field.code}」はテーブルです",
                "テーブルの列に入れ、フィールドコードにはテーブルの中のフィールドを記入してください",
            )
        ]
    if field.type not in TYPES:
        return [
            Fault(
                f"{type_name(field)}のフィールド「{field.code}」には連携できません",
                f"{'、'.join(TYPES.values())}、ルックアップ、テーブル のフィールドを選んでください",
            )
        ]
    if field.is_calculated:
        return [
            Fault(
                f"フィールド「{field.code}」には自動計算が設定されているので、書き込めません",
                "kintoneで自動計算を外すか、別のフィールドを選んでください",
            )
        ]
    return []


def _key_faults(item: Item, field: Field) -> list[Fault]:
    """Why the field cannot be the 更新キー (K7): what kintone's API takes is less than what text 5 says."""
    another = "更新キーには、文字列(1行)または数値で「値の重複を禁止する」を設定したフィールドを選んでください"
    if item.table:
        return [Fault("テーブルの中のフィールドは更新キーにできません", another)]
    if field.type not in KEY_TYPES:
        return [
            Fault(
                f"{type_name(field)}のフィールド「{field.code}」は、kintoneのAPIが更新キーとして受け付けません",
                another,
            )
        ]
    if field.is_lookup:
        return [Fault(f"ルックアップ「{field.code}」は更新キーにできません", another)]
    if not field.unique:
        return [
            Fault(
                f"更新キーのフィールド「{field.code}」に「値の重複を禁止する」が設定されていません",
                "kintoneのフィールドの設定で「値の重複を禁止する」にチェックを付け、アプリを更新してください",
            )
        ]
    if item.skip_blank:
        return [
            Fault(
                "更新キーに「空なら書かない」が設定されています",
                "更新キーが空のデータは連携できないので、設定を外してください",
            )
        ]
    return []


def may_be_key(field: Field) -> bool:
    """Whether the field, beside all tables, can be the 更新キー (K7)."""
    return field.type in KEY_TYPES and field.unique and not field.is_lookup


def type_name(field: Field) -> str:
    """As kintone's own screens call it."""
    name = TYPES.get(field.type) or OTHERS.get(field.type) or field.type
    return f"ルックアップ（{name}）" if field.is_lookup else name
