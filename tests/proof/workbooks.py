"""Sheets made by hand, byte by byte: a sound one, and what somebody could send by mistake or on purpose.

Written without openpyxl and without Renkei's own writer, so that every part can be bent. A `Hostile` file says what
must become of it: the sound sheet's mapping all the same, a problem whose text holds a given word, or either.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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


# -- what must become of a file ---------------------------------------------------------------------------------------

SAME = "the sound sheet's mapping"
EITHER = "a mapping, or problems"


@dataclass(frozen=True, slots=True)
class Hostile:
    """A file, and what must become of it: SAME, EITHER, or a text that one of its problems must hold."""

    name: str
    expected: str
    build: Callable[[], bytes]
    suffix: str = ".xlsx"
    quick: bool = True  # small enough for the slice


def hostile() -> list[Hostile]:
    """Every hostile file; the names are unique."""
    found = [*_containers(), *_bombs(), *_doctypes(), *_encodings(), *_cells(), *_features(), *_slow(), *_yaml()]
    assert len({case.name for case in found}) == len(found)
    return found


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


def _containers() -> list[Hostile]:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    sound = pack(parts())

    def flagged() -> bytes:  # every member says that it is encrypted
        return sound.replace(b"PK\x03\x04\x14\x00\x00\x00", b"PK\x03\x04\x14\x00\x01\x00").replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"
        )

    def lzma_of_four_gigabytes() -> bytes:  # the dictionary that a member declares is memory for whoever unpacks it
        made = bytearray(pack(parts(), zipfile.ZIP_LZMA))
        at = made.find(b"\x5d\x00\x00")
        while at >= 0:
            made[at + 1 : at + 5] = b"\xff\xff\xff\xff"
            at = made.find(b"\x5d\x00\x00", at + 5)
        return bytes(made)

    twice = [(name, content) for name, content in parts().items() for _ in range(2)]
    return [
        Hostile("sound", SAME, lambda: sound),
        Hostile("sound, stored", SAME, lambda: pack(parts(), zipfile.ZIP_STORED)),
        Hostile("empty file", "ファイルが空", lambda: b""),
        Hostile("cut in the middle", "壊れて", lambda: sound[: len(sound) // 2]),
        Hostile("junk before and after", EITHER, lambda: b"junk" * 99 + sound + b"junk" * 99),
        Hostile("old xls", "古い形式", lambda: ole + bytes(4000) + "Workbook".encode("utf-16-le")),
        Hostile("encrypted", "暗号化", lambda: ole + bytes(900) + "EncryptedPackage".encode("utf-16-le") + bytes(99)),
        Hostile("csv", "Excelブックではありません", lambda: "SmartHR URL,https://acme.smarthr.jp\n".encode("cp932")),
        Hostile("html", "Webページ(HTML)", lambda: b"<html><table><tr><td>x</table></html>"),
        Hostile("a zip with the workbook in it", "ZIPで圧縮された", lambda: pack({"acme.xlsx": sound})),
        Hostile("pdf", "PDFです", lambda: b"%PDF-1.7\n" + bytes(range(256)) * 50),
        Hostile("members twice", SAME, lambda: pack(twice)),
        Hostile("members that say encrypted", "壊れて", flagged),
        Hostile("bz2 members", EITHER, lambda: pack(parts(), zipfile.ZIP_BZIP2)),
        Hostile("lzma, 4 GB dictionary", "壊れて", lzma_of_four_gigabytes),
        Hostile("members outside", SAME, lambda: pack(parts() | {"../../../tmp/x": b"x", "/etc/passwd": b"x"})),
        Hostile("no worksheets", "ワークシート「連携情報」がありません", lambda: pack(frame([]))),
        Hostile("60,000 members", "部品", lambda: pack(parts() | {f"x/{n}": b"" for n in range(60_000)}), quick=False),
        *(
            Hostile(f"without {name}", expected, lambda name=name: without(name))  # type: ignore[misc]
            for name, expected in (
                ("[Content_Types].xml", "Excelブックではありません"),
                ("xl/workbook.xml", "壊れて"),
                ("xl/_rels/workbook.xml.rels", "壊れて"),
                ("xl/styles.xml", SAME),
                ("xl/sharedStrings.xml", "壊れて"),
                ("_rels/.rels", "壊れて"),
                ("xl/worksheets/sheet2.xml", "「部署データ」がありません"),
            )
        ),
    ]


def _bombs() -> list[Hostile]:
    mega = 1_000_000
    open_sheet = f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>'.encode()
    close_sheet = b"</sheetData></worksheet>"

    def filled(name: str, head: bytes, chunk: bytes, tail: bytes) -> bytes:
        """The sound workbook whose part `name` is 45 MB of `chunk`."""
        return pack(parts() | {name: head + chunk * (45 * mega // len(chunk)) + tail})

    def sheet(chunk: bytes) -> Callable[[], bytes]:
        return lambda: filled("xl/worksheets/sheet3.xml", open_sheet, chunk, close_sheet)

    def declared(size: int) -> bytes:
        packed = deflated(bytes(mega), 4_000)  # 4 GB of zeros in 4 MB
        whole = [(name, deflated(content, 1), len(content)) for name, content in parts().items()]
        return forged([*whole[:-1], (whole[-1][0], packed, size)])

    def shared(chunk: bytes) -> Callable[[], bytes]:
        return lambda: filled("xl/sharedStrings.xml", f'{HEAD}<sst xmlns="{MAIN}">'.encode(), chunk, b"</sst>")

    def overlapping() -> bytes:
        """Twenty thousand members that are all the same bytes of the file."""
        made = bytearray(pack({"[Content_Types].xml": b" " * 40_000}))
        start = made.find(b"PK\x01\x02")
        end = made.find(b"PK\x05\x06")
        entry = bytes(made[start:end])
        count = 20_000
        tail = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(entry) * count, start, 0)
        return bytes(made[:start]) + entry * count + tail

    return [
        Hostile("4 GB in 4 MB", "展開後の大きさ", lambda: declared(4_000 * mega), quick=False),
        Hostile("4 GB that says 900 bytes", "壊れて", lambda: declared(900), quick=False),
        Hostile("4 GB that says nothing", "壊れて", lambda: declared(0), quick=False),
        Hostile("overlapping members", "展開後の大きさ", overlapping, quick=False),
        Hostile("45 MB of elements", "多すぎます", sheet(b"<a/>"), quick=False),
        Hostile("45 MB of cells", "要素", sheet(b"<c/>"), quick=False),
        Hostile("45 MB of attributes", "要素", sheet(b'<a b="" c=""/>'), quick=False),
        Hostile("45 MB of depth", "多すぎます", sheet(b"<a>"), quick=False),
        Hostile("45 MB of blanks", "見出しの行", sheet(b" "), quick=False),
        Hostile("45 MB of comments", "多すぎます", sheet(b"<!-- x -->"), quick=False),
        Hostile("45 MB of instructions", "多すぎます", sheet(b"<?x y?>"), quick=False),
        Hostile("45 MB of text", EITHER, sheet("漢".encode()), quick=False),
        Hostile("45 MB of empty rows", "要素", sheet(b"<row/>"), quick=False),
        Hostile("45 MB of shared strings", "要素", shared(b"<si/>"), quick=False),
        Hostile("45 MB of runs", "要素", shared(b"<si><r><t>a</t></r></si>"), quick=False),
        Hostile(
            "one shared string of 45 MB",
            EITHER,
            lambda: filled(
                "xl/sharedStrings.xml", f'{HEAD}<sst xmlns="{MAIN}"><si><t>'.encode(), b"a", b"</t></si></sst>"
            ),
            quick=False,
        ),
        Hostile(
            "45 MB of styles",
            "要素",
            lambda: filled(
                "xl/styles.xml",
                f'{HEAD}<styleSheet xmlns="{MAIN}"><cellXfs>'.encode(),
                b"<xf/>",
                b"</cellXfs></styleSheet>",
            ),
            quick=False,
        ),
        Hostile(
            "45 MB of defined names",
            "要素",
            lambda: pack(
                parts()
                | frame(
                    SHEETS,
                    more="<definedNames>" + '<definedName name="a">A!$A$1</definedName>' * mega + "</definedNames>",
                )
            ),
            quick=False,
        ),
    ]


def _doctypes() -> list[Hostile]:
    laughs = '<!DOCTYPE x [<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    long = '<!DOCTYPE x [<!ENTITY a "' + "a" * 500_000 + '">'
    outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">'
    parameter = '<!DOCTYPE x [<!ENTITY % a SYSTEM "file:///etc/hostname"> %a;'

    def bent(name: str, doctype: str, use: str, encoding: str = "utf-8") -> bytes:
        text = parts()[name].decode()
        text = text.removeprefix(HEAD).replace("AC-", use).replace("山田", use)
        return f'<?xml version="1.0" encoding="{encoding}"?>{doctype}]>{text}'.encode(encoding)

    names = ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml")
    found = [
        Hostile(f"{kind} in {name}", "DTD", lambda n=name, d=doctype, u=use: with_part(n, bent(n, d, u)))  # type: ignore[misc]
        for name in names
        for kind, doctype, use in (
            ("billion laughs", laughs, "&a11;"),
            ("quadratic blow-up", long, "&a;" * 100_000),
            ("external entity", outside, "&a;"),
        )
    ]
    name = names[0]
    return [
        *found,
        Hostile("parameter entity", "DTD", lambda: with_part(name, bent(name, parameter, "x"))),
        Hostile("UTF-16 DTD", "DTD", lambda: with_part(name, bent(name, laughs, "&a11;", "utf-16"))),
        Hostile(
            "manifest with DTD",
            "DTD",
            lambda: with_part("[Content_Types].xml", bent("[Content_Types].xml", laughs, "")),
        ),
        Hostile(
            "rels with DTD",
            "DTD",
            lambda: with_part("xl/_rels/workbook.xml.rels", bent("xl/_rels/workbook.xml.rels", laughs, "")),
        ),
        Hostile(
            "DTD in a part of another kind", EITHER, lambda: pack(parts() | {"xl/x.txt": bent(name, laughs, "&a11;")})
        ),
    ]


def _encodings() -> list[Hostile]:
    name = "xl/worksheets/sheet1.xml"
    body = parts()[name].decode().removeprefix(HEAD)

    def recoded(encoding: str, said: str = "") -> Callable[[], bytes]:
        head = f'<?xml version="1.0" encoding="{said or encoding}"?>'
        return lambda: with_part(name, (head + body).encode(encoding, errors="replace"))

    return [
        Hostile("UTF-16 sheet", SAME, recoded("utf-16")),
        Hostile("sheet with BOM", SAME, lambda: with_part(name, b"\xef\xbb\xbf" + parts()[name])),
        Hostile("Shift_JIS sheet", EITHER, recoded("cp932", "Shift_JIS")),
        Hostile("EUC-JP sheet that says UTF-8", "壊れて", recoded("euc-jp", "UTF-8")),
        Hostile("unknown encoding", EITHER, recoded("utf-8", "x-klingon")),
        Hostile("UTF-7", EITHER, recoded("utf-7")),
        Hostile("UTF-32", EITHER, recoded("utf-32")),
        Hostile("NUL bytes", "壊れて", lambda: with_part(name, parts()[name].replace(b"AC-", b"A\x00C"))),
        Hostile(
            "control character reference", "壊れて", lambda: with_part(name, parts()[name].replace(b"AC-", b"&#1;"))
        ),
        Hostile("surrogate reference", "壊れて", lambda: with_part(name, parts()[name].replace(b"AC-", b"&#xD800;"))),
    ]


def _cells() -> list[Hostile]:
    day, prefix, percent = "連携開始日", "ID付与コード", "削除保留(人数割合%)"

    def cell(attributes: str, inside: str, label: str = day) -> Callable[[], bytes]:
        number = [row[0] for row in SETTINGS].index(label) + 1
        return lambda: with_setting(label, f'<c r="B{number}" {attributes}>{inside}</c>')

    run = '<is><r><t>2026-</t></r><r><rPr><b/></rPr><t>04-01</t></r><rPh sb="0" eb="1"><t>フリガナ</t></rPh></is>'
    formulas = {
        "with a value": "<f>TODAY()</f><v>46113</v>",
        "without a value": "<f>TODAY()</f>",
        "as an array": '<f t="array" ref="B4">TODAY()</f><v>46113</v>',
        "shared": '<f t="shared" si="0" ref="B4:B5">TODAY()</f><v>46113</v>',
        "shared without its first": '<f t="shared" si="7"/><v>46113</v>',
        "as a table": '<f t="dataTable" ref="B4" dt2D="1" dtr="1" r1="A1" r2="A2"/><v>46113</v>',
        "as an unknown table": '<f t="dataTable" nonsense="1"/><v>46113</v>',
        "to another book": "<f>'[1]x'!A1</f><v>46113</v>",
        "of a command": '<f>cmd|"/c calc"!A1</f><v>46113</v>',
    }
    errors = ("#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?")
    same = {
        "Excel's own date": ('s="1"', "<v>46113</v>"),
        "Excel's own date and time": ('s="1"', "<v>46113.0</v>"),
        "an ISO date": ('t="d"', "<v>2026-04-01</v>"),
        "a formula's text": ('t="str"', "<v>2026-04-01</v>"),
        "rich text with a reading": ('t="inlineStr"', run),
        "a text with blanks around it": ('t="inlineStr"', '<is><t xml:space="preserve">　2026-04-01 &#10;</t></is>'),
        "a full-width text": ('t="inlineStr"', "<is><t>２０２６年４月１日</t></is>"),
        "a number": ("", "<v>20260401</v>"),
    }
    bad_numbers = (
        "1e999",
        "-1e999",
        "nan",
        "inf",
        "9" * 4_000,
        "9" * 5_000,
        "0x1",
        "1_0",
        "--",
        "1.2.3",
        "-5",
        "1e-400",
    )
    return [
        *(Hostile(f"the date as {name}", SAME, cell(*how)) for name, how in same.items()),
        *(
            Hostile(f"a formula {name}", EITHER if "unknown" in name else "数式", cell("", inside))
            for name, inside in formulas.items()
        ),
        *(Hostile(f"error value {text}", "エラー値", cell('t="e"', f"<v>{text}</v>")) for text in errors),
        Hostile("a boolean for a date", "日付ではありません", cell('t="b"', "<v>1</v>")),
        Hostile("a date out of range", "日付として表示できない", cell('s="1"', "<v>99999999999</v>")),
        Hostile("an ISO date that is none", EITHER, cell('t="d"', "<v>2026-99-99</v>")),
        Hostile("an unknown cell type", EITHER, cell('t="zzz"', "<v>2026-04-01</v>")),
        Hostile("an unknown style", EITHER, cell('s="9999"', "<v>46113</v>")),
        Hostile("a negative style", EITHER, cell('s="-1"', "<v>46113</v>")),
        Hostile("a string that is not there", EITHER, cell('t="s"', "<v>99999</v>")),
        Hostile("a negative string", EITHER, cell('t="s"', "<v>-1</v>")),
        Hostile("a number as the prefix", EITHER, cell('s="2"', "<v>12</v>", prefix)),
        *(Hostile(f"number {n[:8]} ({len(n)})", EITHER, cell("", f"<v>{n}</v>")) for n in bad_numbers),
        *(Hostile(f"percent {n[:8]} ({len(n)})", EITHER, cell('s="3"', f"<v>{n}</v>", percent)) for n in bad_numbers),
        *(Hostile(f"zeros {n[:8]} ({len(n)})", EITHER, cell('s="2"', f"<v>{n}</v>", prefix)) for n in bad_numbers),
        *(
            Hostile(f"reference {r}", EITHER, lambda r=r: with_setting(day, f'<c r="{r}" t="str"><v>x</v></c>'))  # type: ignore[misc]
            for r in ("A0", "A-1", "AAAA1", "XFE1", "1", "A", "", "B4:C5", "A99999999999999999999", "é1")
        ),
        *(
            Hostile(
                f"row number {r}",
                EITHER,
                lambda r=r: with_more_rows([f'<row r="{r}"><c t="str"><v>x</v></c></row>']),  # type: ignore[misc]
            )
            for r in ("0", "-5", "1.5", "1e9", "nan", "inf", "x", "99999999999999999999999")
        ),
    ]


def _features() -> list[Hostile]:
    data = rows_of(SETTINGS)
    first = "xl/worksheets/sheet1.xml"

    def dimension(reference: str) -> Callable[[], bytes]:
        return lambda: with_part(first, worksheet(data, f'<dimension ref="{reference}"/>'))

    def after(text: str) -> Callable[[], bytes]:
        return lambda: with_part(first, worksheet(data, after=text))

    def bulk(outer: str, inner: str) -> str:
        return f"<{outer}>{inner * 50_000}</{outer}>"

    def macros() -> bytes:
        made = parts()
        types = made["[Content_Types].xml"].replace(
            b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
            b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
        )
        return pack(made | {"[Content_Types].xml": types, "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" + bytes(5_000)})

    def linked(target: str) -> bytes:
        made = frame(SHEETS, more='<externalReferences><externalReference r:id="x1"/></externalReferences>')
        relation = f'<Relationship Id="x1" Type="{DOCUMENT}/externalLink" Target="{target}"/></Relationships>'
        relations = made["xl/_rels/workbook.xml.rels"].replace(b"</Relationships>", relation.encode())
        book = f'{HEAD}<externalLink xmlns="{MAIN}"><externalBook/></externalLink>'.encode()
        return pack(parts() | made | {"xl/_rels/workbook.xml.rels": relations, "xl/externalLinks/link.xml": book})

    def named(name: str, value: str, sheet: str = ' localSheetId="0"') -> Callable[[], bytes]:
        text = f'<definedNames><definedName name="{name}"{sheet}>{escape(value)}</definedName></definedNames>'
        return lambda: pack(parts() | frame(SHEETS, more=text))

    def titled(*names: str) -> Callable[[], bytes]:
        return lambda: pack(parts() | frame(names))

    connection = f'{HEAD}<connections xmlns="{MAIN}"><connection id="1" type="5" dbPr="x"/></connections>'.encode()
    hidden = worksheet([row.replace("<row ", '<row hidden="1" ') for row in data])
    return [
        Hostile("macros", "マクロ有効ブック", macros),
        Hostile("an external link", SAME, lambda: linked("externalLinks/link.xml")),
        Hostile("an external link to nothing", SAME, lambda: linked("externalLinks/none.xml")),
        Hostile("data connections", SAME, lambda: pack(parts() | {"xl/connections.xml": connection})),
        Hostile("hidden rows", SAME, lambda: with_part(first, hidden)),
        Hostile("hidden sheets", SAME, lambda: with_part("xl/workbook.xml", parts()["xl/workbook.xml"].replace(b"<sheet ", b'<sheet state="veryHidden" '))),
        Hostile("blanks in sheet names", SAME, titled(" 連携情報　", "部署（組織）データ", "ユーザーデータ")),
        Hostile("odd sheet names", "がありません", titled("連携情報", "🏢\u202e'[]:*?/\\", "&amp;<x>")),
        Hostile("one sheet name three times", "がありません", titled("連携情報", "連携情報", "連携情報")),
        Hostile("a sheet name of 30,000 characters", "がありません", titled("連携情報", "部署データ", "あ" * 30_000)),
        Hostile("the dimension of a whole sheet", SAME, dimension("A1:XFD1048576")),
        Hostile("the dimension of one cell", SAME, dimension("A1")),
        Hostile("a dimension that is none", EITHER, dimension("ZZZZ99999999:A1")),
        Hostile("no dimension", SAME, lambda: with_part(first, worksheet(data, ""))),
        Hostile("everything merged", SAME, after('<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>')),
        Hostile("50,000 merges", EITHER, after(bulk("mergeCells", '<mergeCell ref="A1:B2"/>')), quick=False),
        Hostile("50,000 links", EITHER, after(bulk("hyperlinks", '<hyperlink ref="A1"/>')), quick=False),
        Hostile("50,000 choices", EITHER, after(bulk("dataValidations", '<dataValidation sqref="A1"/>')), quick=False),
        Hostile("a choice over everything", SAME, after('<dataValidations><dataValidation type="list" sqref="A1:XFD1048576"/></dataValidations>')),
        Hostile("50,000 conditions", EITHER, after('<conditionalFormatting sqref="A1"><cfRule type="expression" priority="1"/></conditionalFormatting>' * 50_000), quick=False),
        Hostile("columns past the end", EITHER, lambda: with_part(first, worksheet(data, '<cols><col min="1" max="99999999999"/></cols>'))),
        Hostile("a negative column", EITHER, lambda: with_part(first, worksheet(data, '<cols><col min="-1" max="0"/></cols>'))),
        Hostile("print titles", SAME, named("_xlnm.Print_Titles", "'連携情報'!$1:$1")),
        Hostile("endless print titles", EITHER, named("_xlnm.Print_Titles", "'a" * 16_000)),
        Hostile("endless print area", EITHER, named("_xlnm.Print_Area", "$A$1:" * 10_000)),
        Hostile("a name on a sheet that is not there", SAME, named("x", "A!$A$1", ' localSheetId="99"')),
        Hostile("a name on sheet -1", EITHER, named("_xlnm.Print_Titles", "A!$1:$1", ' localSheetId="-1"')),
        Hostile("a chart sheet of our name", EITHER, lambda: pack(parts() | {"xl/_rels/workbook.xml.rels": parts()["xl/_rels/workbook.xml.rels"].replace(b"/worksheet\" Target=\"worksheets/sheet3", b"/chartsheet\" Target=\"worksheets/sheet3")})),
        Hostile("a theme that is none", "壊れて", lambda: pack(parts() | {"xl/theme/theme1.xml": b"\xff" * 999})),
        Hostile("properties that are none", EITHER, lambda: pack(parts() | {"docProps/core.xml": b"<x", "docProps/custom.xml": b"x"})),
        Hostile("styles that are none", EITHER, lambda: with_part("xl/styles.xml", b"<nothing/>")),
        Hostile("a number format of 40,000 characters", EITHER, lambda: with_part("xl/styles.xml", styles("0" * 40_000, "0%", "x" * 40_000))),
    ]  # fmt: skip


def _slow() -> list[Hostile]:
    """Small files that could cost a lot of time."""
    blanks = "a" + " " * 32_000 + "b"
    wide = "".join(text_cell(f"{letters(n)}{{0}}", "あ") for n in range(150))
    many = [row_of(n, ("項目" + str(n) * 9, "任意", "○", f"項目{n}", "登録", "x", "y", "z")) for n in range(11, 4_900)]
    endless = [f'<row r="{n}"/>' for n in range(11, 1_048_577)]
    million = (f'<row r="{n}"><c r="A{n}" t="str"><v>x</v></c></row>' for n in range(11, 220_000))
    big = worksheet((f'<row r="{n}"><c r="A{n}" t="str"><v>x</v></c></row>' for n in range(1, 150_000)), "")

    def shared_everywhere(length: int, rows: int, columns: int) -> bytes:
        cells = [
            f'<row r="{n}">' + "".join(f'<c r="{letters(c)}{n}" t="s"><v>0</v></c>' for c in range(columns)) + "</row>"
            for n in range(1, rows + 1)
        ]
        return pack(
            parts()
            | frame(SHEETS, shared_item("あ" * length))
            | {f"xl/worksheets/sheet{k}.xml": worksheet(cells) for k in (1, 2, 3)}
        )

    def zeros() -> bytes:
        cells = [
            f'<row r="{n}"><c r="A{n}" s="1"><v>1</v></c><c r="B{n}" s="1"><v>1</v></c></row>' for n in range(1, 4_000)
        ]
        return pack(parts() | {"xl/styles.xml": styles("0" * 1_000_000), "xl/worksheets/sheet1.xml": worksheet(cells)})

    return [
        *(
            Hostile(f"32,000 blanks inside ユーザデータ {letters(column - 1)}7", EITHER, lambda c=column: with_user_text(7, c, blanks))  # type: ignore[misc]
            for column in range(1, 9)
        ),
        *(
            Hostile(f"32,000 blanks inside {label}", EITHER, lambda n=n: with_setting(SETTINGS[n][0], text_cell(f"B{n + 1}", blanks)))  # type: ignore[misc]
            for n, (label, *_) in enumerate(SETTINGS) if n
        ),
        Hostile("a label of 32,000 blanks", EITHER, lambda: pack(parts(settings=[*SETTINGS, (blanks, "x")]))),
        Hostile("a search word of 32,000 blanks", EITHER, lambda: with_user_text(10, 1, " " * 16_000 + "x" + " " * 16_000)),
        Hostile("10,000 joins", "文字が多すぎます", lambda: with_user_text(7, 4, "&".join(["姓"] * 10_000))),
        Hostile("8,000 alternatives", "文字が多すぎます", lambda: with_user_text(7, 4, " or ".join(["姓"] * 6_000))),
        Hostile("32,000 quotes", "文字が多すぎます", lambda: with_user_text(7, 4, "「" * 32_000)),
        Hostile("32,000 closing quotes", "文字が多すぎます", lambda: with_user_text(7, 4, "「" + "」" * 31_999)),
        Hostile("a mail address of 32,000 characters", "文字が多すぎます", lambda: with_setting(SETTINGS[2][0], text_cell("B3", "a" * 16_000 + "@" + "b." * 8_000 + "jp"))),
        Hostile("5,000 mail addresses", "文字が多すぎます", lambda: with_setting(SETTINGS[2][0], text_cell("B3", ",".join(f"a{n}@x.jp" for n in range(2_500))))),
        Hostile("an address of one long label", EITHER, lambda: with_setting(SETTINGS[1][0], text_cell("B2", "https://" + "あ" * 30_000 + ".jp"))),
        Hostile("4,900 lines of unknown items", "項目はありません", lambda: with_more_rows(many), quick=False),
        Hostile("4,000 unknown settings", "項目はありません", lambda: pack(parts(settings=[*SETTINGS, *((f"設定項目{n * 7919}", "x") for n in range(4_000))])), quick=False),
        Hostile("4,900 rows of 150 columns", EITHER, lambda: with_more_rows([f'<row r="{n}">{wide.replace("{0}", str(n))}</row>' for n in range(11, 4_900)]), quick=False),
        Hostile("a million empty rows", "多すぎます", lambda: with_more_rows(endless), quick=False),
        Hostile("200,000 rows", "多すぎます", lambda: with_more_rows(million), quick=False),
        Hostile("16,384 columns", "200列", lambda: with_more_rows(['<row r="11">' + "".join(text_cell(f"{letters(n)}11", "x") for n in range(16_384)) + "</row>"])),
        Hostile("1,000 worksheets that are one", "多すぎます", lambda: with_sheets(1_000, big), quick=False),
        Hostile("10,000 worksheets", EITHER, lambda: with_sheets(10_000, worksheet([])), quick=False),
        Hostile("300 worksheets of their own", SAME, lambda: with_sheets(300, worksheet([]), one_target=False)),
        Hostile("one long text in every cell", "文字", lambda: shared_everywhere(32_000, 800, 20), quick=False),
        Hostile("one endless text in every cell", "文字", lambda: shared_everywhere(5_000_000, 500, 20), quick=False),
        Hostile("a number shown with a million zeros", EITHER, zeros, quick=False),
    ]  # fmt: skip


def _yaml() -> list[Hostile]:
    def text(name: str, expected: str, content: str, quick: bool = True) -> Hostile:
        return Hostile(f"yaml: {name}", expected, lambda: content.encode(), ".yaml", quick)

    def raw(name: str, expected: str, content: Callable[[], bytes]) -> Hostile:
        return Hostile(f"yaml: {name}", expected, content, ".yaml")

    aliases = "a: &a [x]\n" + "".join(
        f"{c}: &{c} [{', '.join([f'*{p}'] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    tag = YAML.replace("run_at: 5:30", 'run_at: !!python/object/apply:os.system ["touch /tmp/renkei-was-here"]')
    users = YAML + "".join(f"  - {{item: 項目{n * 7919}, source: 姓}}\n" for n in range(20_000))
    return [
        text("sound", SAME, YAML),
        raw("with BOM", SAME, lambda: b"\xef\xbb\xbf" + YAML.encode()),
        text("CRLF", SAME, YAML.replace("\n", "\r\n")),
        text("alias bomb", "参照", aliases),
        text("anchor", "参照", YAML + "x: &a 1\n"),
        text("merge key", "キーはありません", YAML + "<<: {run_at: 4:30}\n"),
        text("python tag", "文字ではありません", tag),
        text("python name tag", EITHER, YAML.replace("5:30", "!!python/name:os.system")),
        text("binary tag", EITHER, YAML.replace("AC-", "!!binary QUMt")),
        text("custom tag", EITHER, YAML.replace("AC-", "!include /etc/passwd")),
        text("key twice", "2回", YAML + "run_at: 4:30\n"),
        text("two documents", "2つ以上", YAML + "---\nx: 1\n"),
        text("deep lists", "入れ子", "[" * 100_000),
        text("deep mappings", "入れ子", "{a: " * 100_000),
        text("deep blocks", "入れ子", "- " * 100_000),
        text("deep keys", EITHER, "? " * 100_000),
        text("a list as key", "キーはありません", YAML + "? [a, b]\n: x\n"),
        text("a list for everything", "キー", "- 1\n- 2\n"),
        text("one word", "キー", "x"),
        text("a date as prefix", EITHER, YAML.replace("AC-", "2026-01-01")),
        text("a huge integer", EITHER, YAML.replace("percent: 10", "percent: " + "9" * 100_000)),
        text("not a number", "割合ではありません", YAML.replace("percent: 10", "percent: .nan")),
        text("a list of users as mapping", "一覧ではありません", YAML.replace("  - {", "  x: {", 1).split("  - {")[0]),
        text("tabs", EITHER, YAML.replace("  - ", "\t- ")),
        text("NUL", "YAMLとして", YAML + "\0"),
        text("control characters", EITHER, YAML.replace("AC-", '"A\\x01\\u202e\\uD800"')),
        text("only comments", "空です", "#" * 900_000),
        text("900,000 blanks", EITHER, " " * 900_000 + "x"),
        text("100,000 blank lines", SAME, "\n" * 100_000 + YAML),
        text("300,000 blanks in a text", EITHER, YAML.replace("AC-", "'a" + " " * 300_000 + "b'")),
        text("a folded text of 50,000 lines", EITHER, YAML + "id_prefixx: >\n" + "  a\n" * 50_000),
        text("a quoted text of 100,000 lines", EITHER, YAML.replace("AC-", '"' + "a\n  \n" * 100_000 + '"')),
        text("100,000 flow entries", EITHER, YAML + "x: [" + "a," * 100_000 + "]\n", False),
        text("60,000 unknown keys", EITHER, YAML + "".join(f"k{n * 7919}: 1\n" for n in range(60_000)), False),
        text("20,000 unknown users", EITHER, users, False),
        text("100,000 colons", EITHER, YAML + ":" * 100_000),
        text("100,000 question marks", EITHER, YAML + "?\n" * 100_000, False),
        text("500,000 percent signs", EITHER, "%" * 500_000),
        text("500,000 directives", EITHER, "%X y\n" * 100_000, False),
        text("500,000 tags", EITHER, "!a " * 100_000, False),
        text("an endless tag", EITHER, "x: !" + "a" * 500_000 + " 1"),
        raw("Shift_JIS", "UTF-8", lambda: YAML.encode("cp932")),
        raw("UTF-16", "UTF-8", lambda: YAML.encode("utf-16")),
        raw("a workbook", "UTF-8", lambda: pack(parts())),
        raw("random bytes", "UTF-8", lambda: bytes(range(256)) * 50),
        raw("2 MB", "大きすぎます", lambda: b"x: y\n" * 400_000),
        raw("empty", "空です", lambda: b""),
    ]  # fmt: skip
