"""Which hosts are SmartHR's: a token and personal data go nowhere else (L7)."""

from __future__ import annotations

import re
from collections.abc import Collection

SUFFIXES = (".smarthr.jp", ".daruma.space")  # production and sandbox
NO_TENANT = ("app.smarthr.jp", "www.smarthr.jp", "developer.smarthr.jp")


def is_smarthr_host(netloc: str, allowed: Collection[str] = ()) -> bool:
    """Whether `host[:port]` is one SmartHR tenant, or one of the operator's `allowed` stand-ins."""
    netloc = netloc.lower()
    host, _, port = netloc.partition(":")
    if host in allowed or netloc in allowed:
        return True
    label = next((host.removesuffix(suffix) for suffix in SUFFIXES if host.endswith(suffix)), "")
    return port in ("", "443") and host not in NO_TENANT and re.fullmatch(r"[a-z0-9-]+", label) is not None
