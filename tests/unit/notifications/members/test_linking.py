"""Linking a LINE account, over a LINE that answers as it is told and a real store."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from renkei.notifications.members.linking import Linked, cookie_name
from renkei.notifications.members.table import UnknownMemberError
from renkei.notifications.members.troubles import LinkingError, LinkingFailure
from renkei.storage.tokens import tenant_of_state
from tests.unit.notifications.members.line_account import BACK, HANAKO, NOW, SECRET, TARO, World, refused


def test_a_member_links_an_account(world: World) -> None:
    """N4: state, nonce and PKCE go out; the proven id is the member's; the invitation has served."""
    token = world.invite()
    departure = world.begin(token)
    sent = {name: values[0] for name, values in parse_qs(urlsplit(departure.url).query).items()}
    assert (sent["redirect_uri"], sent["code_challenge_method"], sent["response_type"]) == (BACK, "S256", "code")
    assert tenant_of_state(sent["state"]) == "acme"
    assert departure.cookie == cookie_name(sent["state"])
    assert world.finish(departure) == Linked("001", True)
    assert world.line_id() == TARO
    assert world.line.codes == ["CODE"]
    assert world.linking.link_of(world.linking.invitation(token)) is not None
    with refused(LinkingFailure.SPENT):
        world.begin(token)


def test_nothing_that_opens_a_door_is_kept(world: World) -> None:
    """N4, L7: of token, state and cookie the store has digests; of LINE's tokens and code nothing."""
    token = world.invite()
    departure = world.begin(token)
    world.finish(departure)
    state = parse_qs(urlsplit(departure.url).query)["state"][0]
    stored = b"".join(str(path).encode() + path.read_bytes() for path in world.folder.rglob("*") if path.is_file())
    for secret in (token, state, departure.value, "ACCESS-TOKEN", "CODE", SECRET):
        assert secret.encode() not in stored
    assert not re.search(f"{token}|{departure.value}|{state}", repr(departure) + repr(world.linking.invitation(token)))


@pytest.mark.parametrize(
    "state", ["", "x", "acme." + "0" * 64, "other." + "0" * 64, "../acme." + "0" * 64, "acme." + "é" * 64]
)
def test_a_state_of_nobodys_is_refused(world: World, state: str) -> None:
    """N4"""
    with refused(LinkingFailure.STATE):
        world.linking.attempt(state, "anything")


@pytest.mark.parametrize("browser", ["", "another"])
def test_another_browser_is_refused_and_uses_nothing_up(world: World, browser: str) -> None:
    """N4: else somebody's LINE could be put under another's name by a link; the right browser still gets there."""
    departure = world.begin(world.invite())
    with refused(LinkingFailure.BROWSER):
        world.finish(departure, browser=browser)
    assert world.line.codes == []
    assert world.line_id() == ""
    assert world.finish(departure).friend


def test_a_trip_lasts_ten_minutes(world: World) -> None:
    """N4"""
    departure = world.begin(world.invite())
    with refused(LinkingFailure.STATE):
        world.finish(departure, now=NOW + dt.timedelta(minutes=10))
    assert world.line.codes == []


def test_an_invitation_lasts_its_days(world: World) -> None:
    """N4: an attempt begun in time may end after them."""
    token = world.invite()
    end = NOW + dt.timedelta(days=14)
    departure = world.begin(token, end - dt.timedelta(minutes=1))
    with refused(LinkingFailure.EXPIRED):
        world.begin(token, end)
    world.line.claims = {"exp": int(end.timestamp()) + 3600, "iat": int(end.timestamp())}
    world.finish(departure, now=end + dt.timedelta(minutes=1))
    assert world.line_id() == TARO


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param({"nonce": "another"}, id="nonce"),
        pytest.param({"aud": "2000000003"}, id="audience"),
        pytest.param({"iss": "https://evil.example"}, id="issuer"),
        pytest.param({"exp": int(NOW.timestamp()) - 3600}, id="expired"),
        pytest.param({"sub": "nobody"}, id="no LINE id"),
        pytest.param({}, id="signature"),
    ],
)
def test_a_forged_id_token_links_nobody(world: World, lie: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """N4, L7: and neither the token nor what it says is in the log."""
    departure = world.begin(world.invite())
    world.line.claims = lie
    if not lie:
        world.line.key = "f" * 32
    with refused(LinkingFailure.LINE):
        world.finish(departure)
    assert world.line_id() == ""
    assert not any(text in caplog.text for text in ("eyJ", TARO, "ACCESS-TOKEN", SECRET))


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ({"error": "access_denied"}, LinkingFailure.CANCELLED),
        ({"error": "ACCESS_DENIED"}, LinkingFailure.CANCELLED),
        ({"error": "server_error"}, LinkingFailure.LINE),
        ({"code": ""}, LinkingFailure.LINE),
        ({"error": "access_denied", "code": "CODE"}, LinkingFailure.CANCELLED),
    ],
)
def test_coming_back_without_a_code_links_nobody(world: World, answer: dict[str, str], trouble: LinkingFailure) -> None:
    """N4: and the invitation can be opened again."""
    token = world.invite()
    with refused(trouble):
        world.finish(world.begin(token), **answer)
    assert world.line.codes == []
    assert world.finish(world.begin(token)).friend


def test_nothing_is_left_of_an_invitation_that_is_gone(world: World) -> None:
    """N4: of a withdrawn one, one that has served, one long expired; the others keep all of theirs."""
    world.begin(world.invite("001"))
    world.finish(world.begin(world.invite("002")))
    world.begin(world.invite("001"))  # withdraws the first
    folder = world.folder / "smarthr_emc/tenants/acme/line_invitations"
    world.linking.tidy(NOW)
    assert len(list(folder.iterdir())) == 3 + 2, "invitation, attempt, account; invitation, attempt"
    world.linking.tidy(NOW + dt.timedelta(days=60))
    assert list(folder.iterdir()) == []


