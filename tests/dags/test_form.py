"""What a run was asked to do, and a run that is asked to wait for a moment ahead (E1, E3)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from renkei.errors import SettingError
from renkei.links.smarthr_emc.model import Mode
from renkei.orchestration.form import TEST, RunRequest
from renkei.orchestration.link import LINKS, Link
from renkei.orchestration.smarthr_emc.form import FORM
from renkei.orchestration.starting import AHEAD, start_now

NOW = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)
BY_A_PERSON_OR_A_DAG = ["manual", "operator_triggered", "backfill", "asset_triggered", "asset_materialization"]


def context(conf: Any, run_type: str = "manual") -> dict[str, Any]:
    return {
        "dag_run": SimpleNamespace(run_type=run_type, conf=conf),
        "run_id": f"{run_type}__2026-11-20T19:30:00+00:00",
    }


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
def test_e3_what_the_form_offers_keeps_to_its_own_schema(link: Link) -> None:
    """Airflow's own check of it at each parse is passed by (dag_builder); a bad default would end every scheduled run."""
    assert link.form().params().validate()["mode"] == link.form().daily.value


@pytest.mark.parametrize("run_type", BY_A_PERSON_OR_A_DAG)
@pytest.mark.parametrize("mode", [*Mode, None])
def test_e3_every_way_of_starting_is_asked_alike(run_type: str, mode: Mode | None) -> None:
    """確認のみ stays 確認のみ, whoever starts it: no way of starting a run turns it into a load."""
    conf = {"mode": TEST if mode is None else mode.value, "generation": None, "channel": None}
    found = FORM.run_request(context(conf, run_type))
    assert (found.mode.value, found.settings) == (conf["mode"], {})
    assert mode is None or found.mode.writes is mode.writes
    assert FORM.is_test(context(conf, run_type)) is (mode is None)


@pytest.mark.parametrize("conf", [None, {}, {"mode": "NORMAL"}, {"mode": None, "channel": "", "generation": ""}])
def test_e3_a_run_that_asks_for_nothing_is_an_ordinary_one(conf: Any) -> None:
    """Empty fields of the form are no wishes."""
    assert FORM.run_request(context(conf)) == RunRequest(FORM.modes["NORMAL"])


def test_e3_settings_belong_to_their_mode() -> None:
    """The generation is 復元's, the channel 通知テスト's."""
    assert FORM.run_request(context({"mode": "RESTORE", "generation": 3})) == RunRequest(
        FORM.modes["RESTORE"], {"generation": 3}
    )
    assert FORM.run_request(context({"mode": TEST, "channel": " 総務 "})) == RunRequest(
        FORM.modes[TEST], {"channel": "総務"}
    )


@pytest.mark.parametrize(
    ("conf", "names"),
    [
        ({"Mode": "CHECK_ONLY"}, "Mode"),
        ({"mode": "CHECK_ONLY", "dry_run": True}, "dry_run"),
        ({"mode": "check_only"}, "実行方法"),
        ({"mode": ["CHECK_ONLY"]}, "実行方法"),
        ({"mode": 1}, "実行方法"),
        ({"generation": 3}, "復元する世代"),
        ({"mode": "CHECK_ONLY", "channel": "総務"}, "通知先の名前"),
        ({"mode": "RESTORE", "generation": "3"}, "復元する世代"),
        ({"mode": "RESTORE", "generation": True}, "復元する世代"),
        ({"mode": "RESTORE", "generation": -1}, "復元する世代"),
        ({"mode": "RESTORE", "generation": 1.5}, "復元する世代"),
        ({AHEAD: "2026-12-01T00:00:00+09:00"}, "未来の日時"),
    ],
)
def test_l1_a_wish_that_is_not_understood_is_refused(conf: Any, names: str) -> None:
    """A misspelt setting is no ordinary run: it might have meant to write nothing. The daily run knows no wishes."""
    with pytest.raises(SettingError, match=names):
        FORM.run_request(context(conf))
    assert not FORM.is_test(context(conf))
    assert FORM.run_request(context(conf, "scheduled")) == RunRequest(FORM.modes["NORMAL"])


def run(**moments: dt.timedelta | None) -> Any:
    """A run as Airflow is about to write it: its moments from now."""
    at = {name: None if after is None else NOW + after for name, after in moments.items()}
    values = {"logical_date": None, "run_after": NOW} | at
    interval = dict.fromkeys(("data_interval_start", "data_interval_end"), values["logical_date"])
    return SimpleNamespace(dag_id="smarthr_emc__acme", run_type="manual", conf={"mode": "NORMAL"}, **values, **interval)


HOURS = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("moments", "waits_for"),
    [
        ({}, None),
        ({"logical_date": 0 * HOURS}, None),
        ({"logical_date": -30000 * HOURS}, None),
        ({"logical_date": HOURS / 2}, None),
        ({"logical_date": 48 * HOURS}, 48),
        ({"run_after": 48 * HOURS}, 48),
        ({"run_after": 24 * HOURS, "logical_date": 48 * HOURS}, 48),
        ({"run_after": 48 * HOURS, "logical_date": -48 * HOURS}, 48),
    ],
    ids=["none", "now", "years ago", "fast clock", "論理日付", "run_after", "both", "past 論理日付"],
)
def test_e1_a_run_never_waits_for_a_moment_ahead(moments: dict[str, Any], waits_for: int | None) -> None:
    """It would block the daily run until then; so it starts at once and says that it cannot wait.

    Nor does one with the 論理日付 of a tick take the place of that daily run, which Airflow would leave out.
    """
    started = run(**moments)
    start_now(started, NOW)
    assert started.run_after == NOW
    assert (started.logical_date, started.data_interval_start, started.data_interval_end) == (None,) * 3
    expected = {"mode": "NORMAL"} | ({AHEAD: "2026/11/22 12:00"} if waits_for else {})
    assert started.conf == expected


def test_e1_the_last_day_of_the_calendar_is_a_moment_ahead() -> None:
    """In Japan it would be in the year 10000: what Airflow writes must not fail for it."""
    started = run()
    started.run_after = dt.datetime.max.replace(tzinfo=dt.UTC)
    start_now(started, NOW)
    assert (started.run_after, started.conf[AHEAD]) == (NOW, "9999/12/31 23:59")


@pytest.mark.parametrize("other", [{"run_type": "scheduled"}, {"dag_id": "some_other_dag"}])
def test_l5_daily_runs_and_other_dags_are_left_alone(other: dict[str, str]) -> None:
    """A daily run is known to Airflow by its 論理日付; the clocks of database and scheduler may differ."""
    started = run(logical_date=HOURS, run_after=HOURS)
    vars(started).update(other)
    before = dict(vars(started))
    start_now(started, NOW)
    assert vars(started) == before
