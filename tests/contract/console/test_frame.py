"""Who sees what, what every answer has, and that every link leads somewhere (docs/console.ja.md)."""

from __future__ import annotations

import hashlib
import re
from html import unescape
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from renkei.orchestration.web.link_view import own_pages
from renkei.web.console.app import HEADERS, ROUTERS
from renkei.web.console.guard import GUARDS
from tests.conftest import ROOT
from tests.contract.console.world import BASE, PAGES, POSTS, ConsoleWorld, body, dag

WEB = ROOT / "plugins/renkei/web"
EVERY = (*ROUTERS, *(own.router for own in own_pages()))
TEMPLATES = [*(WEB / "pages").glob("*.html"), *(file for own in own_pages() for file in own.templates.rglob("*.html"))]


def test_every_route_has_exactly_one_guard() -> None:
    """Airflow refuses nobody by itself: an endpoint without a guard would answer to everybody."""
    routes = [route for router in EVERY for route in router.routes]
    assert len(routes) >= 8
    for route in routes:
        assert isinstance(route, APIRoute)
        guards = [one.call for one in route.dependant.dependencies]
        assert len(guards) == 1, route.path
        assert guards[0] in GUARDS, route.path
        assert ("posts" in guards[0].__name__) == ("POST" in route.methods), route.path


def test_every_table_says_how_it_stands_on_a_phone() -> None:
    """`stacked` as a rule, each value with its name; one without a class would scroll to the side, and hide its buttons."""
    found = [
        (path.name, table) for path in TEMPLATES for table in re.findall(r"<table.*?</table>", path.read_text(), re.S)
    ]
    assert len(found) >= 50
    assert [name for name, table in found if not re.match('<table class="', table)] == []
    for name, table in found:
        heads = table.partition("<tbody>")[0].count('scope="col"')
        if re.match('<table class="[^"]*stacked', table) and heads > 2:
            assert "data-label=" in table, name


def test_the_app_has_no_other_routes(world: ConsoleWorld) -> None:
    """No documentation, no schema: the routes above are all that there are."""
    app = next(route.app for route in world.app.routes).app
    assert isinstance(app, FastAPI)
    ours = {route.path for router in EVERY for route in router.routes}
    assert {path for route in app.routes for path in [getattr(route, "path", "")] if path} <= ours


