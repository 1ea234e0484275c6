"""Linking a LINE account, over a LINE that answers as it is told and a real store."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.notifications.members.linking import Departure, Linked, Linking, cookie_name, tenant_of
from renkei.notifications.members.table import LineTakenError, UnknownMemberError
from renkei.notifications.members.troubles import LinkingError, Trouble
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.line.login import LineLogin
from tests.unit.systems.transport import Answer, Seen, network

NOW = dt.datetime(2026, 11, 22, 1, 0, tzinfo=dt.UTC)
BACK = "https://airflow.example.jp/renkei/line/callback"
SECRET = "0123456789abcdef0123456789abcdef"
TARO, HANAKO = "U" + "a" * 32, "U" + "b" * 32


class Line:
    """LINE's token and friendship requests. `claims` goes over what an honest id_token says."""

    def __init__(self) -> None:
        self.nonce = ""
        self.person = TARO
        self.claims: dict[str, Any] = {}
        self.key = SECRET
        self.status = 200
        self.codes: list[str] = []

    def __call__(self, request: Seen) -> Answer:
        if request.path == "/friendship/v1/status":
            return Answer(status=200, body={"friendFlag": True})
        self.codes.append(dict(parse_qsl(request.body.decode()))["code"])
        now = int(NOW.timestamp())
        honest = {"iss": "https://access.line.me", "aud": "2000000002", "exp": now + 3600, "iat": now}
        claims = honest | {"sub": self.person, "nonce": self.nonce} | self.claims
        tokens = {"access_token": "ACCESS-TOKEN", "id_token": jwt.encode(claims, self.key, algorithm="HS256")}
        return Answer(status=self.status, body=tokens if self.status == 200 else {"error": "invalid_grant"})


class World:
    """One tenant with two members, their browsers, and LINE."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.line = folder, Line()
        network(self.line)
        self.login = LineLogin("2000000002", SECRET)
        self.linking = Linking(TenantFolder(Store(LocalFileSystem(), str(folder)), "smarthr_emc", "acme"))
        self.linking.members.replace(pd.DataFrame({"user_id": ["001", "002"]}))

    def invite(self, user_id: str = "001") -> str:
        return self.linking.invite([user_id], 14, NOW)[user_id]

    def begin(self, token: str, now: dt.datetime = NOW) -> Departure:
        return self.linking.begin(token, self.login, BACK, now)

    def finish(
        self, departure: Departure, *, browser: str | None = None, now: dt.datetime = NOW, **answer: str
    ) -> Linked:
        """LINE sends the browser back."""
        query = parse_qs(urlsplit(departure.url).query)
        self.line.nonce = query["nonce"][0]
        trip = self.linking.trip(query["state"][0], departure.value if browser is None else browser)
        code, error = answer.get("code", "CODE"), answer.get("error", "")
        return self.linking.finish(trip, code, error, self.login, BACK, now)

    def line_id(self, user_id: str = "001") -> str:
        member = self.linking.members.find(user_id)
        assert member is not None
        return member.line_user_id


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def refused(trouble: Trouble) -> Any:
    return pytest.raises(LinkingError, check=lambda error: error.trouble is trouble)


def test_a_member_links_an_account(world: World) -> None:
    """N4: state, nonce and PKCE go out; the proven id is the member's; the invitation has served."""
    token = world.invite()
    departure = world.begin(token)
    sent = {name: values[0] for name, values in parse_qs(urlsplit(departure.url).query).items()}
    assert (sent["redirect_uri"], sent["code_challenge_method"], sent["response_type"]) == (BACK, "S256", "code")
    assert tenant_of(sent["state"]) == "acme"
    assert departure.cookie == cookie_name(sent["state"])
    assert world.finish(departure) == Linked("001", True)
    assert world.line_id() == TARO
    assert world.line.codes == ["CODE"]
    assert world.linking.link_of(world.linking.invitation(token)) is not None
    with refused(Trouble.SPENT):
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
    with refused(Trouble.STATE):
        world.linking.trip(state, "anything")


@pytest.mark.parametrize("browser", ["", "another"])
def test_another_browser_is_refused_and_uses_nothing_up(world: World, browser: str) -> None:
    """N4: else somebody's LINE could be put under another's name by a link; the right browser still gets there."""
    departure = world.begin(world.invite())
    with refused(Trouble.BROWSER):
        world.finish(departure, browser=browser)
    assert world.line.codes == []
    assert world.line_id() == ""
    assert world.finish(departure).friend


