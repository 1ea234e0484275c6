"""Sheets made by hand, byte by byte: a sound one, as a workbook and as YAML, of which every part can be bent."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
SHEETS = ("連携情報", "部署データ", "ユーザデータ")
PASSWORD = "kore-wa-himitsu-7391"  # never to be seen in a problem (L7)

Row = tuple[str, ...]
Parts = dict[str, bytes]

SETTINGS: tuple[Row, ...] = (
    ("項目", "値", "備考"),
    ("SmartHR URL", "https://acme.smarthr.jp", "必須"),
    ("結果通知先メールアドレス1", "soumu@acme.example.jp"),
    ("連携開始日", "2026-04-01"),
    ("処理時刻", "5:30"),
    ("ID付与コード", "AC-"),
    ("削除保留(人数割合%)", "10"),
)
DEPARTMENTS: tuple[Row, ...] = (
    ("エマージェンシーコール項目", "必須/任意", "連携有無", "SmartHR項目"),
    ("部署ID", "必須", "○", "部署コード"),
    ("部署名", "必須", "○", "部署名"),
    ("部署名(ヨミ)", "必須", "連携しない(固定値)", "ブショ"),
    ("親部署ID", "必須", "○", "親部署コード"),
)
USERS: tuple[Row, ...] = (
    ("エマージェンシーコール項目", "必須/任意", "連携有無", "SmartHR項目", "新規登録処理", "", "更新処理", ""),
    ("", "", "", "", "値がある場合", "値が無い場合", "値がある場合", "値が無い場合"),
    ("ユーザID", "必須", "○", "社員番号 or メールアドレス", "登録", "エラー", "更新しない", "エラー"),
    ("パスワード", "必須", "○", f"固定値「{PASSWORD}」", "登録", "エラー", "更新しない", "更新しない"),
    ("氏名", "必須", "○", '姓&"　"&名', "登録", "エラー", "更新", "エラー"),
    ("氏名(ヨミ)", "必須", "○", "氏名(ヨミガナ)", "登録", "デフォルト:フメイ", "更新", "エラー"),
    ("所属部署コード", "任意", "○", "部署1", "登録", "登録しない", "更新", "更新"),
    ("緊急連絡1 媒体", "任意", "○", "固定値「メールアドレス」", "登録", "登録しない", "更新", "更新"),
    ("緊急連絡1 アドレス", "任意", "○", "メールアドレス", "登録", "登録しない", "更新", "更新"),
    ("検索ワード1:勤務地", "任意", "○", "カスタム項目:勤務地 or 住所(都道府県)", "登録", "登録しない", "更新", "更新"),
)
YAML = f"""smarthr_url: https://acme.smarthr.jp
result_addresses: [soumu@acme.example.jp]
link_start_on: 2026-04-01
run_at: 5:30
id_prefix: AC-
guards: {{delete_users_percent: 10}}
departments: {{name: 部署名, yomi: ブショ}}
users:
  - {{item: ユーザID, source: 社員番号 or メールアドレス}}
  - {{item: パスワード, source: 固定値「{PASSWORD}」}}
  - {{item: 氏名, source: '姓&"　"&名'}}
  - {{item: 氏名(ヨミ), source: 氏名(ヨミガナ), on_create: {{when_blank: 'DEFAULT:フメイ'}}}}
  - {{item: 所属部署コード, source: 部署1, on_update: {{when_blank: SET}}}}
  - {{item: 緊急連絡1 媒体, source: 固定値「メールアドレス」, on_update: {{when_blank: SET}}}}
  - {{item: 緊急連絡1 アドレス, source: メールアドレス, on_update: {{when_blank: SET}}}}
  - {{item: '検索ワード1:勤務地', source: 'カスタム項目:勤務地 or 住所(都道府県)', on_update: {{when_blank: SET}}}}
