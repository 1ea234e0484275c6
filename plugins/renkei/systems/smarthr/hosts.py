"""Which hosts are SmartHR's: a token and personal data go nowhere else (L7)."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

SUFFIXES = (".smarthr.jp", ".daruma.space")  # production and sandbox
NO_TENANT = ("app.smarthr.jp", "www.smarthr.jp", "developer.smarthr.jp")


def is_smarthr_url(url: str, allowed: Collection[str] = ()) -> bool:
    """Whether a request to `url` goes to one SmartHR tenant by HTTPS, or to one of the operator's stand-ins.

    `allowed` has `host` (any port) or `host:port`; those may be spoken to by HTTP too. A URL with a user's name
    in it is never one: what stands before an `@` only looks like the host.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or "\\" in parts.netloc:  # some clients take a backslash for a slash
        return False
    if parts.scheme in ("http", "https") and (host in allowed or f"{host}:{port}" in allowed):
        return True
    label = next((host.removesuffix(suffix) for suffix in SUFFIXES if host.endswith(suffix)), "")
    return (
        parts.scheme == "https"
        and port in (None, 443)
        and host not in NO_TENANT
        and re.fullmatch(r"[a-z0-9-]+", label) is not None
    )
