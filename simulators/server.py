"""Starting a simulator: it says where it listens once it answers, and goes at once when told to."""

from __future__ import annotations

import logging
import os
import socket
import sys
from types import FrameType

import uvicorn
from starlette.types import ASGIApp


class Server(uvicorn.Server):
    """uvicorn that prints READY and its address."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets and not self.should_exit:
            host, port = sockets[0].getsockname()[:2]
            print(f"READY http://{host}:{port}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        os._exit(0)


def serve(app: ASGIApp, host: str, port: int) -> None:
    """Answer until a signal; port 0 takes a free one."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    listener = socket.create_server((host, port), backlog=512)
    # Inherited by each connection; without it the body waits 40 ms for the acknowledgement of the head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        lifespan="off",
        date_header=False,  # the simulated service's clock says it
        server_header=False,
    )
    Server(config).run(sockets=[listener])
