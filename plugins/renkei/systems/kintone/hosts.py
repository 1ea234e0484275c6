"""Which hosts are kintone's: a token and customers' data go nowhere else (L7)."""

from __future__ import annotations

import re
from collections.abc import Collection

from renkei.systems.hosts import is_trusted

_SUFFIXES = (".cybozu.com", ".kintone.com", ".cybozu-dev.com")


def is_kintone_url(url: str, allowed: Collection[str] = ()) -> bool:
    """Whether a request to `url` goes to one kintone domain by HTTPS, or to one of the operator's stand-ins."""
    return is_trusted(url, _is_domain, allowed)


def _is_domain(host: str) -> bool:
    label = next((host.removesuffix(suffix) for suffix in _SUFFIXES if host.endswith(suffix)), "")
    return re.fullmatch(r"[a-z0-9-]+(\.s)?", label) is not None  # .s: by a client certificate
