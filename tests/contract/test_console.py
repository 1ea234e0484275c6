"""The console's pages over HTTP: who sees what, what is refused, and what stands on each page (docs/console.ja.md)."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import hashlib
import io
import json
import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from openpyxl import load_workbook
from starlette.testclient import TestClient

from renkei.clock import DAILY_AT, TOKYO
from renkei.errors import StoreError
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.records import Plan, PlanWarnings, RunSheet, RunStart, SnapshotSummary, ValueWarnings
from renkei.notifications.monitor.silence import Notes, Results, Schedule
from renkei.orchestration.link import LINKS
from renkei.orchestration.monitor.scan import write_notes, write_results
from renkei.orchestration.web.knowledge import AirflowKnowledge
from renkei.orchestration.web.link_view import own_pages
from renkei.runs.outcome import Summary
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.runs import RunRecord
from renkei.web.console import runs
from renkei.web.console.app import HEADERS, MOST_BYTES, ROUTERS
from renkei.web.console.guard import GUARDS
from tests.builders import mapping
from tests.conftest import ROOT
from tests.contract.console_world import BAD, BASE, NOW, OK, TICK, ConsoleWorld, OffTheLoop, dag
from tests.harness.airflow_rows import add_dags, add_history, diff_said, emptied

WEB = ROOT / "plugins/renkei/web"
EVERY = (*ROUTERS, *(own.router for own in own_pages()))
TEMPLATES = [*(WEB / "pages").glob("*.html"), *(file for own in own_pages() for file in own.templates.rglob("*.html"))]
RUN_ID = "scheduled__2026-11-29T19:30:00+00:00"
PAGES = ("/", "/t/acme", f"/dag/{dag('acme')}", f"/dag/{dag('acme')}/run", f"/dag/{dag('acme')}/runs",
         f"/dag/{dag('acme')}/runs/{quote(RUN_ID, safe='')}", f"/dag/{dag('acme')}/readiness")  # fmt: skip
POSTS = {f"/dag/{dag('acme')}/run": {"mode": "CHECK_ONLY"}, f"/dag/{dag('acme')}/pause": {"paused": "1"}}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled sheets, each once for all tests; and Airflow's database."""
    from airflow.utils.db import initdb

    initdb()
    return tmp_path_factory.mktemp("index")


@pytest.fixture
def empty(index: Path, mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsoleWorld]:
    monkeypatch.setenv("RENKEI_INDEX", str(index))
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    with emptied():
        yield ConsoleWorld(tmp_path)


@pytest.fixture
def world(empty: ConsoleWorld) -> ConsoleWorld:
    empty.company("acme", "株式会社アクメ")
    empty.company("beta", "ベータ商事")
    empty.ran("acme", run_id=RUN_ID)
    empty.ran("beta", state="failed", subject=BAD)
    return empty


