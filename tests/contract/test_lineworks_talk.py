"""LINE WORKS' simulator as the sender of callbacks: signed, repeated, late, of every kind; and the page to talk on."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from renkei.inbox.inbox import Inbox
from renkei.inbox.tables import State
from renkei.storage.database.database import open_database
from renkei.systems.lineworks.callback import event_of, is_signed
from tests.contract.test_lineworks_simulator import Bot, text
from tests.harness.chat import Chat
from tests.harness.inbox_programs import LINK, PLAIN, TENANT
from tests.harness.public_service import PATH, SECRET, PublicService


class Receiver:
    """A Callback URL: keeps what arrives and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.arrived: queue.Queue[tuple[bytes, dict[str, str]]] = queue.Queue()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.arrived.put((body, {name.lower(): value for name, value in self.headers.items()}))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/callback"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def all(self) -> list[tuple[bytes, dict[str, str]]]:
        """What has arrived: the simulator's answer comes after the last delivery."""
        return [self.arrived.get_nowait() for _ in range(self.arrived.qsize())]


@pytest.fixture
def receiver(chat: Chat) -> Iterator[Receiver]:
    receiver = Receiver()
    chat.sim("POST", "lineworks", {"callback_url": receiver.url})
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def bot(chat: Chat) -> Bot:
    return Bot(chat)


def test_p11_callback_is_signed_over_its_bytes(chat: Chat, receiver: Receiver, bot: Bot) -> None:
    at = "2026-11-30T09:00:59.716+09:00"
    (said,) = chat.say({"text": "出勤😀", "issued_at": at})

    ((body, headers),) = receiver.all()
    secret = bot.registration["bot_secret"]
    assert is_signed(body, headers["x-works-signature"].encode(), [secret])
    assert (headers["x-works-botid"], headers["content-type"]) == (bot.id, "application/json; charset=UTF-8")
    assert json.loads(body) == {
        "type": "message",
        "source": {"userId": bot.users["sato@acme.example"], "domainId": 40029600},
        "issuedTime": "2026-11-30T00:00:59.716Z",
        "content": {"type": "text", "text": "出勤😀"},
    }
    assert said["heard"] == [{"status": 200, "error": ""}]


def test_callbacks_are_wrongly_signed_and_repeated_on_order(chat: Chat, receiver: Receiver, bot: Bot) -> None:
    chat.say(
        {"text": "a", "signed": "wrong"},
        {"text": "b", "signed": "missing"},
        {"text": "c", "times": 3},
        {"text": "d", "issued_at": "2026-04-01T00:00:00Z"},
    )

    arrived = receiver.all()
    secret = bot.registration["bot_secret"]
    rightly = [is_signed(body, headers.get("x-works-signature", "").encode(), [secret]) for body, headers in arrived]
    assert rightly == [False, False, True, True, True, True]
    assert len({body for body, _ in arrived[2:5]}) == 1, "the same to the byte"
    times = [json.loads(body)["issuedTime"] for body, _ in arrived]
    assert times[5] < times[4], "out of order"


def test_p11_other_kinds_of_events_are_sent(chat: Chat, receiver: Receiver, bot: Bot) -> None:
    chat.say(
        {"text": "出勤", "channel": "room-1"},
        {"content": {"type": "sticker", "packageId": "1", "stickerId": "2"}},
        {"type": "postback", "more": {"data": "kind=1"}},
        {"type": "joined", "user": "", "channel": "room-1", "more": {"members": ["u1"]}},
        {"type": "reacted"},
    )

    bodies = [body for body, _ in receiver.all()]
    events = [event_of(body) for body in bodies]
    assert [one and one.channel_id for one in events] == ["room-1", "", "", None, None]
    assert json.loads(bodies[2])["data"] == "kind=1"
    assert json.loads(bodies[3])["source"] == {"channelId": "room-1", "domainId": 40029600}


def test_callback_that_fails_is_not_sent_again(chat: Chat, receiver: Receiver, closed_port: int) -> None:
    receiver.status = 503
    (said,) = chat.say({"text": "出勤"})
    assert (said["heard"], len(receiver.all())) == ([{"status": 503, "error": ""}], 1)

    chat.sim("POST", "lineworks", {"callback_url": f"http://127.0.0.1:{closed_port}/callback"})
    (said,) = chat.say({"text": "出勤"})
    assert said["heard"][0]["status"] is None
    assert "届いていません（503）" in httpx.get(f"{chat.url}/talk/lineworks", timeout=20).text


