"""Every chat service through `Notifier`, answered by somebody who means harm, or by nobody at all (N1, N3, L6, L7).

The services speak from raw sockets: what they send is bytes, not what a web server would let pass. The seconds that
clients wait are a fraction of the real ones; the proportions are kept, and the real ones are checked by themselves.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fsspec.implementations.local import LocalFileSystem

from renkei.channel import Channel, Event, Service
from renkei.errors import ConnectionError_
from renkei.notifications import deliver
from renkei.notifications.deliver import DeliveryResult, Notifier, OpenedChannel
from renkei.notifications.delivery_log import DeliveryLog
from renkei.notifications.messengers import messenger
from renkei.notifications.registration import Registration, register
from renkei.notifications.state import ChannelStates
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems import chat as asking
from renkei.systems.delivery import Message, Verdict
from renkei.systems.lineworks import api as lineworks
from tests.harness.chat import Chat
from tests.harness.hostile import MARK, Hostile, Play, drip, hang, http, said
from tests.harness.patience import within

MESSAGE = Message("【失敗】SmartHR → EMC: acme", ("氏名: 値がありません 3件",), "https://airflow.example/runs/1")
FASTER = 10  # times, where seconds pass
# Secret paths of each service below a base, and 送信先.
WAYS: dict[Service, tuple[dict[str, str], str]] = {
    Service.SLACK_WEBHOOK: ({"url": f"/services/T0/B0/{MARK}slackwebhook"}, ""),
    Service.SLACK_BOT: ({"token": f"xoxb-{MARK}-bot", "base_url": "/api/"}, "U0SIM0001"),
    Service.CHATWORK: ({"token": f"{MARK}chatwork", "base_url": "/v2"}, "100000001"),
    Service.TEAMS: ({"url": f"/workflows/1/triggers/manual/paths/invoke?sig={MARK}teams"}, ""),
    Service.LINEWORKS: (
        {
            "client_id": "client",
            "client_secret": f"{MARK}works",
            "service_account": "x.serviceaccount@acme",
            "private_key": "",
            "bot_id": "1",
            "base_url": "",
        },
        "soumu@acme",
    ),
    Service.GOOGLE_CHAT: ({"url": f"/v1/spaces/A/messages?key={MARK}key&token={MARK}google"}, ""),
    Service.LINE: ({"token": f"{MARK}line", "base_url": ""}, "U" + "0123456789abcdef" * 2),
}
SERVICES = list(WAYS)


@pytest.fixture
def elsewhere() -> Iterator[Hostile]:
    """Another host, to which no request may ever come."""
    with closing(Hostile()) as server:
        yield server


@pytest.fixture(scope="module")
def private_key(chat_process: Chat) -> str:
    return str(chat_process.registrations["lineworks"]["private_key"])


@dataclass
class Scene:
    """A tenant with a channel of some services at a base URL, over a real store."""

    folder: Path
    private_key: str

    def registration(self, service: Service, base: str, **instead: str) -> Registration:
        values = {
            key: base + text if key in ("url", "base_url") else text for key, text in WAYS[service][0].items()
        } | instead
        if "private_key" in values:
            values["private_key"] = self.private_key
        return register(service, values, {"127.0.0.1"}, "the Connection")

    def tell(
        self, base: str, *services: Service, message: Message = MESSAGE, run: str = "run-1"
    ) -> list[DeliveryResult]:
        channels = [Channel(service.value, service, "c", WAYS[service][1]) for service in services]

        def opened(channel: Channel) -> OpenedChannel:
            registration = self.registration(channel.service, base)
            return OpenedChannel(messenger(registration), channel.to, registration.digest(channel.to))

        record = RunRecord(TenantFolder(self.store, "smarthr_emc", "acme"), run)
        deliveries = DeliveryLog(ChannelStates(TenantFolder(self.store, "smarthr_emc", "acme")), record)
        return Notifier("acme", opened, deliveries, lambda: dt.datetime.now(dt.UTC), 5).tell(
            channels, Event.FAILURE, message, f"key of {run}", run
        )

    @property
    def store(self) -> Store:
        return Store(LocalFileSystem(), str(self.folder))

    def kept(self) -> str:
        """Everything the store holds, and the names of it."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        assert files, "nothing is kept, so nothing would be searched"
        return "\n".join(f"{path}\n{path.read_text(encoding='utf-8')}" for path in files)


