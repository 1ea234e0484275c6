"""Invitations to the お客様ページ: good for one company, for days, until they are revoked (S5, L6, L7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.storage.cipher import Cipher
from renkei.storage.database.database import open_database
from renkei.storage.store import Store
from renkei.storage.tokens import new_token
from renkei.web.customer import invitations as module
from renkei.web.customer.invitations import (
    IDLE,
    LASTS,
    MAX_LIVE,
    MAX_SESSIONS,
    CustomerRight,
    Invitation,
    Invitations,
    NotInvitedError,
    forget,
)

LINK = "smarthr_emc"
NOW = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)
DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/renkei.db"


@pytest.fixture
def invitations(tmp_path: Path, url: str) -> Invitations:
    return Invitations(open_database(url), Store(LocalFileSystem(), str(tmp_path / "store"), Cipher(KEY)))


def invite(
    of: Invitations, tenant: str = "acme", allows: Collection[CustomerRight] = frozenset(CustomerRight), days: int = 7
) -> tuple[Invitation, str]:
    token = new_token()
    return of.invite(LINK, tenant, "総務の加藤様", "シートの提出", allows, days, "yuki", NOW, token), token


def test_of_one_token_there_is_one_invitation(invitations: Invitations) -> None:
    """However often, and by how many at once, its form is sent; what differs is refused, and what is revoked."""
    token = new_token()

    def made(label: str = "総務の加藤様") -> Invitation:
        return invitations.invite(LINK, "acme", label, "提出", {CustomerRight.SHEET}, 7, "yuki", NOW, token)

    with ThreadPoolExecutor(4) as people:
        found = list(people.map(lambda _: made(), range(8)))
    assert {one.number for one in found} == {1}
    assert len(invitations.listed(LINK, "acme")) == 1
    assert invitations.enter(token, NOW) is not None
    with pytest.raises(NotInvitedError, match="既に招待1を作りました"):
        made("経理の佐藤様")
    invitations.revoke(LINK, "acme", 1, "yuki", NOW)
    with pytest.raises(NotInvitedError, match="既に招待1を作りました"):
        made()


def test_who_was_invited_comes_in_and_is_listed_as_having_done_so(invitations: Invitations) -> None:
    made, token = invite(invitations, allows={CustomerRight.SHEET})
    assert [one.first_used_at for one in invitations.listed(LINK, "acme")] == [None]
    entered = invitations.enter(token, NOW + MINUTE)
    assert entered is not None
    session, cookie = entered
    assert (session.invitation.tenant, session.invitation.allows) == ("acme", {CustomerRight.SHEET})
    found = invitations.session(cookie, NOW + 5 * MINUTE)
    assert found is not None
    assert found.form == session.form
    (listed,) = invitations.listed(LINK, "acme")
    assert (listed.number, listed.label, listed.why, listed.created_by) == (1, "総務の加藤様", "シートの提出", "yuki")
    assert (listed.first_used_at, listed.last_used_at) == (NOW + MINUTE, NOW + 5 * MINUTE)
    assert made.number == 1


def test_l7_neither_token_nor_label_lies_in_the_database(invitations: Invitations, tmp_path: Path) -> None:
    _, token = invite(invitations)
    entered = invitations.enter(token, NOW)
    assert entered
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("renkei.db*"))
    for secret in (token, entered[1], entered[0].form, "加藤", "シートの提出"):
        assert secret.encode() not in kept
    assert token not in repr(entered)
    assert "加藤" not in repr(entered)


def test_s5_each_company_has_its_own(invitations: Invitations) -> None:
    invite(invitations)
    other, _ = invite(invitations, "beta")
    assert other.number == 1
    assert [one.tenant for one in invitations.listed(LINK, "beta")] == ["beta"]
    assert invitations.listed("hotprofile_kintone", "acme") == []
    assert not invitations.revoke("hotprofile_kintone", "acme", 1, "yuki", NOW)
    assert all(one.is_good(NOW) for one in invitations.listed(LINK, "acme"))


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "x" * 10_000, "あ" * 43, "a\0" * 21 + "a", "\ud800" * 43])
def test_s5_what_is_no_token_opens_nothing(invitations: Invitations, token: str) -> None:
    invite(invitations)
    assert invitations.enter(token, NOW) is None
    assert invitations.session(token, NOW) is None


def test_s5_its_end_ends_its_sessions_too(invitations: Invitations) -> None:
    _, token = invite(invitations, days=1)
    entered = invitations.enter(token, NOW + DAY - 2 * MINUTE)
    assert entered
    assert invitations.session(entered[1], NOW + DAY - MINUTE)
    assert invitations.session(entered[1], NOW + DAY) is None
    assert invitations.enter(token, NOW + DAY) is None


def test_no_invitation_is_good_for_longer_than_thirty_days(invitations: Invitations) -> None:
    made, _ = invite(invitations, days=400)
    assert made.expires_at == NOW + 30 * DAY


def test_s5_one_that_is_revoked_is_void_at_once(invitations: Invitations) -> None:
    made, token = invite(invitations)
    _, kept = invite(invitations)
    entered, other = invitations.enter(token, NOW), invitations.enter(kept, NOW)
    assert entered
    assert other
    assert invitations.revoke(LINK, "acme", made.number, "omar", NOW + MINUTE)
    assert invitations.session(entered[1], NOW + MINUTE) is None
    assert invitations.enter(token, NOW + MINUTE) is None
    assert invitations.session(other[1], NOW + MINUTE)
    assert not invitations.revoke(LINK, "acme", made.number, "yuki", NOW + DAY), "the first one counts"
    found = invitations.listed(LINK, "acme")[-1]
    assert (found.revoked_at, found.revoked_by) == (NOW + MINUTE, "omar")


def test_a_session_ends_when_nothing_is_done_and_when_its_day_is_over(invitations: Invitations) -> None:
    _, token = invite(invitations)
    entered = invitations.enter(token, NOW)
    assert entered
    now = NOW
    while now - NOW < LASTS - IDLE:
        now += IDLE - MINUTE
        assert invitations.session(entered[1], now), now - NOW
    assert invitations.session(entered[1], NOW + LASTS) is None
    again = invitations.enter(token, NOW)
    assert again
    assert invitations.session(again[1], NOW + IDLE) is None


def test_who_leaves_is_out(invitations: Invitations) -> None:
    _, token = invite(invitations)
    entered, elsewhere = invitations.enter(token, NOW), invitations.enter(token, NOW)
    assert entered
    assert elsewhere
    assert entered[1] != elsewhere[1]
    invitations.leave(entered[1])
    assert invitations.session(entered[1], NOW) is None
    assert invitations.session(elsewhere[1], NOW)


def test_an_invitation_has_a_few_sessions_at_a_time(invitations: Invitations) -> None:
    _, token = invite(invitations)
    entered = [invitations.enter(token, NOW + n * MINUTE) for n in range(MAX_SESSIONS + 2)]
    there = [invitations.session(one[1], NOW + 10 * MINUTE) is not None for one in entered if one]
    assert there == [False] * 2 + [True] * MAX_SESSIONS


def test_a_company_has_a_bounded_number_of_good_ones(invitations: Invitations) -> None:
    made = [invite(invitations)[0] for _ in range(MAX_LIVE)]
    with pytest.raises(NotInvitedError, match="取り消して"):
        invite(invitations)
    invitations.revoke(LINK, "acme", made[3].number, "yuki", NOW)
    assert invite(invitations)[0].number == MAX_LIVE + 1
    assert invite(invitations, "beta")


def test_two_that_are_made_at_once_get_numbers_of_their_own(
    invitations: Invitations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another transaction's number is not seen by the one that counts."""
    invite(invitations)
    monkeypatch.setattr(module.func, "max", lambda column: module.func.min(column) - 1)
    assert [invite(invitations)[0].number for _ in range(2)] == [2, 3]


def test_old_ones_are_forgotten(invitations: Invitations, url: str) -> None:
    _, token = invite(invitations, days=1)
    invite(invitations, days=30)
    assert invitations.enter(token, NOW)
    database = open_database(url)
    assert forget(database, NOW + 5 * DAY, 5 * DAY) == 0
    assert forget(database, NOW + 7 * DAY, 5 * DAY) == 1
    assert [one.number for one in invitations.listed(LINK, "acme")] == [2]
