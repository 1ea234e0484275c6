"""連携する: from a page to SmartHR's log-in and back, with a grant (S3). Knows neither Airflow nor a session.

    departure = Connecting(folder, oauth).begin(by, redirect_uri, now)    the page sends the browser there, with a cookie
    folder of tenant_of_state(state)                                     SmartHR sends it back to redirect_uri
    Connecting(folder, oauth).finish(response, prove, now)                    the grant, or ConnectingError with the reason

Below `<tenant>/source_logins/`, each named by the SHA-256 of its state, which nobody keeps:

    <state>.json        who began it in which browser, the PKCE verifier, the callback; ten minutes
    <state>.used.json   created once, before the code is exchanged
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import requests

from renkei.errors import BaselineError, RenkeiError
from renkei.links.smarthr_emc.connecting_troubles import ConnectFailure, ConnectingError
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.records import SnapshotSummary
from renkei.runs.current_baseline import current_baseline
from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.source_grants import Grant, GrantEvent, SourceGrants
from renkei.storage.store import DamagedFileError
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.tokens import new_state, tenant_of_state
from renkei.systems.pkce import pkce
from renkei.systems.smarthr.oauth import (
    LostAnswerError,
    OAuthError,
    OAuthSettingError,
    RefusedGrantError,
    SmartHROAuth,
    Tokens,
    UnreachedError,
    crews_answer,
)
from renkei.texts import trim

log = logging.getLogger(__name__)

LOGIN_LASTS = dt.timedelta(minutes=10)
MAX_LOGINS_OF_ONE = 5  # log-ins of one tenant that a person, or an invitation, has under way: the newest ones
MAX_CODE = 2_000  # characters
_NAME = re.compile(r"([0-9a-f]{64})(\.used)?\.json")


@dataclass(frozen=True, slots=True)
class Grantor:
    """Who allows it: somebody with a log-in, or by an invitation."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """The way to SmartHR, and the cookie by which the browser is known again for ten minutes."""

    url: str = field(repr=False)
    cookie: str  # its name
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """What a browser came back with: SmartHR's answer in the address, its cookie, and who is in front of it."""

    state: str = field(repr=False)
    code: str = field(repr=False)
    error: str
    cookie: str = field(repr=False)  # the value of `cookie_name(state)`; "" without one
    by: Grantor
    redirect_uri: str  # of the page that it came back to


Prove = Callable[[str], tuple[str, int | None]]


@dataclass(frozen=True, slots=True)
class _Login:
    by: str
    browser: str = field(repr=False)  # SHA-256 of the cookie
    verifier: str = field(repr=False)
    redirect_uri: str
    expires_at: Moment


@dataclass(frozen=True, slots=True)
class _UsedLogin:
    at: Moment


