"""`renkei members …` as an operator types it, over a real store."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from renkei import settings
from renkei.commands import context, members
from renkei.notifications.members.linking import Linking
from renkei.notifications.members.own import OwnEntries
from renkei.notifications.members.table import Member
from renkei.notifications.members.troubles import LinkingError
from renkei.storage.database.database import open_database
from renkei.storage.tenant_folder import TenantFolder

LINE, LINE2 = "U" + "a" * 32, "U" + "b" * 32
WEBHOOK = "https://chat.googleapis.com/v1/spaces/AAAAx/messages?key=AIzaKEY&token=TOKENTOKEN"
Run = Callable[..., Any]


@pytest.fixture
def renkei(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Types a command; what it raises on purpose is raised here."""
    monkeypatch.setattr(context, "as_airflow", lambda: None)  # it is for a process of its own
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    connection = {"conn_type": "line_login", "login": "2000000002", "password": "0123456789abcdef"}
    monkeypatch.setenv("AIRFLOW_CONN_LINE_LOGIN__ACME", json.dumps(connection))
    monkeypatch.chdir(tmp_path)
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    app.add_typer(members.app, name="members")

    def run(*words: str) -> Any:
        found = CliRunner().invoke(app, ["members", *words])
        if found.exception and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found

    return run


def put(text: str, name: str = "m.csv") -> str:
    Path(name).write_text(text, "utf-8")
    return name


def encrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    monkeypatch.setenv("AIRFLOW_CONN_STORE_KEY", json.dumps({"conn_type": "generic", "password": key}))
    monkeypatch.setenv("RENKEI_STORE_KEY_CONN_ID", "store_key")


def linking() -> Linking:
    return Linking(TenantFolder(context.open_store(), "smarthr_emc", "acme"))


def test_import_replaces_the_table_and_counts(renkei: Run) -> None:
    """N4"""
    first = renkei("import", "acme", put("ユーザID,SlackメンバーID\n001,U012AA\n002,U012AB\n"))
    assert (first.exit_code, "2名を登録しました。追加 2、変更 0、削除 0" in first.stdout) == (0, True)
    again = renkei("import", "acme", put("ユーザID,SlackメンバーID\n001,U012AC\n003,\n"), "--json")
    told = json.loads(again.stdout)
    assert (told["imported"], told["added"], told["changed"], told["removed"]) == (True, 1, 1, 1)
    assert linking().members.find("001") == Member("001", slack_member_id="U012AC")


def test_import_with_a_mistake_changes_nothing(renkei: Run) -> None:
    """N4, L2: status 1, every mistake."""
    renkei("import", "acme", put("ユーザID\n001\n"))
    found = renkei("import", "acme", put("ユーザID,SlackメンバーID\n002,bad\n002,\n"))
    assert found.exit_code == 1
    assert "m.csv 2行目 SlackメンバーID" in found.stdout
    assert "m.csv 3行目 ユーザID: 2行目と同じです" in found.stdout
    assert linking().members.imported()["user_id"].tolist() == ["001"]


def test_check_writes_nothing(renkei: Run) -> None:
    """N4"""
    assert renkei("import", "acme", put("ユーザID\n001\n"), "--check").exit_code == 0
    assert linking().members.imported().empty


def test_an_import_that_removes_many_is_asked_about(renkei: Run) -> None:
    """N4, L1: the wrong file."""
    renkei("import", "acme", put("ユーザID\n" + "".join(f"{n:03}\n" for n in range(20))))
    assert renkei("import", "acme", put("ユーザID\n001\n")).exit_code == 2
    assert len(linking().members.imported()) == 20
    assert renkei("import", "acme", put("ユーザID\n001\n"), "--remove-many").exit_code == 0
    assert len(linking().members.imported()) == 1


@pytest.mark.parametrize("check", [[], ["--check"]], ids=["import", "check"])
def test_webhooks_need_an_encrypted_store(renkei: Run, check: list[str]) -> None:
    """L7"""
    from renkei.errors import SettingError

    with pytest.raises(SettingError, match="暗号化"):
        renkei("import", "acme", put(f"ユーザID,Google Chat Webhook\n001,{WEBHOOK}\n"), *check)
    assert linking().members.imported().empty


