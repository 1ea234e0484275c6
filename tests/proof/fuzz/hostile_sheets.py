"""Hostile sheets in sound files: cells, features of Excel, and small ones that could cost a lot of time."""

from __future__ import annotations

from collections.abc import Callable
from xml.sax.saxutils import escape

from tests.proof.fuzz.hostile import EITHER, SAME, Hostile
from tests.proof.fuzz.workbook import (
    DOCUMENT,
    HEAD,
    MAIN,
    SETTINGS,
    SHEETS,
    frame,
    letters,
    pack,
    parts,
    row_of,
    rows_of,
    shared_item,
    styles,
    text_cell,
    with_more_rows,
    with_part,
    with_setting,
    with_sheets,
    with_user_text,
    worksheet,
)


def cells() -> list[Hostile]:
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


def features() -> list[Hostile]:
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


def slow() -> list[Hostile]:
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
