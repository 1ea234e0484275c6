"""Which hosts are SmartHR's: a token and personal data go nowhere else (L7)."""

from __future__ import annotations

import re
from collections.abc import Collection

from renkei.systems.hosts import is_trusted

SUFFIXES = (".smarthr.jp", ".daruma.space")  # production and sandbox
NO_TENANT = ("app.smarthr.jp", "www.smarthr.jp", "developer.smarthr.jp")


def is_smarthr_url(url: str, allowed: Collection[str] = ()) -> bool:
    """Whether a request to `url` goes to one SmartHR tenant by HTTPS, or to one of the operator's stand-ins."""
    return is_trusted(url, _is_tenant, allowed)


def _is_tenant(host: str) -> bool:
    label = next((host.removesuffix(suffix) for suffix in SUFFIXES if host.endswith(suffix)), "")
    return host not in NO_TENANT and re.fullmatch(r"[a-z0-9-]+", label) is not None
