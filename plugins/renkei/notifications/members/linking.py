"""A member links a LINE account: invitation, LINE Login, callback (N4). The page around it is orchestration/line/page.py.

Below `<link>/tenants/<tenant>/`, each named by the SHA-256 of what only the member's browser knows:

    line_invitations/<token>.json      who is invited until when; `used_at` once linked
    line_invitations/<token>.<n>.json  its n-th trip, created once: there are MAX_TRIPS
    line_invitations/<token>.by.json   which LINE account it links, created once: of two at once, one
    line_logins/<state>.json           one trip to LINE and back: nonce, PKCE verifier, the browser, 10 minutes
    line_logins/<state>.used.json      created once, before the code is exchanged

Whatever step it dies at, opening the invitation again starts a new trip and ends in the same state.
"""

from __future__ import annotations

import datetime as dt
import hmac
import logging
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from renkei.notifications.members.table import LineLink, LineTakenError, Members, UnknownMemberError, read_all, sha256
from renkei.notifications.members.troubles import LinkingError, Trouble, trouble
from renkei.storage.store import MissingKeyError
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.line.login import LineLogin, LineLoginError, pkce

log = logging.getLogger(__name__)
LOGIN_LASTS = dt.timedelta(minutes=10)  # as long as LINE's code is good for
MAX_TRIPS = 20  # by one invitation; each leaves files in the store, and whoever has the URL may begin one
KEPT_AFTER = dt.timedelta(days=30)  # an expired invitation says so for this long; then it is unknown
_STATE = re.compile(r"(.+)\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who may link a LINE account until when."""

    key: str  # SHA-256 of the token
    user_id: str = field(repr=False)
    expires_at: dt.datetime
    used_at: str = ""


@dataclass(frozen=True, slots=True)
class Departure:
    """The way to LINE, and the cookie by which the browser is known again."""

    url: str = field(repr=False)
    cookie: str  # its name
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trip:
    """To LINE and back, begun by the browser that now comes back."""

    key: str  # SHA-256 of the state
    invitation: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    expires_at: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Done. `friend`: whether the company's account is the member's friend, None where LINE does not say."""

    user_id: str = field(repr=False)
    friend: bool | None


class Linking:
    """The invitations and LINE logins of one tenant."""

    def __init__(self, folder: TenantFolder) -> None:
        self.tenant = folder.tenant
        self.members = Members(folder)
        self._store, self._invitations, self._logins = folder.store, folder.line_invitations, folder.line_logins

    # --- invitations

    def invite(self, user_ids: Iterable[str], days: int, now: dt.datetime) -> dict[str, str]:
        """A new token for each, good for `days`; the earlier invitations of these members are void.

        The tokens are kept nowhere: whoever loses them invites again.

        Raises:
            UnknownMemberError: one of them is not in the members table; nobody is invited.
        """
        wanted = list(dict.fromkeys(user_ids))
        known = set(self.members.imported()["user_id"])
        if unknown := [user for user in wanted if user not in known]:
            raise UnknownMemberError(
                f"社員の登録に無いユーザIDが{len(unknown)}件あります（{'、'.join(unknown[:5])}{'…' if unknown[5:] else ''}）。"
                "renkei members import で登録してから招待してください。誰も招待していません。"
            )
        self.tidy(now)
        tokens = {user: secrets.token_urlsafe(32) for user in wanted}
        expires = (now + dt.timedelta(days=days)).isoformat(timespec="seconds")
        for user, token in tokens.items():
            self._store.write_json(self._invitation_key(sha256(token)), {"user_id": user, "expires_at": expires})
        self.withdraw(wanted, except_for={sha256(token) for token in tokens.values()})
        return tokens

    def withdraw(self, user_ids: Collection[str], except_for: Collection[str] = ()) -> None:
        """Make the invitations of these members void."""
        users = set(user_ids)
        for key, found in self._records(self._invitations).items():
            if key not in except_for and found["user_id"] in users:
                self._store.delete(self._invitation_key(key))

    def invitation(self, token: str) -> Invitation:
        """The invitation with this token, whether expired or used.

        Raises:
            LinkingError: there is none.
        """
        found = self._invitation(sha256(token))
        if found is None:
            raise trouble(Trouble.UNKNOWN)
        return found

    def link_of(self, invitation: Invitation) -> LineLink | None:
        """The member's link once the invitation has served, even where the process died before noting so."""
        link = self.members.line_link(invitation.user_id)
        return link if link and (invitation.used_at or link.invitation == invitation.key) else None

    # --- the trip to LINE

    def begin(self, token: str, login: LineLogin, redirect_uri: str, now: dt.datetime) -> Departure:
        """Send the member to LINE.

        Raises:
            LinkingError: the invitation is unknown, expired, has served, or was begun with too often.
        """
        invitation = self.invitation(token)
        self.check(invitation, now)
        note = {"at": now.isoformat(timespec="seconds")}
        trips = (self._part_key(invitation.key, str(n)) for n in range(1, MAX_TRIPS + 1))
        if not any(self._store.create_json(trip, note) for trip in trips):
            raise trouble(Trouble.OFTEN)
        state, browser = f"{self.tenant}.{secrets.token_hex(32)}", secrets.token_urlsafe(32)
        nonce = secrets.token_hex(32)
        verifier, challenge = pkce()
        record = {
            "invitation": invitation.key,
            "nonce": nonce,
            "verifier": verifier,
            "browser": sha256(browser),
            "expires_at": (now + LOGIN_LASTS).isoformat(timespec="seconds"),
        }
        self._store.write_json(self._login_key(sha256(state)), record)
        return Departure(login.authorize_url(redirect_uri, state, nonce, challenge), cookie_name(state), browser)

    def check(self, invitation: Invitation, now: dt.datetime) -> None:
        """Nothing, where a trip may begin by this invitation.

        Raises:
            LinkingError: it has expired or served, or its member is gone.
        """
        if invitation.used_at or self.link_of(invitation):
            raise trouble(Trouble.SPENT)
        if now >= invitation.expires_at:
            raise trouble(Trouble.EXPIRED)
        if self.members.find(invitation.user_id) is None:
            raise trouble(Trouble.UNKNOWN)

    def trip(self, state: str, browser: str) -> Trip:
        """The trip from which the member comes back; `browser` is the value of its cookie, "" without one.

        Raises:
            LinkingError: it is none of ours, or another browser's.
        """
        key = sha256(state)
        try:
            record = self._store.read_json(self._login_key(key))
        except MissingKeyError:
            raise trouble(Trouble.STATE) from None
        if not hmac.compare_digest(sha256(browser), str(record.pop("browser"))):  # nor may a stranger use it up
            raise trouble(Trouble.BROWSER)
        return Trip(key, **record)

    def finish(
        self, trip: Trip, code: str, error: str, login: LineLogin, redirect_uri: str, now: dt.datetime
    ) -> Linked:
        """What LINE sent the member back with, made into a link. A trip counts once; to come again is harmless.

        Raises:
            LinkingError: nothing was linked.
        """
        invitation = self._invitation(trip.invitation)
        if invitation is None:
            raise trouble(Trouble.UNKNOWN)
        note = {"at": now.isoformat(timespec="seconds")}
        if not self._store.create_json(f"{self._logins}/{trip.key}.used.json", note):
            if link := self.link_of(invitation):  # the page was loaded again
                return Linked(link.user_id, None)
            raise trouble(Trouble.STATE)
        if now >= dt.datetime.fromisoformat(trip.expires_at):
            raise trouble(Trouble.STATE)
        if error or not code:
            raise trouble(Trouble.CANCELLED if error.casefold() == "access_denied" else Trouble.LINE)
        return self._link(invitation, trip, code, login, redirect_uri, now)

    def _link(
        self,
        invitation: Invitation,
        trip: Trip,
        code: str,
        login: LineLogin,
        redirect_uri: str,
        now: dt.datetime,
    ) -> Linked:
        try:
            tokens = login.exchange(code, redirect_uri, trip.verifier)
            line_user_id = login.verify(tokens.id_token, trip.nonce, now.timestamp())
        except LineLoginError as error:
            log.warning("line login refused tenant=%s reason=%s", self.tenant, error.reason)
            raise LinkingError(Trouble.LINE, str(error)) from None
        standing = self.link_of(invitation)  # read now: another tab may have been quicker
        if (standing is None and invitation.used_at) or (standing and standing.line_user_id != line_user_id):
            raise trouble(Trouble.SPENT)
        claim, mine = self._part_key(invitation.key, "by"), {"line": sha256(line_user_id)}
        if not self._store.create_json(claim, mine) and self._store.read_json(claim) != mine:
            raise trouble(Trouble.SPENT)  # somebody is linking another account by it this very moment
        try:
            self.members.link_line(invitation.user_id, line_user_id, now=now, invitation=invitation.key)
        except LineTakenError as error:
            self._store.delete(claim)  # for the right account
            raise LinkingError(Trouble.TAKEN, str(error)) from None
        except UnknownMemberError:
            raise trouble(Trouble.UNKNOWN) from None
        used = {"user_id": invitation.user_id, "expires_at": invitation.expires_at.isoformat(timespec="seconds")}
        self._store.write_json(
            self._invitation_key(invitation.key), used | {"used_at": now.isoformat(timespec="seconds")}
        )
        return Linked(invitation.user_id, login.is_friend(tokens.access_token))

    # --- keeping it small

    def tidy(self, now: dt.datetime) -> int:
        """Delete trips that are over and invitations long expired; how many files went. May be repeated."""
        trips = self._records(self._logins)
        over = [key for key, found in trips.items() if _is_past(found, LOGIN_LASTS, now)]
        for key in over:
            self._store.delete(self._login_key(key))  # its note stays, or it could be made twice
        notes = {name.partition(".")[0] for name in self._store.names(self._logins) if name.endswith(".used.json")}
        for key in notes - (trips.keys() - set(over)):
            if not self._store.exists(self._login_key(key)):  # nor begun while we looked
                self._store.delete(f"{self._logins}/{key}.used.json")
        old = [key for key, found in self._records(self._invitations).items() if _is_past(found, KEPT_AFTER, now)]
        for key in old:
            self._store.delete(self._invitation_key(key))
        names = self._store.names(self._invitations)
        there = {name[:64] for name in names if len(name.split(".")) == 2}
        for name in names:
            if name[:64] not in there:  # what belongs to an invitation that is gone, withdrawn ones too
                self._store.delete(f"{self._invitations}/{name}")
        return len(over) + len(old)

    def _records(self, folder: str) -> dict[str, dict[str, Any]]:
        """Every trip or invitation by the digest that names it."""
        names = [name for name in self._store.names(folder) if re.fullmatch(r"[0-9a-f]{64}\.json", name)]
        found = read_all(self._store, [f"{folder}/{name}" for name in names])
        return {path.rsplit("/", 1)[1].removesuffix(".json"): record for path, record in found.items()}

    def _invitation(self, key: str) -> Invitation | None:
        try:
            found = self._store.read_json(self._invitation_key(key))
        except MissingKeyError:
            return None
        expires = dt.datetime.fromisoformat(found["expires_at"])
        return Invitation(key, str(found["user_id"]), expires, str(found.get("used_at", "")))

    def _invitation_key(self, key: str) -> str:
        return f"{self._invitations}/{key}.json"

    def _part_key(self, invitation: str, part: str) -> str:
        return f"{self._invitations}/{invitation}.{part}.json"

    def _login_key(self, key: str) -> str:
        return f"{self._logins}/{key}.json"


def tenant_of(state: str) -> str:
    """The tenant of a trip; "" where it is none of ours. It names a folder: the caller checks that it is a tenant."""
    found = _STATE.fullmatch(state)
    return found[1] if found else ""


def cookie_name(state: str) -> str:
    """One per trip, so that two tabs do not take each other's."""
    return f"renkei_line_{sha256(state)[:16]}"


def _is_past(record: dict[str, Any], by: dt.timedelta, now: dt.datetime) -> bool:
    return now - dt.datetime.fromisoformat(record["expires_at"]) > by
