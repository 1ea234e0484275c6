"""An SFTP server for tests, a process of its own: `python sftp_server.py FOLDER` prints its port and host key."""

from __future__ import annotations

import asyncio
import sys

import asyncssh


class Door(asyncssh.SSHServer):
    """Lets in emc with the password pass."""

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("emc", "pass")


async def serve(folder: str) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Door,
        server_host_keys=[key],
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=folder),
    )
    print(server.get_port(), key.export_public_key().decode().strip(), flush=True)
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
