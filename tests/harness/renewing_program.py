"""A process that needs a company's token: for each line of its input, a moment, it prints what it got.

python -m tests.harness.renewing_program STORE SMARTHR
"""

from __future__ import annotations

import datetime as dt
import hashlib
import sys

from fsspec.implementations.local import LocalFileSystem

from renkei.errors import RenkeiError
from renkei.links.smarthr_emc.granted import GrantedToken
from renkei.storage.cipher import Cipher
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.smarthr.oauth import OAuthSettings, SmartHROAuth
from renkei.systems.transport import own_session
from tests.harness.oauth import KEY


def oauth_at(url: str, **settings: object) -> SmartHROAuth:
    """The simulator's app."""
    addresses = {
        name: f"{url}/oauth/{path}"
        for name, path in (("authorize_url", "authorization"), ("token_url", "token"), ("revoke_url", "revoke"))
    }
    return SmartHROAuth(OAuthSettings("sim_client", "sim_client_secret", **(addresses | settings)), own_session())  # type: ignore[arg-type]


def main() -> None:
    folder = TenantFolder(Store(LocalFileSystem(), sys.argv[1], Cipher(KEY)), "smarthr_emc", "acme")
    print("READY", flush=True)
    for line in sys.stdin:
        now = dt.datetime.fromisoformat(line.strip())
        token = GrantedToken(folder, lambda: oauth_at(sys.argv[2]), now=lambda now=now: now)
        try:
            print(hashlib.sha256(token.token().encode()).hexdigest(), flush=True)
        except RenkeiError as error:
            print(type(error).__name__, flush=True)


if __name__ == "__main__":
    main()
