"""What parsing a Dag file, and loading the plugin, may bring into a process: Airflow does either all the time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from renkei.orchestration.link import LINKS
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants
from tests.conftest import ROOT

HEAVY = (
    "email_validator", "fastapi", "jaconv", "jwt", "numpy", "openpyxl", "pandas", "paramiko", "phonenumbers", "pyarrow",
    "requests", "segno", "starlette", "urllib3", "yaml",
    "renkei.links.smarthr_emc.stages", "renkei.links.smarthr_emc.sheet.parse", "renkei.orchestration.line.page", "renkei.web",
)  # fmt: skip
# One process for all files, as starting Airflow takes seconds: what a file brings is found with the first that does.
PARSE = """
import json, runpy, sys
import airflow.sdk, airflow.plugins_manager
files, heavy = map(json.loads, sys.argv[1:])
brought, before = {}, set(sys.modules)
for file in files:
    runpy.run_path(file)
    brought[file] = [name for name in heavy if name in sys.modules and name not in before]
    before |= set(sys.modules)
print(json.dumps(brought))
"""
DEMO = "127.0.0.1:8181"  # the simulator of the sample sheets
FILES = [*sorted((ROOT / "dags").glob("*.py")), ROOT / "plugins/renkei_plugin.py"]


def test_parsing_brings_in_nothing_heavy(tmp_path: Path) -> None:
    """Beyond what Airflow itself has loaded by then; with the sheets compiled, as they are every time but the first."""
    for link in LINKS.values():
        load_all(link.sheets(), tenants(ROOT / "include/mappings" / link.name), tmp_path, [DEMO])
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "plugins"),
        "RENKEI_INDEX": str(tmp_path),
        "RENKEI_ALLOWED_HOSTS": DEMO,
    }
    files = [str(file) for file in FILES]
    command = [sys.executable, "-c", PARSE, json.dumps(files), json.dumps(HEAVY)]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(found.stdout.splitlines()[-1]) == {file: [] for file in files}
