"""Command line of the simulated Hot Profile."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simulators.hotprofile.app import build_app
from simulators.hotprofile.instance import Instance
from simulators.server import kept, serve


def main(argv: list[str]) -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="simulators.hotprofile", description="Simulated Hot Profile.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = a free one (default)")
    parser.add_argument("--clients", type=int, default=0, help="companies to invent, updated an hour ago")
    parser.add_argument("--leads", type=int, default=0, help="leads to invent")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="what is there at the end, and again at the next start"
    )
    arguments = parser.parse_args(argv)

    def new() -> Instance:
        instance = Instance()
        an_hour_ago = int(instance.clock.seconds()) - 3600
        instance.invent(arguments.seed, 1, arguments.clients, arguments.leads, an_hour_ago, an_hour_ago)
        return instance

    instance, keep = kept(arguments.keep, new)
    serve(build_app(instance), arguments.host, arguments.port, keep)


if __name__ == "__main__":
    main(sys.argv[1:])
