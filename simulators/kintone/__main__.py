"""Command line of the simulated kintone domain."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

from simulators.kintone.app import build_app
from simulators.kintone.domain import Definition, Domain
from simulators.server import kept, serve


def main(argv: list[str]) -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="simulators.kintone", description="Simulated kintone domain.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = a free one (default)")
    parser.add_argument(
        "--apps",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="YAML of apps and users, as sample.yaml; repeatable",
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="what is there at the end, and again at the next start"
    )
    arguments = parser.parse_args(argv)

    def new() -> Domain:
        domain = Domain()
        for path in arguments.apps:
            domain.define(Definition.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))))
        return domain

    domain, keep = kept(arguments.keep, new)
    serve(build_app(domain), arguments.host, arguments.port, keep)


if __name__ == "__main__":
    main(sys.argv[1:])
