"""A zip of many sheets, taken out within limits (L5)."""

from __future__ import annotations

import io
import zipfile

import pytest

from renkei.errors import MappingError
from renkei.sheets import archive
from renkei.sheets.archive import unpacked


def packed(files: dict[str, bytes | str]) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in files.items():
            new.writestr(name, content)
    return found.getvalue()


def test_l5_sheets_are_taken_out_by_their_companies_names() -> None:
    """L5: whatever folder they lie in; what other programs leave behind is passed over."""
    content = packed({
        "まとめ/acme.xlsx": b"one", "beta.YML": b"two", "__MACOSX/._acme.xlsx": b"", "まとめ/.DS_Store": b"", "~$acme.xlsx": b"",
        "../../etc/gamma.yaml": b"three", "c:\\x\\delta.yaml": b"four",
    })  # fmt: skip
    assert [(one.name, one.tenant, one.content) for one in unpacked(content)] == [
        ("acme.xlsx", "acme", b"one"), ("beta.yaml", "beta", b"two"), ("gamma.yaml", "gamma", b"three"),
        ("delta.yaml", "delta", b"four"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Acme.xlsx", "会社のID"), ("a__b.xlsx", "会社のID"), ("operator.yaml", "会社のID"), ("会社.xlsx", "会社のID"),
        ("acme.pdf", "連携設定シートではありません"), ("acme", "連携設定シートではありません"),
    ],
)  # fmt: skip
def test_l5_a_file_that_is_no_sheet_is_one_with_a_problem(name: str, found: str) -> None:
    """L5: the others stand."""
    first, second = unpacked(packed({name: b"x", "beta.yaml": b"y"}))
    assert first.problem is not None
    assert found in first.problem.found
    assert (second.problem, second.content) == (None, b"y")


def test_l5_two_files_of_one_company_are_neither() -> None:
    """L1, L5: nobody knows which one is meant."""
    found = unpacked(packed({"a/acme.yaml": b"1", "b/acme.xlsx": b"2", "beta.yaml": b"3"}))
    assert ["2つ以上" in one.problem.found if one.problem else "" for one in found] == [True, True, ""]


def test_l5_bombs_are_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """L5: by ratio, by size, by sum, by number."""
    (one,) = unpacked(packed({"acme.yaml": b"\0" * 5_000_000}))
    assert one.problem is not None
    assert "圧縮されすぎ" in one.problem.found
    monkeypatch.setattr(archive, "MAX_BYTES", 10)
    (one,) = unpacked(packed({"acme.yaml": b"x" * 11}))
    assert one.problem is not None
    assert "大きすぎます" in one.problem.found
    for name, most in (("MAX_UNPACKED", 10), ("MAX_SHEETS", 1), ("_MAX_DIRECTORY", 50)):
        with monkeypatch.context() as patch:
            patch.setattr(archive, name, most)
            with pytest.raises(MappingError):
                unpacked(packed({"acme.yaml": b"123456", "beta.yaml": b"123456"}))


def test_l5_what_is_no_zip_is_refused() -> None:
    """L5: damaged, empty, or with a list of names that may be longer than it says."""
    whole = packed({"acme.yaml": b"x" * 50})
    end = whole.rfind(b"PK\x05\x06")
    zip64 = whole[:end] + b"PK\x06\x07" + b"\0" * 16 + whole[end:]
    for content in (b"", b"x" * 100, whole[:-30], packed({}), packed({"x/": b""}), zip64):
        with pytest.raises(MappingError):
            unpacked(content)
    torn = whole.replace(b"acme.yaml", b"acme.yamX", 1)
    assert [one.problem is not None for one in unpacked(torn)] == [True]