"""


def letters(column: int) -> str:
    """A, B, … Z, AA …: the name of a column, from 0."""
    return (letters(column // 26 - 1) if column >= 26 else "") + chr(ord("A") + column % 26)


def text_cell(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def number_cell(reference: str, number: str, style: int = 0) -> str:
    return f'<c r="{reference}" s="{style}"><v>{number}</v></c>'


def worksheet(rows: Iterable[str], before: str = '<dimension ref="A1:H20"/>', after: str = "") -> bytes:
    body = f'{HEAD}<worksheet xmlns="{MAIN}" xmlns:r="{DOCUMENT}">{before}<sheetData>{"".join(rows)}</sheetData>{after}'
    return f"{body}</worksheet>".encode()


def row_of(number: int, cells: Sequence[str], bend: dict[tuple[int, int], str] | None = None) -> str:
    """One row; `bend` has the whole `<c>` of some cells by (row, column), both 1-based."""
    bend = bend or {}
    found = [
        bend.get((number, n)) or (text_cell(f"{letters(n - 1)}{number}", text) if text else "")
        for n, text in enumerate(cells, 1)
    ]
    return f'<row r="{number}">{"".join(found)}</row>'


def rows_of(table: Sequence[Row], bend: dict[tuple[int, int], str] | None = None) -> list[str]:
    return [row_of(number, cells, bend) for number, cells in enumerate(table, 1)]


def parts(
    settings: Sequence[Row] = SETTINGS, departments: Sequence[Row] = DEPARTMENTS, users: Sequence[Row] = USERS
) -> Parts:
    """The parts of a sound workbook of three worksheets, as Excel would lay it out."""
    made = {
        f"xl/worksheets/sheet{n}.xml": worksheet(rows_of(table))
        for n, table in enumerate((settings, departments, users), 1)
    }
    return frame(SHEETS, "".join(shared_item(text) for text in ("山田", "使わない"))) | made


def shared_item(text: str) -> str:
    return f"<si><t>{escape(text)}</t></si>"


def frame(names: Sequence[str], shared: str = "", targets: Sequence[str] | None = None, more: str = "") -> Parts:
    """Everything of a workbook but its worksheets."""
    targets = targets or [f"worksheets/sheet{n}.xml" for n in range(1, len(names) + 1)]
    types = [
        ("/xl/workbook.xml", "sheet.main"),
        ("/xl/styles.xml", "styles"),
        ("/xl/sharedStrings.xml", "sharedStrings"),
        *((f"/xl/{target}", "worksheet") for target in dict.fromkeys(targets)),
    ]
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    overrides = "".join(f'<Override PartName="{name}" ContentType="{kind}{last}+xml"/>' for name, last in types)
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{DOCUMENT}/worksheet" Target="{target}"/>'
        for n, target in enumerate(targets, 1)
    )
    sheets = "".join(f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, 1))
    return {
        "[Content_Types].xml": (
            f'{HEAD}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/'
            f'vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
            f"{overrides}</Types>"
        ).encode(),
        "_rels/.rels": (
            f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
            f'Type="{DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ).encode(),
        "xl/workbook.xml": (
            f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}"><sheets>{sheets}</sheets>{more}</workbook>'
        ).encode(),
        "xl/_rels/workbook.xml.rels": (
            f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{relations}'
            f'<Relationship Id="st" Type="{DOCUMENT}/styles" Target="styles.xml"/>'
            f'<Relationship Id="sh" Type="{DOCUMENT}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
        ).encode(),
        "xl/styles.xml": styles("yyyy-mm-dd", "00000", "0%"),
        "xl/sharedStrings.xml": f'{HEAD}<sst xmlns="{MAIN}">{shared}</sst>'.encode(),
    }


def styles(*formats: str) -> bytes:
    """Cell styles 1, 2 … with these number formats, below the plain one."""
    own = "".join(f'<numFmt numFmtId="{200 + n}" formatCode="{escape(text)}"/>' for n, text in enumerate(formats))
    xfs = "".join(
        f'<xf numFmtId="{n}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        for n in (0, *range(200, 200 + len(formats)))
    )
    return (
        f'{HEAD}<styleSheet xmlns="{MAIN}"><numFmts count="{len(formats)}">{own}</numFmts>'
        "<fonts><font/></fonts><fills><fill><patternFill/></fill></fills><borders><border/></borders>"
        f'<cellStyleXfs><xf numFmtId="0"/></cellStyleXfs><cellXfs>{xfs}</cellXfs></styleSheet>'
    ).encode()


def pack(entries: Parts | Iterable[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The parts as a zip file; pairs may hold a name twice."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries.items() if isinstance(entries, dict) else entries:
            if name in archive.NameToInfo:
                del archive.NameToInfo[name]  # zipfile would warn; we mean it
            archive.writestr(name, content)
    return file.getvalue()


def forged(entries: Iterable[tuple[str, bytes, int]]) -> bytes:
    """A zip of (name, deflated bytes, size that is declared), with a CRC of zero."""
    file, directory, count = io.BytesIO(), io.BytesIO(), 0
    for name, deflated, declared in entries:
        raw, at = name.encode(), file.tell()
        packed = min(len(deflated), 0xFFFFFFFF)
        fields = struct.pack("<HHHHHIII", 20, 0, 8, 0, 0, 0, packed, declared) + struct.pack("<HH", len(raw), 0)
        file.write(b"PK\x03\x04" + fields + raw + deflated)
        directory.write(b"PK\x01\x02" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, at) + raw)
        count += 1
    start, size = file.tell(), directory.tell()
    count = min(count, 0xFFFF)
    return (
        file.getvalue()
        + directory.getvalue()
        + b"PK\x05\x06"
        + struct.pack("<HHHHIIH", 0, 0, count, count, size, start, 0)
    )


def deflated(chunk: bytes, times: int, head: bytes = b"", tail: bytes = b"") -> bytes:
    """`head`, `times` × `chunk`, `tail` deflated without ever being held whole."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(chunk) + packer.flush(zlib.Z_FULL_FLUSH)
    last = packer.compress(tail) + packer.flush(zlib.Z_FINISH)
    return first + block * times + last


