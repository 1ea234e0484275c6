"""The compiled index: quick, never stale, never in the way (L5, L7, E14)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from renkei.channel import Channel, Event, Service
from renkei.clock import DAILY_AT, daily_at
from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.links.smarthr_emc.sheet.codec import section_digest
from renkei.links.smarthr_emc.sheet.side_runs import side_runs
from renkei.sheets import load as sheets
from renkei.sheets.bounded import Compiler
from renkei.sheets.tenant_files import tenants
from tests.builders import SHEET

SAMPLES = Path(__file__).parents[3] / "include" / "mappings" / "smarthr_emc"
COMPILER = Compiler(SHEETS)  # one for all of these tests
load = partial(sheets.load, SHEETS, compiler=COMPILER)
DEMO = ("127.0.0.1:8181",)


@pytest.fixture(scope="module", autouse=True)
def ended() -> Iterator[None]:
    with COMPILER:
        yield


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "acme.yaml"
    path.write_text(SHEET, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("tenant", "prefix", "account"), [("hinata", "", "hinata"), ("minato", "mnt", "group"), ("sakura", "skr", "group")]
)
def test_the_samples_are_sound(tenant: str, prefix: str, account: str) -> None:
    """Every committed sheet compiles against the demo's simulator."""
    file = next(file for file in tenants(SAMPLES) if file.tenant == tenant)
    compiled = load(file.path, tenant, allowed_hosts=DEMO)

    assert (file.problem, compiled.problems) == (None, ())
    assert compiled.mapping is not None
    assert (compiled.mapping.id_prefix, compiled.mapping.emc_account) == (prefix, account)
    assert compiled.result_addresses == (f"soumu@{tenant}.example.jp",)
    assert compiled.link_start_on == dt.date(2026, 4, 1)


def test_a_second_load_reads_the_compiled_form(sheet: Path, tmp_path: Path) -> None:
    """The kept form gives the same answer, and brings in neither openpyxl nor yaml nor the grammar."""
    cache = tmp_path / "cache"
    first = load(sheet, "acme", cache)
    code = (
        "import sys, pathlib; from renkei.links.smarthr_emc.sheet import SHEETS; from renkei.sheets.load import load;"
        f"found = load(SHEETS, pathlib.Path({str(sheet)!r}), 'acme', pathlib.Path({str(cache)!r}));"
        "assert found.mapping and found.warnings;"
        "heavy = ('openpyxl', 'yaml', 'email_validator', 'airflow', 'pandas');"
        "print([module for module in heavy if module in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(sheets.__file__).parents[2])},
    )

    assert load(sheet, "acme", cache) == first
    assert run.stdout.strip() == "[]"


def test_l5_a_broken_sheet_is_kept_with_what_could_be_read(sheet: Path, tmp_path: Path) -> None:
    """Problems, addresses and time are the same from the cache."""
    sheet.write_text(SHEET.replace("社員番号}", "社員版号}"), encoding="utf-8")

    first, second = (load(sheet, "acme", tmp_path / "cache") for _ in range(2))

    assert first == second
    assert first.mapping is None
    assert [problem.where for problem in first.problems] == ["acme.yaml users[0].source"]
    assert (first.result_addresses, first.run_at) == (("soumu@acme.example.jp",), dt.time(5, 0))
    assert first.link_start_on == dt.date(2026, 4, 1)


CHANNELS = """
notifications:
  - {name: 総務, service: slack, events: [失敗]}
  - {name: 部屋, service: chatwork}
  - {name: 止めた, service: teams, mute: true}
  - {name: 店長, service: teams, muted: true}
"""


def test_n1_a_broken_sheet_is_told_to_the_channels_that_are_sound(sheet: Path, tmp_path: Path) -> None:
    """N1, L5: whatever is wrong elsewhere; a line with a fault of its own is not used, not even in part."""
    sheet.write_text(SHEET.replace("社員番号}", "社員版号}") + CHANNELS, encoding="utf-8")

    first, second = (load(sheet, "acme", tmp_path / "cache") for _ in range(2))

    assert first == second
    assert first.mapping is None
    assert [problem.where for problem in first.problems] == [
        "acme.yaml users[0].source",
        "acme.yaml notifications[1].to",
        "acme.yaml notifications[2].mute",
    ]
    assert first.channels == (
        Channel("総務", Service.SLACK_WEBHOOK, "slack_webhook__acme", events=frozenset({Event.FAILURE})),
        Channel("店長", Service.TEAMS, "teams_workflow__acme", muted=True),
    )


def test_n1_a_sound_sheet_has_its_channels(sheet: Path, tmp_path: Path) -> None:
    """N1: in the mapping and beside it, from the cache too."""
    sheet.write_text(SHEET + "notifications: [{name: 総務, service: slack}]", encoding="utf-8")
    for _ in range(2):
        compiled = load(sheet, "acme", tmp_path / "cache")
        assert compiled.mapping is not None
        assert compiled.channels == compiled.mapping.channels
        assert [channel.name for channel in compiled.channels] == ["総務"]