def test_a_trip_counts_once(world: World) -> None:
    """N4: a code is never exchanged twice; once linked, the page may be loaded again."""
    departure = world.begin(world.invite())
    world.line.status = 400
    with refused(Trouble.LINE):
        world.finish(departure)
    world.line.status = 200
    with refused(Trouble.STATE):
        world.finish(departure)
    assert world.line.codes == ["CODE"]
    again = world.begin(world.linking.invite(["001"], 14, NOW)["001"])
    world.finish(again)
    assert world.finish(again) == Linked("001", None)
    assert world.line.codes == ["CODE", "CODE"]


def test_a_trip_lasts_ten_minutes(world: World) -> None:
    """N4"""
    departure = world.begin(world.invite())
    with refused(Trouble.STATE):
        world.finish(departure, now=NOW + dt.timedelta(minutes=10))
    assert world.line.codes == []


def test_an_invitation_lasts_its_days(world: World) -> None:
    """N4: a trip begun in time may end after them."""
    token = world.invite()
    end = NOW + dt.timedelta(days=14)
    departure = world.begin(token, end - dt.timedelta(minutes=1))
    with refused(Trouble.EXPIRED):
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
    with refused(Trouble.LINE):
        world.finish(departure)
    assert world.line_id() == ""
    assert not any(text in caplog.text for text in ("eyJ", TARO, "ACCESS-TOKEN", SECRET))


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ({"error": "access_denied"}, Trouble.CANCELLED),
        ({"error": "ACCESS_DENIED"}, Trouble.CANCELLED),
        ({"error": "server_error"}, Trouble.LINE),
        ({"code": ""}, Trouble.LINE),
        ({"error": "access_denied", "code": "CODE"}, Trouble.CANCELLED),
    ],
)
def test_coming_back_without_a_code_links_nobody(world: World, answer: dict[str, str], trouble: Trouble) -> None:
    """N4: and the invitation can be opened again."""
    token = world.invite()
    with refused(trouble):
        world.finish(world.begin(token), **answer)
    assert world.line.codes == []
    assert world.finish(world.begin(token)).friend


def test_two_tabs_of_one_person_both_end_well(world: World) -> None:
    """N4"""
    token = world.invite()
    first, second = world.begin(token), world.begin(token)
    assert first.cookie != second.cookie
    assert world.finish(second).friend
    assert world.finish(first).friend
    assert world.line_id() == TARO


@pytest.mark.parametrize("accounts", [(TARO, HANAKO), (TARO, TARO)], ids=["two accounts", "one account"])
def test_of_two_accounts_at_once_one_is_linked(world: World, accounts: tuple[str, str]) -> None:
    """N4: both come back before either is noted; the same account twice is harmless."""
    token = world.invite()
    trips = [world.begin(token), world.begin(token)]
    read_link = world.linking.link_of
    both_looked = threading.Barrier(2, timeout=10)
    told: list[str] = []

    def look(invitation: Any) -> Any:
        found = read_link(invitation)
        both_looked.wait()
        return found

    others = [World(world.folder), World(world.folder)]
    for other, account in zip(others, accounts, strict=True):
        other.line.person = account
        other.linking.link_of = look  # type: ignore[method-assign]
    network(lambda request: others["code=1" in request.body.decode()].line(request))

    def come(number: int) -> None:
        account = accounts[number]
        try:
            others[number].finish(trips[number], code=str(number))
            told.append(account)
        except LinkingError as error:
            told.append(error.trouble)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(come, range(2)))
    link = world.linking.members.line_link("001")
    assert link is not None
    if accounts[0] == accounts[1]:
        assert told == [TARO, TARO]
    else:
        assert sorted(told) == sorted([link.line_user_id, Trouble.SPENT])


def test_nothing_is_left_of_an_invitation_that_is_gone(world: World) -> None:
    """N4: of a withdrawn one, one that has served, one long expired; the others keep all of theirs."""
    world.begin(world.invite("001"))
    world.finish(world.begin(world.invite("002")))
    world.begin(world.invite("001"))  # withdraws the first
    folder = world.folder / "smarthr_emc/tenants/acme/line_invitations"
    world.linking.tidy(NOW)
    assert len(list(folder.iterdir())) == 3 + 2, "invitation, trip, account; invitation, trip"
    world.linking.tidy(NOW + dt.timedelta(days=60))
    assert list(folder.iterdir()) == []


def test_an_account_of_anothers_leaves_the_invitation_good(world: World) -> None:
    """N4: the right account may still be linked by it."""
    world.finish(world.begin(world.invite("002")))
    token = world.invite()
    with pytest.raises(LinkingError) as told:
        world.finish(world.begin(token))
    assert told.value.trouble is Trouble.TAKEN
    world.line.person = HANAKO
    world.finish(world.begin(token))
    link = world.linking.members.line_link("001")
    assert link is not None
    assert link.line_user_id == HANAKO


