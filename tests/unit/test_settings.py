"""What an operator sets: a typing mistake deletes nothing, ends no watch, and stops no Dag that it need not stop."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from renkei import settings
from renkei.errors import SettingError


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("RENKEI_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(("said", "days"), [("", 400), ("1", 1), ("30", 30), ("99999", 99_999)])
def test_records_are_kept_for_as_many_days_as_is_said(said: str, days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENKEI_KEEP_DAYS", said)
    assert settings.keep_days() == days


@pytest.mark.parametrize("said", ["0", "-1", "1.5", "30 days", "3０", "100000", "+7"])
def test_no_record_goes_by_a_typing_mistake(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENKEI_KEEP_DAYS", said)
    with pytest.raises(SettingError, match="RENKEI_KEEP_DAYS"):
        settings.keep_days()


@pytest.mark.parametrize(("said", "hours"), [("", 3), ("0.5", 0.5), ("48", 48)])
def test_n3_silence_is_told_after_as_many_hours_as_is_said(
    said: str, hours: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RENKEI_SILENCE_HOURS", said)
    assert settings.silence_grace() == dt.timedelta(hours=hours)


@pytest.mark.parametrize("said", ["0", "0.0", "48.1", "-1", "1e1", "three"])
def test_n3_no_watch_ends_by_a_typing_mistake(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENKEI_SILENCE_HOURS", said)
    with pytest.raises(SettingError, match="RENKEI_SILENCE_HOURS"):
        settings.silence_grace()


@pytest.mark.parametrize(("said", "minutes"), [("", 0), ("0", 0), ("90", 90), ("180", 180), ("181", 180), ("x", 0)])
def test_e1_tenants_are_spread_over_three_hours_at_most(
    said: str, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before people come to work."""
    monkeypatch.setenv("RENKEI_SPREAD_MINUTES", said)
    assert settings.spread_minutes() == minutes


@pytest.mark.parametrize(("said", "pumps"), [("", 1), ("1", 1), ("16", 16), ("17", 16), ("0", 1), ("many", 1)])
def test_there_is_one_pump_at_least_and_sixteen_at_most(said: str, pumps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENKEI_PUMPS", said)
    assert settings.pumps() == pumps


@pytest.mark.parametrize(("said", "runs"), [("", 5), ("1", 1), ("9999", 9999), ("0", 5), ("-2", 5), ("few", 5)])
def test_n2_a_channel_is_disabled_after_one_run_at_the_earliest(
    said: str, runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RENKEI_CHANNEL_FAILURES", said)
    assert settings.channel_failures() == runs


@pytest.mark.parametrize(
    ("store", "database"),
    [
        ("file:///srv/a%20b/store", "sqlite:////srv/a b/renkei.db"),
        ("/srv/renkei/store", "sqlite:////srv/renkei/renkei.db"),
        ("s3://bucket/renkei", "sqlite:////home/renkei/renkei.db"),
    ],
)
def test_rows_lie_beside_the_store_or_in_airflows_home(
    store: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No database is made in a bucket."""
    monkeypatch.setenv("AIRFLOW_HOME", "/home")
    monkeypatch.setenv("RENKEI_STORE", store)
    assert settings.database_url() == database
    monkeypatch.setenv("RENKEI_DATABASE", "postgresql://db/renkei")
    assert settings.database_url() == "postgresql://db/renkei"


def test_sheets_lie_beside_the_dags_unless_they_are_said_to_lie_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's file lies with them, whichever link is looked at."""
    assert settings.mappings_folder("/srv/dags/x.py", "smarthr_emc") == Path("/srv/include/mappings/smarthr_emc")
    monkeypatch.setenv("RENKEI_MAPPINGS", "/etc/renkei")
    assert settings.mappings_folder("/srv/dags/x.py", "smarthr_emc") == Path("/etc/renkei/smarthr_emc")
    assert settings.operator_file("/srv/dags/x.py") == Path("/etc/renkei/operator.yaml")


def test_hosts_are_a_list_without_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", " 127.0.0.1:8000 ,, sim ")
    assert settings.allowed_hosts() == ("127.0.0.1:8000", "sim")


@pytest.mark.parametrize(
    "said", ["", "https://renkei.example.jp", "https://renkei.example.jp/", "http://127.0.0.1:8090"]
)
def test_s5_the_public_address_is_a_host(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENKEI_PUBLIC_URL", said)
    settings.check_public_url()


@pytest.mark.parametrize(
    "said",
    [
        "renkei.example.jp",
        "https://renkei.example.jp/af",
        "https://Renkei.example.jp",
        "https://a@b",
        "ftp://a",
        "https://",
    ],
)
def test_s5_an_address_by_which_pages_would_lead_nowhere_is_named(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a scheme cookies would be sent in the clear; with a path no link of a page would be right."""
    monkeypatch.setenv("RENKEI_PUBLIC_URL", said)
    with pytest.raises(SettingError, match="RENKEI_PUBLIC_URL"):
        settings.check_public_url()


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that takes the place of an index that cannot be written to; it is not there yet."""
    monkeypatch.setenv("RENKEI_INDEX", str(tmp_path / "index"))
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / f"renkei-index-{os.getuid()}"


def test_l6_sheets_are_compiled_where_nobody_else_looks_if_the_index_cannot_be_written_to(own: Path) -> None:
    assert settings.index_folder() == own
    assert own.stat().st_mode & 0o777 == 0o700
    assert settings.index_folder() == own


def _open_to_all(own: Path) -> None:
    own.mkdir()
    own.chmod(0o755)


def _a_link(own: Path) -> None:
    (own.parent / "elsewhere").mkdir(mode=0o700)
    own.symlink_to(own.parent / "elsewhere")


def _a_file(own: Path) -> None:
    own.touch(mode=0o600)


@pytest.mark.parametrize("make", [_open_to_all, _a_link, _a_file])
def test_l7_a_folder_that_others_may_have_laid_there_is_not_used(own: Path, make: Callable[[Path], None]) -> None:
    """What is read from it is what a Dag does."""
    make(own)
    assert settings.index_folder() == own.parent / "index"


def test_l7_another_users_folder_is_not_used(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own.mkdir(mode=0o700)
    stranger = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: stranger)
    own.rename(own.parent / f"renkei-index-{stranger}")
    assert settings.index_folder() == own.parent / "index"
