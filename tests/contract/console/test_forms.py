"""What a page of ours sends is done once; what another page, or nobody, sends is refused."""

from __future__ import annotations

import asyncio
import threading

import pytest

from renkei.errors import StoreError
from renkei.orchestration.web.knowledge import AirflowKnowledge
from renkei.web.console.app import MOST_BYTES
from tests.contract.console.world import BASE, PAGES, POSTS, ConsoleWorld, OffTheLoop, body, dag


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
    knowledge, real = world.services.knowledge, AirflowKnowledge._snapshot
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

    async def start(*_: object, **__: object) -> str:
        monkeypatch.setattr(AirflowKnowledge, "_snapshot", slow)
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
        patch.setattr(AirflowKnowledge, "_snapshot", broken)
        patch.setattr("renkei.orchestration.web.companies.FRESH_S", 1_000.0)
        world.services.knowledge.changed()
        assert "保存先を読み取れません。" in body(world, "/", status=503)
        assert "保存先を読み取れません。" in body(world, "/", status=503)
    assert len(looks) == 1
    world.services.knowledge.changed()
    body(world, "/")


@pytest.mark.parametrize(
    ("form", "done"), [({"unpause": "1"}, [("pause", dag("held"), False)]), ({}, [])], ids=["unpaused", "left paused"]
)
def test_a_paused_company_is_run_by_one_click(
    world: ConsoleWorld, form: dict[str, str], done: list[tuple[object, ...]]
) -> None:
    """Its run would wait in Airflow for ever; asked for first, it comes before a tick that the pause had kept back."""
    world.company("held", "一時停止の会社", paused=True)
    world.door.rights["yuki"]["held"] = world.door.rights["yuki"]["acme"]
    path = f"/dag/{dag('held')}/run"
    assert 'name="unpause" value="1" checked' in body(world, path, "yuki")
    world.browser("yuki").post(BASE + path, data={"mode": "CHECK_ONLY", **form, "token": world.token("yuki")})
    assert world.hands.done == [("start", dag("held"), "CHECK_ONLY"), *done]


def test_a_run_that_a_pause_keeps_waiting_says_so_and_is_looked_at_again_by_itself(world: ConsoleWorld) -> None:
    world.company("held", "一時停止の会社", paused=True)
    world.door.rights["yuki"]["held"] = world.door.rights["yuki"]["acme"]
    for company, words in (("held", "一時停止中のため、始まりません。"), ("acme", "まだ終わっていません。")):
        run = world.ran(company, state="queued", subject="", said={}, run_id="manual__1")
        shown = body(world, f"/dag/{dag(company)}/runs/{run}", "yuki")
        assert words in shown
        assert f'hx-get="{BASE}/dag/{dag(company)}/runs/{run}" hx-trigger="every 5s"' in shown
    assert "hx-trigger" not in body(world, f"/dag/{dag('acme')}/runs/{world.ran('acme', days_ago=1)}", "yuki")
