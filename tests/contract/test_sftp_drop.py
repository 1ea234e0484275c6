"""The drop folder behind a real SFTP server, through Airflow's SFTP provider (E38)."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from renkei.errors import RetriableLoadError
from renkei.systems.emc.drop import DropFolder
from renkei.systems.emc.encode import ImportFile

USERS = ImportFile('"処理フラグ","ユーザID"\r\n"A","u1"\r\n'.encode("cp932"), 1)


@pytest.fixture
def sftp_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder `in/` that an SFTP server on this machine serves, and the Connection that opens it."""
    (tmp_path / "in").mkdir()
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("sftp_server.py")), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    port = int(server.stdout.readline())
    connection = {
        "conn_type": "sftp",
        "host": "127.0.0.1",
        "port": port,
        "login": "emc",
        "password": "pass",
        "extra": {"no_host_key_check": True, "remote_path": "in"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_EMC_DROP__ACME", json.dumps(connection))
    yield tmp_path / "in"
    server.terminate()
    server.wait(timeout=10)
    server.stdout.close()


def drop() -> DropFolder:
    from renkei.orchestration.sftp import SftpFiles

    return DropFolder(SftpFiles("emc_drop__acme", "in"))


def test_e38_files_reach_an_sftp_folder_whole_and_private(sftp_folder: Path) -> None:
    """The file is what was made, nobody else may read it, the mark is there, no half file is left."""
    assert drop().submit("k1", "acme", "0" * 64, None, USERS).state == "applying"
    assert sorted(path.name for path in sftp_folder.iterdir()) == ["k1.ready", "k1.users.csv"]
    assert (sftp_folder / "k1.users.csv").read_bytes() == USERS.content
    assert stat.S_IMODE((sftp_folder / "k1.users.csv").stat().st_mode) == 0o600


def test_e38_a_result_behind_sftp_is_found_and_files_are_taken_away(sftp_folder: Path) -> None:
    """Written twice is written once; the result decides; nothing with people in it stays."""
    folder = drop()
    assert folder.outcome("k1") is None
    folder.submit("k1", "acme", "0" * 64, None, USERS)
    folder.submit("k1", "acme", "0" * 64, None, USERS)
    folder.confirm("k1", "committed", "tanto")
    found = folder.outcome("k1")
    assert found is not None
    assert found.state == "committed"
    folder.forget("k1")
    assert [path.name for path in sftp_folder.iterdir()] == ["k1.result.json"]


def test_l1_an_sftp_folder_that_is_gone_is_told(sftp_folder: Path) -> None:
    """A folder that cannot be written is a load to be tried again, with a message."""
    sftp_folder.rmdir()
    with pytest.raises(RetriableLoadError, match="SFTPのフォルダに書き込めません"):
        drop().submit("k1", "acme", "0" * 64, None, USERS)
