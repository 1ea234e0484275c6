"""Makes the pictures of docs/console.ja.md, with `make run` up: `python -m scripts.console_pictures http://localhost:PORT`.

The address is the one that `make run` prints for Airflow. Needs Chromium and Japanese fonts (Debian: chromium
fonts-noto-cjk).
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from typing import Any
from urllib.parse import urljoin

import requests
from playwright.sync_api import Page, sync_playwright

from scripts.local_airflow import PASSWORD, PROJECT, USER

PICTURES = PROJECT / "docs" / "pictures" / "console"
WIDTH, MAX_HEIGHT = 1120, 1000
PATIENCE_MS = 150_000
HINATA, MINATO, SAKURA = (f"dag/smarthr_emc__{tenant}" for tenant in ("hinata", "minato", "sakura"))
KINTONE = "dag/hotprofile_kintone__minato"
PLAIN = {
    "list": "",
    "company": MINATO,
    "history": f"{HINATA}/runs",
    "ask": f"{HINATA}/run",
    "freeze": f"{HINATA}/freeze",
    "start": f"{HINATA}/start",
    "kintone": f"{KINTONE}/kintone",
    "processed": f"{KINTONE}/processed",
    "failed": f"{KINTONE}/failed",
}


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None or len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 1
    base = sys.argv[1].rstrip("/")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            locale="ja-JP", timezone_id="Asia/Tokyo", viewport={"width": WIDTH, "height": 600}
        )
        context.add_cookies([{"name": "_token", "value": _token(base), "url": base}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        _draw_all(page, f"{base}/renkei/console/")
        browser.close()
    for path in sorted(PICTURES.glob("*.png")):
        print(f"{path.name} {path.stat().st_size:,}")
    return 0


def _token(base: str) -> str:
    answer = requests.post(f"{base}/auth/token", json={"username": USER, "password": PASSWORD}, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def _draw_all(page: Page, console: str) -> None:
    for name, path in PLAIN.items():
        _visit(page, console + path)
        _draw(page, name)
    _visit(page, console + MINATO)
    page.get_by_role("link", name="誤りと対処を見る").click()
    page.wait_for_url(re.compile("/runs/"))
    _draw(page, "run")
    _visit(page, f"{console}{HINATA}/people")
    page.get_by_role("button", name=re.compile("^削除")).click()
    _draw(page, "people")
    gone = page.locator("tbody tr").first.locator("th").inner_text().split()[0]
    _visit(page, f"{console}{HINATA}/person")
    page.get_by_role("searchbox").fill(gone)
    page.get_by_role("button", name="調べる").click()
    page.get_by_role("status").wait_for()
    _draw(page, "person")
    _draw_sheets(page, f"{console}{HINATA}")
    _visit(page, console + SAKURA)  # what `make run` has approved
    held = page.locator("tbody a[href*='/runs/']").first.get_attribute("href")
    assert held, "no run in the list"
    _visit(page, urljoin(page.url, held.replace("/runs/", "/approval/")))
    _draw(page, "approval")
    _visit(page, f"{console}{HINATA}/rehearsal")
    page.get_by_role("button", name="リハーサルを始める").click()
    page.locator("#job .answer").wait_for()
    _draw(page, "rehearsal")
    _compare(page, f"{console}{HINATA}")
    _visit(page, f"{console}{HINATA}/readiness")
    _draw(page, "readiness")


def _draw_sheets(page: Page, company: str) -> None:
    """A version made on the page, that is not enabled."""
    _visit(page, f"{company}/sheet-form")
    page.get_by_label("処理時刻", exact=True).fill("05:15")
    page.get_by_role("button", name="新しい版として保存し、確認する").click()
    page.get_by_role("heading", name="有効にする", exact=True).wait_for()
    _draw(page, "sheet")
    _visit(page, f"{company}/sheets")
    _draw(page, "sheets")


def _compare(page: Page, company: str) -> None:
    """A 照合, without which nothing is stated; it takes some seconds."""
    _visit(page, f"{company}/run")
    page.get_by_role("radio", name="照合").check()
    page.get_by_role("button", name="実行する").click()
    page.wait_for_url(re.compile("/runs/"))
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.get_by_role("heading", name=re.compile("^(成功|失敗)")).count():
        assert time.monotonic() < deadline, page.locator("h1").inner_text()
        page.wait_for_timeout(1000)
        page.reload()


def _visit(page: Page, address: str) -> None:
    answer = page.goto(address)
    status = answer.status if answer else None
    assert status == 200, f"{address}: {status}"


def _draw(page: Page, name: str) -> None:
    height = page.evaluate("document.documentElement.scrollHeight")
    clip: Any = {"x": 0, "y": 0, "width": WIDTH, "height": min(height, MAX_HEIGHT)}
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True, clip=clip, caret="initial")


if __name__ == "__main__":
    sys.exit(main())