def test_two_tabs_with_two_accounts_link_the_first(world: World) -> None:
    """N4: an invitation serves once."""
    token = world.invite()
    first, second = world.begin(token), world.begin(token)
    world.finish(first)
    world.line.person = HANAKO
    with refused(Trouble.SPENT):
        world.finish(second)
    assert world.line_id() == TARO


def test_one_account_does_not_serve_two_members(world: World) -> None:
    """N4: the second is told so, and may try again with the right account."""
    tokens = world.linking.invite(["001", "002"], 14, NOW)
    world.finish(world.begin(tokens["001"]))
    with refused(Trouble.TAKEN):
        world.finish(world.begin(tokens["002"]))
    assert (world.line_id("001"), world.line_id("002")) == (TARO, "")
    world.line.person = HANAKO
    world.finish(world.begin(tokens["002"]))
    assert world.line_id("002") == HANAKO


class Died(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", range(10))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_whatever_step_it_dies_at_opening_the_invitation_again_ends_well(
    world: World, monkeypatch: pytest.MonkeyPatch, step: int, after: bool
) -> None:
    """N4, L4: at every write to the store, and on both sides of it."""
    token = world.invite()
    count = -1

    def dying(name: str) -> Any:
        real = getattr(Store, name)

        def call(self: Store, key: str, content: bytes) -> Any:
            nonlocal count
            count += 1
            if count == step and not after:
                raise Died
            answer = real(self, key, content)
            if count == step:
                raise Died
            return answer

        return call

    with monkeypatch.context() as patch:
        for name in ("create", "write"):
            patch.setattr(Store, name, dying(name))
        try:
            world.finish(world.begin(token))
            died = False
        except Died:
            died = True
    assert died == (step < 7), "count, trip, note, invitation's claim, account's claim, link, invitation"
    invitation = world.linking.invitation(token)
    if world.line_id():
        assert world.linking.link_of(invitation) is not None, "linked is linked, noted or not"
    if world.linking.link_of(invitation) is None:
        world.finish(world.begin(token))
    else:
        with refused(Trouble.SPENT):
            world.begin(token)
    assert world.line_id() == TARO
    assert world.linking.link_of(world.linking.invitation(token)) is not None


def test_a_new_invitation_makes_the_earlier_one_void(world: World) -> None:
    """N4: a URL that went to the wrong person is taken back by sending another."""
    old, other = world.invite(), world.invite("002")
    departure = world.begin(old)
    new = world.invite()
    with refused(Trouble.UNKNOWN):
        world.begin(old)
    with refused(Trouble.UNKNOWN):
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
    with refused(Trouble.SPENT):
        world.begin(token)


def test_who_left_links_nothing(world: World) -> None:
    """N4: not even when the trip had begun."""
    token = world.invite()
    departure = world.begin(token)
    world.linking.members.replace(pd.DataFrame({"user_id": ["002"]}))
    with refused(Trouble.UNKNOWN):
        world.finish(departure)
    with refused(Trouble.UNKNOWN):
        world.begin(token)


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
    with refused(Trouble.UNKNOWN):
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


def together(*calls: Callable[[], object]) -> list[object]:
    """What each gives back, or the trouble it raises, all begun at once."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        start.wait()
        try:
            return call()
        except LinkingError as error:
            return error.trouble

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_a_double_tap_exchanges_the_code_once(world: World) -> None:
    """N4, L4: whoever comes second is told that it is done, or to begin anew."""
    for _ in range(5):
        departure = world.begin(world.invite())
        world.line.codes.clear()
        found = together(*[partial(world.finish, departure)] * 4)
        assert found.count(Linked("001", True)) == 1, found
        assert set(found) <= {Linked("001", True), Linked("001", None), Trouble.STATE}
        assert world.line.codes == ["CODE"]


def test_two_members_at_once_do_not_get_one_account(world: World) -> None:
    """N4: whichever comes first has it."""
    members = world.linking.members

    def claim(user_id: str) -> str:
        try:
            members.link_line(user_id, TARO, now=NOW)
        except LineTakenError:
            return "taken"
        return "linked"

    for _ in range(10):
        found = together(lambda: claim("001"), lambda: claim("002"))
        assert sorted(map(str, found)) == ["linked", "taken"]
        assert sorted([world.line_id("001"), world.line_id("002")]) == ["", TARO]
        assert members.unlink_line("001") != members.unlink_line("002")
