"""What turns a dataclass of ours into plain values and back: made of its type once a process, for it takes 10 ms."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import is_dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter


@cache
def adapter_of(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def make_all() -> None:
    """Make those of every dataclass of ours that is imported: a process that is forked from this one inherits them."""
    modules = [module for name, module in sys.modules.items() if name.startswith("renkei.")]
    for model in {value for module in modules for value in vars(module).values() if isinstance(value, type)}:
        if is_dataclass(model) and model.__module__.startswith("renkei."):
            with contextlib.suppress(Exception):  # of any kind, for one that is never written, nor read
                adapter_of(model)
