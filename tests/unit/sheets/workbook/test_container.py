"""L5, L8: what is no workbook, or more than a sheet can need, is refused with a remedy before it is opened."""

from __future__ import annotations

import io
import time
import zipfile

import pytest

from renkei.errors import MappingError
from renkei.links.smarthr_emc.sheet.excel.reader import raw_from_workbook
from tests.unit.links.smarthr_emc.sheet.excel.books import FIRST, book, content, with_part, zipped

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ファイルが空"),
        (b"SmartHR URL,https://acme.smarthr.jp\n", "Excelブックではありません"),
        (OLE + bytes(500) + "Workbook".encode("utf-16-le"), "古い形式"),
        (OLE + bytes(100) + "EncryptedPackage".encode("utf-16-le"), "暗号化"),
        (zipped({"a.txt": b"x"}), "Excelブックではありません"),
        (zipped({"[Content_Types].xml": b"x"}), "壊れています"),
        (zipped({"[Content_Types].xml": bytes(51_000_000)}), "51,000,000バイト"),
    ],
    ids=["empty", "csv", "xls", "encrypted", "zip", "hollow", "bomb"],
)
def test_l8_what_is_no_workbook_is_refused(data: bytes, message: str) -> None:
    """One problem, saying what the file is and what to do."""
    with pytest.raises(MappingError, match=message) as caught:
        raw_from_workbook(data, "acme.xlsx")
    assert [problem.where for problem in caught.value.problems] == ["acme.xlsx"]


def test_l8_a_damaged_workbook_is_refused() -> None:
    """A workbook cut in the middle, or with a broken part, is a problem and no crash."""
    whole = content(book())
    with pytest.raises(MappingError, match="壊れて"):
        raw_from_workbook(whole[: len(whole) // 2], "acme.xlsx")

    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet3.xml"] = parts["xl/worksheets/sheet3.xml"][:300]
    with pytest.raises(MappingError, match="壊れて"):
        raw_from_workbook(zipped(parts), "acme.xlsx")


@pytest.mark.parametrize("part", [FIRST, "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_l5_a_workbook_with_a_dtd_is_refused(part: str, encoding: str) -> None:
    """No workbook has one, and its entities can multiply a few bytes into gigabytes."""
    doctype = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a "{"a" * 99}">]>'

    def bend(xml: bytes) -> bytes:
        text = xml.decode()
        return (doctype + text[text.find("?>") + 2 if text.startswith("<?xml") else 0 :]).encode(encoding)

    with pytest.raises(MappingError, match="DTD"):
        raw_from_workbook(with_part(part, bend), "acme.xlsx")


@pytest.mark.parametrize("nodes", [b"<c/>", b"<a><b/></a>", b"<!-- x -->", b"<?x y?>"])
def test_l5_a_workbook_of_too_many_nodes_is_refused(nodes: bytes) -> None:
    """Before anything is built of them: 50 kB can unpack to ten million."""
    filled = with_part(FIRST, lambda xml: xml.replace(b"</sheetData>", nodes * 200_001 + b"</sheetData>"))
    with pytest.raises(MappingError, match="多すぎます"):
        raw_from_workbook(filled, "acme.xlsx")


@pytest.mark.parametrize(
    "long",
    [b"<!--%s-->", b"<?x %s?>", b"<c a='%s'/>", b"<!--%s"],
    ids=["comment", "instruction", "attribute", "without-end"],
)
@pytest.mark.parametrize("part", [FIRST, "docProps/app.xml"])
def test_l5_a_tag_without_end_is_refused_at_once(long: bytes, part: str) -> None:
    """80 kB of workbook hold a comment of 45 MB; expat before 2.6 begins it anew with every piece that it gets."""
    end = b"</sheetData>" if part == FIRST else b"</Properties>"
    filled = with_part(part, lambda xml: xml.replace(end, long.replace(b"%s", b"x" * 45_000_000) + end))
    began = time.process_time()
    with pytest.raises(MappingError, match=r"長すぎます.*値として貼り付けて"):
        raw_from_workbook(filled, "acme.xlsx")
    assert time.process_time() - began < 1


def test_l5_a_long_text_between_tags_is_no_tag() -> None:
    """The text of a cell comes in pieces, however long; a comment of everyday length is let through."""
    note = b'<row r="9"><c r="H9" t="inlineStr"><is><t>' + b"x" * 900_000 + b"</t></is></c></row><!--" + b"x" * 100_000
    filled = with_part(FIRST, lambda xml: xml.replace(b"</sheetData>", note + b"--></sheetData>"))
    assert raw_from_workbook(filled, "acme.xlsx").problems == ()
