"""PKCE (RFC 7636, S256): who brings the code back proves that it is he who left for it."""

from __future__ import annotations

import base64
import hashlib
import secrets


def pkce() -> tuple[str, str]:
    """A new verifier, to be kept in secret until the code is exchanged, and its challenge."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
