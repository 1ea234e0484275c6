"""LineMessenger against a server on a real socket (N1, L6, L7)."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from renkei.systems import chat
from renkei.systems.delivery import CUT, Delivery, Message, Verdict, utf16_units
from renkei.systems.line.client import LineMessenger, text_of
from tests.harness.patience import within
from tests.unit.systems.line.wire import Seen, Wire, http

TOKEN = "channel+access/token==" * 8
TO = "U" + "0123456789abcdef" * 2
KEY = "123e4567-e89b-12d3-a456-426614174000"
MESSAGE = Message("連携が失敗しました", ("部署 3件", "社員 0件"), "https://airflow.example.jp/runs/1")
SENT = http(200, {"sentMessages": [{"id": "461230966842064897", "quoteToken": "q"}]})
BOT = http(200, {"userId": TO, "basicId": "@216", "displayName": "総務", "chatMode": "bot", "markAsReadMode": "auto"})

Open = Callable[..., Wire]


@pytest.fixture
def wire() -> Iterator[Open]:
    opened: list[Wire] = []

    def start(reply: bytes | tuple[bytes, ...] | Callable[[Seen], bytes | tuple[bytes, ...]]) -> Wire:
        opened.append(Wire(reply if callable(reply) else lambda _: reply))
        return opened[-1]

    yield start
    for each in opened:
        each.__exit__()


def send(url: str, message: Message = MESSAGE, to: str = TO) -> Delivery:
    return LineMessenger(TOKEN, url).send(message, to, KEY)


def test_n1_push_has_token_key_and_text(wire: Open) -> None:
    """N1: one POST, as documented, with the retry key on the first attempt."""
    server = wire(SENT)
    delivery = send(server.url + "/line/")
    [seen] = server.seen
    assert (seen.method, seen.path) == ("POST", "/line/v2/bot/message/push")
    assert seen.headers["authorization"] == f"Bearer {TOKEN}"
    assert seen.headers["x-line-retry-key"] == KEY
    text = "連携が失敗しました\n部署 3件\n社員 0件\n実行結果を開く: https://airflow.example.jp/runs/1"
    assert (seen.json["to"], seen.json["messages"]) == (TO, [{"type": "text", "text": text}])
    assert (delivery.verdict, delivery.status, delivery.message_id) == (Verdict.ACCEPTED, 200, "461230966842064897")


def test_n1_a_refusal_is_lines_own(wire: Open) -> None:
    """N1: status, words and request number."""
    number = "8a5e4a3c-6f2b-4a53-9f0e-1d2c3b4a5968"
    server = wire(http(401, {"message": "Authentication failed due to: no"}, {"X-Line-Request-Id": number}))
    delivery = send(server.url)
    assert (delivery.verdict, delivery.status, delivery.dead) == (Verdict.REFUSED, 401, True)
    assert delivery.reason == f"Authentication failed due to: no (x-line-request-id: {number})"


def test_n1_a_repetition_of_an_accepted_push_is_accepted(wire: Open) -> None:
    """N1: the answer to the first attempt was lost, the second hears 409."""
    first = "11111111-2222-3333-4444-555555555555"
    body = {"message": "The retry key is already accepted", "sentMessages": [{"id": "1"}]}
    server = wire(http(409, body, {"x-line-accepted-request-id": first}))
    assert send(server.url) == Delivery(Verdict.ACCEPTED, 409, message_id=first)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_n1_one_call_is_one_attempt(wire: Open, status: int) -> None:
    """N1: repeating is the caller's: urllib3 does not."""
    server = wire(http(status, {"message": "busy"}))
    assert send(server.url).verdict is Verdict.LATER
    assert len(server.seen) == 1


def test_l7_a_redirect_is_not_followed(wire: Open) -> None:
    """L7: the token would go along."""
    other = wire(SENT)
    server = wire(http(307, "", {"Location": other.url + "/v2/bot/message/push"}))
    assert send(server.url).verdict is Verdict.REFUSED
    assert other.seen == []


