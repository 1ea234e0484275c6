"""A server on a real socket that answers whatever bytes a test gives it, or nothing at all."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def http(status: int, body: Any = "", headers: dict[str, str] | None = None, kind: str = "application/json") -> bytes:
    """An answer as bytes; a body that is neither text nor bytes goes as JSON."""
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = {"Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + content


class Wire:
    """Answers each request with `reply(seen)`: bytes, () for silence, or parts of a tenth of a second each."""

    def __init__(self, reply: Callable[[Seen], bytes | tuple[bytes, ...]]) -> None:
        self.reply = reply
        self.seen: list[Seen] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # else a waiting accept() keeps the port open
        for each in [self._listener, *self._open]:
            each.close()

    def _run(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        try:
            seen = _read(peer)
            self.seen.append(seen)
            reply = self.reply(seen)
            if reply == ():
                return  # and the connection stays open
            for part in (reply,) if isinstance(reply, bytes) else reply:
                peer.sendall(part)
                if not isinstance(reply, bytes):
                    time.sleep(0.1)
            peer.close()
        except OSError:
            return  # the client has gone


def _read(peer: socket.socket) -> Seen:
    received = b""
    while b"\r\n\r\n" not in received:
        received += peer.recv(65536) or _gone()
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += peer.recv(65536) or _gone()
    method, path, _ = first.split(" ")
    return Seen(method, path, headers, body)


def _gone() -> bytes:
    raise OSError
