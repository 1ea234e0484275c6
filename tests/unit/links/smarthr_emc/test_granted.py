"""A company's token: renewed once, by one; a refresh token that may be spent is never sent again (S3)."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path

import pytest
import requests

from renkei.errors import FetchError, RetriableFetchError
from renkei.links.smarthr_emc import connecting
from renkei.links.smarthr_emc.granted import AHEAD, LEASE, GrantState, ReauthoriseError, grant_state, tidy
from renkei.runs.outcome import Outcome, outcome_of
from renkei.storage.source_grants import KEPT, Grant, GrantEvent, PlainStoreError, SourceGrants, void_tenants
from renkei.storage.store import Store
from tests.harness.oauth import NOW, SECRETS, YUKI, OAuthWorld, tokens
from tests.unit.systems.transport import Answer

SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def world(tmp_path: Path) -> OAuthWorld:
    found = OAuthWorld(tmp_path)
    found.answer = tokens(2)
    return found


def void(world: OAuthWorld) -> frozenset[str]:
    return void_tenants(world.store, "smarthr_emc")


def test_a_fresh_token_is_taken_as_it_is(world: OAuthWorld) -> None:
    assert not world.granted().exists()
    world.allowed()
    assert world.granted().exists()
    assert world.granted().token() == "access-1"
    assert world.asked == []


def test_what_does_not_expire_is_never_renewed(world: OAuthWorld) -> None:
    world.allowed(lasts=None)
    world.now += dt.timedelta(days=4000)
    assert world.granted().token() == "access-1"
    assert world.asked == []


@pytest.mark.parametrize("left", [AHEAD, dt.timedelta(0), -dt.timedelta(days=400)], ids=["soon", "now", "long ago"])
def test_before_its_end_it_is_renewed_once(world: OAuthWorld, left: dt.timedelta) -> None:
    world.allowed(lasts=left)
    token = world.granted()
    assert [token.token(), token.token(), world.granted().token()] == ["access-2"] * 3
    assert world.sent == ["refresh-1"]
    number, grant = world.grants.newest()
    assert grant is not None
    assert (number, grant.made, grant.refresh_token, grant.by_name) == (2, GrantEvent.RENEWED, "refresh-2", "結城")
    assert (grant.allowed_at, grant.expires_at) == (NOW, NOW + dt.timedelta(hours=2))


def test_a_refused_token_is_renewed_and_who_comes_second_gets_the_new_one(world: OAuthWorld) -> None:
    world.allowed()
    assert [world.granted().instead_of("access-1") for _ in range(2)] == ["access-2", "access-2"]
    assert world.sent == ["refresh-1"]


def test_e34_a_renewal_is_no_new_log_in(world: OAuthWorld) -> None:
    """What names the log-in outlives all renewals; one who logs in again has another name."""
    assert world.granted().log_in() is None
    world.allowed()
    first = world.granted().log_in()
    world.granted().instead_of("access-1")
    assert (world.grants.newest()[0], world.granted().log_in()) == (2, first)
    world.now += SECOND
    number = world.grants.newest()[0]
    assert world.grants.follow(number, Grant(GrantEvent.ALLOWED, world.now, "yuki", "結城", world.now, "access-3"))
    assert world.granted().log_in() not in (None, first)


def test_a_refused_token_that_nothing_renews_is_void(world: OAuthWorld) -> None:
    world.allowed(refresh="", lasts=None)
    with pytest.raises(ReauthoriseError):
        world.granted().instead_of("access-1")
    assert grant_state(world.grants, world.now) is GrantState.VOID
    assert void(world) == {"acme"}


def test_who_finds_it_being_renewed_waits_for_the_next_grant(world: OAuthWorld) -> None:
    world.allowed(lasts=SECOND)
    assert world.grants.begin_renewal(1, world.now)
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            assert world.grants.follow(1, Grant(GrantEvent.RENEWED, NOW, "yuki", "結城", NOW, "access-9"))

    assert world.granted(sleep).token() == "access-9"
    assert (len(slept), world.sent) == (3, [])


def test_who_died_while_renewing_has_spent_it(world: OAuthWorld) -> None:
    """Whether the answer came is unknown: after the lease nobody tries again, and a person is asked."""
    world.allowed(lasts=SECOND)
    assert world.grants.begin_renewal(1, world.now)
    for _ in range(3):
        with pytest.raises(ReauthoriseError, match="再認可が必要") as raised:
            world.granted().token()
    assert world.now > NOW + LEASE
    assert world.sent == []
    assert world.page in str(raised.value)
    assert outcome_of(raised.value) is Outcome.RECEIVE, "EMC-ERROR-R"
    assert grant_state(world.grants, world.now) is GrantState.VOID
    assert void(world) == {"acme"}


def test_who_comes_too_late_mends_it(world: OAuthWorld) -> None:
    """A writer that was only slow writes the next number, which counts."""
    world.allowed(lasts=SECOND)

    def slow() -> Answer:
        world.now += 2 * LEASE
        with pytest.raises(ReauthoriseError):
            world.granted().token()
        return tokens(2)

    world.answer = slow
    assert world.granted().token() == "access-2"
    assert grant_state(world.grants, world.now) is GrantState.LINKED
    assert void(world) == frozenset()
    assert world.sent == ["refresh-1"]


def test_a_lost_answer_is_never_asked_for_again(world: OAuthWorld) -> None:
    world.allowed(lasts=SECOND)
    world.answer = requests.ReadTimeout()
    for _ in range(2):
        with pytest.raises(ReauthoriseError):
            world.granted().token()
    assert world.sent == ["refresh-1"]


def test_a_lost_answer_is_asked_for_again_where_refresh_tokens_are_not_spent(tmp_path: Path) -> None:
    """A setting of the operator's, who knows it from SmartHR."""
    world = OAuthWorld(tmp_path, rotates=False)
    world.allowed(lasts=-SECOND)
    world.answer = requests.ReadTimeout()
    with pytest.raises(RetriableFetchError):
        world.granted().token()
    world.answer = tokens(2, refresh_token=None)
    assert world.granted().token() == "access-2"
    assert world.sent == ["refresh-1", "refresh-1"]


