"""What comes in over the wire, read as the services read it."""

from __future__ import annotations

import json
from typing import Any


def json_of(body: bytes) -> Any:
    """The JSON value of a request's body.

    Raises:
        ValueError: none, or one that holds NaN, lone surrogates or hundreds of levels (our own strictness: what the
            services make of these is not documented, and no text that people can read needs them).
    """
    try:
        value = json.loads(body, parse_constant=_refuse)
        size_of(value)
    except RecursionError as error:
        raise ValueError("too deep") from error
    return value


def size_of(value: Any) -> int:
    """Bytes of the value as compact UTF-8, however it was escaped on the way."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _refuse(word: str) -> Any:
    raise ValueError(word)
