"""Run beside an Airflow of its own, in its environment: the Dags of its sheets, a month of runs, acme's people, a run that waits."""

from __future__ import annotations

import datetime as dt

from renkei.links.hotprofile_kintone.forms import keep_of
from renkei.orchestration.connections import open_store
from renkei.orchestration.link import LINKS
from renkei.orchestration.web import state
from renkei.runs.hold import Deadline
from renkei.settings import database_url
from renkei.storage.database.database import open_database
from scripts.local_airflow import PROJECT
from scripts.past_runs import parse_into_database
from tests.harness.airflow_rows import Row, add_runs, diff_said
from tests.harness.hotprofile_kintone import FORM
from tests.unit.links.smarthr_emc.people.test_explain import day, record
from tests.unit.links.smarthr_emc.rehearsal.test_rehearsal import person

DAYS = 20


def main() -> None:
    for link in LINKS:
        parse_into_database(PROJECT / f"dags/{link}.py")
    now = dt.datetime.now(dt.UTC)
    keep_of(open_database(database_url()), "kin", "acme.cybozu.com", "1", FORM, now)
    rows = []
    for dag_id, dag in sorted(state.dags().items()):
        if dag.link.name != "smarthr_emc":
            continue
        for back in range(DAYS, -1, -1):
            failed = dag.tenant == "beta" and back == 0
            subject = "EMC-ERROR-D(Update NG)" if failed else "EMC-OK"
            said = {"diff": diff_said(300 - back, 2, 297 - back, 1), "notify": {"subject": subject, "told": {}}}
            at = now - dt.timedelta(days=back, hours=1)
            rows.append(Row(dag_id, f"scheduled__{at.isoformat()}", "failed" if failed else "success", at, said))
    add_runs([*rows, held(now)])
    store = open_store()
    day(store, 0, [person(1), person(2), person(3, 姓="小鳥遊"), person(4)])
    day(store, 1, [person(1), person(2), person(4, 社員番号="44"), person(5, 姓="<script>alert(5)</script>")])


def held(now: dt.datetime) -> Row:
    """gamma waits for an answer: six of its twelve people would go, 小鳥遊 among them."""
    store, folder = open_store(), "held.0123456789ab"
    people = [person(n, 姓="小鳥遊" if n == 3 else f"姓{n}") for n in range(1, 13)]
    day(store, 0, people, tenant="gamma")
    day(store, 1, people[6:], until="plan", name=folder, tenant="gamma")
    record(store, 1, folder, "gamma").write(Deadline(now + dt.timedelta(hours=12)))
    said = {("fetch_departments", "run"): folder}
    return Row("smarthr_emc__gamma", "held", "running", now, said, asks="approve", run_type="manual")


if __name__ == "__main__":
    main()
