"""The file as it comes: refused before it is opened if it is no workbook, or more than a sheet can need (L5)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.parsers import expat

from renkei.errors import MappingError, Problem
from renkei.sheets.workbook import kind
from renkei.sheets.workbook.package import Package

MAX_UNPACKED = 50_000_000
MAX_MEMBERS = 2_000
MAX_TOKEN = 1 << 18  # bytes of one tag or comment: expat before 2.6 reads it anew with every piece of the file
MAX_NODES = 200_000  # XML elements, comments and instructions of all parts; openpyxl may take 30 µs for one
_CHUNK = 1 << 16


def refusal(name: str, found: str, remedy: str) -> MappingError:
    """The one problem for which a workbook, or a worksheet, is not read any further."""
    return MappingError([Problem(name, found, remedy)])


class _TooMuch(Exception):
    """More XML than a sheet can need: `found` and `remedy` of the problem."""


def check_container(content: bytes, name: str) -> set[str]:
    """The names of the members that are XML, harmless and not too much of it.

    Raises:
        MappingError: the file is no workbook, or too much of one.
    """
    save_again = "Excelで開き、「Excelブック(.xlsx)」として保存し直してください"
    if told := kind.unreadable_kind(content):
        raise refusal(name, told.found, told.remedy_for(name))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > MAX_UNPACKED:
                remedy = f"{MAX_UNPACKED:,}バイト以下にしてください"
                raise refusal(name, f"展開後の大きさが{unpacked:,}バイトあります", remedy)
            readable = _survey(archive, entries)
            if told := kind.unreadable_type(Package(archive, readable).main_type()):
                raise refusal(name, told.found, told.remedy_for(name))
            return readable
    except (MappingError, MemoryError):
        raise
    except _TooMuch as much:
        raise refusal(name, *much.args) from much
    except Exception as error:  # zipfile, too, raises whatever a damaged file makes it trip over
        raise refusal(name, "Excelブックではありません、または壊れています", save_again) from error


def _survey(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo]) -> set[str]:
    """The names of the members that are XML; what openpyxl must not be given is refused.

    openpyxl builds a tree of all that it reads, and lets a DTD multiply it. So every part is walked through first,
    without keeping any of it. Members that are no XML (pictures, macros) are left out: nothing of them is read.

    Raises:
        Exception: a part is damaged.
        _TooMuch: too many members or nodes, a tag or comment without end, or a DTD, which no workbook has.
    """
    less = "使っていないワークシートと、表の下や右の余分な行・列を、空白の行・列も含めて削除してください"
    write_anew = "新しいブックに、記入した内容だけを値として貼り付けて保存してください"
    nodes = 0

    def count(*_: object) -> None:
        nonlocal nodes
        nodes += 1
        if nodes > MAX_NODES:
            raise _TooMuch(f"中身が多すぎます(要素が{MAX_NODES:,}を超えています)", less)

    def refuse_dtd(*_: object) -> None:
        raise _TooMuch(
            "Excelブックには無いはずの定義(DTD)が含まれています", "Excelで新しいブックに写して保存してください"
        )

    if len(entries) > MAX_MEMBERS:
        raise _TooMuch(f"中身が多すぎます(部品が{len(entries):,}個あります)", less)
    readable = set()
    for entry in entries:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile("packed otherwise than Excel packs")
        parser = expat.ParserCreate()
        parser.StartElementHandler = parser.CommentHandler = parser.ProcessingInstructionHandler = count
        parser.StartDoctypeDeclHandler = refuse_dtd
        fed = 0
        try:
            with archive.open(entry) as member:
                while chunk := member.read(_CHUNK):
                    parser.Parse(chunk, False)
                    fed += len(chunk)
                    if fed - parser.CurrentByteIndex > MAX_TOKEN:  # the text between tags comes in pieces
                        raise _TooMuch("1つのコメントまたは属性が長すぎます", write_anew)
            parser.Parse(b"", True)
        except (expat.ExpatError, LookupError, ValueError):  # the last two: an encoding that there is not
            if entry.filename.lower().endswith((".xml", ".rels")):
                raise
            readable.discard(entry.filename)
        else:
            readable.add(entry.filename)
    return readable