def test_list_shows_who_has_what_and_no_id(renkei: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """N4, L7"""
    encrypt(monkeypatch)
    renkei("import", "acme", put(f"ユーザID,Google Chat Webhook,SlackメンバーID\n001,{WEBHOOK},\n002,,U012AA\n"))
    linking().members.link_line("002", LINE, now=dt.datetime(2026, 11, 22, tzinfo=dt.UTC))
    for found in (renkei("list", "acme"), renkei("list", "acme", "--json")):
        assert found.exit_code == 0
        assert not any(text in found.stdout for text in (WEBHOOK, "TOKEN", "U012AA", LINE))
    assert json.loads(found.stdout)["members"] == [
        {"lineworks_id": False, "slack_member_id": False, "google_chat_webhook": True, "line_user_id": False,
         "line_linked_at": "", "user_id": "001"},
        {"lineworks_id": False, "slack_member_id": True, "google_chat_webhook": False, "line_user_id": True,
         "line_linked_at": "2026-11-22T00:00:00+00:00", "user_id": "002"},
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_an_export_imported_again_changes_nothing(renkei: Run, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """N4, L7: its owner alone reads it; webhooks only on request; a LINE linked by login stays the member's own."""
    encrypt(monkeypatch)
    renkei("import", "acme", put(f"ユーザID,Google Chat Webhook,LINEユーザーID\n001,{WEBHOOK},\n002,,{LINE}\n"))
    linking().members.link_line("001", LINE2, now=dt.datetime.now(dt.UTC))
    for options in ([], ["--with-webhooks", "--force"]):
        assert renkei("export", "acme", name, *options).exit_code == 0
        assert Path(name).stat().st_mode & 0o777 == 0o600
        told = json.loads(renkei("import", "acme", name, "--json").stdout)
        assert (told["imported"], told["changed"], told["warnings"]) == (True, 0, [])
    assert linking().members.find("001") == Member("001", google_chat_webhook=WEBHOOK, line_user_id=LINE2)
    linking().members.unlink_line("001")
    assert linking().members.find("001") == Member("001", google_chat_webhook=WEBHOOK)
    assert renkei("export", "acme", name).exit_code == 2


def test_an_export_has_no_webhook_unasked(renkei: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """L7"""
    encrypt(monkeypatch)
    renkei("import", "acme", put(f"ユーザID,Google Chat Webhook\n001,{WEBHOOK}\n"))
    renkei("export", "acme", "a.csv")
    renkei("export", "acme", "b.csv", "--with-webhooks")
    assert ("googleapis" in Path("a.csv").read_text(), "googleapis" in Path("b.csv").read_text()) == (False, True)


def test_invite_writes_one_url_each(renkei: Run) -> None:
    """N4: to a file of its owner's, and nowhere else."""
    renkei("import", "acme", put(f"ユーザID,LINEユーザーID\n001,\n002,{LINE}\n003,\n"))
    found = renkei("invite", "acme", "--unlinked", "-o", "urls.csv")
    assert found.exit_code == 0
    assert Path("urls.csv").stat().st_mode & 0o777 == 0o600
    rows = list(csv.DictReader(Path("urls.csv").read_text("utf-8-sig").splitlines()))
    assert [row["ユーザID"] for row in rows] == ["001", "003"]
    urls = [row["LINE連携URL"] for row in rows]
    assert all(url.startswith("http://airflow.example.jp/renkei/line/acme/") for url in urls)
    tokens = [url.rsplit("/", 1)[1] for url in urls]
    assert [linking().invitation(token).user_id for token in tokens] == ["001", "003"]
    assert not any(token in found.output for token in tokens)


def test_invite_keeps_an_id_from_being_run(renkei: Run) -> None:
    """L6: the file of URLs is opened in a spreadsheet too."""
    renkei("import", "acme", put("ユーザID\n+8190\n"))
    assert renkei("invite", "acme", "+8190", "-o", "urls.csv").exit_code == 0
    assert Path("urls.csv").read_text("utf-8-sig").splitlines()[1].startswith("'+8190,")


@pytest.mark.parametrize(
    "words",
    [["acme", "-o", "u.csv"], ["acme", "001", "--unlinked", "-o", "u.csv"], ["acme/../b", "001", "-o", "u.csv"]],
)
def test_invite_used_wrongly(renkei: Run, words: list[str]) -> None:
    """N4"""
    assert renkei("invite", *words).exit_code == 2


def test_invite_of_nobody_known_leaves_no_file(renkei: Run) -> None:
    """N4, L2"""
    from renkei.errors import RenkeiError

    renkei("import", "acme", put("ユーザID\n001\n"))
    with pytest.raises(RenkeiError, match="009"):
        renkei("invite", "acme", "001", "009", "-o", "u.csv")
    assert not Path("u.csv").exists()


def test_no_invitation_without_a_login_channel(renkei: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """N4, L8: it would lead nowhere; and what an earlier one is worth stays."""
    from renkei.errors import ConnectionError_

    renkei("import", "acme", put("ユーザID\n001\n"))
    monkeypatch.delenv("AIRFLOW_CONN_LINE_LOGIN__ACME")
    with pytest.raises(ConnectionError_, match="line_login__acme"):
        renkei("invite", "acme", "001", "-o", "u.csv")
    assert not Path("u.csv").exists()


def test_line_callback_is_what_line_is_told(renkei: Run) -> None:
    """N4"""
    assert renkei("line-callback", "acme").stdout == "http://airflow.example.jp/renkei/line/callback\n"


def test_unlinking_takes_the_invitation_too(renkei: Run) -> None:
    """N4: and says what is left."""
    renkei("import", "acme", put(f"ユーザID,LINEユーザーID\n001,{LINE2}\n"))
    now = dt.datetime.now(dt.UTC)
    token = linking().invite(["001"], 14, now)["001"]
    linking().members.link_line("001", LINE, now=now)
    found = renkei("unlink-line", "acme", "001")
    assert (found.exit_code, "取り込んだLINEユーザーIDが残っている" in found.stdout) == (0, True)
    with pytest.raises(LinkingError):
        linking().invitation(token)
    assert renkei("unlink-line", "acme", "001").exit_code == 1


def test_w2_each_member_gets_an_address_of_his_own_for_マイ情報(renkei: Run, tmp_path: Path) -> None:
    """A newer one makes it void; nobody is invited who is no member."""
    renkei("import", "acme", put("ユーザID\n001\n002\n"))
    assert renkei("invite-my", "acme", "-o", "my.csv", "--all").exit_code == 0
    rows = list(csv.reader(Path("my.csv").read_text("utf-8-sig").splitlines()))
    assert rows[0] == ["ユーザID", "マイ情報のURL"]
    assert [row[0] for row in rows[1:]] == ["001", "002"]
    base, token = rows[1][1].rsplit("/", 1)
    assert base.endswith("/renkei/my/acme")
    folder = TenantFolder(context.open_store(), "smarthr_emc", "acme")
    own = OwnEntries(open_database(settings.database_url()), folder)
    invited = own.invited(token)
    assert invited is not None
    assert invited.user_id == "001"
    assert renkei("invite-my", "acme", "001", "-o", "again.csv").exit_code == 0
    assert own.invited(token) is None
    stranger = renkei("invite-my", "acme", "009", "-o", "none.csv")
    assert (stranger.exit_code, Path("none.csv").exists()) == (2, False)


def test_who_leaves_the_table_leaves_nothing_to_whoever_gets_his_user_id(renkei: Run) -> None:
    """N4, W2: neither his LINE account and Slack id, nor his invitations."""
    renkei("import", "acme", put("ユーザID\n001\n002\n"))
    own = OwnEntries(open_database(settings.database_url()), linking().folder)
    now = dt.datetime.now(dt.UTC)
    tokens = own.invite(["001", "002"], 7, now)
    for user, slack, line in (("001", "U012AA", LINE), ("002", "U012AB", LINE2)):
        invited = own.invited(tokens[user])
        assert invited
        own.register(invited, "slack_member_id", slack, now)
        linking().members.link_line(user, line, now=now)
    of_line = linking().invite(["001"], 7, now)["001"]
    renkei("import", "acme", put("ユーザID\n002\n"))
    renkei("import", "acme", put("ユーザID\n001\n002\n"))
    assert own.find("001") == Member("001")
    assert own.find("002") == Member("002", slack_member_id="U012AB", line_user_id=LINE2)
    assert (own.invited(tokens["001"]), own.invited(tokens["002"]) is None) == (None, False)
    with pytest.raises(LinkingError):
        linking().invitation(of_line)
