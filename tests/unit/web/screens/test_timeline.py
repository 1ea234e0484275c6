"""What stands between the runs of a company: its sheet, its Connections, answers, 災害時凍結."""

from __future__ import annotations

import datetime as dt

from renkei.web.facts import CompanyEvents, ConnectionChange, Reply, Run, RunBeginning
from renkei.web.screens.timeline import timeline

NOW = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)
RUNS = [
    Run(name, "success", at := NOW - dt.timedelta(days=day), at, at, "通常", True)
    for day, name in enumerate(("d", "c", "b", "a"))
]


def texts(past: CompanyEvents) -> dict[str, list[str]]:
    return {run_id: [event.text for event in events] for run_id, events in timeline(RUNS, past).items()}


def test_what_changed_is_told_at_the_run_that_was_the_first_to_see_it() -> None:
    """A run without a record says nothing: the one after it is compared with the one before."""
    begun = {"a": RunBeginning("1" * 64, False), "c": RunBeginning("2" * 64, True), "d": RunBeginning("2" * 64, False)}
    assert texts(CompanyEvents(begun)) == {
        "c": ["シートが変わりました（識別値 222222222222）", "災害時凍結中になりました"],
        "d": ["災害時凍結が解除されました"],
    }
    assert texts(CompanyEvents()) == {}


def test_a_change_of_a_connection_is_told_at_the_first_run_that_could_see_it() -> None:
    """One after the newest run began stands above all of them."""
    changes = [
        ConnectionChange(NOW + dt.timedelta(minutes=1), "", "emc__acme", "削除"),
        ConnectionChange(NOW - dt.timedelta(days=1, hours=1), "omar", "smarthr__acme", "変更", ["host", "password"]),
    ]
    found = {
        run_id: [event.text for event in events] for run_id, events in timeline(RUNS, CompanyEvents(), changes).items()
    }
    assert found == {
        "": ["接続「emc__acme」の削除（–さん）"],
        "c": ["接続「smarthr__acme」の変更（omarさん。入力された項目: host、password）"],
    }


def test_an_answer_is_told_with_who_gave_it() -> None:
    replies = [Reply("d", NOW, "yuki", "承認して登録する"), Reply("b", NOW, "", "登録しない")]
    assert texts(CompanyEvents(replies=replies)) == {
        "d": ["回答: 承認して登録する（yukiさん）"],
        "b": ["回答: 登録しない（回答なし。期限切れ）"],
    }