def test_what_smarthr_calls_void_is_void(world: OAuthWorld) -> None:
    world.allowed(lasts=SECOND)
    world.answer = Answer({"error": "invalid_grant"}, 400)
    for _ in range(2):
        with pytest.raises(ReauthoriseError):
            world.granted().token()
    number, grant = world.grants.newest()
    assert (number, grant and grant.made) == (2, GrantEvent.VOID)
    assert world.sent == ["refresh-1"]
    assert world.granted().exists(), "no other token stands in for it unseen"
    assert grant_state(world.grants, world.now) is GrantState.VOID


@pytest.mark.parametrize(
    "answer", [Answer("", 503), requests.ConnectTimeout(), Answer({"error": "invalid_client"}, 401)], ids=str
)
def test_what_smarthr_did_not_take_up_is_tried_again_later(world: OAuthWorld, answer: Answer | Exception) -> None:
    """Maintenance must not cost every company its grant."""
    world.allowed(lasts=dt.timedelta(0))
    world.answer = answer
    with pytest.raises(RetriableFetchError):
        world.granted().token()
    assert grant_state(world.grants, world.now) is GrantState.LINKED
    world.answer = tokens(2)
    assert world.granted().token() == "access-2"


def test_while_smarthr_is_away_a_token_that_is_still_good_serves(world: OAuthWorld) -> None:
    world.allowed(lasts=dt.timedelta(minutes=3))
    world.answer = Answer("", 503)
    assert world.granted().token() == "access-1"


