"""Makes the pictures of the console's pages, with `make run` up: `python -m scripts.console_pictures http://localhost:PORT`.

The address is the one that `make run` prints for Airflow. Needs Chromium and Japanese fonts (Debian: chromium
fonts-noto-cjk). What a picture needs is done on the pages: hinata gets a version of its sheet, a rehearsal, a 照合 and
SmartHR by a log-in, minato an invitation.
"""

from __future__ import annotations

import base64
import re
import shutil
import sys
import time
from typing import Any
from urllib.parse import urljoin

import numpy as np
import requests
from playwright.sync_api import BrowserContext, Page, sync_playwright

from scripts.local_airflow import PASSWORD, PROJECT, USER
from scripts.sheet_pictures import small_png

PICTURES = PROJECT / "docs" / "pictures" / "console"
WIDTH, MAX_HEIGHT = 1120, 1000
PATIENCE_MS = 150_000
HINATA, MINATO, SAKURA = (f"dag/smarthr_emc__{tenant}" for tenant in ("hinata", "minato", "sakura"))
KINTONE, WORKPLACE = "dag/hotprofile_kintone__minato", "dag/workplace_lineworks__minato"
PUNCHING = "dag/lineworks_kot__hinata"
PHONE = {"width": 420, "height": 900}
PLAIN = {
    "list": "",
    "company": MINATO,
    "history": f"{HINATA}/runs",
    "ask": f"{HINATA}/run",
    "freeze": f"{HINATA}/freeze",
    "start": f"{HINATA}/start",
    "new": "new/smarthr_emc",
    "bulk": "bulk",
    "connections": f"{HINATA}/connections",
    "channels": f"{MINATO}/channels",
    "channel": f"{MINATO}/channels/new",
    "services": f"{WORKPLACE}/services",
    "absences": f"{WORKPLACE}/absences",
    "../lineworks_kot/accounts": f"{PUNCHING}/accounts",
    "../lineworks_kot/punches": f"{PUNCHING}/punches",
    "kintone": f"{KINTONE}/kintone",
    "processed": f"{KINTONE}/processed",
    "failed": f"{KINTONE}/failed",
}

READ = """async text => {
  const drawn = await createImageBitmap(new Blob([Uint8Array.from(atob(text), one => one.charCodeAt(0))]));
  const canvas = new OffscreenCanvas(drawn.width, drawn.height).getContext("2d");
  canvas.drawImage(drawn, 0, 0);
  const bytes = canvas.getImageData(0, 0, drawn.width, drawn.height).data;
  let plain = "";
  for (let at = 0; at < bytes.length; at += 30000) plain += String.fromCharCode(...bytes.subarray(at, at + 30000));
  return [drawn.width, drawn.height, btoa(plain)];
}"""


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None or len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 1
    base = sys.argv[1].rstrip("/")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--lang=ja"])
        japan: Any = {"locale": "ja-JP", "timezone_id": "Asia/Tokyo"}
        context = browser.new_context(**japan, viewport={"width": WIDTH, "height": 600})
        context.add_cookies([{"name": "_token", "value": _token(base), "url": base}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        phone = browser.new_context(**japan, viewport=PHONE, color_scheme="dark")
        _draw_all(page, f"{base}/renkei/console/", phone)
        browser.close()
    for path in sorted(PICTURES.parent.glob("*/*.png")):
        print(f"{path.name} {path.stat().st_size:,}")
    return 0


def _token(base: str) -> str:
    answer = requests.post(f"{base}/auth/token", json={"username": USER, "password": PASSWORD}, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def _draw_all(page: Page, console: str, phone: BrowserContext) -> None:
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
    _draw_invitation(page, f"{console}{MINATO}/invitations", phone)
    _connect(page, f"{console}{HINATA}/smarthr")


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


def _draw_invitation(page: Page, address: str, phone: BrowserContext) -> None:
    """A company is invited; what it sees on a phone."""
    _visit(page, address)
    page.get_by_label(re.compile("^だれに")).fill("総務部 ご担当者様")
    page.get_by_label(re.compile("^理由")).fill("連携の準備")
    page.get_by_role("button", name="招待のリンクを作る").click()
    link = page.locator("input[readonly]").input_value()
    _draw(page, "invitations")
    customer = phone.new_page()
    _visit(customer, link)
    customer.get_by_role("button", name="開く").click()
    customer.get_by_role("heading", name="連携開始までの流れ").wait_for()
    _draw(customer, "customer")


def _connect(page: Page, address: str) -> None:
    """連携する, by the log-in of the simulated SmartHR."""
    _visit(page, address)
    page.get_by_role("link", name="連携する").click()
    page.locator("[name=email]").fill("admin@hinata")
    page.locator("[name=password]").fill("smarthr")
    page.get_by_role("button", name="ログイン").click()
    page.get_by_role("button", name="許可する").click()
    page.get_by_text("連携済みになりました。").wait_for()
    _draw(page, "smarthr")


def _visit(page: Page, address: str) -> None:
    answer = page.goto(address)
    status = answer.status if answer else None
    assert status == 200, f"{address}: {status}"


def _draw(page: Page, name: str) -> None:
    width, height = page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
    clip: Any = {"x": 0, "y": 0, "width": width, "height": min(height, MAX_HEIGHT)}
    shot = page.screenshot(full_page=True, clip=clip, caret="initial")
    (PICTURES / f"{name}.png").write_bytes(small_png(_pixels(page, shot)))


def _pixels(page: Page, png: bytes) -> Any:
    """A screenshot as height × width × 3, read by the browser itself."""
    width, height, plain = page.evaluate(READ, base64.b64encode(png).decode())
    return np.frombuffer(base64.b64decode(plain), np.uint8).reshape(height, width, 4)[:, :, :3]


if __name__ == "__main__":
    sys.exit(main())
