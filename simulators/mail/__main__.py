"""Command line of the mail sink."""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import uvicorn
from aiosmtpd.smtp import SMTP

from simulators.mail.app import build_app
from simulators.mail.mailbox import Mailbox
from simulators.mail.receiver import Receiver


class AnnouncingServer(uvicorn.Server):
    """Prints READY with both addresses once mail and requests are answered."""

    def __init__(self, config: uvicorn.Config, smtp_address: str) -> None:
        super().__init__(config)
        self.smtp_address = smtp_address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets and not self.should_exit:
            host, port = sockets[0].getsockname()[:2]
            print(f"READY smtp://{self.smtp_address} http://{host}:{port}", flush=True)


async def serve(receiver: Receiver, smtp_socket: socket.socket, http_socket: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(
        lambda: SMTP(receiver, hostname="mail.invalid", ident="mail sink", enable_SMTPUTF8=False, loop=loop),
        sock=smtp_socket,
    )
    host, port = smtp_socket.getsockname()[:2]
    config = uvicorn.Config(build_app(receiver), log_level="warning", access_log=False, lifespan="off")
    async with smtp:
        await AnnouncingServer(config, f"{host}:{port}").serve(sockets=[http_socket])


def main(argv: list[str]) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="simulators.mail", description="SMTP sink with a web page.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--smtp-port", type=int, default=0, help="0 = a free one (default)")
    parser.add_argument("--http-port", type=int, default=0, help="0 = a free one (default)")
    parser.add_argument("--folder", type=Path, help="where messages are kept; default: a temporary folder")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    with ExitStack() as stack:
        folder = arguments.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mail-")))
        smtp_socket = stack.enter_context(socket.create_server((arguments.host, arguments.smtp_port)))
        http_socket = stack.enter_context(socket.create_server((arguments.host, arguments.http_port)))
        # Inherited by each connection; without it the body waits 40 ms for the acknowledgement of the head.
        http_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asyncio.run(serve(Receiver(Mailbox(folder)), smtp_socket, http_socket))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(0)
