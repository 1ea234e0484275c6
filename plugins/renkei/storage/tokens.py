"""What whoever has it may come in with: an address or a code of 256 random bits, of which only the digest is kept.

Where one is looked up, the digest of what was given is: how long that takes says nothing of any other one.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets


def new_token() -> str:
    """43 characters, fit for an address; nobody can ask for it again."""
    return secrets.token_urlsafe(32)


def new_state(tenant: str) -> str:
    """What goes with somebody to a log-in elsewhere and comes back with him, so that it is known whose log-in it is."""
    return f"{tenant}.{secrets.token_hex(32)}"


def tenant_of_state(state: str) -> str:
    """The tenant; "" where the state is none of ours. It names a folder: the caller checks that it is a tenant."""
    found = re.fullmatch(r"(.+)\.[0-9a-f]{64}", state)
    return found[1] if found else ""


def token_of_bytes(random: bytes) -> str:
    """A token of 32 bytes that nobody can guess."""
    return base64.urlsafe_b64encode(random).decode().rstrip("=")


def is_token(text: str) -> bool:
    """Whether it has the form of one."""
    return re.fullmatch(r"[0-9A-Za-z_-]{43}", text) is not None


def digest_of_token(token: str) -> bytes:
    """Under which it is kept: SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
