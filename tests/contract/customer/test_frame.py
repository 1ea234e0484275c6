"""Who may come in, what every answer has, and that nothing else is there (S5)."""

from __future__ import annotations

import datetime as dt
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from renkei.web.customer.app import HEADERS, ROUTERS
from renkei.web.customer.guard import COOKIE, GUARDS
from renkei.web.customer.invitations import IDLE, LASTS, CustomerRight
from tests.conftest import ROOT
from tests.contract.customer.world import BASE, EVERYTHING, FOLDER, LINK, NOW, OURS, Browser, CustomerWorld, sheet

WEB = ROOT / "plugins/renkei/web"
TEMPLATES = sorted((WEB / "customer/pages").glob("*.html"))
PAGES = ("/", "/sheets", "/sheets/2", "/sheets/2/marked", "/results", f"/results/{FOLDER}", "/connection")
POSTS = ("/leave", "/sheets", "/connection")
DAY = dt.timedelta(days=1)


@pytest.fixture
def uploaded(world: CustomerWorld) -> CustomerWorld:
    """Something of each kind is there: a version of a customer's, and a run."""
    world.guest().upload(sheet())
    world.guest().upload(sheet(連携開始日="2026-12-02"))
    world.ran()
    return world


def routes() -> list[APIRoute]:
    found = [route for router in ROUTERS for route in router.routes]
    assert all(isinstance(route, APIRoute) for route in found)
    return found  # type: ignore[return-value]


def test_every_route_has_exactly_one_guard() -> None:
    """Without one, an endpoint would answer to the internet."""
    assert len(routes()) >= 12
    for route in routes():
        guards = [one.call for one in route.dependant.dependencies]
        assert len(guards) == 1, route.path
        assert guards[0] in GUARDS, route.path
        assert ("posts" in guards[0].__name__) == ("POST" in route.methods), route.path


def test_only_these_pages_ask_nobody_who_he_is() -> None:
    open_to_all = {route.path for route in routes() if route.dependant.dependencies[0].call.__name__ == "everybody"}  # type: ignore[union-attr]
    assert open_to_all == {"/static/{version}/{name}", "/enter"}


def test_the_app_has_no_other_routes(world: CustomerWorld) -> None:
    """No documentation, no schema."""
    for path in ("/docs", "/redoc", "/openapi.json", "/static/x/console.js", "/static/x/..%2Fapp.py", "/enter/x"):
        world.browser().get(path, 404)


def test_s5_nobody_expired_revoked_and_foreign_are_answered_alike(uploaded: CustomerWorld) -> None:
    """To the byte: whoever tries learns neither that a company is there, nor that there was an invitation."""
    world = uploaded
    _, late = world.invitation(days=1)
    revoked, token = world.invitation()
    expired, over = world.browser(late), world.browser(token)
    idle = world.guest()
    elsewhere = world.guest("beta")
    world.invitations.revoke(LINK, "acme", revoked.number, "yuki", NOW)
    without = world.browser(world.invite(allows=frozenset()))
    forged = world.browser()
    forged.client.cookies.set(f"__Host-{COOKIE}", "x" * 43, domain="renkei.example.jp", path="/")
    for path in PAGES:
        expected = world.browser().get(path, 404)
        others = [over, forged]
        others += [without] if path != "/" else []
        others += [elsewhere] if path.count("/") > 1 and "?" not in path else []
        for other in others:
            answer = other.client.get(BASE + path)
            assert (answer.status_code, answer.text) == (404, expected.text), path
    world.now = NOW + IDLE
    assert idle.client.get(f"{BASE}/").text == world.browser().get("/", 404).text
    world.now = NOW + DAY
    assert expired.client.get(f"{BASE}/").text == world.browser().get("/", 404).text
    for wrong in (late, token, "x" * 43, "", "あ" * 43, "x" * 1500):
        answer = world.browser().enter(wrong)
        assert (answer.status_code, answer.text) == (404, world.browser().get("/", 404).text)
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", POSTS)
def test_s5_what_nobody_sends_is_not_done(world: CustomerWorld, path: str) -> None:
    """Without a session, with another's word, without one, and from elsewhere."""
    file = {"file": ("x.yaml", sheet(), "text/yaml")} if path == "/sheets" else None
    assert world.browser().post(path, "x", files=file).status_code == 404
    guest, other = world.guest(), world.guest()
    for form in ("", other.form, "x" * 64, "é"):
        assert guest.post(path, form, files=file).status_code == 403
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ):
        assert guest.post(path, guest.form, files=file, headers=headers).status_code == 403
    del guest.client.headers["Sec-Fetch-Site"]
    form = guest.form
    for origin in (
        {},
        {"Origin": "null"},
        {"Origin": "https://renkei.example.jp:8443"},
        {"Origin": "http://renkei.example.jp"},
    ):
        assert guest.post(path, form, files=file, headers=origin).status_code == 403
    assert world.versions() == []
    assert guest.get("/")


