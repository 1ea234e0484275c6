"""The drop folder behind SFTP, by Airflow's own provider (E38)."""

from __future__ import annotations

import io
from pathlib import PurePosixPath

from airflow.providers.sftp.hooks.sftp import SFTPHook

from renkei.errors import RetriableLoadError


class SftpFiles:
    """Files in one remote folder. A file appears under its name only when it is whole."""

    def __init__(self, conn_id: str, folder: str) -> None:
        self._hook = SFTPHook(ssh_conn_id=conn_id)
        self._folder = PurePosixPath(folder)

    def write(self, name: str, content: bytes) -> None:
        final, part = str(self._folder / name), str(self._folder / f".{name}.part")
        try:
            with self._hook.get_managed_conn() as sftp:
                with sftp.open(part, "wb"):
                    sftp.chmod(part, 0o600)  # before there is anything to read
                sftp.putfo(io.BytesIO(content), part, file_size=len(content))
                sftp.posix_rename(part, final)
        except OSError as error:
            raise RetriableLoadError(f"SFTPのフォルダに書き込めません（{type(error).__name__}）。") from error

    def read(self, name: str) -> bytes | None:
        try:
            with self._hook.get_managed_conn() as sftp, sftp.open(str(self._folder / name), "rb") as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RetriableLoadError(f"SFTPのフォルダを読み取れません（{type(error).__name__}）。") from error

    def delete(self, name: str) -> None:
        try:
            with self._hook.get_managed_conn() as sftp:
                sftp.remove(str(self._folder / name))
        except FileNotFoundError:
            return
        except OSError as error:
            raise RetriableLoadError(f"SFTPのフォルダから削除できません（{type(error).__name__}）。") from error