def with_part(name: str, content: bytes) -> bytes:
    return pack(parts() | {name: content})


def without(name: str) -> bytes:
    return pack({part: content for part, content in parts().items() if part != name})


def with_setting(label: str, cell: str) -> bytes:
    """The sound workbook whose value of one setting is this whole `<c>`."""
    number = [row[0] for row in SETTINGS].index(label) + 1
    return with_part("xl/worksheets/sheet1.xml", worksheet(rows_of(SETTINGS, {(number, 2): cell})))


def with_user_text(row: int, column: int, text: str) -> bytes:
    """The sound workbook with one text of ユーザデータ replaced; both are counted from 1."""
    table = [list(line) for line in USERS]
    table[row - 1][column - 1] = text
    return pack(parts(users=[tuple(line) for line in table]))


def with_more_rows(rows: Iterable[str], before: str = '<dimension ref="A1:H20"/>') -> bytes:
    return with_part("xl/worksheets/sheet3.xml", worksheet([*rows_of(USERS), *rows], before))


def with_sheets(count: int, sheet: bytes, one_target: bool = True, before: str = "") -> bytes:
    """The sound workbook with `count` more worksheets, all of which are the same part."""
    names = [*SHEETS, *(f"s{n}" for n in range(count))]
    more = ["worksheets/big.xml"] * count if one_target else [f"worksheets/big{n}.xml" for n in range(count)]
    targets = ["worksheets/sheet1.xml", "worksheets/sheet2.xml", "worksheets/sheet3.xml", *more]
    return pack(parts() | frame(names, targets=targets) | {f"xl/{target}": sheet for target in dict.fromkeys(more)})
