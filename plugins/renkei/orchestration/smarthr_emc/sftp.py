"""The drop folder behind SFTP, by Airflow's own provider (E38)."""

from __future__ import annotations

import io
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from airflow.providers.sftp.hooks.sftp import SFTPHook
from paramiko import (  # type: ignore[import-untyped]
    AuthenticationException,
    BadHostKeyException,
    SFTPClient,
    SFTPError,
    SSHException,
)

from renkei.errors import ConnectionError_, RetriableLoadError
from renkei.systems.emc.drop import MAX_RESULT

CONNECT_S = 10.0
ANSWER_S = 60.0  # until the folder is open, and then for each answer of the server
ALTOGETHER_S = 600.0  # for a file
_CHUNK = 1 << 15
_HOST_KEY = "Extraの host_key に、サーバーの管理者に確認した鍵を「ssh-ed25519 AAAA…」の形で登録してください。"


class SftpFiles:
    """Files in one remote folder. A file appears under its name only when it is whole.

    Every method raises ConnectionError_ where the Connection is at fault, else RetriableLoadError.
    """

    def __init__(self, conn_id: str, folder: str) -> None:
        self._conn_id = conn_id
        self._folder = PurePosixPath(folder)
        try:
            self._hook = SFTPHook(ssh_conn_id=conn_id)
        except Exception as error:  # of any kind, each for a field of the Connection, which its text may quote
            raise self._wrong(
                "Hostがないか、Extraを読み取れません。Host、host_key、private_key の形を確認してください。" + _HOST_KEY
            ) from error

    def write(self, name: str, content: bytes) -> None:
        final, part = str(self._folder / name), str(self._folder / f".{name}.part")
        with self._open("フォルダに書き込めません") as sftp:
            with sftp.open(part, "wb"):
                sftp.chmod(part, 0o600)  # before there is anything to read
            sftp.putfo(io.BytesIO(content), part, file_size=len(content))
            sftp.posix_rename(part, final)

    def read(self, name: str) -> bytes | None:
        """At most MAX_RESULT + 1 bytes of the file."""
        content = bytearray()
        try:
            with (
                self._open("フォルダを読み取れません") as sftp,
                sftp.open(str(self._folder / name), "rb") as file,
            ):
                while len(content) <= MAX_RESULT and (part := file.read(_CHUNK)):
                    content += part
        except RetriableLoadError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise
        return bytes(content)

    def delete(self, name: str) -> None:
        try:
            with self._open("フォルダから削除できません") as sftp:
                sftp.remove(str(self._folder / name))
        except RetriableLoadError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise

    def check(self) -> None:
        """As files are written and taken away: nothing but that shows whether the server lets us."""
        probe = f".renkei-{uuid.uuid4().hex}"
        self.write(probe, b"")
        self.delete(probe)

    @contextmanager
    def _open(self, failure: str) -> Iterator[SFTPClient]:
        """A connection that ends after ALTOGETHER_S, and on which no answer is waited for longer than ANSWER_S."""
        try:
            with self._line() as line, _Cut(line) as cut:
                cut.after(ANSWER_S)
                with self._hook.get_managed_conn() as sftp:
                    cut.after(ALTOGETHER_S)
                    sftp.get_channel().settimeout(ANSWER_S)
                    yield sftp
        except BadHostKeyException as error:
            raise self._wrong(
                "SFTPサーバーの鍵が、登録された鍵（Extraの host_key または known_hosts）と異なります。"
                "サーバーの鍵が変わったか、別のサーバーにつながっています。何も送っていません。" + _HOST_KEY
            ) from error
        except AuthenticationException as error:
            raise self._wrong(
                "SFTPサーバーにログインできません。Loginと、Passwordまたは鍵を確認してください。"
            ) from error
        except SSHException as error:
            if "known_hosts" in str(error):  # paramiko has no exception of its own for it
                raise self._wrong("SFTPサーバーの鍵が登録されていません。何も送っていません。" + _HOST_KEY) from error
            raise RetriableLoadError(f"SFTPの{failure}（{type(error).__name__}）。") from error
        except (OSError, EOFError, SFTPError) as error:
            raise RetriableLoadError(f"SFTPの{failure}（{type(error).__name__}）。") from error

    @contextmanager
    def _line(self) -> Iterator[Any]:
        """What the hook is to speak over: its own proxy command, else a socket that we can close under it.

        Raises:
            RetriableLoadError: nobody is there.
        """
        hook = self._hook
        try:
            line = hook.host_proxy or socket.create_connection((hook.remote_host, hook.port), CONNECT_S)
        except OSError as error:
            raise RetriableLoadError(
                f"SFTPサーバーに接続できません（{type(error).__name__}）。Hostとポート、サーバーの稼働を確認してください。"
            ) from error
        hook.host_proxy, hook.conn_retry_attempts = line, 1  # the task tries again, with another
        try:
            yield line
        finally:
            line.close()
            vars(hook).pop("host_proxy", None)

    def _wrong(self, text: str) -> ConnectionError_:
        return ConnectionError_(f"Airflowの接続「{self._conn_id}」（EMC取込フォルダ）: {text}")


class _Cut:
    """Closes a line in time: paramiko waits an hour for a channel, and for its subsystem for ever."""

    def __init__(self, line: Any) -> None:
        self._line, self._timer, self._is_cut = line, threading.Timer(0, self._cut), False

    def after(self, seconds: float) -> None:
        """So many seconds from now, and not at any time that was set before."""
        self._timer.cancel()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def _cut(self) -> None:
        self._is_cut = True
        self._line.close()

    def __enter__(self) -> _Cut:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._timer.cancel()
        if self._is_cut and isinstance(error, Exception):
            raise TimeoutError from error