def test_an_older_browser_says_where_a_form_comes_from_by_its_origin(world: CustomerWorld) -> None:
    guest = world.guest()
    form = guest.form
    del guest.client.headers["Sec-Fetch-Site"]
    assert guest.post("/leave", form, headers={"Origin": OURS}).status_code == 200


@pytest.mark.parametrize("what", sorted(CustomerRight))
def test_s5_an_invitation_opens_what_it_allows_alone(uploaded: CustomerWorld, what: CustomerRight) -> None:
    guest = uploaded.guest(allows=frozenset({what}))
    parts = {CustomerRight.SHEET: "/sheets", CustomerRight.RESULTS: "/results", CustomerRight.CONNECTION: "/connection"}
    menu = guest.get("/").text
    for kind, path in parts.items():
        opens = kind is what
        answer = guest.client.get(BASE + path)
        assert answer.status_code == (200 if opens else 404), path
        assert (f'href="{BASE}{path}"' in menu) == opens


def test_the_cookie_is_the_hosts_and_no_scripts(world: CustomerWorld) -> None:
    answer = world.browser().enter(world.invite())
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word.casefold() in cookie.casefold()
    assert "domain" not in cookie.casefold()
    assert "max-age" not in cookie.casefold(), "it goes with the browser"


def test_without_tls_the_cookie_is_this_paths(world: CustomerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one machine, to try it, and below a prefix: a browser takes no `__Host-` there."""
    monkeypatch.setenv("RENKEI_PUBLIC_URL", "http://localhost:8080/af")
    cookie = world.browser().enter(world.invite()).headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "Path=/af/renkei/customer;" in cookie + ";"
    assert "httponly" in cookie.casefold()
    assert "secure" not in cookie.casefold().replace("samesite", "")


def test_a_session_that_somebody_else_began_is_not_taken_over(world: CustomerWorld) -> None:
    """Session fixation: who comes in gets a new one, and the one that he had is over."""
    browser = world.guest()
    name = f"__Host-{COOKIE}"
    former = browser.client.cookies[name]
    browser.enter(world.invite())
    assert browser.client.cookies[name] != former
    thief = world.browser()
    thief.client.cookies.set(name, former, domain="renkei.example.jp", path="/")
    thief.get("/", 404)


def test_who_leaves_is_out_and_his_cookie_is_worth_nothing(world: CustomerWorld) -> None:
    browser = world.guest()
    kept = browser.client.cookies[f"__Host-{COOKIE}"]
    answer = browser.post("/leave")
    assert answer.status_code == 200
    assert "終了しました" in answer.text
    assert "Max-Age=0" in answer.headers["set-cookie"]
    browser.client.cookies.set(f"__Host-{COOKIE}", kept, domain="renkei.example.jp", path="/")
    browser.get("/", 404)


def test_a_session_that_is_used_lasts_until_its_hours_are_over(world: CustomerWorld) -> None:
    browser = world.guest()
    while world.now - NOW < LASTS - IDLE:
        world.now += IDLE - dt.timedelta(minutes=1)
        browser.get("/")
    world.now = NOW + LASTS
    browser.get("/", 404)


def test_l7_the_invitation_is_in_no_address_and_no_log(world: CustomerWorld, caplog: pytest.LogCaptureFixture) -> None:
    token = world.invite()
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("httpx").setLevel(logging.WARNING)  # the test's own client
        browser = world.browser(token)
        browser.upload(sheet(), "加藤の連携設定シート.yaml")
        world.browser().enter("x" * 43)
    assert world.versions()
    for secret in (token, browser.client.cookies[f"__Host-{COOKIE}"], browser.form, "加藤", "ご担当者様"):
        assert secret not in caplog.text


def test_guessing_is_not_listened_to_for_long(world: CustomerWorld) -> None:
    """By address; the tenth second lets one more."""
    answers = [world.browser().enter("x" * 43).status_code for _ in range(60)]
    assert answers == [404] * 50 + [429] * 10
    assert world.browser().enter(world.invite()).status_code == 429
    assert world.browser().enter("x").headers["Retry-After"] == "60"


def test_an_invitation_is_used_by_people_not_by_programs(world: CustomerWorld) -> None:
    browser = world.guest()
    answers = {browser.client.get(f"{BASE}/").status_code for _ in range(520)}
    assert answers == {200, 429}
    world.guest().get("/")  # another invitation's is its own


@pytest.mark.parametrize("path", ["/enter", "/leave"])
def test_a_body_is_bounded(world: CustomerWorld, path: str) -> None:
    browser = world.guest()
    form = {"form": browser.form, "invitation": "x" * 200_000}
    assert browser.client.post(BASE + path, data=form).status_code == 413
    many = "&".join(f"f{n}=1" for n in range(5_000))
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.client.post(BASE + path, content=many, headers=head).status_code in (400, 403, 404)
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert browser.client.post(BASE + path, content=b"--y\r\nnonsense", headers=broken).status_code in (400, 403, 404)
    browser.get("/")


def test_l5_a_form_without_a_file_is_short_where_sheets_are_taken_too(world: CustomerWorld) -> None:
    """Reading twenty million bytes of `&` would hold up everybody's callbacks for seconds, again and again."""
    guest = world.guest()
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    for content in (b"&" * 100_000, iter([b"&" * 100_000])):
        assert guest.client.post(f"{BASE}/sheets", content=content, headers=head).status_code == 413
    assert guest.upload(sheet()).status_code == 303


def test_every_answer_has_the_headers(uploaded: CustomerWorld) -> None:
    guest = uploaded.guest()
    answers = [guest.client.get(BASE + path) for path in (*PAGES, "/enter", "/nosuch")]
    answers += [uploaded.browser().get("/", 404), uploaded.browser().enter("x"), guest.client.delete(f"{BASE}/")]
    answers += [guest.post("/sheets", "x"), guest.post("/leave")]
    assert {answer.status_code for answer in answers} >= {200, 403, 404, 405}
    for answer in answers:
        for name, value in HEADERS.items():
            strict = {"Referrer-Policy": "no-referrer"}.get(name, value)  # on the way to and from the source system
            assert answer.headers[name] in (value, strict), (answer.url, name)
        assert "server" not in answer.headers
    style = re.search(r'href="([^"]+customer\.css)"', uploaded.browser().get("/enter").text)
    assert style
    kept = guest.client.get(style[1])
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_no_template_holds_what_the_policy_forbids(file: Path) -> None:
    text = file.read_text("utf-8")
    assert re.findall(r"\sstyle=|\son[a-z]+=|hx-|<style|<script(?![^>]*\ssrc=)|javascript:|\|\s*safe", text) == []


def test_a_fault_of_ours_says_nothing_of_it(world: CustomerWorld, caplog: pytest.LogCaptureFixture) -> None:
    """L6: an exception nobody foresaw may quote anybody."""

    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise ValueError("山田太郎")

    guest = world.guest()
    world.serve(knowledge=Broken())
    again = Browser(world.app)
    again.client.cookies.update(guest.client.cookies)
    answer = again.client.get(f"{BASE}/")
    assert answer.status_code == 503
    assert "ただいま使えません" in answer.text
    assert "山田" not in answer.text + caplog.text


def test_every_link_of_every_page_leads_somewhere(uploaded: CustomerWorld) -> None:
    guest = uploaded.guest()
    todo, seen = [f"{BASE}/"], set()
    while todo:
        address = todo.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = guest.client.get(address)
        assert answer.status_code == 200, address
        if "html" in answer.headers["content-type"]:
            todo += [found for found in re.findall(r'(?:href|src)="([^"]+)"', answer.text) if found.startswith("/")]
    assert len(seen) >= 8
    assert all(one.startswith(BASE) for one in seen), "nothing of Airflow, nor of the console"


def test_other_companies_are_named_nowhere(uploaded: CustomerWorld) -> None:
    guest = uploaded.guest(allows=EVERYTHING)
    for path in ("/", "/sheets", "/sheets/1", "/results", f"/results/{FOLDER}"):
        shown = guest.get(path).text
        assert "ベータ商事" not in shown
        assert "beta" not in shown
    assert "株式会社アクメ" in guest.get("/").text