def test_without_a_refresh_token_it_serves_to_its_end(world: OAuthWorld) -> None:
    world.allowed(refresh="", lasts=dt.timedelta(minutes=3))
    assert world.granted().token() == "access-1"
    assert grant_state(world.grants, world.now) is GrantState.LINKED
    world.now += dt.timedelta(minutes=3)
    with pytest.raises(ReauthoriseError):
        world.granted().token()
    assert grant_state(world.grants, world.now) is GrantState.VOID


def test_連携解除_while_it_is_renewed_counts(world: OAuthWorld) -> None:
    world.allowed(lasts=SECOND)

    def meanwhile() -> Answer:
        connecting.disconnect(world.folder, None, YUKI, world.now)
        return tokens(2)

    world.answer = meanwhile
    with pytest.raises(ReauthoriseError):
        world.granted().token()
    assert not world.granted().exists()
    assert grant_state(world.grants, world.now) is GrantState.NONE


def test_a_registration_that_is_missing_spends_nothing(world: OAuthWorld) -> None:
    world.allowed(lasts=SECOND)
    token = world.granted()
    token._oauth = lambda: (_ for _ in ()).throw(RetriableFetchError("smarthr_plus がありません"))
    world.now += SECOND
    with pytest.raises(FetchError, match="smarthr_plus"):
        token.token()
    assert world.granted().token() == "access-2"


