"""What parsing a Dag file, and loading the plugin, may bring into a process: Airflow does either all the time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from renkei.orchestration.link import LINKS
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants
from tests.conftest import ROOT

HEAVY = (
    "email_validator", "jaconv", "jwt", "numpy", "openpyxl", "pandas", "paramiko", "phonenumbers", "pyarrow",
    "requests", "segno", "starlette", "urllib3", "yaml",
    "renkei.links.smarthr_emc.stages", "renkei.links.smarthr_emc.sheet.parse", "renkei.orchestration.line.page",
)  # fmt: skip
PARSE = """
import runpy, sys
import airflow.sdk, airflow.plugins_manager
before = set(sys.modules)
runpy.run_path(sys.argv[1])
print([name for name in sys.argv[2:] if name in sys.modules and name not in before])
"""
DEMO = "127.0.0.1:8181"  # the simulator of the sample sheets
FILES = [*sorted((ROOT / "dags").glob("*.py")), ROOT / "plugins/renkei_plugin.py"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_parsing_brings_in_nothing_heavy(file: Path, tmp_path: Path) -> None:
    """Beyond what Airflow itself has loaded by then; with the sheets compiled, as they are every time but the first."""
    for link in LINKS.values():
        load_all(link.sheets(), tenants(ROOT / "include/mappings" / link.name), tmp_path, [DEMO])
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "plugins"),
        "RENKEI_INDEX": str(tmp_path),
        "RENKEI_ALLOWED_HOSTS": DEMO,
    }
    found = subprocess.run(
        [sys.executable, "-c", PARSE, str(file), *HEAVY], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip().splitlines()[-1] == "[]"
