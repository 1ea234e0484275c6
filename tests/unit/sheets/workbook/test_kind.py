"""L8: a file of another kind is told as what it is, whatever its name says, with a way out that its owner can go."""

from __future__ import annotations

import io
import zipfile

import pytest

from renkei.errors import MappingError
from renkei.links.smarthr_emc.sheet.excel.reader import raw_from_workbook
from renkei.sheets.workbook.kind import unreadable_kind
from tests.unit.sheets.workbook.test_book import PLAIN, SHEET, changed, packed

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def ole(*names: str) -> bytes:
    """Like a compound file with these streams."""
    return OLE + b"".join(name.encode("utf-16-le") + bytes(64) for name in names)


def package(main: str) -> bytes:
    """An Office file whose main part has this content type."""
    return packed(changed(PLAIN, (SHEET, main)))


def zipped(*names: str, mimetype: str = "") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


OFFICE, MS = "application/vnd.openxmlformats-officedocument.", "application/vnd.ms-excel."
ODS = "application/vnd.oasis.opendocument.spreadsheet"
KINDS = {
    "empty": (b"", "空です"),
    "nothing but zeros": (bytes(99), "空です"),
    "xls": (ole("Workbook"), "(.xls)"),
    "xls of Excel 95": (ole("Book"), "(.xls)"),
    "xls without a container": (b"\x09\x08\x10\x00\x00\x06\x05\x00", "(.xls)"),
    "with a password": (ole("EncryptionInfo", "EncryptedPackage"), "聞かれないこともあります"),
    "with a sensitivity label": (ole("EncryptedPackage", "DRMEncryptedTransform"), "秘密度ラベル"),
    "doc": (ole("WordDocument"), "Word"),
    "ppt": (ole("PowerPoint Document"), "PowerPoint"),
    "xlsm": (package(f"{MS}sheet.macroEnabled.main+xml"), "(.xlsm)"),
    "xlsb": (package(f"{MS}sheet.binary.macroEnabled.main"), "(.xlsb)"),
    "xltx": (package(f"{OFFICE}spreadsheetml.template.main+xml"), "(.xltx"),
    "xltm": (package(f"{MS}template.macroEnabled.main+xml"), "テンプレート"),
    "xlam": (package(f"{MS}addin.macroEnabled.main+xml"), "アドイン"),
    "docx": (package(f"{OFFICE}wordprocessingml.document.main+xml"), "Word"),
    "docm": (package("application/vnd.ms-word.document.macroEnabled.main+xml"), "Word"),
    "pptx": (package(f"{OFFICE}presentationml.presentation.main+xml"), "PowerPoint"),
    "dotm": (package("application/vnd.ms-word.template.macroEnabledTemplate.main+xml"), "Word"),
    "pptm": (package("application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml"), "PowerPoint"),
    "ppam": (package("application/vnd.ms-powerpoint.addin.macroEnabled.main+xml"), "PowerPoint"),
    "a mail of Outlook": (ole("__substg1.0_0037001F"), "Excelブックではありません"),
    "odt": (zipped("content.xml", mimetype="application/vnd.oasis.opendocument.text"), "表計算のものではありません"),
    "pdf behind a line": (b"\r\n%PDF-1.4\n", "PDF"),
    "heic": (b"\0\0\0\x18ftypheic\0\0", "画像"),
    "bz2": (b"BZh91AY", "圧縮"),
    "ods": (zipped("content.xml", mimetype=ODS), "(.ods)"),
    "numbers": (zipped("Index/Document.iwa"), "Numbers"),
    "zip with a workbook": (zipped("連携/acme.xlsx"), "ZIPで圧縮"),
    "zip with something else": (zipped("a.txt"), "ZIPファイルで"),
    "cut": (zipped("a.txt")[:20], "途中で切れて"),
    "flat ods": (b'<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"/>', "(.fods)"),
    "XML of 2003": (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "2003"),
    "html": (b'\xef\xbb\xbf<html xmlns:x="urn:schemas-microsoft-com:office:excel"><body><table/></body></html>', "HTML"),
    "a table of html": (b"<table><tr><td>1</td></tr></table>", "HTML"),
    "html in UTF-16": ("<html><table/></html>".encode("utf-16"), "HTML"),
    "mhtml": (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "MHTML"),
    "csv": (b"SmartHR URL,https://acme.smarthr.jp\r\n", "文字だけ"),
    "csv in Shift_JIS": ("会社,値\r\n".encode("cp932"), "文字だけ"),
    "csv in UTF-16": ("会社\t値\r\n".encode("utf-16"), "文字だけ"),
    "gsheet": (b'{"": "WARNING!", "doc_id": "1a", "email": ""}', "Google"),
    "pdf": (b"%PDF-1.7\n", "PDF"),
    "png": (b"\x89PNG\r\n\x1a\n", "画像"),
    "gzip": (b"\x1f\x8b\x08\x00", "圧縮"),
    "noise": (bytes(range(256)), "壊れています"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "what"), KINDS.values(), ids=KINDS)
def test_l8_a_file_of_another_kind_is_told_as_what_it_is(content: bytes, what: str) -> None:
    """One problem, whatever the reader; its remedy ends in a file that can be read."""
    with pytest.raises(MappingError) as caught:
        raw_from_workbook(content, "acme.xlsx")
    [problem] = caught.value.problems
    assert what in problem.found
    assert "保存" in problem.remedy or ".xlsx" in problem.remedy
    assert problem.where == "acme.xlsx"


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (KINDS["xls"][0], ".xls"),
        (KINDS["xlsm"][0], ".xlsm"),
        (KINDS["xltx"][0], ".xltx"),
        (KINDS["csv"][0], ".csv"),
        (KINDS["html"][0], ".html"),
        (KINDS["ods"][0], ".ods"),
    ],
)
def test_l8_a_name_that_lies_is_mended_first(content: bytes, suffix: str) -> None:
    """Excel does not open a file whose name says something else."""
    found = [told_by_reader(content, f"acme{end}") for end in (".xlsx", suffix, suffix.upper())]
    assert f"末尾を「{suffix}」に" in found[0]
    assert "末尾" not in found[1] + found[2]


def told_by_reader(content: bytes, name: str) -> str:
    with pytest.raises(MappingError) as caught:
        raw_from_workbook(content, name)
    return caught.value.problems[0].remedy


def test_l8_a_workbook_is_none_of_them() -> None:
    """An embedded Word document makes no workbook a Word document."""
    embedded = f'<Default Extension="docx" ContentType="{OFFICE}wordprocessingml.document"/><Default Extension="xml"'
    assert unreadable_kind(packed(PLAIN)) is None
    assert [
        sheet
        for sheet in (raw_from_workbook(packed(changed(PLAIN, ('<Default Extension="xml"', embedded))), "a.xlsx"),)
        if sheet.settings
    ] == []
