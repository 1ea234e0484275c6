"""The kintone simulator driven by kintone's own clients from npm: the library and the command line."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.kintone import Kintone
from tests.harness.npm import installed

HERE = Path(__file__).parent
RIGHTS = ["view", "add", "edit", "delete", "manage"]
COMPANIES: dict[str, dict[str, Any]] = {
    "会社ID": {"type": "SINGLE_LINE_TEXT", "unique": True},
    "会社名": {"type": "SINGLE_LINE_TEXT", "required": True},
    "従業員": {"type": "NUMBER"},
    "区分": {"type": "CHECK_BOX", "options": ["顧客", "見込"]},
    "拠点": {"type": "SUBTABLE", "fields": {"拠点名": {"type": "SINGLE_LINE_TEXT"}}},
}
LOOKUP = {
    "relatedApp": {"app": "1"},
    "relatedKeyField": "会社ID",
    "fieldMappings": [{"field": "社名", "relatedField": "会社名"}],
}
CONTACTS: dict[str, dict[str, Any]] = {
    "番号": {"type": "NUMBER", "unique": True},
    "会社": {"type": "SINGLE_LINE_TEXT", "lookup": LOOKUP},
    "社名": {"type": "SINGLE_LINE_TEXT"},
}


@pytest.fixture(scope="module")
def clients() -> Path:
    return installed(HERE, "kintone-clients")


@pytest.fixture
def kintone(clients: Path) -> Iterator[Kintone]:
    with Kintone.start() as kintone:
        kintone.app(1, COMPANIES, name="会社", tokens={"companies": RIGHTS})
        kintone.app(2, CONTACTS, tokens={"contacts": RIGHTS})
        kintone.app(3, COMPANIES, guest_space=5, tokens={"guest": RIGHTS})
        kintone.sim("PUT", "users/tanaka", {"code": "tanaka", "name": "田中", "password": "hirake"})
        yield kintone


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def at_localhost(kintone: Kintone) -> str:
    """The only name that the clients take without HTTPS."""
    return kintone.url.replace("127.0.0.1", "localhost")


def test_the_rest_api_client_finds_kintone_in_the_simulator(kintone: Kintone, clients: Path) -> None:
    found = json.loads(run("node", str(HERE / "drive.mjs"), str(clients), at_localhost(kintone)))

    everybody = list(range(1, 151))
    assert found["added"] == [[number, "1"] for number in everybody], "two requests in one bulkRequest"
    assert found["withId"] == found["withCursor"] == found["withOffset"] == everybody
    assert (found["longQuery"], found["query"]) == ("0", ["会社3", "会社9", "会社149"])
    assert found["keys"] == ["$id", "会社名"]
    assert found["upserted"] == [["UPDATE", "2"], ["INSERT", "1"]]
    assert (found["upsertRecord"], found["updatedAll"], found["copied"]) == (["2", "1"], 150, "改")
    refused = found["refused"]
    assert refused["lookupWithoutToken"] == {
        **{"status": 400, "code": "GAIA_LO04", "errors": None, "bulkRequestIndex": None}
    }
    assert (refused["foreignToken"]["status"], refused["foreignToken"]["code"]) == (400, "GAIA_IA02")
    assert set(refused["invalid"]["errors"]) == {
        *("records[1].会社ID.value", "records[2].会社名.value", "records[2][従業員].value"),
    }
    assert (refused["revision"]["status"], refused["revision"]["code"]) == (409, "GAIA_CO02")
    assert (refused["inBulk"]["code"], refused["inBulk"]["bulkRequestIndex"]) == ("GAIA_RE01", 1)
    assert refused["guestPath"]["code"] == "GAIA_IL23"
    assert (found["inGuestSpace"], found["asPerson"]) == ("1", "1")
    assert found["form"]["会社"] == ["SINGLE_LINE_TEXT", None, "1"]
    assert found["form"]["番号"] == ["NUMBER", True, None]
    assert "SUBTABLE" in found["layout"]
    assert (found["app"], found["apps"], found["left"]) == ("会社", ["1", "2"], 33)


def test_the_command_line_imports_by_key_and_exports(kintone: Kintone, clients: Path, tmp_path: Path) -> None:
    kintone.upsert(1, "会社ID", {"会社ID": "C1", "会社名": "前"}, token="companies")
    rows = [["会社ID", "会社名", "従業員", "区分"], ["C1", "後", "12", "顧客\n見込"], ["C2", "新", "", ""]]
    path = tmp_path / "companies.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    where = ("--base-url", at_localhost(kintone), "--app", "1", "--api-token", "companies")
    tool = str(clients / "node_modules/.bin/cli-kintone")

    run(tool, "record", "import", *where, "--file-path", str(path), "--update-key", "会社ID")
    exported = run(tool, "record", "export", *where, "--condition", '区分 in ("顧客")')

    kept = [(one["会社ID"], one["会社名"], one["従業員"], one["区分"]) for one in kintone.records(1)]
    assert kept == [("C1", "後", "12", ["顧客", "見込"]), ("C2", "新", "", [])]
    told = list(csv.DictReader(io.StringIO(exported)))
    assert [(one["会社ID"], one["区分"]) for one in told] == [("C1", "顧客\n見込")]
