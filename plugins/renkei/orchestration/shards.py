"""Cut the Dag file into shards of about 500 tenants: `make shards`.

Airflow gives up on a Dag file that takes longer than 50 s to parse; a thousand tenants take 6 s, ten thousand do
not load at all. The shards are copies: each finds its number in its name (dag_builder.build_dags).
"""

from __future__ import annotations

import argparse
import math
import shutil
from pathlib import Path

from renkei.orchestration.link import LINKS
from renkei.sheets.tenant_files import tenants

TENANTS_PER_SHARD = 500


def write_shards(dag_file: Path, count: int) -> list[Path]:
    """Put `count - 1` copies of `dag_file` beside it, and take surplus ones away; all files of the set."""
    wanted = [dag_file, *(dag_file.with_stem(f"{dag_file.stem}_{n:02d}") for n in range(1, count))]
    for path in dag_file.parent.glob(f"{dag_file.stem}_[0-9]*.py"):
        if path not in wanted:
            path.unlink()
    for path in wanted[1:]:
        shutil.copyfile(dag_file, path)
    return wanted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dag-file", type=Path, help="this one alone; else every link's in dags/")
    parser.add_argument("--mappings", type=Path, default=Path("include/mappings"), help="with a folder for each link")
    arguments = parser.parse_args()
    for dag_file in [arguments.dag_file] if arguments.dag_file else [Path("dags", f"{link}.py") for link in LINKS]:
        own = arguments.mappings / dag_file.stem
        files = tenants(own if own.is_dir() else arguments.mappings)
        for path in write_shards(dag_file, max(1, math.ceil(len(files) / TENANTS_PER_SHARD))):
            print(path)


if __name__ == "__main__":
    main()
