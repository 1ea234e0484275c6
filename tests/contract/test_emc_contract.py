"""The EMC import contract as a document, and against the simulator's routes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from renkei.links.smarthr_emc import text_checks
from renkei.links.smarthr_emc.sheet.items import PASSWORD as OURS
from renkei.systems.emc.file_format import load_format
from simulators.emc.api import build_router
from simulators.emc.fileformat import DEFAULT_FORMAT
from simulators.emc.imports import Imports
from simulators.emc.rows import CONTROL, PASSWORD, address_code
from simulators.emc.store import Store
from tests.harness.emc import CONTRACT, ROOT, resolved

FORMAT = load_format(ROOT / "include/contracts/emc_format.yaml")
ROWS = {"departments": "DepartmentRow", "users": "UserRow"}
SCHEMAS = CONTRACT["components"]["schemas"]


def test_contract_has_exactly_the_routes_of_the_simulator(tmp_path: Path) -> None:
    """Paths and methods below /api/v1 are the same in both."""
    store = Store(tmp_path / "emc.sqlite", DEFAULT_FORMAT)
    served = {
        (re.sub(r"\{.*?\}", "{}", route.path.removeprefix("/api/v1")), method.lower())  # type: ignore[attr-defined]
        for route in build_router(store, Imports(store)).routes
        for method in route.methods  # type: ignore[attr-defined]
    }
    written = {
        (re.sub(r"\{.*?\}", "{}", path), method)
        for path, methods in CONTRACT["paths"].items()
        for method in methods
        if method != "parameters"
    }
    assert served == written


def test_contract_is_sound() -> None:
    """Schemas are schemas, references lead somewhere, and every example fits its schema."""
    assert CONTRACT["openapi"].startswith("3.1")
    checked = 0
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)
        for example in schema.get("examples", ()):
            Draft202012Validator({**schema, "components": CONTRACT["components"]}).validate(example)
            checked += 1

    def walk(node: Any) -> None:
        nonlocal checked
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict):
            if "$ref" in node:
                resolved(node)
            if isinstance(node.get("schema"), dict):
                validator = Draft202012Validator({**node["schema"], "components": CONTRACT["components"]})
                examples = [resolved(example)["value"] for example in node.get("examples", {}).values()]
                for example in examples + ([node["example"]] if "example" in node else []):
                    validator.validate(example)
                    checked += 1
            for child in node.values():
                walk(child)

    walk(CONTRACT)
    assert checked > 20


def of_column(file: str, name: str) -> dict[str, Any]:
    """The contract's schema of one column."""
    row = SCHEMAS[ROWS[file]]
    found = [row["properties"][name]] if name in row["properties"] else []
    found += [schema for pattern, schema in row.get("patternProperties", {}).items() if re.search(pattern, name)]
    (schema,) = found
    return dict(schema)


@pytest.mark.parametrize("file", ROWS)
def test_e37_columns_and_lengths_are_those_of_contract_format_and_simulator(file: str) -> None:
    """What validate lets through by the format object is what the contract allows and the simulator takes."""
    columns = FORMAT.department_columns if file == "departments" else FORMAT.user_columns
    simulated = DEFAULT_FORMAT.data_set(file).columns
    assert list(columns.values()) == [column.name for column in simulated]
    for (key, name), column in zip(columns.items(), simulated, strict=True):
        schema = of_column(file, name)
        assert (schema.get("maxLength"), FORMAT.length_of(key) or 0) == (column.max_length or None, column.max_length)
    readable = SCHEMAS["DepartmentItem" if file == "departments" else "UserItem"]["enum"]
    assert readable == DEFAULT_FORMAT.data_set(file).stored


def test_e37_flags_and_choices_are_those_of_contract_format_and_simulator() -> None:
    """処理フラグ, パスワード強制変更, 媒体 and the clear marker."""
    flags = FORMAT.flags
    for file in ROWS:
        assert of_column(file, "処理フラグ")["enum"] == [flags.create, flags.update, flags.delete]
    assert (DEFAULT_FORMAT.add, DEFAULT_FORMAT.update, DEFAULT_FORMAT.delete) == (
        flags.create,
        flags.update,
        flags.delete,
    )
    assert of_column("users", "パスワード強制変更")["enum"] == ["", *DEFAULT_FORMAT.choices]
    assert tuple(FORMAT.media) == DEFAULT_FORMAT.media
    assert FORMAT.clear_marker == DEFAULT_FORMAT.clear_marker


def agree(schema: dict[str, Any], pattern: str, simulated: bool, text: str) -> None:
    """Contract, validate and simulator say the same of a text."""
    contract = Draft202012Validator(schema).is_valid(text)
    assert (contract, re.fullmatch(pattern, text) is not None) == (simulated, simulated), text


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "Passw0rd!",
        "~!",
        "a b",
        " a",
        "あ",
        "ａｂｃ",
        "a\u00a0b",
        "ｱ",
        "\\",
        "¥",
        "a\tb",
        "パスワード1",
        "\x7f",
        "é",
        "①",
    ],
)
def test_e29_passwords_are_judged_alike(text: str) -> None:
    """Visible ASCII characters."""
    agree(of_column("users", "パスワード"), OURS, PASSWORD.fullmatch(text) is not None, text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a@b.jp",
            "a.b+c@x-y.co.jp",
            "a..b@docomo.ne.jp",
            "a.@x.jp",
            ".a@x.jp",
            "a@b",
            "a@-b.jp",
            "a@b-.jp",
            "a@b..jp",
        ),
        *("a b@x.jp", "ａ@x.jp", "a@日本.jp", "a@@x.jp", "@x.jp", "a@", "a@x.jp.", "x" * 64 + "@x.jp"),
        *("x" * 65 + "@x.jp", "a'b/c=?^_`{|}~@x.jp", '"a"@x.jp', "a@[127.0.0.1]", "a@1.2"),
    ],
)
def test_e29_mail_addresses_are_judged_alike(text: str) -> None:
    """`local@domain` in ASCII, the local part of at most 64 characters."""
    simulated = address_code(DEFAULT_FORMAT, "メールアドレス", text) is None
    agree(SCHEMAS["MailAddress"], text_checks.MAIL, simulated, text)


@pytest.mark.parametrize(
    "text",
    [
        *("090-1234-5678", "09012345678", "+81-90-1234-5678", "+819012345678", "0" * 9, "0" * 10, "0" * 15, "0" * 16),
        *(
            "090--1234-5678",
            "-09012345678",
            "09012345678-",
            "090 1234 5678",
            "(03)1234-5678",
            "０９０１２３４５６７８",
            "",
        ),
    ],
)
def test_e29_telephone_numbers_are_judged_alike(text: str) -> None:
    """10 to 15 digits, single hyphens, an optional + in front."""
    simulated = bool(text) and address_code(DEFAULT_FORMAT, "電話番号", text) is None
    agree(SCHEMAS["PhoneNumber"], text_checks.PHONE, simulated, text)


def test_e29_every_control_character_that_emc_refuses_is_refused_before() -> None:
    """C0, delete and C1, which CP932 can carry in part."""
    for code in range(0x110000):
        if not 0xD800 <= code < 0xE000 and CONTROL.match(chr(code)):
            assert re.match(text_checks.CONTROL, chr(code)), hex(code)
