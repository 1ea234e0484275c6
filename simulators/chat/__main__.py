"""Command line of the simulated chat services."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
from types import FrameType

import uvicorn

from simulators.chat.app import build_app


class Server(uvicorn.Server):
    """uvicorn that says when it is ready and goes at once when told to: nothing here is worth saving."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets and not self.should_exit:
            host, port = sockets[0].getsockname()[:2]
            print(f"READY http://{host}:{port}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        os._exit(0)


def main(argv: list[str]) -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="simulators.chat", description="Simulated chat services.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = a free one (default)")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    listener = socket.create_server((arguments.host, arguments.port))
    # Inherited by each connection; without it the body waits 40 ms for the acknowledgement of the head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(build_app(), log_level="warning", access_log=False, proxy_headers=False, lifespan="off")
    Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1:])