def text_of(html: str) -> str:
    """What a reader sees, without blanks between tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def body(world: ConsoleWorld, path: str, user: str = "omar", status: int = 200) -> str:
    answer = world.browser(user).get(BASE + path)
    assert answer.status_code == status, answer.text[:2000]
    return answer.text


# --- who may


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


# --- forms


@pytest.mark.parametrize("path", POSTS)
def test_what_a_page_of_ours_sends_is_done_once(world: ConsoleWorld, path: str) -> None:
    answer = world.browser("yuki").post(BASE + path, data=POSTS[path] | {"token": world.token("yuki")})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(f"{BASE}/dag/{dag('acme')}")
    assert len(world.hands.done) == 1


@pytest.mark.parametrize(
    "sent",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port, another subdomain
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "", "Origin": "http://airflow.example.jp"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://airflow.example.jp:8080"},
        {"Origin": "null"},
        {},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", POSTS)
def test_what_another_page_sends_is_refused(world: ConsoleWorld, path: str, sent: dict[str, str]) -> None:
    """By Sec-Fetch-Site where the browser tells it, else by Origin; with neither, too (CSRF)."""
    browser = world.browser("yuki")
    del browser.headers["Sec-Fetch-Site"]
    answer = browser.post(BASE + path, data=POSTS[path] | {"token": world.token("yuki")}, headers=sent)
    assert answer.status_code == 403
    assert "受け付けませんでした" in answer.text
    assert world.hands.done == []


def test_an_old_browser_is_known_by_its_origin(world: ConsoleWorld) -> None:
    """On plain http browsers send Origin and no Sec-Fetch-Site."""
    browser = world.browser("yuki")
    del browser.headers["Sec-Fetch-Site"]
    path, form = next(iter(POSTS.items()))
    sent = {"Origin": "http://airflow.example.jp"}
    assert browser.post(BASE + path, data=form | {"token": world.token("yuki")}, headers=sent).status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 64, "omar", "é"])
@pytest.mark.parametrize("path", POSTS)
def test_a_form_without_its_own_token_is_refused(world: ConsoleWorld, path: str, token: str) -> None:
    given = world.token("omar") if token == "omar" else token
    answer = world.browser("yuki").post(BASE + path, data=POSTS[path] | {"token": given})
    assert answer.status_code == 403
    assert world.hands.done == []


def test_a_form_that_is_too_large_is_not_read(world: ConsoleWorld) -> None:
    path, form = next(iter(POSTS.items()))
    answer = world.browser("yuki").post(BASE + path, data=form | {"token": world.token("yuki"), "more": "x" * 70_000})
    assert answer.status_code == 413
    assert world.hands.done == []


@pytest.mark.parametrize(
    ("headers", "status", "most_read"),
    [
        ({"content-length": "1000000000"}, 413, 0),
        ({"content-length": "\u00b2"}, 413, 0),
        ({"content-length": "9" * 5_000}, 413, 0),
        ({"transfer-encoding": "chunked"}, 411, 0),
        ({"content-length": "10"}, 413, MOST_BYTES + 10_000),  # a lie
        ({}, 413, MOST_BYTES + 10_000),
    ],
    ids=lambda value: str(value)[:40],
)
def test_l5_nobody_has_the_server_hold_a_large_body(
    world: ConsoleWorld, headers: dict[str, str], status: int, most_read: int
) -> None:
    """FastAPI reads a form before it asks who sends it: what is too large is refused before."""
    path, read, answered = BASE + next(iter(POSTS)), 0, []

    async def receive() -> dict[str, object]:
        nonlocal read
        read += 10_000
        assert read < 1_000_000, "it reads without end"
        return {"type": "http.request", "body": b"x" * 10_000, "more_body": True}

    async def send(message: dict[str, object]) -> None:
        answered.append(message)

    sent = {"content-type": "application/x-www-form-urlencoded", **headers}
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]}  # fmt: skip
    asyncio.run(world.app(scope, receive, send))  # type: ignore[arg-type]
    assert (answered[0]["status"], read <= most_read) == (status, True), read
    assert dict(answered[0]["headers"])[b"cache-control"] == b"no-store"  # type: ignore[call-overload]
    assert "<title>" in answered[1]["body"].decode()  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", [{}, {"mode": "RELINK"}, {"mode": "notify_test"}, {"mode": "<script>"}])
def test_only_the_modes_on_the_page_can_be_started(world: ConsoleWorld, form: dict[str, str]) -> None:
    path = f"/dag/{dag('acme')}/run"
    answer = world.browser("yuki").post(BASE + path, data=form | {"token": world.token("yuki")})
    assert answer.status_code == 400
    assert world.hands.done == []


# --- what is waited for


def test_l5_the_event_loop_waits_for_no_database_and_no_store(world: ConsoleWorld) -> None:
    """It is that of all of Airflow's API server: while it waits, nobody is answered."""
    knowledge, door = OffTheLoop(world.services.knowledge), OffTheLoop(world.door)
    world.serve(knowledge=knowledge, authority=door)
    answers = [world.browser("yuki").get(BASE + path) for path in (*PAGES, "/nosuch")]
    for path, form in POSTS.items():
        for user, sent in (("yuki", form), ("yuki", {}), ("ken", form)):
            answers.append(world.browser(user).post(BASE + path, data=sent | {"token": world.token(user)}))
    assert {answer.status_code for answer in answers} == {200, 303, 400, 403, 404}
    assert (knowledge.in_loop, door.in_loop) == ([], [])


