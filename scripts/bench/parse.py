"""Parse one Dag file as Airflow's Dag processor does: `python -m scripts.bench.parse FILE TENANT_FILES INDEX [IMPORT]`.

Prints as JSON: seconds, Dags, import errors, and how many sheets and compiled sheets were opened for it.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any


def main(file: str, sheets: str, index: str, first: str = "renkei.orchestration.dag_builder") -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    opened = {"sheets": 0, "compiled": 0}

    def listen(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str):
            opened["sheets"] += arguments[0].startswith(sheets)
            opened["compiled"] += arguments[0].startswith(index)

    bag = DagBag(dag_folder=file, collect_dags=False)
    sys.addaudithook(listen)
    started = time.perf_counter()
    import_module(first)  # the file would; apart, because it is paid once per process
    imported = time.perf_counter()
    bag.process_file(file)
    parsed = time.perf_counter()
    for dag in bag.dags.values():
        DagSerialization.to_dict(dag)
    done = time.perf_counter()
    result = {
        "file": Path(file).name,
        "imports": imported - started,
        "parse": parsed - started,
        "serialize": done - parsed,
        "dags": len(bag.dags),
        "errors": list(bag.import_errors.values()),
        **opened,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
