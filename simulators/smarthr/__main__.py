"""Command line: `python -m simulators.smarthr`."""

from __future__ import annotations

import argparse
import os
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from . import __doc__ as package_doc
from .company import UnknownRecordError
from .control import control, unknown_record
from .generator import generate
from .limits import Limits
from .oauth_pages import oauth_routes
from .server import World, api
from .wire import ReachableProtocol


def application(world: World) -> FastAPI:
    """The ASGI application that serves `world`."""
    app = FastAPI(title="SmartHR simulator")
    app.include_router(control(world))
    app.include_router(api(world))
    app.include_router(oauth_routes(world))
    app.add_exception_handler(UnknownRecordError, unknown_record)
    return app


class Server(uvicorn.Server):
    """uvicorn that says when it is ready and goes at once when told to: nothing here is worth saving."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets
        host, port = sockets[0].getsockname()[:2]
        print(f"READY http://{host}:{port}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        os._exit(0)


def _company(text: str) -> tuple[str, int, int]:
    name, seed, size = text.split(":")
    return name, int(seed), int(size)


def main() -> None:
    """Parse the arguments, invent the companies, serve until a signal."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.smarthr",
        description="SmartHR simulator",
        epilog=package_doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001, help="0: any free port")
    parser.add_argument(
        "--company", type=_company, action="append", default=[], metavar="NAME:SEED:SIZE", help="may be repeated"
    )
    parser.add_argument(
        "--per-second", type=int, default=Limits.per_second, help="requests a token may make per second"
    )
    parser.add_argument("--per-hour", type=int, default=Limits.per_hour, help="and per hour")
    args = parser.parse_args()

    world = World(limits=Limits(args.per_second, args.per_hour))
    for name, seed, size in args.company:
        world.put(generate(name, seed, size))
    listener = socket.create_server((args.host, args.port))
    config = uvicorn.Config(
        application(world), http=ReachableProtocol, log_level="critical", access_log=False, lifespan="off"
    )
    Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