class Connecting:
    """The log-ins of one tenant."""

    def __init__(self, folder: TenantFolder, oauth: SmartHROAuth) -> None:
        self.grants = SourceGrants(folder)
        self._folder, self._store, self._oauth = folder, folder.store, oauth

    def begin(self, by: Grantor, redirect_uri: str, now: dt.datetime) -> AuthorizationRequest:
        """Where to send the browser. Too many of one person's cost him his oldest, and nobody else anything.

        Raises:
            ConnectingError: the store has no key.
        """
        if not self.grants.may_be_kept:
            raise ConnectingError(ConnectFailure.PLAIN_STORE)
        tidy(self._folder, now)
        own = sorted((one.expires_at, key) for _, key, one in _logins(self._folder) if one and one.by == by.id)
        for _, key in own[: max(0, len(own) + 1 - MAX_LOGINS_OF_ONE)]:
            self._store.delete(key)
        state, browser = new_state(self._folder.tenant), secrets.token_urlsafe(32)
        verifier, challenge = pkce()
        expires = (now + LOGIN_LASTS).replace(microsecond=0)
        login = _Login(by.id, _sha256(browser), verifier, redirect_uri, expires)
        records.write(self._store, self._key(state), login)
        return AuthorizationRequest(
            self._oauth.authorize_url(redirect_uri, state, challenge), cookie_name(state), browser
        )

    def finish(self, response: AuthorizationResponse, prove: Prove, now: dt.datetime) -> Grant:
        """The grant that stands now. A log-in counts once, however it ends.

        `prove` is given the access token, gives the address at which it is this tenant's and how many people it sees
        (None: SmartHR does not say), and raises ConnectingError where it is not: `prover`.

        Raises:
            ConnectingError: nothing was connected; what stood before stands.
        """
        login = self._login(response)
        if (
            not records.create(self._store, self._key(response.state, ".used"), _UsedLogin(now))
            or now >= login.expires_at
        ):
            raise ConnectingError(ConnectFailure.STATE)
        if response.error or not response.code or len(response.code) > MAX_CODE:
            denied = response.error.casefold() == "access_denied"
            raise ConnectingError(ConnectFailure.CANCELLED if denied else ConnectFailure.REFUSED)
        number = self.grants.newest()[0]  # whoever disconnects from now on is heard
        try:
            tokens = self._oauth.exchange(response.code, login.redirect_uri, login.verifier, now)
        except OAuthError as error:
            raise self._trouble(error) from None
        try:
            grant = _grant(tokens, response.by, now, *prove(tokens.access_token))
            _follow(self.grants, number, grant)
        except RenkeiError:
            self._oauth.revoke(tokens.refresh_token or tokens.access_token)
            raise
        self.grants.forget_void()
        log.info("smarthr connected tenant=%s", self._folder.tenant)
        return grant

    def disconnect(self, by: Grantor, now: dt.datetime) -> bool:
        """連携解除: whether SmartHR, too, said that the grant is void.

        Raises:
            ConnectingError: somebody else connected, renewed or disconnected this moment.
        """
        return disconnect(self._folder, self._oauth, by, now)

    def _login(self, response: AuthorizationResponse) -> _Login:
        if not tenant_of_state(response.state):
            raise ConnectingError(ConnectFailure.STATE)
        try:
            found = records.read_or_none(self._store, self._key(response.state), _Login)
        except DamagedFileError:
            found = None
        if found is None or self._store.exists(
            self._key(response.state, ".used")
        ):  # the cookie went with the first time
            raise ConnectingError(ConnectFailure.STATE)
        same = hmac.compare_digest(_sha256(response.cookie), found.browser)
        if (
            not same or found.by != response.by.id or found.redirect_uri != response.redirect_uri
        ):  # nor may they use it up
            raise ConnectingError(ConnectFailure.BROWSER)
        return found

    def _trouble(self, error: OAuthError) -> ConnectingError:
        kinds = {
            RefusedGrantError: ConnectFailure.REFUSED,
            OAuthSettingError: ConnectFailure.SETTING,
            UnreachedError: ConnectFailure.AWAY,
            LostAnswerError: ConnectFailure.LOST,
        }
        log.warning("smarthr log-in refused tenant=%s reason=%s", self._folder.tenant, error.reason)
        return ConnectingError(kinds.get(type(error), ConnectFailure.REFUSED), error.reason)

    def _key(self, state: str, part: str = "") -> str:
        return f"{self._folder.source_logins}/{_sha256(state)}{part}.json"


def disconnect(folder: TenantFolder, oauth: SmartHROAuth | None, by: Grantor, now: dt.datetime) -> bool:
    """As `Connecting.disconnect`, where the app's registration may be gone, too."""
    grants = SourceGrants(folder)
    number, grant = grants.newest()
    if grant is None or grant.made is GrantEvent.ENDED:
        return False
    ended = _follow(grants, number, Grant(GrantEvent.ENDED, now, by.id, trim(by.name))) or grant
    grants.forget_void()
    log.info("smarthr disconnected tenant=%s", folder.tenant)
    return oauth is not None and oauth.revoke(ended.refresh_token or ended.access_token)


def _follow(grants: SourceGrants, number: int, record: Grant) -> Grant | None:
    """Put the record behind `number`, and behind what runs renewed since; the renewed one before it, if there is one.

    Raises:
        ConnectingError: a person connected or disconnected since.
    """
    before = None
    while not grants.follow(number, record):
        number, before = grants.newest()
        if before is None or before.made in (GrantEvent.ALLOWED, GrantEvent.ENDED):
            raise ConnectingError(ConnectFailure.MEANWHILE)
    return before