@pytest.fixture
def scene(memory_path: Path, private_key: str, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Time passes FASTER."""
    for module, names in (
        (asking, ("CONNECT_S", "ANSWER_S")),
        (lineworks, ("ALTOGETHER_S",)),
        (deliver, ("PATIENCE_S", "SENDING_S")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name) / FASTER)
    pause = deliver._pause
    monkeypatch.setattr(deliver, "_pause", lambda call: pause(call) / FASTER)
    return Scene(memory_path, private_key)


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "urllib3")


def check_secrecy(scene: Scene, caplog: pytest.LogCaptureFixture, told: list[DeliveryResult]) -> None:
    """L7: no secret in log, reason or store."""
    logged = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    assert "notify channel=" in logged
    for text in (logged, *(str(one.delivery) for one in told), scene.kept()):
        assert MARK not in text
        assert "PRIVATE KEY" not in text


ECHO = f"secret {MARK} https://hooks.slack.com/services/T0/B0/{MARK}slackwebhook Bearer {MARK}line xoxb-{MARK}-bot"
DEEP = b"[" * 30_000 + b"]" * 30_000
BOMB = gzip.compress(b"\0" * 50_000_000)
# What a service does → the verdicts that are allowed. Never ACCEPTED, and LATER only where nothing can arrive twice.
SURE, OPEN, AGAIN = {Verdict.REFUSED}, {Verdict.UNKNOWN}, {Verdict.LATER}
PLAYS: dict[str, tuple[Play, set[Verdict]]] = {
    "hangs": (hang, OPEN),
    "drops after reading": (lambda caller: None, OPEN),
    "resets": (lambda c: c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"), OPEN),
    "speaks no HTTP": (lambda c: c.sendall(b"220 mail.example ESMTP\r\n"), OPEN),
    "cuts its answer": (lambda c: c.sendall(http("200 OK", b"x" * 90)[:-40]), OPEN),
    "drips headers": (drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", 0.05), OPEN),
    "endless headers": (drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 5000, 0), OPEN),
    "drips a body": (drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x", 0.05), OPEN),
    "endless body": (drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n", 0), OPEN),
    "endless continue": (drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02), OPEN),
    "gzip bomb": (said("200 OK", BOMB, "Content-Encoding: gzip", "Content-Type: application/json"), OPEN),
    "gzip bomb in a bomb": (said("200 OK", gzip.compress(BOMB), "Content-Encoding: gzip, gzip"), OPEN),
    "false gzip": (said("200 OK", b"plain", "Content-Encoding: gzip"), OPEN),
    "packed otherwise": (said("200 OK", b'{"ok": true}', "Content-Encoding: br"), OPEN),
    "two lengths": (lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"), OPEN),
    "page of a proxy": (said("200 OK", b"<html>Sign in", "Content-Type: text/html"), OPEN),
    "huge page": (said("200 OK", b"<html>" + b"x" * 5_000_000, "Content-Type: text/html"), OPEN),
    "list": (said("200 OK", b"[]", "Content-Type: application/json"), OPEN),
    "deep": (said("200 OK", DEEP, "Content-Type: application/json"), OPEN),
    "no JSON": (said("200 OK", b'{"ok": tru', "Content-Type: application/json"), OPEN),
    "not UTF-8": (said("200 OK", b'{"ok": "\xff\xfe"}', "Content-Type: application/json"), OPEN),
    "other types": (
        said(
            "200 OK",
            b'{"ok": "true", "ts": [], "message_id": {}, "name": 1, "sentMessages": "x", "error": ["a"]}',
            "Content-Type: application/json",
        ),
        OPEN,
    ),
    "500 that quotes": (said("500 Oops", json.dumps({"message": ECHO, "error": ECHO}).encode()), OPEN),
    "400 that quotes": (
        said(
            "400 Bad",
            json.dumps({"message": ECHO, "errors": [ECHO], "error": {"status": "X", "message": ECHO, "code": ECHO}}).encode(),
            f"X-Echo: {MARK}",
            f"x-line-request-id: {MARK}",
        ),
        SURE,
    ),
    "400 with odd words": (said("400 Bad", b'{"message": {"a": 1}, "errors": 5, "error": [[]], "code": null}'), SURE),
    "999": (said("999 What"), SURE | OPEN),
}  # fmt: skip
SLOW = ("hangs", "drips headers", "drips a body", "endless continue")
LINE_PATH = "/v2/bot/message/push"
FOR_LINE = {Verdict.UNKNOWN: Verdict.LATER}  # it takes a key: whatever is open may be repeated
WHOLE_ANSWERS_OF_TEAMS = (
    "list",
    "no JSON",
    "not UTF-8",
    "other types",
    "false gzip",
    "deep",
)  # 200 is all that Teams says


@pytest.mark.parametrize("play", SLOW)
def test_n3_services_that_take_all_the_time_there_is_are_as_many_failed_channels(
    scene: Scene, hostile: Hostile, caplog: pytest.LogCaptureFixture, play: str
) -> None:
    """N3, L7: as below, all of them at once, for each takes its seconds."""
    hostile.play, allowed = PLAYS[play]
    with within(45 / FASTER + 3):
        told = scene.tell(hostile.url, *SERVICES)
    assert len(told) == len(SERVICES)
    for one in told:
        check_failure(one, allowed)
    sent = Counter(path(request) for request in hostile.seen)
    assert all(count <= (deliver.TRIES if place == LINE_PATH else 1) for place, count in sent.items())
    assert len(sent) == len(SERVICES) + 1  # and LINE WORKS' token
    check_secrecy(scene, caplog, told)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("play", [play for play in PLAYS if play not in SLOW])
def test_n3_service_that_means_harm_is_one_failed_channel(
    scene: Scene, hostile: Hostile, caplog: pytest.LogCaptureFixture, service: Service, play: str
) -> None:
    """N3, L7: an answer in time, never "delivered", repeated only where that is safe; no secret anywhere."""
    hostile.play, allowed = PLAYS[play]
    with within(45 / FASTER + 3):
        (told,) = scene.tell(hostile.url, service)
    if service is Service.TEAMS and play in WHOLE_ANSWERS_OF_TEAMS:
        allowed = allowed | {Verdict.ACCEPTED}
    check_failure(told, allowed)
    sent = [request for request in hostile.seen if "/oauth2/" not in path(request)]
    assert len(sent) <= (deliver.TRIES if service is Service.LINE else 1)
    check_secrecy(scene, caplog, [told])


def check_failure(told: DeliveryResult, allowed: set[Verdict]) -> None:
    if told.channel.service is Service.LINE:
        allowed = {FOR_LINE.get(verdict, verdict) for verdict in allowed}
    assert told.delivery is not None
    assert told.delivery.verdict in allowed, (told.channel.service, told.delivery)
    assert not told.delivery.dead


def path(request: bytes) -> str:
    """Of a request, without what may be secret in a query."""
    return request.split(b" ", 2)[1].partition(b"?")[0].decode()


@pytest.mark.parametrize(
    ("service", "name", "secret"),
    [
        (Service.LINEWORKS, "client_secret", "kQ7w_short"),  # ten characters: it looks like a word
        (Service.SLACK_BOT, "token", "xoxb-1-short"),
        (Service.CHATWORK, "token", "kq7w0short"),
        (Service.LINE, "token", "kq7w0short"),
        (Service.TEAMS, "url", "/workflows/1/triggers/manual/paths/invoke?sig=kq7w0_short-0"),
        (Service.GOOGLE_CHAT, "url", "/v1/spaces/A/messages?key=kq7w0_short-0&token=kq7w0_short-1"),
    ],
)  # fmt: skip
def test_l7_short_secret_that_the_service_repeats_is_not_in_the_reason(
    scene: Scene, hostile: Hostile, service: Service, name: str, secret: str
) -> None:
    """L7: no rule about lengths and looks tells a short secret from a word; who sends it knows it."""
    text = f"no such thing: {secret.rpartition('=')[2]}, sorry"
    everywhere = {"message": text, "errors": [text], "error": {"status": "X", "message": text}, "description": text}
    hostile.play = said("400 Bad", json.dumps(everywhere).encode())
    registration = scene.registration(service, hostile.url, **{name: (hostile.url if name == "url" else "") + secret})
    for answer in (messenger(registration).send(MESSAGE, WAYS[service][1], "k"), messenger(registration).check()):
        assert "short" not in answer.reason


@pytest.mark.parametrize("service", SERVICES)
def test_n1_connection_that_is_cut_before_the_request_is_not_called_delivered(
    scene: Scene, hostile: Hostile, caplog: pytest.LogCaptureFixture, service: Service
) -> None:
    """N1: the caller is hung up on; what was on its way may have been read."""
    hostile.early, hostile.play = True, lambda caller: None
    (told,) = scene.tell(hostile.url, service)
    assert told.delivery is not None
    assert told.delivery.verdict in OPEN | AGAIN
    check_secrecy(scene, caplog, [told])


def test_n1_port_that_nobody_listens_to_is_tried_again_and_left(
    scene: Scene, caplog: pytest.LogCaptureFixture, closed_port: int
) -> None:
    """N1: nothing was sent, so Airflow may repeat the task; the channel counts one failed run."""
    told = scene.tell(f"http://127.0.0.1:{closed_port}", *SERVICES)
    found = {one.channel.service: (one.delivery and one.delivery.verdict, one.worth_repeating) for one in told}
    assert found == dict.fromkeys(SERVICES, (Verdict.LATER, True))
    check_secrecy(scene, caplog, told)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "value",
    ["-1", "0", "1000000000", "9" * 400, "soon", "", "1e9", "٣", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "\xff"],
)  # fmt: skip
def test_n1_retry_after_of_any_kind_holds_nobody_up(
    scene: Scene, hostile: Hostile, service: Service, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N1: at most three tries, and what asks for more than our patience is left to the task's own repetition."""
    naps: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", naps.append)
    plain = value.encode("utf-8").decode("latin-1")
    hostile.play = said("429 Slow", b"{}", f"Retry-After: {plain}", f"x-ratelimit-reset: {plain}")
    (told,) = scene.tell(hostile.url, service)
    assert told.delivery is not None
    assert (told.delivery.verdict, told.delivery.dead) == (Verdict.LATER, False)
    assert len(hostile.seen) <= 2 * deliver.TRIES
    assert all(0 <= nap <= deliver.PATIENCE_S for nap in naps)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_l7_redirect_is_never_followed(
    scene: Scene, hostile: Hostile, elsewhere: Hostile, caplog: pytest.LogCaptureFixture, service: Service, status: int
) -> None:
    """L7: the other host sees not even a connection, whoever sends the secret there."""
    away = f"{elsewhere.url}/{MARK}"
    headers = (f"Location: {away}", f"Refresh: 0; url={away}", f'Link: <{away}>; rel="next"', f'Alt-Svc: h2="{away}"')
    for hostile.gives_tokens in (True, False) if service is Service.LINEWORKS else (True,):
        hostile.play = said(
            f"{status} Elsewhere", f'<meta http-equiv="refresh" content="0; url={away}">'.encode(), *headers
        )
        told = scene.tell(hostile.url, service, run=f"run-{hostile.gives_tokens}")
        assert not [one for one in told if not one.failed]
        check_secrecy(scene, caplog, told)
    assert hostile.seen
    assert elsewhere.callers == 0


@pytest.mark.parametrize("service", SERVICES)
def test_l7_machine_s_proxy_and_netrc_are_not_used(
    scene: Scene,
    hostile: Hostile,
    elsewhere: Hostile,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """L7: no secret goes through what the environment names."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, elsewhere.url)
        monkeypatch.setenv(name.lower(), elsewhere.url)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    scene.tell(hostile.url, service)
    assert hostile.seen
    assert elsewhere.callers == 0
    assert not [request for request in hostile.seen if b"Basic " in request]


def test_l7_host_with_a_certificate_of_its_own_making_learns_nothing(
    scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """L7: the connection ends before the first byte of the request."""
    with closing(Hostile(_self_signed(tmp_path))) as server:
        told = scene.tell(server.url, *SERVICES)
        assert server.callers >= len(SERVICES)
        assert server.seen == []
    found = {one.channel.service: one.delivery and one.delivery.verdict for one in told}
    assert found == dict.fromkeys(SERVICES, Verdict.LATER)
    check_secrecy(scene, caplog, told)


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "both.pem"
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(*plain) + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize(
    "inside", ["\r\nX-Evil: 1", "\nX-Evil: 1", "\x00", "\u2028X", "\u200b", "é", "\ud800"], ids=ascii
)
@pytest.mark.parametrize(
    ("service", "name"),
    [(service, name) for service in SERVICES for name in WAYS[service][0] if name not in ("private_key", "base_url", "bot_id")],
)  # fmt: skip
def test_l7_secret_with_a_line_end_never_becomes_a_header(
    scene: Scene, hostile: Hostile, service: Service, name: str, inside: str
) -> None:
    """L7: found when the Connection is read, and by the client itself should it ever get there."""
    base = hostile.url if name == "url" else ""
    bad = f"{base}{WAYS[service][0][name]}{inside}end"
    with pytest.raises(ConnectionError_) as caught:
        scene.registration(service, hostile.url, **{name: bad})
    assert MARK not in str(caught.value)
    good = scene.registration(service, hostile.url)
    messenger(Registration(service, {**good.fields, name: bad})).send(MESSAGE, WAYS[service][1], "k")
    assert not [request for request in hostile.seen if b"x-evil:" in request.partition(b"\r\n\r\n")[0].lower()]


@pytest.mark.parametrize("key", ["not a uuid", "k\r\nX-Evil: 1"])
def test_l7_recipient_or_key_with_a_line_end_never_becomes_a_header(scene: Scene, hostile: Hostile, key: str) -> None:
    """L7: 送信先 and key come from elsewhere than the Connection."""
    for service in SERVICES:
        one = messenger(scene.registration(service, hostile.url))
        for to in (WAYS[service][1], f"{WAYS[service][1]}\r\nX-Evil: 1", "../../x?y#z", ""):
            one.send(MESSAGE, to, key)
    heads = [request.partition(b"\r\n\r\n")[0] for request in hostile.seen]
    assert heads
    assert not [head for head in heads if b"x-evil:" in head.lower() or b"/../" in head]


def test_n3_all_hang_at_the_same_time(scene: Scene, hostile: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    """N3: all services hang, LINE WORKS from its token on: together less than 45 s, each counted once."""
    hostile.play, hostile.gives_tokens = hang, False
    with within(45 / FASTER + 3):
        told = scene.tell(hostile.url, *SERVICES)
    assert len(told) == len(SERVICES)
    assert not [one for one in told if not one.failed]
    states = ChannelStates(TenantFolder(scene.store, "smarthr_emc", "acme"))
    found = [states.read(one.channel) for one in told]
    assert {(state.failures, state.disabled) for state in found} == {(1, False)}
    check_secrecy(scene, caplog, told)


def test_n3_the_seconds_of_a_send_are_few() -> None:
    """N3: none of the real constants is what a test has made of it."""
    assert asking.CONNECT_S + asking.ANSWER_S <= 20
    assert lineworks.ALTOGETHER_S <= 20
    assert (deliver.TRIES, deliver.PATIENCE_S, deliver.SENDING_S) == (3, 30, 90)
