"""Chromium, started once for all tests of a worker: it takes three seconds of a processor each time, a new page of it one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
PATIENCE_MS = 150_000  # Airflow's own pages are 7 MB of script, and how fast a busy machine is is not what is tried
PHONE, DESK = {"width": 420, "height": 900}, {"width": 1280, "height": 900}
PICTURES = os.environ.get("TEST_PICTURES")  # a folder, to look at what the browser showed


@pytest.fixture(scope="session")
def browser_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a running Chromium is driven from."""
    settings = tmp_path_factory.mktemp("browser") / "launch.json"
    settings.write_text(json.dumps({"executablePath": CHROMIUM, "args": ["--no-sandbox"]}))
    command = [sys.executable, "-m", "playwright", "launch-server", "--browser", "chromium", "--config", str(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            os.killpg(server.pid, signal.SIGTERM)


@pytest.fixture(scope="module")
def chromium(browser_address: str) -> Iterator[Any]:
    """Of a module's own is what drives it: its event loop is in the way of others'."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.connect(browser_address)
        yield browser
        browser.close()


def new_page(chromium: Any, **options: Any) -> Any:
    """A page of a browser that nobody has used; `said` is what breaks in our pages: a broken policy speaks to the console."""
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE_MS)
    page = chromium.new_context(**{"locale": "ja-JP", "viewport": DESK, **options}).new_page()
    page.context.set_default_timeout(PATIENCE_MS)
    page.said = []
    page.on(
        "console", lambda one: page.said.append(f"{one.text} {one.location}") if "Security Policy" in one.text else None
    )
    page.on("pageerror", lambda one: page.said.append(str(one)))
    return page


def used_again(page: Any, cookies: list[dict[str, Any]]) -> Iterator[Any]:
    """The page for one test of many, which finds it logged in by these cookies alone; the programs of its sites stay loaded."""
    context = page.context
    context.add_cookies(cookies)
    page.said.clear()
    yield page
    said = page.said.copy()
    page.unroute_all()
    page.goto("about:blank")
    page.set_viewport_size(DESK)
    for other in context.pages:
        if other != page:
            other.close()
    context.clear_cookies()
    context.clear_permissions()
    assert said == [], "a page of ours breaks its own policy"


def look(page: Any, name: str, **options: Any) -> None:
    if PICTURES:
        page.screenshot(
            path=str(Path(PICTURES) / f"{name}.png"), caret="initial", **options
        )  # else it adds a style of its own