def prover(session: requests.Session, smarthr_url: str) -> Prove:
    """Asks the SmartHR of the sheet whether a token is its own, and how many people it sees."""

    def prove(access_token: str) -> tuple[str, int | None]:
        try:
            status, crews, people = crews_answer(session, smarthr_url, access_token)
        except UnreachedError as error:
            raise ConnectingError(ConnectFailure.AWAY, error.reason) from None
        if status == 200 and isinstance(crews, list):
            return smarthr_url, people
        if status in (401, 404):
            raise ConnectingError(ConnectFailure.OTHER_COMPANY)
        raise ConnectingError(ConnectFailure.NO_RIGHT if status == 403 else ConnectFailure.AWAY)

    return prove


def sees_fewer(folder: TenantFolder, grant: Grant | None) -> tuple[int, int] | None:
    """How many people whoever allowed it saw then, and how many the last load was made of, where those are more.

    SmartHR keeps who has retired among its people, so they rarely become fewer: he may not see everybody, and whom he
    does not see would be deleted (E8), once a person has been asked (`guards.hold_unseen`).
    """
    if grant is None or grant.people is None:
        return None
    try:
        record = current_baseline(folder).record
        read = record.read_or_none(SnapshotSummary) if record else None
    except (BaselineError, DamagedFileError):  # the next run says so
        return None
    before = read.sets[RecordSet.USERS].total if read else 0
    return (grant.people, before) if grant.people < before else None


def cookie_name(state: str) -> str:
    """One for each log-in, so that two tabs do not take each other's."""
    return f"renkei_smarthr_{_sha256(state)[:16]}"


def is_under_way(folder: TenantFolder, now: dt.datetime) -> bool:
    """SmartHRで許可待ち: somebody has left for SmartHR since anybody last connected or disconnected, and is not back."""
    used, (_, newest) = {name for name, _, is_used in _files(folder) if is_used}, SourceGrants(folder).newest()
    since = newest.at if newest else dt.datetime.min.replace(tzinfo=dt.UTC)
    logins = [one for name, _, one in _logins(folder) if name not in used and one is not None]
    return any(now < one.expires_at and one.expires_at - LOGIN_LASTS >= since for one in logins)


def tidy(folder: TenantFolder, now: dt.datetime) -> int:
    """Delete the log-ins that are long over; how many files. A used one keeps its note as long as itself."""
    notes = [(name, key) for name, key, is_used in _files(folder) if is_used]
    old, unexpired = [], set()
    for name, key, one in _logins(folder):
        if one is None or now - one.expires_at > LOGIN_LASTS:
            old.append(key)
        else:
            unexpired.add(name)
    old += [key for name, key in notes if name not in unexpired]
    for key in old:
        folder.store.delete(key)
    return len(old)


def _logins(folder: TenantFolder) -> Iterator[tuple[str, str, _Login | None]]:
    """Digest of the state, key, and the log-in; None: it is torn, or gone."""
    for name, key, is_used in _files(folder):
        if is_used:
            continue
        try:
            yield name, key, records.read_or_none(folder.store, key, _Login)
        except DamagedFileError:
            yield name, key, None


def _files(folder: TenantFolder) -> list[tuple[str, str, bool]]:
    """Digest of the state, key, and whether it is the note of a used one."""
    path = folder.source_logins
    found = ((_NAME.fullmatch(name), f"{path}/{name}") for name in folder.store.names(path))
    return [(one[1], key, bool(one[2])) for one, key in found if one]


def _grant(tokens: Tokens, by: Grantor, now: dt.datetime, source: str, people: int | None) -> Grant:
    return Grant(
        GrantEvent.ALLOWED,
        now,
        by.id,
        trim(by.name),
        now,
        tokens.access_token,
        tokens.refresh_token,
        tokens.expires_at,
        tokens.scope,
        source,
        people,
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