def test_who_wins_the_note_looks_again(world: OAuthWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next grant may have come between the look and the note, and the notes before it be tidied away."""
    world.allowed(lasts=SECOND)
    begin = SourceGrants.begin_renewal

    def won(grants: SourceGrants, number: int, now: dt.datetime) -> bool:
        assert grants.follow(1, Grant(GrantEvent.RENEWED, NOW, "yuki", "結城", NOW, "access-9"))
        return begin(grants, number, now)

    monkeypatch.setattr(SourceGrants, "begin_renewal", won)
    assert world.granted().token() == "access-9"
    assert (world.sent, world.grants.renewal(1)) == ([], None)


def test_l7_tokens_are_in_no_log(world: OAuthWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.allowed(lasts=SECOND)
    world.granted().token()
    world.answer = Answer({"error": "invalid_grant", "error_description": "refresh-2"}, 400)
    with pytest.raises(ReauthoriseError) as raised:
        world.granted().instead_of("access-2")
    said = f"{caplog.text} {raised.value} {raised.value.__cause__}"
    assert "grant renewed tenant=acme" in said
    assert not [secret for secret in (*SECRETS, "access-2", "refresh-2") if secret in said]


def test_l7_a_plain_store_takes_no_token(tmp_path: Path) -> None:
    world = OAuthWorld(tmp_path, encrypted=False)
    with pytest.raises(PlainStoreError, match="RENKEI_STORE_KEY_CONN_ID"):
        world.allowed()
    assert not list(tmp_path.rglob("*.json"))


def test_old_grants_go_and_no_number_is_given_twice(world: OAuthWorld) -> None:
    for number in range(KEPT + 5):
        assert world.grants.begin_renewal(number + 1, world.now)
        assert world.grants.follow(number, Grant(GrantEvent.RENEWED, NOW, "yuki", "結城", NOW, f"access-{number}"))
    assert world.grants.tidy() == 10
    assert (world.grants.tidy(), world.grants.newest()[0]) == (0, KEPT + 5)
    assert len(world.store.names(world.folder.source_grants)) == 2 * KEPT


def test_who_is_refused_takes_what_a_person_allowed_meanwhile(world: OAuthWorld) -> None:
    """A new log-in may have voided the refresh token that was being sent: the new grant counts, and is no 再認可が必要."""
    world.allowed(lasts=SECOND)

    def meanwhile() -> Answer:
        made = Grant(GrantEvent.ALLOWED, world.now, "mori", "森", world.now, "access-9", "refresh-9")
        assert world.grants.follow(1, made)
        world.grants.forget_void()
        return Answer({"error": "invalid_grant"}, 400)

    world.answer = meanwhile
    assert world.granted().token() == "access-9"
    assert void(world) == frozenset()


def test_whose_answer_is_lost_takes_what_a_person_allowed_meanwhile(world: OAuthWorld) -> None:
    world.allowed(lasts=SECOND)

    def meanwhile() -> requests.ReadTimeout:
        made = Grant(GrantEvent.ALLOWED, world.now, "mori", "森", world.now, "access-9", "refresh-9")
        assert world.grants.follow(1, made)
        return requests.ReadTimeout()

    world.answer = meanwhile
    assert world.granted().token() == "access-9"
    assert void(world) == frozenset()


def test_連携解除_during_a_run_is_no_再認可が必要(world: OAuthWorld) -> None:
    """The run stops; the list of companies says nothing of a log-in that nobody wants."""
    world.allowed()
    run = world.granted()
    assert run.token() == "access-1"
    connecting.disconnect(world.folder, None, YUKI, world.now)
    with pytest.raises(ReauthoriseError):
        run.instead_of("access-1")
    assert void(world) == frozenset()


def test_what_is_renewed_after_連携解除_is_given_back(tmp_path: Path) -> None:
    """Else a token that nobody keeps would be good for hours."""
    world = OAuthWorld(tmp_path, revoke_url="https://app.smarthr.jp/oauth/revoke")
    world.allowed(lasts=SECOND)

    def meanwhile() -> Answer:
        world.answer = Answer({})
        connecting.disconnect(world.folder, world.oauth, YUKI, world.now)
        return tokens(2)

    world.answer = meanwhile
    with pytest.raises(ReauthoriseError):
        world.granted().token()
    assert [one["token"] for one in world.asked if "token" in one] == ["refresh-1", "refresh-2"]
    assert void(world) == frozenset()


@pytest.mark.parametrize("ahead", [dt.timedelta(hours=1), dt.timedelta(days=400)], ids=str)
def test_who_waits_waits_no_longer_than_the_lease_whatever_the_clocks_say(
    world: OAuthWorld, ahead: dt.timedelta
) -> None:
    """The writer's clock was ahead, or ours was put back: his note lies in the future."""
    world.allowed(lasts=SECOND)
    assert world.grants.begin_renewal(1, world.now + ahead)
    slept = 0.0

    def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds
        assert slept <= 2 * LEASE.total_seconds(), "for ever"

    with pytest.raises(ReauthoriseError):
        world.granted(sleep).token()
    assert world.sent == []


def unheard(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an object store's client: it asks once more where the answer was lost, and hears that something is there."""
    create = store.create

    def asked_twice(key: str, content: bytes) -> bool:
        create(key, content)
        return create(key, content)

    monkeypatch.setattr(store, "create", asked_twice)


def test_a_note_whose_making_was_not_heard_of_costs_nobody_a_log_in(
    world: OAuthWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.allowed(lasts=SECOND)
    unheard(world.store, monkeypatch)
    assert world.granted().token() == "access-2"
    assert world.sent == ["refresh-1"]
    assert world.grants.begin_renewal(2, world.now)
    assert not world.grants.begin_renewal(2, world.now), "another's of the same moment is another's"


def test_a_mark_that_is_wrong_is_gone_the_next_night(world: OAuthWorld) -> None:
    """Whoever marks it may be overtaken by a log-in, or die before he takes the mark away."""
    world.allowed()
    world.grants.note_void()
    assert tidy(world.grants, world.now) == 0
    assert void(world) == frozenset()
    assert world.grants.follow(1, Grant(GrantEvent.VOID, NOW, "yuki", "結城", NOW))
    world.grants.note_void()
    tidy(world.grants, world.now)
    assert void(world) == {"acme"}
    assert world.grants.follow(2, Grant(GrantEvent.ENDED, NOW, "yuki", "結城", NOW))
    tidy(world.grants, world.now)
    assert void(world) == frozenset()