@pytest.mark.parametrize("path", PAGES)
def test_nobody_is_led_to_the_log_in_and_back(world: ConsoleWorld, path: str) -> None:
    answer = world.browser().get(BASE + path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/auth/login?next={BASE}{path}")
    part = world.browser(**{"HX-Request": "true"}).get(BASE + path)
    assert (part.status_code, part.headers["HX-Refresh"]) == (401, "true")


@pytest.mark.parametrize("path", POSTS)
def test_what_nobody_sends_is_not_done(world: ConsoleWorld, path: str) -> None:
    """A session that ended: it is said that nothing was kept."""
    answer = world.browser().post(BASE + path, data=POSTS[path] | {"token": world.token("omar")})
    assert answer.status_code == 401
    assert "ログインの期限が切れました" in answer.text
    assert world.hands.done == []


@pytest.mark.parametrize("user", ["ken", "yuki"])
@pytest.mark.parametrize("path", PAGES[1:])
def test_another_company_answers_as_one_that_does_not_exist(world: ConsoleWorld, user: str, path: str) -> None:
    theirs, nobodys = (world.browser(user).get(BASE + path.replace("acme", name)) for name in ("beta", "nosuch"))
    assert (theirs.status_code, theirs.text) == (404, nobodys.text)


def test_the_list_holds_only_what_one_may_see(world: ConsoleWorld) -> None:
    assert "ベータ商事" not in body(world, "/", "ken")
    assert "ベータ商事" not in body(world, "/?q=beta", "ken")
    assert "ベータ商事" in body(world, "/", "omar")


def test_a_viewer_sees_pages_and_has_no_buttons(world: ConsoleWorld) -> None:
    """Without the right to run or to edit, neither the button nor the form behind it is there."""
    shown = body(world, f"/dag/{dag('acme')}", "ken")
    assert "<form" not in shown
    assert f'/dag/{dag("acme")}/run"' not in shown
    assert "この操作の権限がありません" in body(world, f"/dag/{dag('acme')}/run", "ken", 403)
    for path, form in POSTS.items():
        answer = world.browser("ken").post(BASE + path, data=form | {"token": world.token("ken")})
        assert answer.status_code == 403, path
        other = world.browser("ken").post(
            BASE + path.replace("acme", "beta"), data=form | {"token": world.token("ken")}
        )
        assert other.status_code == 404, path
    assert world.hands.done == []


def test_every_answer_has_the_headers(world: ConsoleWorld) -> None:
    """Pages, errors, redirects and files: a strict policy, and nothing kept but what never changes."""
    browser = world.browser("omar")
    answers = [browser.get(BASE + path) for path in (*PAGES, "/nosuch", "/static/x/nosuch.js")]
    answers += [world.browser().get(BASE + "/"), browser.post(BASE + "/", data={}), browser.delete(BASE + "/")]
    answers += [browser.post(BASE + path, data={}) for path in POSTS]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (answer.url, name)
    assert {answer.status_code for answer in answers} >= {200, 303, 403, 404, 405}
    style = re.search(r'href="([^"]+console\.css)"', body(world, "/"))
    assert style
    kept = browser.get(style[1])
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert browser.get(f"{BASE}/static/menu/icon.svg").headers["Cache-Control"] == "no-store", "Airflow's menu"
    for file in (kept, browser.get(f"{BASE}/static/menu/icon.svg")):
        assert file.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


def test_a_fault_of_ours_says_nothing_of_it(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """L6: an exception nobody foresaw may quote anybody."""

    def broken(*_: object) -> None:
        raise ValueError("山田太郎")

    monkeypatch.setattr(world.services.knowledge, "details", broken)
    shown = body(world, f"/dag/{dag('acme')}", status=500)
    assert "表示できませんでした" in shown
    assert "山田太郎" not in shown


@pytest.mark.parametrize("file", sorted(TEMPLATES), ids=lambda file: file.name)
def test_no_template_holds_what_the_policy_forbids(file: Path) -> None:
    """Under the policy an inline style, handler or script does nothing: none is there to fail silently."""
    text = file.read_text("utf-8")
    assert re.findall(r"\sstyle=|\son[a-z]+=|hx-on|<style|<script(?![^>]*\ssrc=)|javascript:|\|\s*safe", text) == []


def test_htmx_is_the_file_that_was_published() -> None:
    """htmx.org 4.0.1 of npm, dist/htmx.min.js, under the Zero-Clause BSD licence beside it."""
    file = WEB / "static/htmx-4.0.1.min.js"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == (
        "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
    )
    assert (WEB / "static/htmx-LICENSE.txt").read_text().startswith("Zero-Clause BSD")


@pytest.mark.parametrize("prefix", ["", "/af"])
def test_every_link_of_every_page_leads_somewhere(world: ConsoleWorld, prefix: str) -> None:
    """Below a prefix too. Links to Airflow are marked, so that the frame leaves for them; all others answer."""
    from starlette.applications import Starlette

    app = world.app
    if prefix:
        app = Starlette()
        app.mount(prefix, world.app)
    browser = world.browser("omar")
    browser._transport.app = app  # type: ignore[attr-defined]
    start, seen = f"{prefix}{BASE}/", set()
    todo = [start]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = browser.get(path)
        assert answer.status_code == 200, path
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        for tag, address in re.findall(
            r'<((?:a|link|script|form)[^>]*?(?:href|src|action)="([^"]*)"[^>]*)', answer.text
        ):
            address = unescape(address).partition("#")[0]
            if "data-airflow-page" in tag or address == f"{prefix}/":
                assert address.startswith(f"{prefix}/"), tag
                assert BASE not in address, tag
            elif address and 'method="post"' not in tag and "data-outside" not in tag:
                assert address.startswith(f"{prefix}{BASE}/"), (path, tag)
                todo.append(address)
    assert len(seen) > 20
