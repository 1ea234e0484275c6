"""Command line of the simulated KING OF TIME."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

from simulators.kingoftime.app import build_app
from simulators.kingoftime.company import Company, Definition
from simulators.server import kept, serve


def main(argv: list[str]) -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="simulators.kingoftime", description="Simulated KING OF TIME.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = a free one (default)")
    parser.add_argument("--company", type=Path, metavar="FILE", help="YAML of the company, as sample.yaml")
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="what is there at the end, and again at the next start"
    )
    arguments = parser.parse_args(argv)

    def new() -> Company:
        company = Company()
        if arguments.company:
            company.define(Definition.model_validate(yaml.safe_load(arguments.company.read_text(encoding="utf-8"))))
        return company

    company, keep = kept(arguments.keep, new)
    serve(build_app(company), arguments.host, arguments.port, keep)


if __name__ == "__main__":
    main(sys.argv[1:])
