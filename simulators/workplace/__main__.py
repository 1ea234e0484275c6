"""Command line of the simulated WORKPLACE."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simulators.server import kept, serve
from simulators.workplace.app import build_app
from simulators.workplace.company import Company


def main(argv: list[str]) -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="simulators.workplace", description="Simulated WORKPLACE.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = a free one (default)")
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="what is there at the end, and again at the next start"
    )
    arguments = parser.parse_args(argv)
    company, keep = kept(arguments.keep, Company)
    serve(build_app(company), arguments.host, arguments.port, keep)


if __name__ == "__main__":
    main(sys.argv[1:])