def test_l5_a_text_that_cannot_be_encoded_is_no_crash(sheet: Path, tmp_path: Path) -> None:
    """A lone surrogate, which YAML can name but no file can hold, ends as a problem."""
    sheet.write_text(SHEET + '  - {item: "\\uD800", source: 氏名}', encoding="utf-8")
    first, second = (load(sheet, "acme", tmp_path / "cache") for _ in range(2))
    assert first == second
    assert first.problems


def test_a_changed_file_or_setting_is_compiled_anew(sheet: Path, tmp_path: Path) -> None:
    """The key holds the bytes, the allowed hosts and the version of the compiled form."""
    cache = tmp_path / "cache"
    before = load(sheet, "acme", cache)
    sheet.write_text(SHEET.replace("https://acme.smarthr.jp", "http://127.0.0.1:8181"), encoding="utf-8")

    after, allowed = load(sheet, "acme", cache), load(sheet, "acme", cache, DEMO)

    assert before.digest != after.digest
    assert after.mapping is None
    assert allowed.mapping is not None


def test_e1_tenants_that_name_no_time_are_spread_where_the_operator_asks(
    sheet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Off by default; a time in the sheet holds, 照合 follows, and nothing that is loaded changes."""
    cache, own = tmp_path / "cache", tmp_path / "own.yaml"
    own.write_text(SHEET.replace("05:00", "04:30"), encoding="utf-8")
    sheet.write_text(SHEET.replace('run_at: "05:00"\n', ""), encoding="utf-8")
    plain = load(sheet, "acme", cache)
    monkeypatch.setenv("RENKEI_SPREAD_MINUTES", "60")
    with Compiler(SHEETS) as compiler:  # whose child knows the setting
        spread, named = (sheets.load(SHEETS, file, "acme", cache, compiler=compiler) for file in (sheet, own))
    assert (plain.run_at, named.run_at, spread.run_at) == (DAILY_AT, DAILY_AT, daily_at("acme", 60))
    assert spread.run_at not in (None, DAILY_AT)
    assert plain.mapping
    assert spread.mapping
    assert spread.mapping == dataclasses.replace(plain.mapping, run_at=spread.run_at)
    assert spread.side_runs == side_runs(spread.mapping) != plain.side_runs
    assert section_digest(spread.mapping, "users") == section_digest(plain.mapping, "users")
    minutes = {daily_at(f"t{number}", 60) for number in range(1_000)}
    assert (min(minutes), max(minutes), len(minutes)) == (dt.time(4, 30), dt.time(5, 29), 60)


def test_an_upgrade_compiles_anew(sheet: Path, tmp_path: Path) -> None:
    """A form kept by another version is not read, nor one of another link."""
    for kind in (SHEETS, dataclasses.replace(SHEETS, version=0), dataclasses.replace(SHEETS, link="another")):
        assert sheets.load(kind, sheet, "acme", tmp_path / "cache").mapping is not None
    assert len(list((tmp_path / "cache").glob("*.json"))) == 3


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b'{"version": 1}', b"\xff", b"[" * 90_000])
def test_a_corrupt_cache_only_costs_time(sheet: Path, tmp_path: Path, damage: bytes) -> None:
    """Whatever the kept file holds, the answer is right and the file is mended."""
    cache = tmp_path / "cache"
    expected = load(sheet, "acme", cache)
    (kept,) = cache.glob("*.json")
    kept.write_bytes(damage)

    assert load(sheet, "acme", cache) == expected
    assert json.loads(kept.read_bytes())["digest"] == expected.digest


def test_an_unwritable_cache_only_costs_time(sheet: Path, tmp_path: Path) -> None:
    """Where the folder cannot be made, the sheet is compiled each time."""
    (tmp_path / "file").write_text("")
    assert load(sheet, "acme", tmp_path / "file" / "cache").mapping is not None


def test_l7_the_cache_is_its_owners_alone(sheet: Path, tmp_path: Path) -> None:
    """The compiled form may hold a literal password; nothing half-written stays behind."""
    load(sheet, "acme", tmp_path / "cache")
    (kept,) = (tmp_path / "cache").glob("*.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == sorted((kept.name, "last"))


@pytest.mark.parametrize("name", ["acme.xlsx", "acme.yaml"])
def test_l5_a_file_that_cannot_be_read_has_problems(tmp_path: Path, name: str) -> None:
    """Not there, or full of anything: never an exception."""
    assert load(tmp_path / name, "acme").problems[0].where == name
    (tmp_path / name).write_bytes(b"\x00\xff" * 100)
    assert load(tmp_path / name, "acme").problems[0].where == name


def test_l8_a_problem_can_be_shown_whatever_it_quotes(sheet: Path) -> None:
    """One line each, of a bounded length and number, without characters that a page or a mail could not hold."""
    odd = '"\\u202e\\x01' + "長" * 5_000 + '"'
    lines = "".join(f"  - {{item: {odd}, source: 氏名}}\n" for _ in range(300))
    sheet.write_text(SHEET.rstrip("\n") + "\n" + lines[:900_000], encoding="utf-8")

    found = load(sheet, "acme").problems

    assert max(len(str(problem)) for problem in found) < 1_000
    assert not any(character in str(problem) for problem in found for character in "\u202e\x01\n")
