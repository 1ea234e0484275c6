"""Everything at once, for a browser: Airflow with its scheduler, the public service behind TLS, and the systems around.

The company acme was linked before, beta has a sheet and nothing else, gamma is linked by files. What an operator sets up
once for all companies, the mail server and the application at SmartHR, is there.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import requests
from fsspec.implementations.local import LocalFileSystem

from renkei.links.smarthr_emc.sheet.mapping import Loader, Mapping
from renkei.links.smarthr_emc.sheet.yaml_form import to_yaml
from renkei.storage.cipher import Cipher
from renkei.storage.store import Store
from scripts.demo import STORE_KEY
from scripts.local_airflow import PASSWORD, PROJECT, UNHURRIED, USER, LocalAirflow
from scripts.neighbours import Neighbours
from tests.end_to_end.tls_proxy import tls_proxy
from tests.harness.emc import Emc
from tests.harness.folders import dags_in
from tests.harness.renkei_serve import RenkeiServe
from tests.harness.sheet import full_mapping
from tests.harness.smarthr import SmartHR
from tests.harness.tenant import Tenant

PEOPLE = 30
NAMES = {"acme": "株式会社アクメ", "beta": "ベータ商事", "gamma": "ガンマ工業"}
VIEWER = "miru"  # who may look and nothing else
CALLBACKS = "renkei/console/smarthr/callback", "renkei/customer/connection/back"
OPERATOR = "tenants:\n  beta: {emc_accounts: [acme]}\n  delta: {emc_accounts: [acme]}\n"


@dataclasses.dataclass
class WholeSite:
    """What runs, and where its pages are."""

    folder: Path
    airflow: LocalAirflow
    neighbours: Neighbours
    smarthr: SmartHR
    emc: Emc
    public_url: str  # of the public service

    def at(self, path: str, tenant: str = "") -> str:
        """The address of a page of the console."""
        return f"{self.airflow.url}/renkei/console{f'/dag/smarthr_emc__{tenant}' if tenant else ''}{path}"

    def store(self) -> Store:
        return Store(LocalFileSystem(), str(self.folder / "store"), Cipher(STORE_KEY))

    def cookie(self, user: str = USER) -> dict[str, str]:
        """Of somebody who has logged in."""
        said = requests.post(
            f"{self.airflow.url}/auth/token", json={"username": user, "password": PASSWORD}, timeout=60
        )
        return {"name": "_token", "value": said.json()["access_token"], "url": self.airflow.url}

    def sheet(self, tenant: str, **settings: Any) -> Mapping:
        """acme and beta have each a SmartHR that answers to its own name."""
        port = urlsplit(self.smarthr.url).port
        sheet = dataclasses.replace(
            full_mapping(tenant=tenant), company_name=NAMES[tenant], smarthr_url=f"http://{HOSTS[tenant]}:{port}"
        )
        if tenant == "beta":
            sheet = dataclasses.replace(sheet, id_prefix="b-")
        if tenant == "gamma":
            sheet = dataclasses.replace(sheet, loader=Loader.FILE_DROP, emc_account="gamma")
        return dataclasses.replace(sheet, **settings)


HOSTS = {"acme": "localhost", "beta": "127.0.0.1", "gamma": "127.0.0.1"}


@contextmanager
def whole_site(folder: Path, index: Path, database: Path) -> Iterator[WholeSite]:
    """Started once for many tests, over a copy of Airflow's `database`: it takes as long as Airflow does."""
    dags, sheets = dags_in(folder, "smarthr_emc.py", "renkei_jobs.py"), folder / "mappings/smarthr_emc"
    sheets.mkdir(parents=True)
    (folder / "mappings/operator.yaml").write_text(OPERATOR, encoding="utf-8")
    (folder / "passwords.json").write_text(json.dumps({USER: PASSWORD, VIEWER: PASSWORD}))
    limits = ("--per-second", "1000", "--per-hour", "100000")
    companies = [f"acme:1:{PEOPLE}", "beta:2:8"]
    with ExitStack() as stack:
        neighbours = stack.enter_context(Neighbours(folder / "neighbours", companies, ["acme"], limits, chat=True))
        proxy = stack.enter_context(tls_proxy(folder))
        smarthr, emc = SmartHR(neighbours.urls["smarthr"]), Emc(neighbours.urls["emc"])
        public_url = f"https://localhost:{proxy.server_port}"
        environment = _environment(folder, index, neighbours, public_url)
        airflow = LocalAirflow(folder, environment, dags, database=database)
        site = WholeSite(folder, airflow, neighbours, smarthr, emc, public_url)
        for tenant in NAMES:
            (sheets / f"{tenant}.yaml").write_text(to_yaml(site.sheet(tenant)), encoding="utf-8")
        with closing(Tenant.over_http(site.store(), site.sheet("acme"), smarthr.url, emc.url)) as acme:
            assert acme.run() == "loaded"
        for tenant in ("acme", "beta"):
            smarthr.sim("PATCH", f"companies/{tenant}", {"hosts": [HOSTS[tenant]]})
        stack.enter_context(airflow)
        for name, connection in (
            ("smarthr__acme", {"conn_type": "smarthr", "password": "shr_sim_acme"}),
            ("emc__acme", {"conn_type": "emc", "host": emc.url, "password": "emc_sim_acme"}),
        ):
            airflow.api("POST", "/connections", json={"connection_id": name, **connection})
        callbacks = [f"{base}/{path}" for base, path in zip((airflow.url, public_url), CALLBACKS, strict=True)]
        smarthr.sim("PATCH", "oauth", {"redirect_uris": callbacks})
        with mock.patch.dict(os.environ, airflow.environment):
            served = stack.enter_context(RenkeiServe.start("--proxies=127.0.0.1"))
        proxy.behind = int(urlsplit(served.url).port or 0)
        airflow.wait_for_dags([*(f"smarthr_emc__{tenant}" for tenant in NAMES), "renkei_jobs"])
        yield site


def _environment(folder: Path, index: Path, neighbours: Neighbours, public_url: str) -> dict[str, str]:
    urls, port = neighbours.urls, urlsplit(neighbours.urls["smarthr"]).port
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@renkei.example.jp"}
    app = {"host": urls["smarthr"], "login": "sim_client", "password": "sim_client_secret"}
    connections: dict[str, dict[str, Any]] = {
        "STORE_KEY": {"conn_type": "generic", "password": STORE_KEY},
        "SMTP_DEFAULT": {"conn_type": "smtp", "host": "127.0.0.1", "port": neighbours.smtp_port, "extra": extra},
        "SMARTHR_PLUS": {"conn_type": "smarthr_plus", **app},
    }
    return {
        **UNHURRIED,
        "RENKEI_STORE": (folder / "store").as_uri(),
        "RENKEI_MAPPINGS": str(folder / "mappings"),
        "RENKEI_INDEX": str(index),
        "RENKEI_EMC_FORMAT": str(PROJECT / "include/contracts/emc_format.yaml"),
        "RENKEI_ALLOWED_HOSTS": f"localhost:{port},127.0.0.1:{port},{urlsplit(urls['chat']).netloc}",
        "RENKEI_RETRY_DELAY_S": "0",
        "RENKEI_CHANNEL_FAILURES": "1",
        "RENKEI_PUBLIC_URL": public_url,
        "RENKEI_STORE_KEY_CONN_ID": "store_key",
        "PYTHONPATH": str(PROJECT),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin,{VIEWER}:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        **{f"AIRFLOW_CONN_{name}": json.dumps(connection) for name, connection in connections.items()},
    }
