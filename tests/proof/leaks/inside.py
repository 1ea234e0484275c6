"""What runs inside Airflow's own modules, in a process of its own: tries of hosts, and runs by `dag.test`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.proof.leaks.scenarios import sheet_of


def _try_hosts(smarthr: str, emc: str, silent: int) -> tuple[int, list[str]]:
    """Every way to lead a token elsewhere that we know; the number of tries, and those that were not refused."""
    from renkei.errors import RenkeiError
    from renkei.links.smarthr_emc.sheet import SHEETS
    from renkei.orchestration.smarthr_emc.hooks import EmcHook, SmartHRHook
    from renkei.sheets.load import load

    there = f"127.0.0.1:{silent}"
    wrong, tries = [], 0
    urls = [
        f"http://{there}",
        f"https://{there}",
        f"https://acme.smarthr.jp@{there}",
        f"https://acme.smarthr.jp:443@{there}",
        f"{smarthr}@{there}",
        f"{smarthr.replace('127.0.0.1', 'x')}@{there}",
        f"https://{there}\\@acme.smarthr.jp",
        f"https://acme.smarthr.jp\\@{there}",
        f"https://{there}#.smarthr.jp",
        f"https://{there}?.smarthr.jp",
        f"https://{there}/.smarthr.jp",
        f"https://{there}／.smarthr.jp",
        f"https://acme.smarthr.jp＠{there}",
        f"http://[::ffff:127.0.0.1]:{silent}",
        f"http://2130706433:{silent}",
        f"http://localhost:{silent}",
        f"http://localhost.:{silent}",
        "http://acme.smarthr.jp",
        "https://acme.smarthr.jp.",
        "https://acme.smarthr.jp:8443",
        "https://аcme.smarthr.jp",
        "https://acme.smarthr.jp.example.jp",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for url in urls:
            tries += 1
            sheet = Path(folder) / "urls.yaml"
            sheet.write_text(sheet_of("urls", url))
            if load(SHEETS, sheet, "urls", None, (urlsplit(smarthr).netloc,)).mapping is not None:
                wrong.append(f"a sheet may name {url}")
            os.environ["AIRFLOW_CONN_SMARTHR__URLS"] = json.dumps(
                {"conn_type": "smarthr", "host": url, "password": "TOKZQ-urls"}
            )
            if SmartHRHook("smarthr__urls").test_connection()[0]:
                wrong.append(f"the test button calls {url}")
            try:
                os.environ["AIRFLOW_CONN_SMARTHR__URLS"] = json.dumps(
                    {"conn_type": "smarthr", "password": "TOKZQ-urls"}
                )
                SmartHRHook("smarthr__urls").client(url, 10).read_all("departments")
                wrong.append(f"a client reads {url}")
            except RenkeiError:
                pass
    # Proxies, .netrc, redirects: the environment points at the silent port, and so do the fronts' answers.
    tries += 3
    SmartHRHook("smarthr__fine").client(smarthr, 100).read_all("departments")
    EmcHook("emc__fine").client().check()
    try:
        SmartHRHook("smarthr__elsewhere").client(smarthr, 100).read_all("crews")
        wrong.append("a redirect of SmartHR was taken for an answer")
    except RenkeiError:
        pass
    os.environ["AIRFLOW_CONN_EMC__AWAY"] = json.dumps({"conn_type": "emc", "host": emc, "password": "TOKZQ-emc-away"})
    try:
        EmcHook("emc__away").client().submit("key", "urls", "0" * 64, None, None)
        wrong.append("a redirect of EMC was taken for an answer")
    except RenkeiError:
        pass
    return tries, wrong


def _inside(answer: Path) -> None:
    import airflow.api_fastapi.execution_api.app  # noqa: F401  (what dag.test would import in its first run)
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    task = json.loads(sys.stdin.read())  # the neighbours have started meanwhile
    os.environ.update(task["environment"])
    tries, wrong = _try_hosts(task["smarthr"], task["emc"], task["silent"])
    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    if bag.import_errors:
        raise RuntimeError(str(bag.import_errors))
    nap = time.sleep
    time.sleep = lambda seconds: nap(0.05 if seconds == 1 else seconds)  # dag.test looks once a second
    endings = {
        dag_id.removeprefix("smarthr_emc__"): [
            str(bag.dags[dag_id].test(logical_date=None, run_conf={"mode": "NORMAL"}).state)
        ]
        for dag_id in task["dags"]
    }
    answer.write_text(json.dumps({"tries": tries, "wrong": wrong, "endings": endings}, ensure_ascii=False))


if __name__ == "__main__":
    _inside(Path(sys.argv[1]))