def test_an_account_of_anothers_leaves_the_invitation_good(world: World) -> None:
    """N4: the right account may still be linked by it."""
    world.finish(world.begin(world.invite("002")))
    token = world.invite()
    with pytest.raises(LinkingError) as told:
        world.finish(world.begin(token))
    assert told.value.trouble is LinkingFailure.TAKEN
    world.line.person = HANAKO
    world.finish(world.begin(token))
    link = world.linking.members.line_link("001")
    assert link is not None
    assert link.line_user_id == HANAKO


def test_a_new_invitation_makes_the_earlier_one_void(world: World) -> None:
    """N4: a URL that went to the wrong person is taken back by sending another."""
    old, other = world.invite(), world.invite("002")
    departure = world.begin(old)
    new = world.invite()
    with refused(LinkingFailure.UNKNOWN):
        world.begin(old)
    with refused(LinkingFailure.UNKNOWN):
        world.finish(departure)
    assert world.line_id() == ""
    assert world.begin(new).url
    assert world.begin(other).url


def test_a_new_invitation_replaces_a_link(world: World) -> None:
    """N4: another phone, another account."""
    world.finish(world.begin(world.invite()))
    world.line.person = HANAKO
    world.finish(world.begin(world.invite()))
    assert world.line_id() == HANAKO


def test_who_is_unlinked_does_not_come_back_by_the_old_invitation(world: World) -> None:
    """N4"""
    token = world.invite()
    world.finish(world.begin(token))
    world.linking.members.unlink_line("001")
    with refused(LinkingFailure.SPENT):
        world.begin(token)


def test_who_left_links_nothing(world: World) -> None:
    """N4: not even when the attempt had begun."""
    token = world.invite()
    departure = world.begin(token)
    world.linking.members.replace(pd.DataFrame({"user_id": ["002"]}))
    with refused(LinkingFailure.UNKNOWN):
        world.finish(departure)
    with refused(LinkingFailure.UNKNOWN):
        world.begin(token)


def test_who_is_unlinked_while_line_answers_is_not_linked_after_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N4: the operator's button and the member's last step at once: neither a link nor an invitation comes back."""
    token = world.invite()
    departure = world.begin(token)
    link_line = world.linking.members.link_line

    def undone_meanwhile(*args: Any, **named: Any) -> None:
        world.linking.undo_line("001")
        link_line(*args, **named)

    monkeypatch.setattr(world.linking.members, "link_line", undone_meanwhile)
    with refused(LinkingFailure.UNKNOWN):
        world.finish(departure)
    assert world.linking.members.line_link("001") is None
    with refused(LinkingFailure.UNKNOWN):
        world.begin(token)


def test_who_links_while_he_is_unlinked_is_unlinked_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """N4: the member's last step comes right before his invitation is withdrawn: what it made goes after that."""
    departure = world.begin(world.invite())
    withdraw = world.linking.withdraw

    def links_first(*args: Any, **named: Any) -> None:
        world.finish(departure)
        withdraw(*args, **named)

    monkeypatch.setattr(world.linking, "withdraw", links_first)
    assert world.linking.undo_line("001")
    assert world.linking.members.line_link("001") is None


def test_n4_of_who_is_no_member_any_more_neither_account_nor_invitation_is_left(world: World) -> None:
    """His user id may be given to another person later, who is not to be reached where he was."""
    world.finish(world.begin(world.invite("001")))
    tokens = world.linking.invite(["001", "002"], 14, NOW)
    world.linking.keep_only({"002"})
    assert world.linking.members.line_link("001") is None
    assert sorted(world.linking.invited(NOW)) == ["002"]
    with refused(LinkingFailure.UNKNOWN):
        world.begin(tokens["001"])


def test_only_members_are_invited(world: World) -> None:
    """N4, L2: one unknown id and nobody is."""
    with pytest.raises(UnknownMemberError, match="003"):
        world.linking.invite(["001", "003"], 14, NOW)
    assert not list(world.folder.rglob("line_invitations/*"))


def test_what_is_over_is_cleared_away(world: World) -> None:
    """N4, L6: and what is not stays."""
    token = world.invite()
    world.finish(world.begin(token))
    open_token = world.invite("002")
    world.begin(open_token)
    assert world.linking.tidy(NOW + dt.timedelta(minutes=10)) == 0
    assert world.linking.tidy(NOW + dt.timedelta(hours=1)) == 2
    assert not list(world.folder.rglob("line_logins/*"))
    assert world.begin(open_token).url
    assert world.linking.tidy(NOW + dt.timedelta(days=45)) == 3
    with refused(LinkingFailure.UNKNOWN):
        world.linking.invitation(open_token)
    assert world.line_id() == TARO


def test_records_hold_no_more_than_they_need(world: World) -> None:
    """N4, L6"""
    world.begin(world.invite())
    shapes = {
        re.sub("[0-9a-f]{64}", "x", f"{path.parent.name}/{path.name}"): sorted(json.loads(path.read_bytes()))
        for path in world.folder.rglob("line_*/*.json")
    }
    assert shapes == {
        "line_invitations/x.json": ["expires_at", "user_id"],
        "line_invitations/x.1.json": ["at"],
        "line_logins/x.json": ["browser", "expires_at", "invitation", "nonce", "verifier"],
    }
