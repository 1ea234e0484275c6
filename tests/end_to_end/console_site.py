"""Airflow's own API server below a prefix, with companies of every link, and Chromium in its frame."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from renkei.links.hotprofile_kintone.sheet.filled import filled
from renkei.links.hotprofile_kintone.sheet.template import write_filled
from renkei.links.smarthr_emc.sheet.excel.writer import write_workbook
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from scripts.local_airflow import PASSWORD, PROJECT, USER, LocalAirflow
from tests.builders import mapping
from tests.contract.console import punching_world, workplace_world
from tests.end_to_end.browser import new_page, used_again
from tests.harness.hotprofile_kintone import MAPPING
from tests.harness.oauth import KEY
from tests.harness.smarthr import SmartHR

BETA = "smarthr_emc__beta"
OTHERS = ("hotprofile_kintone", "lineworks_kot", "workplace_lineworks")


@dataclasses.dataclass
class Site:
    """Airflow at `url`, whose path is `prefix`; beta's sheet is a workbook, gamma's SmartHR is there; every other link has a company."""

    url: str
    prefix: str
    sheets: Path
    environment: dict[str, str]
    log: Path  # of Airflow
    smarthr: SmartHR

    def plain(self, path: str) -> str:
        return f"{self.url}/renkei/console{path}"

    def framed(self, path: str) -> str:
        """The address in Airflow's menu: the frame's whole path behind that of the menu."""
        return f"{self.url}/plugin/renkei{self.prefix}/renkei/console{path}"


@pytest.fixture(scope="module")
def smarthr() -> Iterator[SmartHR]:
    with SmartHR.start("--company", "gamma:1:20") as running:
        yield running


@pytest.fixture(scope="module")
def site(new_database: Path, index: Path, tmp_path_factory: pytest.TempPathFactory, smarthr: SmartHR) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("console")
    sheets = folder / "mappings/smarthr_emc"
    sheets.mkdir(parents=True)
    for tenant, name in (("acme", "株式会社アクメ"), ("beta", "ベータ商事"), ("gamma", "ガンマ工業")):
        sheet = dataclasses.replace(mapping(settings={"会社名": name}), tenant=tenant, emc_account=tenant)
        if tenant == "gamma":
            sheet = dataclasses.replace(sheet, smarthr_url=smarthr.url)
        write_workbook(sheet, sheets / "beta.xlsx") if tenant == "beta" else write_yaml(
            sheet, sheets / f"{tenant}.yaml"
        )
    kintone, punching, workplace = (sheets.parent / link for link in OTHERS)
    for other in (kintone, punching, workplace):
        other.mkdir()
    said = dataclasses.replace(
        MAPPING, tenant="kin", company="キントーン商会", result_addresses=("info@kin.example.jp",)
    )
    write_filled(kintone / "kin.xlsx", filled(said), (), "kin")
    for file, text, name in (
        (punching / "kot.yaml", punching_world.SHEET, "打刻商店"),
        (workplace / "wp.yaml", workplace_world.SHEET, "不在工業"),
    ):
        file.write_text(text.replace("株式会社アクメ", name), encoding="utf-8")
    environment = {
        "RENKEI_STORE": (folder / "store").as_uri(),
        "RENKEI_MAPPINGS": str(folder / "mappings"),
        "RENKEI_INDEX": str(index),
        "PYTHONPATH": str(PROJECT),
        "RENKEI_STORE_KEY_CONN_ID": "store_key",
        "RENKEI_ALLOWED_HOSTS": urlsplit(smarthr.url).netloc,
        "AIRFLOW_CONN_STORE_KEY": json.dumps({"conn_type": "generic", "password": KEY}),
        "AIRFLOW_CONN_SMARTHR_PLUS": json.dumps(
            {"conn_type": "smarthr_plus", "host": smarthr.url, "login": "sim_client", "password": "sim_client_secret"}
        ),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",  # its access log tells the address of every request
    }
    with LocalAirflow(folder, environment, folder, pages_only=new_database, prefix="/af") as airflow:
        subprocess.run([sys.executable, "-m", "tests.end_to_end.console_rows"], env=airflow.environment, check=True)
        smarthr.sim("PATCH", "oauth", {"redirect_uris": [f"{airflow.url}/renkei/console/smarthr/callback"]})
        yield Site(airflow.url, "/af", sheets, airflow.environment, airflow.log, smarthr)


@pytest.fixture(scope="module")
def login(site: Site, chromium: Any) -> Any:
    """The cookies of somebody who has logged in, by way of an address deep in the frame that he was led back to."""
    from playwright.sync_api import expect

    page = new_page(chromium)
    page.goto(site.framed(f"/dag/{BETA}"))
    page.fill("input[name=username]", USER)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(frame_of(page).get_by_role("heading", name="ベータ商事")).to_be_visible()
    assert page.url == site.framed(f"/dag/{BETA}")
    state = page.context.storage_state()
    page.context.close()
    return state


@pytest.fixture(scope="module")
def tab(chromium: Any) -> Iterator[Any]:
    found = new_page(chromium)
    yield found
    found.context.close()


@pytest.fixture
def page(tab: Any, login: Any) -> Iterator[Any]:
    """In which that user has logged in."""
    yield from used_again(tab, login["cookies"])


def frame_of(page: Any) -> Any:
    return page.frame_locator("iframe")
