"""Hostile workbooks as files: no workbook at all, zip bombs, DTDs, encodings."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable

from tests.proof.fuzz.hostile import EITHER, SAME, Hostile
from tests.proof.fuzz.workbook import HEAD, MAIN, SHEETS, deflated, forged, frame, pack, parts, with_part, without


def containers() -> list[Hostile]:
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


def bombs() -> list[Hostile]:
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

    def styled() -> bytes:
        head = f'{HEAD}<styleSheet xmlns="{MAIN}"><cellXfs>'.encode()
        return filled("xl/styles.xml", head, b"<xf/>", b"</cellXfs></styleSheet>")

    def one_string() -> bytes:
        head = f'{HEAD}<sst xmlns="{MAIN}"><si><t>'.encode()
        return filled("xl/sharedStrings.xml", head, b"a", b"</t></si></sst>")

    def named() -> bytes:
        names = '<definedName name="a">A!$A$1</definedName>' * mega
        return pack(parts() | frame(SHEETS, more=f"<definedNames>{names}</definedNames>"))

    cases: dict[str, tuple[str, Callable[[], bytes]]] = {
        "4 GB in 4 MB": ("展開後の大きさ", lambda: declared(4_000 * mega)),
        "4 GB that says 900 bytes": ("壊れて", lambda: declared(900)),
        "4 GB that says nothing": ("壊れて", lambda: declared(0)),
        "overlapping members": ("展開後の大きさ", overlapping),
        "45 MB of elements": ("多すぎます", sheet(b"<a/>")),
        "45 MB of cells": ("要素", sheet(b"<c/>")),
        "45 MB of attributes": ("要素", sheet(b'<a b="" c=""/>')),
        "45 MB of depth": ("多すぎます", sheet(b"<a>")),
        "45 MB of blanks": ("見出しの行", sheet(b" ")),
        "45 MB of comments": ("多すぎます", sheet(b"<!-- x -->")),
        "45 MB of instructions": ("多すぎます", sheet(b"<?x y?>")),
        "45 MB of text": (EITHER, sheet("漢".encode())),
        "45 MB of empty rows": ("要素", sheet(b"<row/>")),
        "45 MB of shared strings": ("要素", shared(b"<si/>")),
        "45 MB of runs": ("要素", shared(b"<si><r><t>a</t></r></si>")),
        "one shared string of 45 MB": (EITHER, one_string),
        "45 MB of styles": ("要素", styled),
        "45 MB of defined names": ("要素", named),
    }
    return [Hostile(name, expected, build, quick=False) for name, (expected, build) in cases.items()]


def doctypes() -> list[Hostile]:
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


def encodings() -> list[Hostile]:
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
