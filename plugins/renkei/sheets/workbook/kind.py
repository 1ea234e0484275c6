"""What a file is that should be an Excel workbook and is none: by its bytes, for its name may say anything (L8)."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass

XLSX = "Excelブック(.xlsx)"
_SAVE = f"Excelで開き、「名前を付けて保存」でファイルの種類を「{XLSX}」にして保存してください"
_EXPORT = f"元のアプリで開き、{XLSX}として書き出してください"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BIFF = (b"\x09\x08", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00", b"\x09\x00\x04\x00")
_NO_PASSWORD = (
    "Excelで開き、「ファイル」>「情報」>「ブックの保護」>「パスワードを使用して暗号化」を空にし、"
    "「校閲」の「ブックの保護」も解除して保存してください"
)
_COPY = f"内容を{XLSX}に書き写してください"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What a file is, what to do with it, and how its name must end before any program opens it."""

    found: str
    remedy: str
    suffix: str = ""

    def remedy_for(self, name: str) -> str:
        """The remedy; Excel refuses to open a file whose name says something else."""
        if not self.suffix or name.lower().endswith(self.suffix):
            return self.remedy
        return f"ファイル名の末尾を「{self.suffix}」に直してから、{self.remedy}"


_XLS = Unreadable("古い形式(.xls)のExcelブックです", _SAVE, ".xls")
_UNKNOWN = Unreadable("Excelブックではありません、または壊れています", f"{XLSX}で保存したファイルを使ってください")
_WORD, _POWERPOINT = Unreadable("Wordの文書です", _COPY), Unreadable("PowerPointの文書です", _COPY)
_OFFICE = Unreadable("LibreOfficeなどの文書で、表計算のものではありません", _COPY)
_CONTENT_TYPES = (  # by what stands in them; Word's and PowerPoint's have templates and add-ins too
    ("wordprocessingml", _WORD),
    ("ms-word", _WORD),
    ("presentationml", _POWERPOINT),
    ("ms-powerpoint", _POWERPOINT),
    ("sheet.binary", Unreadable("Excelバイナリブック(.xlsb)です", _SAVE, ".xlsb")),
    ("addin.macroenabled", Unreadable("Excelアドイン(.xlam)です", _COPY)),
    ("template.macroenabled", Unreadable("マクロ有効テンプレート(.xltm)です", _SAVE, ".xltm")),
    ("spreadsheetml.template", Unreadable("Excelテンプレート(.xltx)です", _SAVE, ".xltx")),
    ("sheet.macroenabled", Unreadable("マクロ有効ブック(.xlsm)です", _SAVE, ".xlsm")),
)
SUFFIXES = {  # what such a file is usually called; a file of these in a folder of sheets was meant as one
    **dict.fromkeys((".xls", ".xlt", ".xlw"), "古い形式(.xls)のExcelブックです"),
    **dict.fromkeys((".xlsm", ".xltm"), "マクロ有効のExcelブックです"),
    ".xlsb": "Excelバイナリブック(.xlsb)です",
    ".xltx": "Excelテンプレート(.xltx)です",
    **dict.fromkeys((".ods", ".ots", ".fods", ".sxc"), "LibreOfficeなどの表計算の文書です"),
    ".numbers": "MacのNumbersの書類です",
    ".gsheet": "Googleスプレッドシートへのリンクで、表そのものではありません",
    **dict.fromkeys((".csv", ".tsv"), "文字だけのファイル(CSVなど)です"),
}
TEXT_SUFFIXES = (".csv", ".tsv")


def unreadable_kind(content: bytes) -> Unreadable | None:
    """What a file is; None for what may be a workbook."""
    if not content.strip(b"\0 \r\n\t"):
        return Unreadable("ファイルが空です", "記入したファイルを、もう一度コピーするか保存し直してください")
    if content.startswith(_OLE):
        return _ole(content)
    if content.startswith(b"PK"):
        return _zip(content)
    if content.startswith(_BIFF):
        return _XLS
    if b"%PDF-" in content[:1_024]:  # readers of PDF take what stands before it
        return Unreadable("PDFです", f"元の{XLSX}を使うか、内容を書き写してください")
    if content.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")) or content[4:8] == b"ftyp":
        return Unreadable("画像です", f"元の{XLSX}を使うか、内容を書き写してください")
    if content.startswith((b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"BZh")):
        return Unreadable("圧縮されたファイルです", f"展開し、中の{XLSX}を使ってください")
    return _text(content[:4_096])


