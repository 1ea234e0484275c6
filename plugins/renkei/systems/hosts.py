"""To which hosts a secret may be sent: those of its own system, and the operator's stand-ins (L7)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import urlsplit


def is_trusted(url: str, official: Callable[[str], bool], allowed: Collection[str] = ()) -> bool:
    """Whether a request to `url` goes by HTTPS to a host that is `official`, or to one of the operator's stand-ins.

    `allowed` has `host` (any port) or `host:port`; those may be spoken to by HTTP too. A URL with a user's name
    in it is never trusted: what stands before an `@` only looks like the host.
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
    return parts.scheme == "https" and port in (None, 443) and official(host)
