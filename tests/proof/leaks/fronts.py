"""What stands before the simulators: a mail server, ports that nobody may call, fronts that quote what they know."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from tests.proof.leaks.marks import ASCII_QUOTE


@dataclass(frozen=True)
class Letter:
    """A mail that went out."""

    tenants: tuple[str, ...]
    subject: str
    body: str
    raw: bytes


class Sink:
    """A mail server that asks for a password and quotes what it knows when it refuses."""

    def __init__(self) -> None:
        self.mails: list[Letter] = []
        self.refuses_login = False

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, login: Any) -> AuthResult:
        assert isinstance(login, LoginPassword)
        known = login.password == b"SMTPZQ-secret" and not self.refuses_login
        return AuthResult(success=known, handled=known)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:
        if address.startswith("smtp@"):
            return f"550 5.1.1 <{address}> {ASCII_QUOTE}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        message = message_from_bytes(raw, policy=policy.default)
        part = message.get_body(("plain",))
        tenants = tuple(address.partition("@")[0] for address in envelope.rcpt_tos)
        self.mails.append(Letter(tenants, str(message["Subject"]), part.get_content() if part else "", raw))
        return "250 OK"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a front says in place of the system behind it, to requests whose path has `path` in it."""

    path: str
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Front(ThreadingHTTPServer):
    """Stands before a simulator; for the tokens in `orders` it gives other answers, or adds headers to true ones.

    Below `/t/<tenant>`, which the simulator does not see, that name and the two next parts of the path stand for the
    token.
    """

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _FrontRequest)
        self.upstream = upstream
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.orders: dict[str, Reply] = {}
        self.link = ""  # of every true answer
        self.tokens: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _FrontRequest(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.server.tokens.append(token)
        who, path = token, self.path
        if path.startswith("/t/"):
            who = "/".join(path.split("/")[2:5])
            path = "/" + path.split("/", 3)[3]
        order = self.server.orders.get(who)
        if order is not None and order.path in f"{self.command} {path}":
            self._send(order.status, order.body.replace(b"%TOKEN%", token.encode()), order.headers)
            return
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "accept-encoding", "connection")}
        url = self.server.upstream + path
        with requests.Session() as session:
            session.trust_env = False
            found = session.request(self.command, url, data=body, headers=headers, timeout=60, allow_redirects=False)
        kept = {k: v for k, v in found.headers.items() if k.lower().startswith("x-") or k.lower() == "content-type"}
        self._send(found.status_code, found.content, kept | ({"Link": self.server.link} if self.server.link else {}))

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""
