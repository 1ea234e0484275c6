"""The drop folder behind a real SFTP server, through Airflow's SFTP provider (E38)."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from tenacity import wait_none

from renkei.errors import ConnectionError_, RetriableLoadError
from renkei.orchestration.connection_kinds import SFTP
from renkei.orchestration.smarthr_emc.connections import drop_folder
from renkei.systems.emc.drop import DropFolder
from renkei.systems.emc.encode import ImportFile
from renkei.web.connection_facts import ConnectionState, entered, faults_of
from tests.builders import mapping
from tests.harness.patience import within
from tests.harness.sftp_server import SftpServer

USERS = ImportFile('"処理フラグ","ユーザID"\r\n"A","u1"\r\n'.encode("cp932"), 1)


@pytest.fixture
def sftp_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder `in/` that an SFTP server on this machine serves, and the Connection that opens it."""
    (tmp_path / "in").mkdir()
    with SftpServer.start(str(tmp_path)) as server:
        port, *host_key = server.ready
        (tmp_path / "host_key").write_text(" ".join(host_key))
        connection = {
            "conn_type": "sftp",
            "host": "127.0.0.1",
            "port": int(port),
            "login": "emc",
            "password": "pass",
            "extra": {"no_host_key_check": True, "remote_path": "in"},
        }
        monkeypatch.setenv("AIRFLOW_CONN_EMC_DROP__ACME", json.dumps(connection))
        yield tmp_path / "in"


def changed(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    """Other fields of the Connection, and a home without known hosts."""
    connection = json.loads(os.environ["AIRFLOW_CONN_EMC_DROP__ACME"]) | fields
    monkeypatch.setenv("AIRFLOW_CONN_EMC_DROP__ACME", json.dumps(connection))
    monkeypatch.setattr("airflow.providers.ssh.hooks.ssh.wait_fixed", lambda seconds: wait_none())
    monkeypatch.setattr("airflow.providers.ssh.hooks.ssh.wait_random", lambda *seconds: wait_none())


def test_e38_what_the_page_of_connections_registers_opens_the_folder(
    sftp_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E38, S2: with the server's key checked, though Extra once said that it need not be; another key is refused."""
    before = json.loads(os.environ["AIRFLOW_CONN_EMC_DROP__ACME"])
    given = {"host": "127.0.0.1", "port": str(before["port"]), "login": "emc", "password": "pass", "remote_path": "in"}
    right = (sftp_folder.parent / "host_key").read_text()
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUZ0WQpEJ0PmvWPpFRN8Ie2Yx2dxKr8NqD3vIkbmW4N"
    state = ConnectionState("emc_drop__acme", SFTP)
    sheet = dataclasses.replace(mapping(), tenant="acme", emc_account="acme")
    for host_key, works in ((right, True), (other, False)):
        form = given | {"host_key": host_key}
        assert faults_of(state, form) == []
        said = entered(state, form)
        values = {place: int(text) if place == "port" else text for place, text in said.values.items()}
        changed(monkeypatch, **values, extra={**before["extra"], **said.extra})
        if works:
            drop_folder(sheet).check()
            assert list(sftp_folder.iterdir()) == []
        else:
            with pytest.raises(ConnectionError_, match="登録された鍵"):
                drop_folder(sheet).check()


def drop() -> DropFolder:
    from renkei.orchestration.smarthr_emc.sftp import SftpFiles

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
    assert folder.find_import("k1") is None
    folder.submit("k1", "acme", "0" * 64, None, USERS)
    folder.submit("k1", "acme", "0" * 64, None, USERS)
    folder.confirm("k1", "committed", "tanto")
    found = folder.find_import("k1")
    assert found is not None
    assert found.state == "committed"
    folder.forget("k1")
    assert [path.name for path in sftp_folder.iterdir()] == ["k1.result.json"]


def test_l1_an_sftp_folder_that_is_gone_is_told(sftp_folder: Path) -> None:
    """A folder that cannot be written is a load to be tried again, with a message."""
    sftp_folder.rmdir()
    with pytest.raises(RetriableLoadError, match="SFTPのフォルダに書き込めません"):
        drop().submit("k1", "acme", "0" * 64, None, USERS)


def test_l7_a_server_that_is_not_there_is_told_apart_from_a_folder(
    sftp_folder: Path, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    changed(monkeypatch, port=closed_port)
    with pytest.raises(RetriableLoadError, match=r"SFTPサーバーに接続できません.*Hostとポート"):
        drop().check()


OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


def test_l7_server_with_the_host_key_of_the_connection_is_spoken_to(
    sftp_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the documents have it: the key's kind and its text."""
    changed(monkeypatch, extra={"host_key": (sftp_folder.parent / "host_key").read_text().strip()})
    drop().check()
    assert list(sftp_folder.iterdir()) == []


def test_l8_sftp_folder_that_can_be_read_alone_is_found_by_the_check(sftp_folder: Path) -> None:
    """Not by the load, after somebody has read and approved the plan."""
    sftp_folder.chmod(0o500)
    if os.access(sftp_folder, os.W_OK):  # root may write anywhere: a folder stands where the file would be made
        sftp_folder.rmdir()
        sftp_folder.write_text("a file")
    with pytest.raises(RetriableLoadError, match="SFTPのフォルダに書き込めません"):
        drop().check()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"extra": {"host_key": OTHER_KEY}}, "鍵が、登録された鍵.*と異なります.*何も送っていません.*host_key"),
        ({"extra": {}}, "鍵が登録されていません.*何も送っていません.*host_key"),
        ({"extra": {"host_key": "ssh-ed25519 !!!"}}, "Extraを読み取れません.*host_key"),
        ({"extra": {"host_key": "ssh-rsa AAAA"}}, "Extraを読み取れません.*host_key"),
        ({"extra": {"host_key": OTHER_KEY, "no_host_key_check": True}}, "Extraを読み取れません.*host_key"),
        ({"password": "wrong"}, "ログインできません.*Password"),
    ],
)
def test_l8_fault_of_the_sftp_connection_is_named(
    sftp_folder: Path, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], words: str
) -> None:
    """Which Connection, what is wrong with it, and what to enter; no run ends as 予期しないエラー."""
    changed(monkeypatch, **fields)
    with pytest.raises(ConnectionError_, match=f"「emc_drop__acme」.*{words}"):
        drop().check()


