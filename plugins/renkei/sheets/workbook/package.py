"""The parts of an Excel file and how they refer to each other (Open Packaging Conventions, ECMA-376 part 2).

Names of parts are the same whatever their case, and may be written with %-signs; both dialects of the format have the
same parts (transitional, and Strict of ISO 29500).
"""

from __future__ import annotations

import functools
import io
import posixpath
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

CONTENT_TYPES = "[content_types].xml"
_MAIN = (
    "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}",
    "{http://purl.oclc.org/ooxml/spreadsheetml/main}",
)
_RELATIONS = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/([A-Za-z]+)/")
_OTHER = "!"  # before the name of an element of another vocabulary


class PackageError(ValueError):
    """Something that a workbook must have is missing, or is there twice."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A reference to a part: `kind` is the last word of its type (`worksheet`, `styles` …)."""

    id: str
    kind: str
    part: str


def canonical(name: str) -> str:
    """A part's name as it is compared."""
    return posixpath.normpath("/" + unquote(name).replace("\\", "/")).lstrip("/").lower()


class Package:
    """An opened file; parts go by their canonical names."""

    def __init__(self, archive: zipfile.ZipFile, readable: Iterable[str]) -> None:
        self._archive = archive
        self._entries: dict[str, str] = {}
        for name in readable:
            if self._entries.setdefault(canonical(name), name) != name:
                raise PackageError(f"two parts of one name: {name}")

    def __contains__(self, part: str) -> bool:
        return part in self._entries

    def read(self, part: str) -> bytes:
        """A part as it is written."""
        return self._archive.read(self._entries[part])

    def elements(self, part: str) -> Iterator[Any]:
        """The elements of a part as they end, each named without its namespace."""
        with self._archive.open(self._entries[part]) as source:
            for _, element in ElementTree.iterparse(source):
                element.tag = plain_name(element.tag)
                yield element

    def root(self, part: str) -> Any:
        """The whole of a part."""
        last = None
        for last in self.elements(part):  # noqa: B007
            pass
        return last

    def relations(self, part: str = "") -> list[Relation]:
        """What a part, or the package itself, refers to within the package."""
        folder, _, name = part.rpartition("/")
        listed = posixpath.join(folder, "_rels", f"{name}.rels")
        if listed not in self:
            return []
        return [
            Relation(
                each.get("Id", ""),
                each.get("Type", "").rpartition("/")[2].lower(),
                canonical(posixpath.join("/" + folder, each.get("Target", "").replace("\\", "/"))),
            )
            for each in self.root(listed)
            if each.get("TargetMode", "Internal") == "Internal"
        ]

    def related(self, kind: str, part: str = "") -> str | None:
        """The part of this kind that is there."""
        found = (each.part for each in self.relations(part) if each.kind == kind.lower())
        return next((each for each in found if each in self), None)

    def main_type(self) -> str:
        """The content type of the part that the package is about; empty where it does not say."""
        main = next((each.part for each in self.relations() if each.kind == "officedocument"), None)
        if main is None or CONTENT_TYPES not in self:
            return ""
        listed = self.root(CONTENT_TYPES)
        own = (each for each in listed if each.tag == "Override" and canonical(each.get("PartName", "")) == main)
        ending = (each for each in listed if each.get("Extension", "").lower() == main.rpartition(".")[2])
        return next((str(each.get("ContentType", "")) for each in (*own, *ending)), "")


@functools.lru_cache(maxsize=1024)
def plain_name(tag: str) -> str:
    """An element's name in either dialect; one of another vocabulary is marked as such."""
    for main in _MAIN:
        if tag.startswith(main):
            return tag[len(main) :]
    return tag.rpartition("}")[2] if "/package/2006/" in tag else _OTHER + tag


def relation_id(element: Any) -> str:
    """The `r:id` of an element."""
    return next((str(value) for space in _RELATIONS if (value := element.get(f"{{{space}}}id"))), "")


def plain_copy(content: bytes, readable: Iterable[str]) -> bytes:
    """The same workbook for a reader who knows neither Strict nor that names are the same whatever their case."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as copy:
        package = Package(archive, readable)
        for name in archive.namelist():
            part, body = canonical(name), archive.read(name)
            if part == CONTENT_TYPES or part.endswith(".rels"):
                body = _plain_names(package, part)
            elif part in package:
                body = _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/", body)
            copy.writestr("[Content_Types].xml" if part == CONTENT_TYPES else part, body)
    return file.getvalue()


def _plain_names(package: Package, part: str) -> bytes:
    """The content types, or the relations of a part, with every part's canonical name."""
    root = package.root(part)
    folder = posixpath.dirname(posixpath.dirname(part))
    for each in root:
        if "PartName" in each.attrib:
            each.set("PartName", "/" + canonical(each.get("PartName")))
        if "Target" in each.attrib and each.get("TargetMode", "Internal") == "Internal":
            each.set("Target", "/" + canonical(posixpath.join("/" + folder, each.get("Target").replace("\\", "/"))))
        if "Type" in each.attrib:
            each.set(
                "Type", _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/", each.get("Type").encode()).decode()
            )
        each.tag = f"{{{_PACKAGE}{'content-types' if part == CONTENT_TYPES else 'relationships'}}}{each.tag}"
    root.tag = f"{{{_PACKAGE}{'content-types' if part == CONTENT_TYPES else 'relationships'}}}{root.tag}"
    return bytes(ElementTree.tostring(root, encoding="utf-8"))
