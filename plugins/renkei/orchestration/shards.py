"""Cut the Dag file into shards of about 500 tenants: `make shards`.

Airflow gives up on a Dag file that takes longer than 50 s to parse; a thousand tenants take 6 s, ten thousand do
not load at all. The shards are copies: each finds its number in its name (dag_builder.build_dags).
"""

from __future__ import annotations

import argparse
import math
import shutil
from pathlib import Path

from renkei.links.smarthr_emc.sheet.index import tenants

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
    parser.add_argument("--dag-file", type=Path, default=Path("dags/smarthr_emc.py"))
    parser.add_argument("--mappings", type=Path, default=Path("include/mappings/smarthr_emc"))
    arguments = parser.parse_args()
    count = max(1, math.ceil(len(tenants(arguments.mappings)) / TENANTS_PER_SHARD))
    for path in write_shards(arguments.dag_file, count):
        print(path)


if __name__ == "__main__":
    main()