def unreadable_type(content_type: str) -> Unreadable | None:
    """The same of a file of Office's newer kind, by the content type of its main part; None for a workbook."""
    lowered = content_type.lower()
    return next((told for mark, told in _CONTENT_TYPES if mark in lowered), None)


def told_of_text(content: bytes) -> str:
    """What a file is that should be a text and is none; empty for a text."""
    if content.startswith(b"PK\x03\x04"):
        zipped = _zip(content)
        return zipped.found if zipped else f"{XLSX}です"
    return _ole(content).found if content.startswith(_OLE) else ""


def _ole(content: bytes) -> Unreadable:
    def has(name: str) -> bool:
        return name.encode("utf-16-le") in content

    if has("DRMEncryptedTransform") or has("DRMEncryptedDataSpace"):
        remedy = "Excelで開き、秘密度ラベルやアクセス制限を外して保存してください"
        return Unreadable("秘密度ラベルなどで暗号化されたファイルです", remedy)
    if has("EncryptedPackage"):
        asked = "開くときにパスワードを聞かれないこともあります"
        return Unreadable(f"パスワードで保護(暗号化)されたExcelブックです({asked})", _NO_PASSWORD)
    if has("WordDocument"):
        return _WORD
    if has("PowerPoint Document"):
        return _POWERPOINT
    return _XLS if has("Workbook") or has("Book") else _UNKNOWN


def _zip(content: bytes) -> Unreadable | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name.lower() for name in archive.namelist()]
            if "mimetype" in archive.namelist() and b"opendocument" in (kind := archive.open("mimetype").read(99)):
                spreadsheet = Unreadable("LibreOfficeなどの表計算の文書(.ods)です", _EXPORT, ".ods")
                return spreadsheet if b"spreadsheet" in kind else _OFFICE
    except Exception:  # zipfile raises whatever a damaged file makes it trip over
        return Unreadable(
            "途中で切れているか、壊れています", "元のファイルを、もう一度コピーするか保存し直してください"
        )
    if any(name.endswith(".iwa") or name == "index.zip" for name in names):
        remedy = f"Numbersで開き、「ファイル」>「書き出す」>「Excel」で{XLSX}として書き出してください"
        return Unreadable("MacのNumbersの書類です", remedy, ".numbers")
    if any(name.lstrip("/") == "[content_types].xml" for name in names):
        return None
    remedy = f"展開し、中の{XLSX}を使ってください"
    if any(name.endswith((".xlsx", ".xls", ".xlsm")) for name in names):
        return Unreadable("ZIPで圧縮されたファイルです", remedy, ".zip")
    return Unreadable("ZIPファイルで、Excelブックではありません", f"{XLSX}で保存したファイルを使ってください")


def _text(start: bytes) -> Unreadable:
    plain = start.replace(b"\0", b"").lower()
    if b"urn:schemas-microsoft-com:office:spreadsheet" in plain:
        return Unreadable("XMLスプレッドシート2003です", _SAVE, ".xml")
    if b"opendocument" in plain and b"<" in plain[:9]:
        return Unreadable("LibreOfficeなどの表計算の文書(.fods)です", _EXPORT, ".fods")
    if re.search(rb"<(!doctype html|html|table|head|body|meta)\b", plain):
        return Unreadable("Webページ(HTML)です", _SAVE, ".html")
    if b"mime-version:" in plain:
        return Unreadable("Webページ(MHTML)です", _SAVE, ".mht")
    if b'"doc_id"' in plain or b"docs.google.com" in plain:
        remedy = f"Googleスプレッドシートの「ファイル」>「ダウンロード」で{XLSX}を選んでください"
        return Unreadable("Googleスプレッドシートへのリンクで、表そのものではありません", remedy)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or not re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", start):
        return Unreadable("文字だけのファイル(CSVなど)で、Excelブックではありません", _SAVE, ".csv")
    return _UNKNOWN
