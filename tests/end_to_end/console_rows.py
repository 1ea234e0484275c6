"""Run beside an Airflow of its own, in its environment: the Dags of its sheets, and a month of runs of each."""

from __future__ import annotations

import datetime as dt

from renkei.orchestration.web import state
from scripts.local_airflow import PROJECT
from tests.harness.airflow_rows import Row, add_runs, diff_said, parse_into_database

DAYS = 20


def main() -> None:
    parse_into_database(PROJECT / "dags/smarthr_emc.py")
    now = dt.datetime.now(dt.UTC)
    rows = []
    for dag_id, dag in sorted(state.dags().items()):
        for back in range(DAYS, -1, -1):
            failed = dag.tenant == "beta" and back == 0
            subject = "EMC-ERROR-D(Update NG)" if failed else "EMC-OK"
            said = {"diff": diff_said(300 - back, 2, 297 - back, 1), "notify": {"subject": subject, "told": {}}}
            at = now - dt.timedelta(days=back, hours=1)
            rows.append(Row(dag_id, f"scheduled__{at.isoformat()}", "failed" if failed else "success", at, said))
    add_runs(rows)


if __name__ == "__main__":
    main()
