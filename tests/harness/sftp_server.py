"""An SFTP server for tests, a process of its own; READY, its port and its host key are printed."""

from __future__ import annotations

import asyncio
import sys

import asyncssh

from tests.harness.program import Program


class SftpServer(Program):
    """Serves a folder."""

    module = "tests.harness.sftp_server"


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
    print("READY", server.get_port(), key.export_public_key().decode().strip(), flush=True)
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
