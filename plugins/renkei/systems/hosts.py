"""To which hosts a secret may be sent: those of its own system, and the operator's stand-ins (L7)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_trusted(url: str, official: Callable[[str], bool], allowed: Collection[str] = ()) -> bool:
    """Whether a request to `url` goes by HTTPS to a host that is `official`, or to one of the operator's stand-ins.

    `allowed` has `host` (any port) or `host:port`; those may be spoken to by HTTP too. A URL with a user's name
    in it is never trusted: what stands before an `@` only looks like the host.
    """
    parts = _parts(url)
    if parts is None:
        return False
    scheme, host, port = parts
    if scheme in ("http", "https") and (host in allowed or f"{host}:{port}" in allowed):
        return True
    return scheme == "https" and port in (None, 443) and official(host)


def is_private(url: str, allowed: Collection[str] = ()) -> bool:
    """Whether what is sent to `url` goes by HTTPS, or in clear no further than this machine or an operator's stand-in.

    Of systems whose hosts nobody can list. `allowed` as above.
    """
    parts = _parts(url)
    if parts is None:
        return False
    scheme, host, port = parts
    own = host in LOOPBACK or host in allowed or f"{host}:{port}" in allowed
    return scheme == "https" or (scheme == "http" and own)


def _parts(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port; None for a URL that is none, or whose host only looks like one."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or "@" in parts.netloc or "\\" in parts.netloc:  # some clients take a backslash for a slash
        return None
    return parts.scheme, host, port
