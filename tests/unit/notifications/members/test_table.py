"""The members table and the LINE ids linked by login."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from pathlib import Path

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import SettingError
from renkei.notifications.members.table import LineTakenError, Member, Members, UnknownMemberError
from renkei.storage.cipher import Cipher
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder

NOW = dt.datetime(2026, 11, 22, 1, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)
TARO, HANAKO, JIRO = ("U" + sign * 32 for sign in "abc")
WEBHOOK = "https://chat.googleapis.com/v1/spaces/AAA/messages?key=k&token=t"


def store_at(path: Path, *, encrypted: bool = False) -> Store:
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return Store(LocalFileSystem(), str(path), Cipher(key) if encrypted else None)


@pytest.fixture
def members(tmp_path: Path) -> Members:
    found = Members(TenantFolder(store_at(tmp_path), "smarthr_emc", "acme"))
    found.replace(pd.DataFrame({"user_id": ["001", "002", "003"], "line_user_id": ["", "", JIRO]}))
    return found


def line_of(members: Members, user_id: str) -> str:
    member = members.find(user_id)
    assert member is not None
    return member.line_user_id


def test_before_the_first_import_nobody_is_a_member(tmp_path: Path) -> None:
    """N4"""
    members = Members(TenantFolder(store_at(tmp_path), "smarthr_emc", "acme"))
    assert members.find("001") is None
    assert members.all().empty
    with pytest.raises(UnknownMemberError):
        members.link_line("001", TARO, now=NOW)


def test_a_member_is_found_by_the_exact_user_id(tmp_path: Path) -> None:
    """N4, E10: leading zeros and case count."""
    members = Members(TenantFolder(store_at(tmp_path), "smarthr_emc", "acme"))
    members.replace(pd.DataFrame({"user_id": ["001", "a1"], "slack_member_id": ["U012AB", ""]}))
    assert members.find("001") == Member("001", slack_member_id="U012AB")
    assert members.find("1") is None
    assert members.find("A1") is None


def test_a_column_that_is_not_imported_keeps_what_is_known_of_those_who_stay(members: Members) -> None:
    """N4: a file with one service's ids says nothing of the others."""
    members.replace(pd.DataFrame({"user_id": ["003", "004"], "slack_member_id": ["U012AB", "U012AC"]}))
    assert members.find("003") == Member("003", slack_member_id="U012AB", line_user_id=JIRO)
    assert members.find("004") == Member("004", slack_member_id="U012AC")
    assert members.find("001") is None


def test_a_column_that_is_imported_empty_is_cleared(members: Members) -> None:
    """N4"""
    members.replace(pd.DataFrame({"user_id": ["003"], "line_user_id": [""]}))
    assert line_of(members, "003") == ""


def test_a_login_wins_over_an_import_and_neither_undoes_the_other(members: Members) -> None:
    """N4"""
    members.link_line("003", TARO, now=NOW)
    assert line_of(members, "003") == TARO
    members.replace(pd.DataFrame({"user_id": ["003"], "line_user_id": [HANAKO]}))
    assert line_of(members, "003") == TARO
    assert members.all().to_dict("records")[0]["line_user_id"] == TARO
    assert members.unlink_line("003")
    assert line_of(members, "003") == HANAKO
    assert not members.unlink_line("003")


@pytest.mark.parametrize("how", ["login", "import"])
def test_one_line_account_is_one_members(members: Members, how: str) -> None:
    """N4: else one person reads another's notifications."""
    if how == "login":
        members.link_line("001", JIRO[:1] + "d" * 32, now=NOW)
        taken = JIRO[:1] + "d" * 32
    else:
        taken = JIRO
    with pytest.raises(LineTakenError) as caught:
        members.link_line("002", taken, now=LATER)
    assert taken not in str(caught.value)
    assert line_of(members, "002") == ""


def test_linking_twice_is_linking_once(members: Members) -> None:
    """N4, L4"""
    members.link_line("001", TARO, now=NOW)
    members.link_line("001", TARO, now=NOW)
    assert list(members.line_links()) == ["001"]


def test_an_account_that_was_given_up_may_be_linked_by_another(members: Members) -> None:
    """N4: by unlinking, by linking another account, by leaving the company."""
    members.link_line("001", TARO, now=NOW)
    members.unlink_line("001")
    members.link_line("002", TARO, now=NOW)
    members.link_line("002", HANAKO, now=NOW)
    members.link_line("001", TARO, now=NOW)
    members.replace(pd.DataFrame({"user_id": ["002", "003"]}))
    members.link_line("003", TARO, now=LATER)
    assert [line_of(members, user) for user in ("002", "003")] == [HANAKO, TARO]


def test_a_claim_whose_process_died_holds_for_minutes_only(members: Members, monkeypatch: pytest.MonkeyPatch) -> None:
    """N4, L4: nobody else gets the account meanwhile, its own member does at once."""
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            members.link_line("001", TARO, now=NOW)
    with pytest.raises(LineTakenError):
        members.link_line("002", TARO, now=NOW + dt.timedelta(minutes=1))
    members.link_line("002", TARO, now=LATER)
    assert (line_of(members, "001"), line_of(members, "002")) == ("", TARO)


def test_who_comes_back_does_not_take_an_account_that_went_on(members: Members) -> None:
    """N4: to another member meanwhile; what the one gives up stays the other's."""
    members.link_line("001", TARO, now=NOW)
    members.replace(pd.DataFrame({"user_id": ["002", "003"]}))
    members.link_line("002", TARO, now=LATER)
    members.replace(pd.DataFrame({"user_id": ["001", "002", "003"]}))
    assert members.unlink_line("001")
    with pytest.raises(LineTakenError):
        members.link_line("001", TARO, now=LATER + dt.timedelta(hours=1))
    assert (line_of(members, "001"), line_of(members, "002")) == ("", TARO)


def test_webhooks_are_kept_by_an_encrypted_store_alone(tmp_path: Path) -> None:
    """L7: a webhook is a secret."""
    frame = pd.DataFrame({"user_id": ["001"], "google_chat_webhook": [WEBHOOK]})
    plain = Members(TenantFolder(store_at(tmp_path / "plain"), "smarthr_emc", "acme"))
    with pytest.raises(SettingError, match="RENKEI_STORE_KEY_CONN_ID") as caught:
        plain.replace(frame)
    assert "https" not in str(caught.value)
    assert plain.find("001") is None
    encrypted = Members(TenantFolder(store_at(tmp_path / "sealed", encrypted=True), "smarthr_emc", "acme"))
    encrypted.replace(frame)
    member = encrypted.find("001")
    assert member is not None
    assert member.google_chat_webhook == WEBHOOK
    assert not any(b"googleapis" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_member_shows_nothing_of_itself(members: Members) -> None:
    """L6, L7: a repr ends up in logs."""
    shown = repr(Member("taro@example.jp", "w", "U012AB", WEBHOOK, TARO))
    assert shown == "Member()"