def test_l5_a_click_does_not_wait_for_a_look_that_others_wait_for(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that look, which began before it, is not shown to who clicked."""
    knowledge, real = world.services.knowledge, AirflowKnowledge._look
    looking, begun, go_on, looks = (
        threading.Thread(target=knowledge.companies),
        threading.Event(),
        threading.Event(),
        [],
    )

    def slow(*given: object) -> object:
        looks.append(1)
        begun.set()
        go_on.wait(60)
        return real(*given)  # type: ignore[arg-type]

    async def start(*_: object) -> str:
        monkeypatch.setattr(AirflowKnowledge, "_look", slow)
        knowledge.changed()
        looking.start()
        assert await asyncio.to_thread(begun.wait, 60)
        return "manual__1"

    monkeypatch.setattr(world.hands, "start", start)
    path, form = next(iter(POSTS.items()))
    try:
        answer = world.browser("yuki").post(BASE + path, data=form | {"token": world.token("yuki")})
        assert (answer.status_code, looking.is_alive()) == (303, True)
    finally:
        go_on.set()
        looking.join()
    knowledge.companies()
    assert len(looks) == 2


def test_l5_a_look_that_failed_is_not_tried_again_by_everybody(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def broken(*_: object) -> None:
        looks.append(1)
        raise StoreError("保存先を読み取れません。")

    with monkeypatch.context() as patch:
        patch.setattr(AirflowKnowledge, "_look", broken)
        patch.setattr("renkei.orchestration.web.knowledge.FRESH_S", 1_000.0)
        world.services.knowledge.changed()
        assert "保存先を読み取れません。" in body(world, "/", status=503)
        assert "保存先を読み取れません。" in body(world, "/", status=503)
    assert len(looks) == 1
    world.services.knowledge.changed()
    body(world, "/")


# --- every answer


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


# --- the pages


def test_the_list_shows_every_company_in_one_state_the_most_urgent_first(empty: ConsoleWorld) -> None:
    world = empty
    world.door.rights["omar"] |= {name: world.door.rights["omar"]["acme"] for name in "abcdefghi"}
    world.company("a", "正常の会社")
    world.ran("a")
    world.company("b", "失敗の会社")
    world.ran("b", state="failed", subject=BAD)
    world.company("c", "保留の会社")
    world.ran("c", state="running", subject="", asks="approve")
    world.company("d", "沈黙の会社")
    world.ran("d", days_ago=1)
    world.company("e", sheet="users: [broken")
    world.company("f", "未連携の会社", paused=True)
    world.company("g", "開始前の会社", 連携開始日="2027-01-01")
    world.company("h", "停止の会社", paused=True)
    world.ran("h")
    world.company("i", "解除の会社", 連携状態="連携解除")
    shown = re.findall(r'scope="row"><a href="[^"]+">([^<]+)</a>.*?</span>([^<]+)</span>', body(world, "/"), re.DOTALL)
    assert shown == [
        ("失敗の会社", "停止（エラー）"),
        ("保留の会社", "要対応（保留）"),
        ("沈黙の会社", "結果なし"),
        ("e", "設定エラー"),
        ("未連携の会社", "未連携"),
        ("開始前の会社", "開始前"),
        ("停止の会社", "一時停止"),
        ("解除の会社", "連携解除"),
        ("正常の会社", "正常"),
    ]
    only = body(world, "/?state=silent")
    assert "沈黙の会社" in only
    assert "失敗の会社" not in only
    assert "「会社」正常: 1社" in text_of(body(world, "/?q=会社&state=well"))


def test_n3_no_result_is_what_the_watch_says_it_is(empty: ConsoleWorld) -> None:
    """N3: by the watch's own function and notes: a company that it has just met is not late."""
    world, link = empty, LINKS["smarthr_emc"]
    world.company("acme", "株式会社アクメ")
    world.ran("acme", days_ago=1)
    assert "結果なし 1" in text_of(body(world, "/"))
    write_notes(link, world.store, Notes({"acme": Schedule(DAILY_AT, NOW)}, {}))
    world.services.knowledge.changed()
    assert "結果なし 0" in text_of(body(world, "/"))
    write_notes(link, world.store, Notes({"acme": Schedule(DAILY_AT)}, {}))
    world.services.knowledge.changed()
    assert "結果なし 1" in text_of(body(world, "/"))
    told = {"acme": TICK + (NOW - TICK) / 2}  # to somebody, though Airflow says no more
    for results, silent in (
        (Results(told), 0),
        (Results({}, ["acme"]), 1),
        (Results({}, ["other"]), 0),  # its first link has failed, and nothing came after it
    ):
        write_results(link, world.store, results)
        world.services.knowledge.changed()
        assert f"結果なし {silent}" in text_of(body(world, "/"))


def test_a_test_of_the_channels_is_no_run_of_the_link(world: ConsoleWorld) -> None:
    """通知テスト that failed leaves the company's state as it is."""
    test = {"run_type": "manual", "conf": {"mode": "notify_test"}}
    world.ran("acme", run_id="manual__test", state="failed", subject="", **test)
    assert "正常 1" in text_of(body(world, "/", "yuki"))


def test_e43_a_side_run_is_no_last_result(world: ConsoleWorld) -> None:
    """E43, E44: an evening that foresees a failure, and 照合, leave state and squares as they are; the run is listed."""
    for number, (mark, state, subject) in enumerate((("reconcile", "success", ""), ("check", "failed", "EMC-ERROR-D"))):
        at = TICK + dt.timedelta(minutes=number)
        world.ran("acme", run_id=f"scheduled__{at.isoformat()}__{mark}", state=state, subject=subject)
    page = body(world, "/", "yuki")
    assert "正常 1" in text_of(page)
    assert 'class="bad"' not in page
    assert "事前確認" in text_of(body(world, f"/dag/{dag('acme')}/runs", "yuki"))


def test_e43_the_next_run_of_the_list_is_the_daily_one(empty: ConsoleWorld) -> None:
    """E43: in the evening Airflow's next run is 事前確認; what the company waits for comes in the morning."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import update

    empty.company("acme", "株式会社アクメ", 事前確認時刻="18:00")
    evening = dt.datetime.combine(NOW.astimezone(TOKYO).date(), dt.time(18), TOKYO)
    with create_session() as session:
        session.execute(update(DagModel).values(next_dagrun_create_after=evening))
    (company,) = empty.services.knowledge.companies().values()
    assert company.next_run == evening + dt.timedelta(hours=10, minutes=30)


def test_fifty_companies_stand_on_a_page(empty: ConsoleWorld) -> None:
    world = empty
    names = [f"t{number:03}" for number in range(120)]
    world.door.rights["omar"] = {name: world.door.rights["omar"]["acme"] for name in names}
    add_dags(*map(dag, names))
    first, last = body(world, "/"), body(world, "/?page=3")
    assert "1～50 / 120社" in text_of(first)
    assert "101～120 / 120社" in text_of(last)
    assert body(world, "/?page=99") == last
    assert body(world, "/?page=-1") == body(world, "/?page=zwei") == first


def test_a_list_of_many_asks_no_more_often_than_one_of_few(empty: ConsoleWorld) -> None:
    """A thousand companies cost longer answers, not more questions: none is asked for each company."""
    from airflow.settings import engine
    from sqlalchemy import event

    asked: list[str] = []

    def note(*args: object) -> None:
        asked.append(str(args[2]))

    def questions(names: list[str]) -> list[str]:
        empty.door.rights["omar"] |= {name: empty.door.rights["omar"]["acme"] for name in names}
        for name in names:
            add_dags(dag(name))
            for day in range(3):
                empty.ran(name, days_ago=day)
        asked.clear()
        body(empty, "/")
        return list(asked)

    event.listen(engine, "before_cursor_execute", note)
    try:
        few, many = questions(["a"]), questions([f"t{number}" for number in range(30)])
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(many) == len(few) <= 8, many
    assert not [one for one in many if re.search(r"JOIN xcom|FROM xcom.*dag_run\b(?!_id)", one)]


def test_a_thousand_companies_with_a_month_of_runs_are_listed_at_once(empty: ConsoleWorld) -> None:
    """0.2 s on an idle machine; by the time that this process worked, for others may be busy."""
    names = [f"t{number:04}" for number in range(1000)]
    empty.door.rights["omar"] = {name: empty.door.rights["omar"]["acme"] for name in names}
    add_dags(*map(dag, names))
    said = {"diff": diff_said(100, 1, 98, 1), "notify": {"subject": OK, "told": {}}}
    add_history([dag(name) for name in names], 30, TICK, said)
    body(empty, "/")  # templates are compiled, models mapped
    empty.services.knowledge.changed()
    began = time.process_time()
    shown = body(empty, "/?page=20")
    took = time.process_time() - began
    assert "951～1,000 / 1,000社" in text_of(shown)
    assert shown.count('<rect class="good"') == 50 * 14
    assert took < 1.5


def test_an_empty_list_says_what_to_do(empty: ConsoleWorld) -> None:
    assert "連携がありません" in body(empty, "/")
    empty.company("acme", "株式会社アクメ")
    assert "該当する会社はありません" in body(empty, "/?q=nosuch")


def test_names_are_text_and_no_markup(empty: ConsoleWorld) -> None:
    """L5: what a sheet or an address says is shown as it is."""
    evil = "<script>alert(1)</script>"
    empty.company("acme", f"{evil}\"'&")
    empty.ran("acme", by=evil, run_type="manual", run_id="manual__1", subject=evil)
    for path in (
        "/",
        f"/?q={quote(evil)}",
        f"/dag/{dag('acme')}",
        f"/dag/{dag('acme')}/runs",
        f"/dag/{dag('acme')}/runs/manual__1",
    ):
        shown = body(empty, path)
        assert "<script>alert" not in shown, path
        assert "&lt;script&gt;" in shown, path


def test_a_company_page_says_what_to_do_next(world: ConsoleWorld) -> None:
    shown = text_of(body(world, f"/dag/{dag('beta')}"))
    assert (
        "停止（エラー） 次にすること 直近の処理が失敗しました。誤りと対処を確認し、直してから実行してください。 誤りと対処を見る"
        in shown
    )
    assert "SmartHR → EMC ・ beta" in shown
    world.baseline("acme")
    shown = text_of(body(world, f"/dag/{dag('acme')}"))
    assert "EMCの社員 30 EMCの部署 4 EMCが確認 11/30(月) 4:30 次回の処理 12/1(火) 4:30" in shown
    assert "結果通知メール メール 有効" in shown


def test_a_broken_sheet_shows_every_problem_with_its_place(empty: ConsoleWorld) -> None:
    empty.company("acme", sheet="users: [broken")
    shown = text_of(body(empty, f"/dag/{dag('acme')}"))
    assert "設定エラー 次にすること 連携設定シートに誤りが1件あります" in shown
    assert "acme.yaml" in shown


def test_a_sheet_that_is_gone_is_said_to_be(world: ConsoleWorld) -> None:
    (world.sheets / "acme.yaml").unlink()
    world.services.knowledge.changed()
    shown = text_of(body(world, f"/dag/{dag('acme')}"))
    assert "連携設定シートがありません。シートを元の場所に戻してください。" in shown


def test_a_store_out_of_reach_costs_what_it_knows_alone(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's own rows are shown all the same; what cannot be told is said."""
    monkeypatch.setenv("RENKEI_STORE_KEY_CONN_ID", "nosuch")
    world.services.knowledge.changed()
    assert "保存先を読み取れないため" in body(world, "/")
    shown = body(world, f"/dag/{dag('acme')}")
    assert "Airflowの接続「nosuch」" in shown
    assert "EMC-OK" in shown
    assert "Airflowの接続「nosuch」" in body(world, f"/dag/{dag('acme')}/runs/{quote(RUN_ID, safe='')}")


def test_e29_a_run_page_shows_every_error_and_people_only_to_those_who_may_edit(world: ConsoleWorld) -> None:
    """L6: a viewer reads line, item and remedy, and nothing that names anybody."""
    record, run_id = world.record("beta"), f"/dag/{dag('beta')}/runs/" + quote(RUN_ID, safe="")
    record.write(Summary([f"{BAD} beta", "処理結果: 失敗"]))
    rows = {"record_set": "users", "line": range(1, 61), "id": [f"taro{n}" for n in range(60)], "crew_id": "c-1",
            "item": "full_name", "kind": "required", "detail": "山田", "source": "SmartHRの「姓」"}  # fmt: skip
    record.write_table("problems", pd.DataFrame(rows))
    told = {
        "channel": "総務",
        "service": "SLACK_WEBHOOK",
        "event": "FAILURE",
        "verdict": "REFUSED",
        "reason": "no_service",
    }
    record.write_json("told", {"key": told | {"status": 404, "message_id": "", "at": NOW.isoformat()}})
    shown = body(world, run_id)
    assert "社員 60行目 taro59 氏名 値がありません（山田） SmartHRの「姓」を入力してください" in text_of(shown)
    assert "総務 失敗 拒否 11/30(月) 10:00 no_service" in text_of(shown)
    assert "処理結果: 失敗" in shown
    assert "機能は処理を中断、もしくは異常終了しました。" in shown, "the mail's text"
    world.door.rights["ken"]["beta"] = world.door.rights["ken"]["acme"]
    viewed = body(world, run_id, "ken")
    assert "社員 60行目 氏名 値がありません SmartHRの「姓」を入力してください" in text_of(viewed)
    assert not re.search("taro|山田|c-1|機能は処理を中断", viewed)


def test_e29_ten_thousand_errors_are_paged_and_taken_as_files(world: ConsoleWorld) -> None:
    """E29: every error and 注意 in a CSV that runs nothing and in a workbook, for those who may edit; each taking is noted."""
    record, run = world.record("beta"), f"/dag/{dag('beta')}/runs/" + quote(RUN_ID, safe="")
    rows = {"record_set": "users", "line": range(1, 10_001), "id": [f"=taro{n}" for n in range(1, 10_001)],
            "crew_id": "c-1", "item": "full_name", "kind": "required", "detail": "", "source": "SmartHRの「姓」"}  # fmt: skip
    record.write_table("problems", pd.DataFrame(rows))
    doubtful = {
        "line": [7],
        "id": ["taro7"],
        "crew_id": "c-7",
        "item": "full_name",
        "kind": "variant",
        "detail": "「髙」",
    }
    record.write_table("hygiene", pd.DataFrame(doubtful))
    record.write(PlanWarnings([("no_contact", "taro8", "c-8")], hygiene=ValueWarnings({"variant": 1})))
    assert "1～100 / 10,000件" in text_of(body(world, run))
    last = text_of(body(world, f"{run}?page=100"))
    assert "9,901～10,000 / 10,000件" in last
    assert "社員 10000行目 =taro10000 氏名 値がありません" in last
    assert "9,901～10,000 / 10,000件" in text_of(body(world, f"{run}?page=1000"))
    began = time.process_time()
    taken = world.browser("omar").get(f"{BASE}{run}/findings.csv")
    assert taken.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E8%AA%A4")
    lines = list(csv.reader(io.StringIO(taken.content.decode("utf-8-sig"))))
    assert (len(lines), lines[0][:3], lines[1][:3]) == (
        10_003,
        ["区分", "場所", "ID"],
        ["誤り", "社員 1行目", "'=taro1"],
    )
    assert lines[-2][:3] == ["注意", "", "taro8"]
    assert (lines[-1][1], lines[-1][4], lines[-1][6]) == ("社員 7行目", "氏名", "「髙」")
    book = world.browser("omar").get(f"{BASE}{run}/findings.xlsx")
    assert time.process_time() - began < 20
    sheet = load_workbook(io.BytesIO(book.content), read_only=True).worksheets[0]
    cells = list(sheet.iter_rows(values_only=True))
    assert (len(cells), cells[1][2]) == (2_002, "=taro1")
    assert "2,000件までを載せています" in str(cells[-1][0])
    noted = [json.loads(world.store.read(name)) for name in world.store.files("console/audit")]
    assert [(one["by"], one["dag_id"], one["what"]) for one in noted] == [("omar", dag("beta"), "findings")] * 2
    world.door.rights["ken"]["beta"] = world.door.rights["ken"]["acme"]
    assert "findings" not in body(world, run, "ken")
    assert "taro" not in body(world, f"{run}/findings.csv", "ken", 403)
    body(world, f"{run}/findings.exe", status=400)
    body(world, f"/dag/{dag('beta')}/runs/nosuch/findings.csv", status=404)


@pytest.mark.parametrize(
    "fault", [StoreError("山田太郎"), ValueError("山田太郎")], ids=lambda fault: type(fault).__name__
)
def test_e29_a_file_that_breaks_off_says_so(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    """Its 200 is sent by then. L6: the log has what kind of fault it is, which may quote anybody."""

    def findings(*_: object) -> Iterator[Sequence[str]]:
        yield ["区分", "場所"]
        yield ["誤り", "社員 1行目"]
        raise fault

    monkeypatch.setattr(world.services.knowledge, "findings", findings)
    path = f"{BASE}/dag/{dag('acme')}/runs/{quote(RUN_ID, safe='')}/findings.csv"
    with caplog.at_level(logging.ERROR):
        taken = world.browser("omar").get(path)
    lines = list(csv.reader(io.StringIO(taken.content.decode("utf-8-sig"))))
    assert (taken.status_code, lines[1]) == (200, ["誤り", "社員 1行目"])
    assert lines[2:] == [[runs.BROKEN_OFF]]
    assert type(fault).__name__ in caplog.text
    assert "山田" not in taken.text + caplog.text


def test_l6_an_answer_that_breaks_off_arrives_as_none(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is told, so that it closes the connection; what was wrong is in no log of its own."""

    def broken(*_: object) -> Iterator[bytes]:
        yield b"half"
        raise ValueError("山田太郎")

    monkeypatch.setattr(runs, "csv_parts", broken)
    browser = TestClient(world.app, cookies={"_token": "omar"})
    with pytest.raises(RuntimeError) as found:
        browser.get(f"{BASE}/dag/{dag('acme')}/runs/{quote(RUN_ID, safe='')}/findings.csv")
    assert "山田" not in str(found.value)
    assert (found.value.__cause__, found.value.__context__) == (None, None)


def test_the_history_tells_what_happened_between_the_runs(world: ConsoleWorld) -> None:
    """Another sheet, 災害時凍結, who answered a question, and the generations that can be gone back to."""
    folder = world.record("acme").tenant_folder
    for number, (digest, frozen) in enumerate((("1" * 64, False), ("2" * 64, True), ("2" * 64, False)), start=1):
        name = f"day{number}.0123456789ab"
        said = {("fetch_departments", "run"): name}
        world.ran("acme", days_ago=4 - number, run_id=f"day{number}", said=said, answered="yuki" if number == 3 else "")
        record = RunRecord(folder, name)
        record.write(RunStart(f"day{number}", Mode.NORMAL, False, TICK.isoformat(), digest, frozen))
        record.write(RunSheet(mapping()))
        record.write(SnapshotSummary("read", {}))
        record.write(Plan("p", number - 1, True, True, 30 + number, 4))
        Baselines(folder).promote(Baseline(number, name, "p", f"k{number}", TICK.isoformat(), 30 + number, 4))
    shown = text_of(body(world, f"/dag/{dag('acme')}/runs"))
    assert "シートが変わりました（識別値 222222222222）" in shown
    assert "災害時凍結中になりました" in shown
    assert "災害時凍結が解除されました" in shown
    assert "回答: 承認して登録する（yukiさん）" in shown
    assert (
        "復元できる世代 世代 登録 社員 部署 第2世代 11/30(月) 4:30 32 4 第1世代 11/30(月) 4:30 31 4 EMCを以前の"
        in shown
    )
    assert "災害時凍結が解除されました" in text_of(body(world, f"/dag/{dag('acme')}"))
    world.store.write(f"{folder.baselines}/00000002.json", b"{")
    assert "前回データの記録（第2世代）が壊れています" in text_of(body(world, f"/dag/{dag('acme')}/runs"))


def test_a_run_without_a_record_says_why_there_may_be_none(world: ConsoleWorld) -> None:
    shown = text_of(body(world, f"/dag/{dag('acme')}/runs/{quote(RUN_ID, safe='')}"))
    assert "この実行の記録はありません。記録の保存期間（400日）を過ぎたか" in shown
    body(world, f"/dag/{dag('acme')}/runs/nosuch", status=404)


def test_a_run_that_waits_leads_to_its_question(world: ConsoleWorld) -> None:
    """A plan on the page of its link, for those who may see names; what has none, on Airflow's."""
    world.ran("acme", run_id="manual__held", state="running", subject="", asks="approve", run_type="manual", by="yuki")
    shown = body(world, f"/dag/{dag('acme')}")
    assert "要対応（保留）" in shown
    assert f'href="{BASE}/dag/{dag("acme")}/approval/manual__held"' in shown
    airflows = 'data-airflow-page href="/dags/{}/runs/manual__held/tasks/{}/required_actions"'
    assert airflows.format(dag("acme"), "approve") in body(world, f"/dag/{dag('acme')}", "ken")
    assert "回答を待っています" in body(world, f"/dag/{dag('acme')}/runs/manual__held")
    world.ran("beta", run_id="manual__held", state="running", subject="", asks="confirm", run_type="manual", by="yuki")
    assert airflows.format(dag("beta"), "confirm") in body(world, f"/dag/{dag('beta')}")


def test_the_history_draws_each_day_once(world: ConsoleWorld) -> None:
    for day in range(1, 40):
        world.ran("acme", days_ago=day, state="failed" if day == 3 else "success", subject=BAD if day == 3 else OK)
    shown = body(world, f"/dag/{dag('acme')}/runs")
    assert shown.count('<rect class="updated"') == 29  # of 30 days one failed
    assert len(re.findall(r'<text class="bad"[^>]*>✕', shown)) == 1
    assert "有効 30、新規 2、更新 28、削除 1" in shown
    assert body(world, f"/dag/{dag('acme')}/runs?days=90").count('<rect class="updated"') == 39
    assert body(world, f"/dag/{dag('acme')}/runs?days=zwei") == shown
    world.company("gamma", "ガンマ")
    world.door.rights["omar"]["gamma"] = world.door.rights["omar"]["acme"]
    assert "30日以内の実行はありません" in body(world, f"/dag/{dag('gamma')}/runs")


def test_a_tenant_is_found_without_its_links_name(world: ConsoleWorld) -> None:
    answer = world.browser("yuki").get(f"{BASE}/t/acme")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/dag/{dag('acme')}")