def test_l1_result_behind_sftp_without_end_is_no_result(sftp_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more of it is read than a result can have, in no more time than a file may take."""
    monkeypatch.setattr("renkei.systems.emc.drop.MAX_RESULT", 100_000)
    monkeypatch.setattr("renkei.orchestration.smarthr_emc.sftp.MAX_RESULT", 100_000)
    (sftp_folder / "k1.result.json").write_bytes(b" " * 300_000)
    with pytest.raises(RetriableLoadError, match=r"k1\.result\.json"):
        drop().find_import("k1")
    monkeypatch.setattr("renkei.orchestration.smarthr_emc.sftp.ALTOGETHER_S", 0.0)
    with pytest.raises(RetriableLoadError, match="TimeoutError"):
        drop().find_import("k1")
    with pytest.raises(RetriableLoadError, match="TimeoutError"):
        drop().submit("k2", "acme", "0" * 64, None, USERS)
    assert not (sftp_folder / "k2.ready").exists()


@pytest.mark.parametrize("stall", ["banner", "key", "login", "channel", "subsystem", "version", "garbage"])
def test_l1_sftp_server_that_means_harm_is_an_error_in_time(monkeypatch: pytest.MonkeyPatch, stall: str) -> None:
    """It is silent at one of the steps before a folder is open, or speaks of something else."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_stalling, args=(server, stall), daemon=True).start()
        connection = {"conn_type": "sftp", "host": "127.0.0.1", "port": server.getsockname()[1]}
        connection |= {"login": "emc", "password": "pass", "extra": {"no_host_key_check": True}}
        monkeypatch.setenv("AIRFLOW_CONN_EMC_DROP__ACME", json.dumps(connection))
        monkeypatch.setattr("renkei.orchestration.smarthr_emc.sftp.ANSWER_S", 0.5)
        with within(20), pytest.raises(RetriableLoadError, match="SFTPのフォルダ"):
            drop().check()


class _Stalls(paramiko.ServerInterface):
    def __init__(self, stall: str) -> None:
        self.stall = stall

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        return self._at("login", paramiko.AUTH_SUCCESSFUL)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return self._at("channel", paramiko.OPEN_SUCCEEDED)

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        if self.stall == "garbage":
            channel.sendall(b"\x7f\xff\xff\xff" + b"\2" * 100)
        return bool(self._at("subsystem", 1))

    def _at(self, step: str, answer: int) -> int:
        if self.stall == step:
            time.sleep(1)
        return answer


def _stalling(server: socket.socket, stall: str) -> None:
    caller, _ = server.accept()
    with caller:
        if stall in ("banner", "key"):
            caller.sendall(b"SSH-2.0-x\r\n" if stall == "key" else b"hello")
        else:
            transport = paramiko.Transport(caller)
            transport.add_server_key(paramiko.ECDSAKey.generate())
            transport.start_server(server=_Stalls(stall))
        time.sleep(1)