def test_a_person_types_presses_the_menu_and_reads_the_answer(chat: Chat, receiver: Receiver, bot: Bot) -> None:
    action = {"type": "message", "label": "出勤", "text": "出勤\nします", "postback": "kind=1"}
    assert (
        bot.call("POST", f"/bots/{bot.id}/persistentmenu", json={"content": {"actions": [action]}}).status_code == 201
    )
    page = f"{chat.url}/talk/lineworks?user=sato@acme.example"
    with httpx.Client(timeout=20, follow_redirects=True) as person:
        person.post(page, data={"text": "退勤 <script>"})
        pressed = person.get(page).text.partition('name="action" value="')[2].partition('"')[0].replace("&#34;", '"')
        person.post(page, data={"user": "sato@acme.example", "action": pressed})
        person.post(page, data={"text": " "})
        bot.send(text("9:00 出勤を記録しました"))
        shown = person.get(page).text

    said = [json.loads(body)["content"] for body, _ in receiver.all()]
    assert said == [
        {"type": "text", "text": "退勤 <script>"},
        {"type": "text", "text": "出勤 します", "postback": "kind=1"},
    ]
    assert shown.index("退勤 &lt;script&gt;") < shown.index("出勤 します") < shown.index("9:00 出勤を記録しました")
    assert "まだ何も話していません" in httpx.get(f"{chat.url}/talk/lineworks?user=suzuki@acme.example").text


def test_p18_menu_has_four_buttons_at_most(bot: Bot) -> None:
    path = f"/bots/{bot.id}/persistentmenu"
    button = {"type": "message", "label": "出勤"}
    read = bot.token("bot.read")
    assert bot.call("GET", path, read).status_code == 404
    assert bot.call("POST", path, read, {"content": {"actions": [button]}}).status_code == 403
    for actions in (
        [],
        [button] * 5,
        [{"type": "postback", "label": "a", "data": "b"}],
        [{**button, "text": "あ" * 301}],
    ):
        assert bot.call("POST", path, json={"content": {"actions": actions}}).json()["code"] == "INVALID_PARAMETER"
    assert bot.call("POST", path, json={"content": {"actions": [button] * 4}}).status_code == 201
    assert bot.call("GET", path, read).json() == {"content": {"actions": [button] * 4}}
    assert bot.call("DELETE", path).status_code == 204
    assert bot.call("GET", path, read).status_code == 404


def test_p1_scopes_of_the_help_page_find_a_user_by_mail(chat: Chat, bot: Bot) -> None:
    chat.sim("POST", "lineworks", {"scopes": ["bot", "bot.read", "user.email.read"]})

    found = bot.call("GET", "/users/sato%40acme.example", bot.token("bot bot.read user.email.read")).json()

    assert (found["userId"], set(found)) == (bot.users["sato@acme.example"], {"domainId", "userId", "email"})


def test_members_who_left_or_wait_get_no_message(chat: Chat, bot: Bot) -> None:
    users = [
        {"userId": "gone", "email": "gone@acme.example", "name": "元 社員", "isDeleted": True},
        {"userId": "new", "email": "new@acme.example", "name": "新 社員", "isPending": True},
    ]
    chat.sim("POST", "lineworks", {"users": users})

    assert [bot.send(text(), f"users/{name}").status_code for name in ("gone", "new")] == [404, 403]
    token = bot.token("user.read")
    seen = [bot.call("GET", f"/users/{name}", token).json() for name in ("gone", "new@acme.example")]
    assert [(one["isDeleted"], one["isPending"]) for one in seen] == [(True, False), (False, True)]


def test_limit_of_the_paid_plans_is_set(chat: Chat, bot: Bot) -> None:
    """240 in reality; the headers tell."""
    chat.sim("POST", "lineworks", {"per_minute": 240})

    assert bot.send(text()).headers["rateLimit-limit"] == "240"


def test_p11_what_is_typed_reaches_the_inbox_of_the_public_service(chat: Chat, tmp_path: Path) -> None:
    """P13: three times the same is one; a wrong signature is refused, a group talk and unknown events are answered."""
    database = f"sqlite:///{tmp_path}/renkei.db"
    with PublicService.start(database) as service:
        chat.sim("POST", "lineworks", {"callback_url": service.url + PATH, "bot_secret": SECRET})
        said = chat.say(
            {"text": "出勤😀", "times": 3},
            {"text": "退勤", "signed": "wrong"},
            {"text": "出勤", "channel": "room-1"},
            {"content": {"type": "sticker", "packageId": "1", "stickerId": "2"}},
            {"type": "reacted"},
        )

    assert [[one["status"] for one in each["heard"]] for each in said] == [[200, 200, 200], [401], [200], [200], [200]]
    inbox = Inbox(open_database(database), PLAIN, LINK, TENANT)
    kept = [json.loads(one.body())["content"]["type"] for one in inbox.listed(State.WAITING, 8)]
    assert kept == ["text", "sticker"]
