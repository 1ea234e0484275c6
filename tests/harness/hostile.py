"""A server that means harm: it speaks from a raw socket, and what it sends is bytes, not what a web server would let pass."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress

MARK = "ZQHimitsu0123456789abcdef0123456789"  # in every secret; as long as they are
Play = Callable[[socket.socket], None]


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def said(status: str, body: bytes = b"", *headers: str) -> Play:
    return lambda caller: caller.sendall(http(status, body, *headers))


def drip(first: bytes, part: bytes, pause_s: float) -> Play:
    """`first`, then `part` again and again for as long as anybody listens."""

    def play(caller: socket.socket) -> None:
        caller.sendall(first)
        while True:
            caller.sendall(part)
            time.sleep(pause_s)

    return play


def hang(caller: socket.socket) -> None:
    caller.settimeout(60)
    caller.recv(1)  # nothing comes; ends when the client has gone


TOKEN_ANSWER = json.dumps({"access_token": f"{MARK}access", "expires_in": "3600"}).encode()


class Port:
    """A port that counts who calls, and hangs up."""

    def __init__(self) -> None:
        self.callers = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.callers += 1
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        caller.close()

    def close(self) -> None:
        self._socket.close()


class Hostile(Port):
    """Answers each request with `play`, once the request is read; `early` at once. LINE WORKS' token is given freely."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.play: Play = said("200 OK")
        self.early, self.gives_tokens, self._tls = False, True, tls
        self.seen: list[bytes] = []
        super().__init__()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def _serve(self, caller: socket.socket) -> None:
        with suppress(OSError, ValueError), caller:
            if self._tls:
                caller = self._tls.wrap_socket(caller, server_side=True)
            if not self.early:
                request = _read(caller)
                self.seen.append(request)
                if self.gives_tokens and b"/oauth2/v2.0/token" in request.partition(b"\r\n")[0]:
                    caller.sendall(http("200 OK", TOKEN_ANSWER, "Content-Type: application/json"))
                    return
            self.play(caller)


def _read(caller: socket.socket) -> bytes:
    """One request, whole."""
    content = b""
    while b"\r\n\r\n" not in content:
        if not (part := caller.recv(65536)):
            return content
        content += part
    head, _, body = content.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length and (part := caller.recv(65536)):
        body += part
    return head + b"\r\n\r\n" + body
