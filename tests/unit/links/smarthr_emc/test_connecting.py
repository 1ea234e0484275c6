"""連携する, from the page to SmartHR and back: who may come back, once, with what, and what each failure leaves (S3)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import logging
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from renkei.links.smarthr_emc import connecting
from renkei.links.smarthr_emc.connecting import (
    LOGIN_LASTS,
    MAX_LOGINS_OF_ONE,
    AuthorizationRequest,
    Grantor,
    is_under_way,
    prover,
    tidy,
)
from renkei.links.smarthr_emc.connecting_troubles import SAID, ConnectFailure, ConnectingError
from renkei.storage.source_grants import Grant, GrantEvent
from renkei.storage.tokens import tenant_of_state
from tests.harness.oauth import CALLBACK, NOW, SECRETS, YUKI, OAuthWorld, session_of, tokens
from tests.unit.systems.transport import Answer

URL = "https://acme.smarthr.jp"


@pytest.fixture
def world(tmp_path: Path) -> OAuthWorld:
    return OAuthWorld(tmp_path, revoke_url="https://app.smarthr.jp/oauth/revoke")


def begun(world: OAuthWorld) -> AuthorizationRequest:
    return world.connecting.begin(YUKI, CALLBACK, world.now)


def finished(world: OAuthWorld, departure: AuthorizationRequest, **changed: Any) -> Grant:
    prove = prover(session_of(world.wire), URL)
    return world.connecting.finish(world.back(departure, **changed), prove, world.now)


def refused(world: OAuthWorld, departure: AuthorizationRequest, **changed: Any) -> ConnectFailure:
    with pytest.raises(ConnectingError) as raised:
        finished(world, departure, **changed)
    assert str(raised.value) == SAID[raised.value.trouble]
    return raised.value.trouble


def test_s3_who_comes_back_has_connected(world: OAuthWorld) -> None:
    assert not is_under_way(world.folder, world.now)
    departure = begun(world)
    assert is_under_way(world.folder, world.now)
    grant = finished(world, departure)
    assert world.grants.newest() == (1, grant)
    assert (grant.made, grant.by, grant.by_name, grant.allowed_at) == (GrantEvent.ALLOWED, "yuki", "結城", NOW)
    assert (grant.access_token, grant.refresh_token, grant.expires_at) == (
        "access-1",
        "refresh-1",
        NOW + dt.timedelta(hours=2),
    )
    assert world.wire.seen[-1].headers["Authorization"] == "Bearer access-1"
    assert world.wire.seen[-1].query == {"fields": "id", "per_page": "1", "page": "1"}
    digest = hashlib.sha256(world.asked[0]["code_verifier"].encode()).digest()
    challenge = dict(parse_qsl(departure.url))["code_challenge"]
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
    assert not is_under_way(world.folder, world.now)


def test_a_log_in_counts_once(world: OAuthWorld) -> None:
    departure = begun(world)
    finished(world, departure)
    assert refused(world, departure) is ConnectFailure.STATE
    assert refused(world, departure, cookie="") is ConnectFailure.STATE, "a reload: the page has taken the cookie back"
    assert [one["grant_type"] for one in world.asked] == ["authorization_code"]


def test_a_log_in_that_was_given_up_is_forgotten_when_somebody_connects(world: OAuthWorld) -> None:
    """After 連携解除 the page would say SmartHRで許可待ち of it."""
    begun(world)
    world.now += dt.timedelta(minutes=1)
    finished(world, begun(world))
    assert not is_under_way(world.folder, world.now)
    world.connecting.disconnect(Grantor("yuki", "結城"), world.now)
    assert not is_under_way(world.folder, world.now)
    begun(world)
    assert is_under_way(world.folder, world.now)


@pytest.mark.parametrize(
    ("changed", "trouble"),
    [
        ({"state": "acme." + "0" * 64}, ConnectFailure.STATE),
        ({"state": ""}, ConnectFailure.STATE),
        ({"state": "../beta." + "0" * 64}, ConnectFailure.STATE),
        ({"cookie": ""}, ConnectFailure.BROWSER),
        ({"cookie": "another"}, ConnectFailure.BROWSER),
        ({"by": Grantor("ken", "健")}, ConnectFailure.BROWSER),
        ({"redirect_uri": "https://public.example.jp/renkei/smarthr/callback"}, ConnectFailure.BROWSER),
    ],
)
def test_whom_we_did_not_send_is_refused_and_uses_nothing_up(
    world: OAuthWorld, changed: dict[str, Any], trouble: ConnectFailure
) -> None:
    """State forged, another browser, another user's session, another callback."""
    departure = begun(world)
    assert refused(world, departure, **changed) is trouble
    assert world.asked == []
    finished(world, departure)


