"""The process that serves the app."""

from __future__ import annotations

import socket

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 1_000  # at once, each with a request of 64 KiB at most
IDLE_S = (
    75  # longer than a proxy keeps one for its next request: one that is closed as that is sent would lose a callback
)
STOPS_WITHIN_S = 20  # requests that have begun may end


class Server(uvicorn.Server):
    """Says where it listens once it does: READY and the address."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"READY {self.url}", flush=True)

    @property
    def url(self) -> str:
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class _Protocol(H11Protocol):
    """Closes the connection where a body breaks HTTP after its answer has begun.

    uvicorn would raise out of its event loop then, which puts a traceback with those bytes into the log (L6).
    """

    def send_400_response(self, msg: str) -> None:
        try:
            super().send_400_response(msg)
        except Exception:  # of h11, which is uvicorn's own
            self.transport.close()


def server(app: ASGIApp, host: str, port: int, proxies: str = "") -> Server:
    """The server, not yet begun. `proxies` are addresses (comma list) whose X-Forwarded-For is believed."""
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=_Protocol,  # bounds what a head may take; the other one does not
            ws="none",
            lifespan="off",
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies,
            server_header=False,
            access_log=False,  # addresses hold invitations (L7)
            log_level="warning",
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=STOPS_WITHIN_S,
        )
    )