@pytest.mark.parametrize(
    "reply",
    [
        http(200, "<html>login</html>", kind="text/html"),
        http(200, "[]"),
        http(200, "null"),
        http(200, {"sentMessages": 5}),
        http(200, {"sentMessages": [{"id": 5}]}),
        http(200, {"sentMessages": []}),
        http(200, "[" * 100_000),
        http(200, b"\xff\xfe\x00"),
        http(200, "{}", kind="application/json; charset=klingon"),
        http(204, ""),
        http(500, b"\xff\xfe\x00"),
        http(200, b"x" * 5_000_000, kind="text/html"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"\x00\x01\x02 what?\r\n\r\n",
        b"",
    ],
    ids=[
        "html",
        "array",
        "null",
        "number of messages",
        "number as id",
        "none sent",
        "deep",
        "binary",
        "charset",
        "empty",
        "binary error",
        "huge",
        "cut off",
        "no http",
        "closed",
    ],
)
def test_n1_whatever_line_does_not_say_is_later(wire: Open, reply: bytes) -> None:
    """N1: an answer that proves nothing is asked for again, which the key makes safe."""
    delivery = send(wire(reply).url)
    assert (delivery.verdict, delivery.dead) == (Verdict.LATER, False)
    assert delivery.reason


def test_n1_nobody_there_is_later(wire: Open) -> None:
    """N1: no connection."""
    with Wire(lambda _: SENT) as gone:
        url = gone.url
    assert send(url).verdict is Verdict.LATER


@pytest.mark.parametrize(
    ("reply", "altogether"),
    [((), 0.5), ((b"HTTP/1.1 200 OK\r\n", *(b"X-Slow: 1\r\n",) * 100), 0.5)],
    ids=["silent", "a byte now and then"],
)
def test_n1_a_server_that_never_answers_is_left(
    wire: Open, monkeypatch: pytest.MonkeyPatch, reply: tuple[bytes, ...], altogether: float
) -> None:
    """N1: bounded in time, silent or not."""
    monkeypatch.setattr(chat, "ANSWER_S", altogether)
    with within(20):
        assert send(wire(reply).url).verdict is Verdict.LATER


def test_n1_an_endless_answer_is_not_read_into_memory() -> None:
    """N1: half a gigabyte a second would go on for as long as anybody reads."""
    sent = 0

    def stream(listener: socket.socket) -> None:
        nonlocal sent
        peer, _ = listener.accept()
        with peer, contextlib.suppress(OSError):
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
            while True:
                sent += peer.send(b" " * 65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=stream, args=(listener,))
        server.start()
        delivery = send(f"http://127.0.0.1:{listener.getsockname()[1]}")
        server.join(20)
    assert delivery.verdict is Verdict.LATER
    assert not server.is_alive()
    assert sent < 20_000_000


@pytest.mark.parametrize("to", ["", "tanaka", "U123", TO.upper(), TO + "\n", "X" + TO[1:], "社員:1"])
def test_n4_what_is_no_line_id_is_not_tried(wire: Open, to: str) -> None:
    """N4: LINE forbids sending to ids that do not exist."""
    server = wire(SENT)
    delivery = send(server.url, to=to)
    assert (delivery.verdict, delivery.dead) == (Verdict.REFUSED, False)
    assert "U と32桁" in delivery.reason
    assert server.seen == []


@pytest.mark.parametrize("token", ["", " abc", "abc\n", "a b", "ａｂｃ", "abc\x00"])
def test_l7_a_token_with_blanks_is_named_and_not_sent(wire: Open, token: str) -> None:
    """L7, N1: what cannot be a token is void, and does not come out."""
    server = wire(SENT)
    for delivery in (LineMessenger(token, server.url).send(MESSAGE, TO, KEY), LineMessenger(token, server.url).check()):
        assert (delivery.verdict, delivery.dead) == (Verdict.REFUSED, True)
        assert "チャネルアクセストークン" in delivery.reason
    assert server.seen == []


def test_n5_check_asks_for_the_bot_and_sends_nothing(wire: Open) -> None:
    """N5: a GET."""
    server = wire(BOT)
    assert LineMessenger(TOKEN, server.url).check() == Delivery(Verdict.ACCEPTED, 200)
    assert [(seen.method, seen.path) for seen in server.seen] == [("GET", "/v2/bot/info")]


def test_n5_check_tells_a_void_token(wire: Open) -> None:
    """N5: 401."""
    assert LineMessenger(TOKEN, wire(http(401, {"message": "no"})).url).check().dead


@pytest.mark.parametrize(
    "reply", [SENT, http(400, {"message": f"bad {TO}"}), http(500, b"\xff"), b""], ids=["sent", "400", "odd", "closed"]
)
def test_l6_l7_nothing_of_it_is_logged(wire: Open, caplog: pytest.LogCaptureFixture, reply: bytes) -> None:
    """L6, L7: no token, no user id, no text in a log, even at DEBUG."""
    caplog.set_level(logging.DEBUG)
    delivery = send(wire(reply).url)
    for secret in (TOKEN, TO, "連携が失敗", "461230966842064897"):
        assert secret not in caplog.text
        assert secret not in delivery.reason
    assert TOKEN not in repr(LineMessenger(TOKEN))


def test_n1_long_text_keeps_its_link() -> None:
    """N1: 5,000 UTF-16 units, in which an emoji is two; what is cut is in the middle."""
    text = text_of(Message("題", tuple("部署😀" * 20 for _ in range(200)), "https://airflow.example.jp/runs/1"))
    assert 4900 < utf16_units(text) <= 5000
    assert text.endswith("\n実行結果を開く: https://airflow.example.jp/runs/1")
    assert CUT in text


def test_n1_an_endless_link_is_left_out() -> None:
    """N1: it would leave no room for the message."""
    assert text_of(Message("題", ("行",), "https://example.jp/" + "a" * 9000)) == "題\n行"


def test_n1_what_no_service_can_take_is_replaced(wire: Open) -> None:
    """N1: lone surrogates and control characters; 4-byte characters stay."""
    server = wire(SENT)
    assert send(server.url, Message("𠮷野\ud800\x00\r\n終")).accepted
    assert server.seen[0].json["messages"][0]["text"] == "𠮷野\ufffd\n終"