def test_after_ten_minutes_it_is_too_late(world: OAuthWorld) -> None:
    departure = begun(world)
    world.now += LOGIN_LASTS
    assert refused(world, departure) is ConnectFailure.STATE
    assert world.asked == []
    assert not is_under_way(world.folder, world.now)


@pytest.mark.parametrize(
    ("changed", "trouble"),
    [
        ({"code": "", "error": "access_denied"}, ConnectFailure.CANCELLED),
        ({"code": "", "error": "server_error"}, ConnectFailure.REFUSED),
        ({"code": ""}, ConnectFailure.REFUSED),
        ({"code": "c" * 3_000}, ConnectFailure.REFUSED),
    ],
)
def test_without_a_code_nothing_is_asked(world: OAuthWorld, changed: dict[str, Any], trouble: ConnectFailure) -> None:
    departure = begun(world)
    assert refused(world, departure, **changed) is trouble
    assert world.asked == []
    assert refused(world, departure) is ConnectFailure.STATE, "it is used"
    assert world.grants.newest() == (0, None)


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (Answer({"error": "invalid_grant"}, 400), ConnectFailure.REFUSED),
        (Answer({"error": "invalid_client"}, 401), ConnectFailure.SETTING),
        (Answer("", 503), ConnectFailure.AWAY),
        (requests.ReadTimeout("code-1"), ConnectFailure.LOST),
    ],
)
def test_what_smarthr_does_not_give_is_said_by_its_kind(
    world: OAuthWorld, answer: Answer | Exception, trouble: ConnectFailure, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    departure = begun(world)
    world.answer = answer
    assert refused(world, departure) is trouble
    assert world.grants.newest() == (0, None)
    assert not [secret for secret in SECRETS if secret in caplog.text]


@pytest.mark.parametrize(
    ("crews", "trouble"),
    [
        (Answer({"code": 2}, 401), ConnectFailure.OTHER_COMPANY),
        (Answer({"code": 4}, 404), ConnectFailure.OTHER_COMPANY),
        (Answer({"code": 3}, 403), ConnectFailure.NO_RIGHT),
        (Answer("", 503), ConnectFailure.AWAY),
        (Answer("", 302), ConnectFailure.AWAY),
    ],
)
def test_another_companys_grant_is_given_back_and_the_one_before_stands(
    world: OAuthWorld, crews: Answer, trouble: ConnectFailure
) -> None:
    finished(world, begun(world))
    world.crews, world.answer = crews, tokens(2)
    assert refused(world, begun(world)) is trouble
    number, grant = world.grants.newest()
    assert (number, grant and grant.access_token) == (1, "access-1")
    assert (world.asked[-1]["path"], world.asked[-1]["token"]) == ("/oauth/revoke", "refresh-2")


def test_l7_without_a_key_nothing_is_begun_and_nothing_kept(tmp_path: Path) -> None:
    world = OAuthWorld(tmp_path, encrypted=False)
    with pytest.raises(ConnectingError) as raised:
        begun(world)
    assert raised.value.trouble is ConnectFailure.PLAIN_STORE
    assert "RENKEI_STORE_KEY_CONN_ID" in str(raised.value)
    assert not list(tmp_path.rglob("*.json"))


def test_l7_tokens_and_verifiers_lie_sealed_and_nothing_names_the_state(world: OAuthWorld, tmp_path: Path) -> None:
    departure = begun(world)
    finished(world, departure)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    state = world.back(departure).state
    hidden = (*SECRETS, state, departure.value, world.asked[0]["code_verifier"])
    assert len(files) == 3
    assert not [one for one in hidden if one.encode() in content or one in " ".join(map(str, files))]
    shown = f"{departure!r} {world.back(departure)!r} {world.grants.newest()!r}"
    assert not [one for one in hidden if one in shown]


def test_l5_whoever_begins_many_replaces_his_own_oldest_alone(world: OAuthWorld) -> None:
    """L5: an operator's log-in stands whatever customers begin, and he can begin one at any time."""
    customer = Grantor("invitation 1", "総務部")
    operators = begun(world)
    customers = []
    for _ in range(4 * MAX_LOGINS_OF_ONE):
        world.now += dt.timedelta(seconds=1)
        customers.append(world.connecting.begin(customer, CALLBACK, world.now))
    assert len(world.store.names(world.folder.source_logins)) == MAX_LOGINS_OF_ONE + 1
    assert refused(world, customers[-MAX_LOGINS_OF_ONE - 1], by=customer) is ConnectFailure.STATE
    finished(world, customers[-MAX_LOGINS_OF_ONE], by=customer)
    finished(world, operators)
    finished(world, begun(world))
    world.now += 3 * LOGIN_LASTS
    begun(world)
    assert len(world.store.names(world.folder.source_logins)) == 1, "old ones are gone"


def test_a_used_log_in_keeps_its_note_as_long_as_itself(world: OAuthWorld) -> None:
    """Else the code could be sent twice."""
    departure = begun(world)
    finished(world, departure)
    assert tidy(world.folder, world.now + LOGIN_LASTS) == 0
    assert refused(world, departure) is ConnectFailure.STATE
    assert tidy(world.folder, world.now + 3 * LOGIN_LASTS) == 2


def test_連携解除_ends_it_and_says_whether_smarthr_took_it(world: OAuthWorld) -> None:
    assert world.connecting.disconnect(YUKI, world.now) is False
    finished(world, begun(world))
    world.answer = Answer({})
    assert world.connecting.disconnect(YUKI, world.now) is True
    number, grant = world.grants.newest()
    assert grant is not None
    assert (number, grant.made, grant.is_valid, grant.by) == (2, GrantEvent.ENDED, False, "yuki")
    assert world.asked[-1]["token"] == "refresh-1"
    assert world.connecting.disconnect(YUKI, world.now) is False


def test_連携解除_works_although_the_apps_registration_is_gone(world: OAuthWorld) -> None:
    finished(world, begun(world))
    assert connecting.disconnect(world.folder, None, YUKI, world.now) is False
    assert not world.granted().exists()


def test_who_disconnects_while_another_logs_in_is_heard(world: OAuthWorld) -> None:
    """The log-in that began to be exchanged before loses, and what it got is given back."""
    finished(world, begun(world))
    departure = begun(world)

    def meanwhile() -> Answer:
        world.answer = Answer({})
        connecting.disconnect(world.folder, None, YUKI, world.now)
        return tokens(2)

    world.answer = meanwhile
    assert refused(world, departure) is ConnectFailure.MEANWHILE
    assert not world.granted().exists()
    assert world.asked[-1]["token"] == "refresh-2"


def test_a_renewal_meanwhile_takes_nothing_from_who_logs_in(world: OAuthWorld) -> None:
    finished(world, begun(world))
    departure = begun(world)

    def meanwhile() -> Answer:
        assert world.grants.follow(1, Grant(GrantEvent.RENEWED, NOW, "yuki", "結城", NOW, "access-9", "refresh-9"))
        return tokens(2)

    world.answer = meanwhile
    assert finished(world, departure).access_token == "access-2"
    assert world.grants.newest()[0] == 3


def test_連携解除_ends_what_was_renewed_meanwhile_and_gives_that_back(
    world: OAuthWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(world, begun(world))
    follow, late = (
        type(world.grants).follow,
        [Grant(GrantEvent.RENEWED, NOW, "yuki", "結城", NOW, "access-9", "refresh-9")],
    )

    def followed(grants: Any, number: int, grant: Grant) -> bool:
        if late:
            assert follow(grants, number, late.pop())
        return follow(grants, number, grant)

    monkeypatch.setattr(type(world.grants), "follow", followed)
    world.answer = Answer({})
    assert world.connecting.disconnect(YUKI, world.now) is True
    assert world.asked[-1]["token"] == "refresh-9"
    assert not world.granted().exists()


def test_the_tenant_stands_in_the_state() -> None:
    assert tenant_of_state("acme." + "0" * 64) == "acme"
    assert tenant_of_state("acme") == ""


@pytest.mark.parametrize("rubbish", ["<html>ただいまメンテナンス中です", "", '"ok"', {"crews": []}, None], ids=str)
def test_a_200_that_is_no_list_of_people_proves_nothing(world: OAuthWorld, rubbish: Any) -> None:
    """A maintenance page, or whatever answers in SmartHR's place."""
    departure = begun(world)
    world.crews = Answer(rubbish)
    assert refused(world, departure) is ConnectFailure.AWAY
    assert world.grants.newest() == (0, None)


def test_a_grant_whose_making_was_not_heard_of_stands(world: OAuthWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object store's client asks once more where the answer was lost, and hears that something is there."""
    departure, create = begun(world), world.store.create

    def asked_twice(key: str, content: bytes) -> bool:
        return create(key, content) and ("source_grants" not in key or create(key, content))

    monkeypatch.setattr(world.store, "create", asked_twice)
    grant = finished(world, departure)
    assert world.grants.newest() == (1, grant)
    assert [one["path"] for one in world.asked] == ["/oauth/token"], "it is not given back"
