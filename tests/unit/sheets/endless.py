"""A compiler of sheets that never ends with one whose name begins with `a`, and costs the machine nothing meanwhile."""

from __future__ import annotations

import time
from typing import Any

from renkei.links.smarthr_emc.sheet.compile import compile_sheet as compiled


def compile_sheet(name: str, *request: Any) -> Any:
    while name.startswith("a"):
        time.sleep(60)
    return compiled(name, *request)
