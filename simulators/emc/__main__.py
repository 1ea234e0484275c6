"""Command line of the simulated EMC."""

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

from simulators.emc.app import build_app
from simulators.emc.drop import DropFolder
from simulators.emc.fileformat import DEFAULT_FORMAT, load_format
from simulators.emc.imports import Imports
from simulators.emc.store import Store


class AnnouncingServer(uvicorn.Server):
    """Prints READY once requests are answered."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets and not self.should_exit:
            host, port = sockets[0].getsockname()[:2]
            print(f"READY http://{host}:{port}", flush=True)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulators.emc", description="Simulated Emergency Call (EMC).")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = a free one (default)")
    parser.add_argument("--database", type=Path, help="SQLite file that survives a restart; default: a temporary one")
    parser.add_argument(
        "--account", action="append", metavar="NAME[:TOKEN]", help="repeatable; default token emc_sim_NAME"
    )
    parser.add_argument("--format", type=Path, metavar="FILE", help="YAML of another file format")
    parser.add_argument("--drop", type=Path, metavar="FOLDER", help="folder to take uploaded files from")
    parser.add_argument("--drop-account", metavar="NAME", help="account that dropped files are imported into")
    arguments = parser.parse_args(argv)
    arguments.account = arguments.account or ["demo"]
    names = [given.partition(":")[0] for given in arguments.account]
    if arguments.drop and arguments.drop_account not in names:
        parser.error("--drop needs --drop-account, one of the --account names")
    return arguments


def main(argv: list[str]) -> None:
    """Serve until interrupted."""
    arguments = _arguments(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    with ExitStack() as stack:
        database = arguments.database
        if database is None:
            database = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emc-"))) / "emc.sqlite"
        database.parent.mkdir(parents=True, exist_ok=True)
        store = Store(database, load_format(arguments.format) if arguments.format else DEFAULT_FORMAT)
        for given in arguments.account:
            name, _, token = given.partition(":")
            store.ensure_account(name, token or f"emc_sim_{name}")
        imports = Imports(store)
        imports.resume()
        if arguments.drop:
            drop = DropFolder(imports, arguments.drop_account, arguments.drop)
            drop.start()
            stack.callback(drop.stop)
        listener = stack.enter_context(socket.create_server((arguments.host, arguments.port)))
        # Inherited by each connection; without it the body waits 40 ms for the acknowledgement of the head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            build_app(store, imports), log_level="warning", access_log=False, proxy_headers=False, lifespan="off"
        )
        asyncio.run(AnnouncingServer(config).serve(sockets=[listener]))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(0)
