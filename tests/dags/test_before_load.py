"""What only the load needs is tried before anybody reads, approves and waits (L8)."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import ConnectionError_, RejectedLoadError, RenkeiError, SettingError
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.model import Mode, Operation
from renkei.links.smarthr_emc.records import Plan
from renkei.orchestration.connection_trial import Trial, _is_registered
from renkei.orchestration.smarthr_emc import connection_trial, connections
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from tests.builders import mapping

SHEET = mapping({"パスワード": "秘密:first__acme"})


class Target:
    def __init__(self, fault: RenkeiError | None = None) -> None:
        self.fault, self.asked = fault, 0

    def check(self) -> None:
        self.asked += 1
        if self.fault:
            raise self.fault


def arrange(monkeypatch: pytest.MonkeyPatch, target: Target, password: str | None) -> None:
    def found(conn_id: str, label: str) -> SimpleNamespace:
        if password is None:
            raise ConnectionError_(f"「{conn_id}」がありません")
        return SimpleNamespace(conn_type="generic", password=password)

    monkeypatch.setattr(connections, "emc_target", lambda sheet: target)
    monkeypatch.setattr(connections, "find_connection", found)


def test_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """EMC, or the drop folder, is asked once."""
    arrange(monkeypatch, target := Target(), "Aa1!aaaa")
    connections.before_load(SHEET)
    assert target.asked == 1


@pytest.mark.parametrize(
    "password",
    [None, "", " \u3000", "合言葉", "two words"],
    ids=["no-connection", "no-password", "blank", "refused-by-emc", "blank-within"],
)
def test_a_secret_without_a_value_is_found(monkeypatch: pytest.MonkeyPatch, password: str | None) -> None:
    arrange(monkeypatch, Target(), password)
    with pytest.raises(ConnectionError_, match="first__acme"):
        connections.before_load(SHEET)
    connections.before_load(SHEET, passwords=False)  # nobody joins: nothing of it is needed


def test_a_secret_pasted_with_blanks_is_the_text_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Joined with 社員番号, as alone: a blank in the middle of a password would be refused by EMC."""
    arrange(monkeypatch, Target(), " Aa1!aaaa\n")
    assert connections.secret("first__acme") == "Aa1!aaaa"


def test_a_secret_longer_than_emc_takes_is_told_by_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """renkei check --live: before any run."""
    arrange(monkeypatch, Target(), "x" * 65)
    assert connection_trial._secret("first__acme", 65)
    assert connection_trial._secret("first__acme", None)
    with pytest.raises(ConnectionError_, match=r"「first__acme」.*64文字"):
        connection_trial._secret("first__acme", 64)


def test_all_that_is_missing_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    arrange(monkeypatch, Target(RejectedLoadError("EMCのトークンが無効です")), None)
    with pytest.raises(SettingError) as caught:
        connections.before_load(SHEET)
    assert "EMCのトークンが無効です" in str(caught.value)
    assert "first__acme" in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "writes", "created", "expected"),
    [
        (Mode.NORMAL, True, True, (True, True)),
        (Mode.NORMAL, True, False, (True, False)),
        (Mode.NORMAL, False, False, (False, False)),
        (Mode.CHECK_ONLY, True, True, (True, True)),
        (Mode.RECONCILE, True, True, (False, False)),
    ],
)
def test_a_run_needs_what_its_plan_needs(
    mode: Mode, writes: bool, created: bool, expected: tuple[bool, bool], tmp_path: Path
) -> None:
    """A quiet day asks EMC nothing; a day without joiners looks up no secret."""
    record = RunRecord(TenantFolder(Store(LocalFileSystem(), str(tmp_path)), "smarthr_emc", "acme"), "r")
    record.write(Plan("d", 1, False, writes, 1, 1))
    operation = (Operation.CREATE if created else Operation.UPDATE).value
    record.write_table("users_plan", pd.DataFrame({"operation": [operation]}))
    job = SimpleNamespace(mode=mode, record=record)
    assert stages.validate.needs(job) == expected  # type: ignore[arg-type]


def test_s6_a_connection_that_nobody_has_registered_is_told_from_one_that_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The mail server's is the operator's, for all companies: where it is missing, that is a failure."""
    monkeypatch.setenv("AIRFLOW_CONN_EMC__ACME", '{"conn_type": "emc"}')
    names = ("emc__acme", "smarthr__acme", "smtp_default")
    assert [_is_registered(Trial(name, False, "")) for name in names] == [True, False, True]
