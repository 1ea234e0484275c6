"""What Airflow's own roles may on our pages where users are FAB's, as in production: real log-ins, in Chromium and over HTTP (S1)."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from scripts.local_airflow import PASSWORD, PROJECT, USER, LocalAirflow
from tests.builders import mapping
from tests.end_to_end.browser import look, needs_chromium, new_page

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
ACME, BETA = "/dag/smarthr_emc__acme", "/dag/smarthr_emc__beta"
LOOKS = ("viewer", "user", "op", USER, "acme")
EDITS = ("user", "op", USER, "acme")
# Who may see a page; everybody else is told that there is none.
PAGES = {
    "/": LOOKS, ACME: LOOKS, f"{ACME}/runs": LOOKS, f"{ACME}/channels": LOOKS, f"{ACME}/readiness": LOOKS, "/bulk": LOOKS,
    BETA: ("viewer", "user", "op", USER),
    **dict.fromkeys((f"{ACME}/{part}" for part in (
        "sheets", "sheet-form", "connections", "smarthr", "invitations", "start", "events", "members", "channels/new",
        "people", "rehearsal", "jobs", "run",
    )), EDITS),
    f"{BETA}/sheets": ("user", "op", USER),
    "/new/smarthr_emc": ("user", "op", USER), "/many": ("user", "op", USER),
}  # fmt: skip
# On the company's page, by what is written on it.
BUTTONS = {"シート": EDITS, "接続": EDITS, "お客様ページへの招待": EDITS, "一時停止を解除": EDITS, "実行する": EDITS}
REGISTERS = ("op", USER)  # who may change Connections


@pytest.fixture(scope="module")
def fab(new_database: Path, index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    folder = tmp_path_factory.mktemp("fab")
    sheets, made = folder / "mappings/smarthr_emc", folder / "made"
    for one in (sheets, made):
        one.mkdir(parents=True)
    for tenant in ("acme", "beta"):
        write_yaml(dataclasses.replace(mapping(), tenant=tenant, emc_account=tenant), sheets / f"{tenant}.yaml")
    environment = {
        "RENKEI_STORE": (folder / "store").as_uri(),
        "RENKEI_MAPPINGS": str(folder / "mappings"),
        "RENKEI_INDEX": str(index),
        "PYTHONPATH": str(PROJECT),
        "AIRFLOW__CORE__AUTH_MANAGER": FAB,
    }
    shutil.copyfile(new_database, made / "airflow.db")
    subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.fab_people"],
        env={**os.environ, **environment, "AIRFLOW_HOME": str(made)},
        cwd=PROJECT,
        check=True,
    )
    with LocalAirflow(folder, environment, folder, pages_only=made / "airflow.db") as airflow:
        yield airflow


@pytest.fixture(scope="module")
def browsers(fab: LocalAirflow) -> dict[str, requests.Session]:
    """Of each user, logged in."""
    found = {}
    for user in LOOKS:
        said = requests.post(f"{fab.url}/auth/token", json={"username": user, "password": PASSWORD}, timeout=120)
        found[user] = requests.Session()
        found[user].cookies.set("_token", said.json()["access_token"])
    return found


def console(fab: LocalAirflow, path: str) -> str:
    return f"{fab.url}/renkei/console{path}"


def test_s1_each_role_sees_its_pages_and_no_other(fab: LocalAirflow, browsers: dict[str, requests.Session]) -> None:
    """Of a company that he may see, the page says which right it takes; another company's is not there."""
    seen = {
        path: tuple(u for u in LOOKS if browsers[u].get(console(fab, path), timeout=120).status_code == 200)
        for path in PAGES
    }
    assert seen == PAGES


def test_s1_no_role_sees_a_button_that_it_may_not_press(
    fab: LocalAirflow, browsers: dict[str, requests.Session]
) -> None:
    company = {user: browsers[user].get(console(fab, ACME), timeout=120).text for user in LOOKS}
    seen = {word: tuple(u for u in LOOKS if f">{word}<" in company[u]) for word in BUTTONS}
    assert seen == BUTTONS
    first = {user: browsers[user].get(console(fab, "/"), timeout=120).text for user in LOOKS}
    assert [user for user in LOOKS if "連携を追加する</a>" in first[user]] == ["user", "op", USER]
    assert [user for user in LOOKS if "beta" in first[user]] == ["viewer", "user", "op", USER]
    forms = {u: browsers[u].get(console(fab, f"{ACME}/connections/emc__acme"), timeout=120).text for u in EDITS}
    assert [user for user in EDITS if "登録して確かめる" in forms[user]] == list(REGISTERS)
    ways = {user: browsers[user].get(console(fab, f"{ACME}/smarthr"), timeout=120).text for user in EDITS}
    assert [user for user in EDITS if "変更する権限が必要です" not in ways[user]] == list(REGISTERS)


@needs_chromium
def test_s1_a_viewer_logs_in_by_fabs_form_and_finds_nothing_to_press(fab: LocalAirflow, chromium: Any) -> None:
    """From an address deep in the console, by FAB's own page, back to it; the plain page, for FAB hides the menu from him."""
    from playwright.sync_api import expect

    page = new_page(chromium)
    page.goto(console(fab, ACME))
    page.fill("input[name=username]", "viewer")
    page.fill("input[name=password]", PASSWORD)
    page.locator("input[type=submit], button[type=submit]").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.url == console(fab, ACME)
    page.said.clear()  # of FAB's own page
    look(page, "fab-viewer")
    assert page.locator("main form").count() == 0
    assert page.get_by_role("link", name="実行する").count() == 0
    page.goto(console(fab, f"{ACME}/sheets"))
    expect(page.get_by_role("heading", name="この操作の権限がありません")).to_be_visible()
    look(page, "fab-viewer-none")
    assert page.said == []
    page.context.close()
