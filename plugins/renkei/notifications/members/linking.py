"""A member links a LINE account: invitation, LINE Login, callback (N4). The page around it is orchestration/line/page.py.

Below `<link>/tenants/<tenant>/`, each named by the SHA-256 of what only the member's browser knows:

    line_invitations/<token>.json      who is invited until when; `used_at` once linked
    line_invitations/<token>.<n>.json  its n-th attempt, created once: there are MAX_ATTEMPTS
    line_invitations/<token>.by.json   which LINE account it links, created once: of two at once, one
    line_logins/<state>.json           one login at LINE: nonce, PKCE verifier, the browser, 10 minutes
    line_logins/<state>.used.json      created once, before the code is exchanged

Whatever step it dies at, opening the invitation again makes a new attempt and ends in the same state.
"""

from __future__ import annotations

import datetime as dt
import hmac
import logging
import re
import secrets
from collections.abc import Collection, Iterable, Set
from dataclasses import dataclass, field, replace
from typing import Annotated, TypeVar

from pydantic import Field

from renkei.notifications.members.table import LineLink, LineTakenError, Members, UnknownMemberError, read_all, sha256
from renkei.notifications.members.troubles import LinkingError, LinkingFailure, linking_error
from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.tokens import new_state, new_token
from renkei.systems.line.login import LineLogin, LineLoginError
from renkei.systems.pkce import pkce

log = logging.getLogger(__name__)
LOGIN_LASTS = dt.timedelta(minutes=10)  # as long as LINE's code is good for
MAX_ATTEMPTS = 20  # by one invitation; each leaves files in the store, and whoever has the URL may begin one
KEPT_AFTER = dt.timedelta(days=30)  # an expired invitation says so for this long; then it is unknown
_Key = Annotated[str, Field(exclude=True)]  # the name of the file, which does not say it
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who may link a LINE account until when."""

    user_id: str = field(repr=False)
    expires_at: Moment
    used_at: Annotated[Moment | None, Field(exclude_if=lambda at: at is None)] = None
    key: _Key = ""  # SHA-256 of the token


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """The way to LINE, and the cookie by which the browser is known again."""

    url: str = field(repr=False)
    cookie: str  # its name
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """One login at LINE, until its callback."""

    invitation: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    browser: str = field(repr=False)  # SHA-256 of the cookie of the one that began it
    expires_at: Moment
    key: _Key = ""  # SHA-256 of the state


@dataclass(frozen=True, slots=True)
class LoginStart:
    """One more attempt by an invitation, or the end of one."""

    at: Moment


@dataclass(frozen=True, slots=True)
class LinkedBy:
    """The one LINE account that an invitation is good for."""

    line: str  # SHA-256 of its id


@dataclass(frozen=True, slots=True)
class Linked:
    """Done. `friend`: whether the company's account is the member's friend, None where LINE does not say."""

    user_id: str = field(repr=False)
    friend: bool | None


class Linking:
    """The invitations and LINE logins of one tenant."""

    def __init__(self, folder: TenantFolder) -> None:
        self.tenant, self.folder = folder.tenant, folder
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
        tokens = {user: new_token() for user in wanted}
        expires = (now + dt.timedelta(days=days)).replace(microsecond=0)
        for user, token in tokens.items():
            records.write(self._store, self._invitation_key(sha256(token)), Invitation(user, expires))
        self.withdraw(wanted, except_for={sha256(token) for token in tokens.values()})
        return tokens

    def invited(self, now: dt.datetime) -> dict[str, dt.datetime]:
        """Who has an invitation that is open, and until when."""
        found = self._records(self._invitations, Invitation).values()
        return {one.user_id: one.expires_at for one in found if one.expires_at > now and not one.used_at}

    def withdraw(self, user_ids: Collection[str], except_for: Collection[str] = ()) -> None:
        """Make the invitations of these members void."""
        users = set(user_ids)
        for key, found in self._records(self._invitations, Invitation).items():
            if key not in except_for and found.user_id in users:
                self._store.delete(self._invitation_key(key))

    def undo_line(self, user_id: str) -> bool:
        """Forget the LINE account that the member linked, and his invitations; whether there was an account."""
        self.withdraw([user_id])
        return self.members.unlink_line(user_id)

    def keep_only(self, user_ids: Set[str]) -> None:
        """Forgets the LINE accounts and invitations of everybody else: a user id may be given to another person later."""
        for user in self.members.line_links().keys() - user_ids:
            self.members.unlink_line(user)
        for key, found in self._records(self._invitations, Invitation).items():
            if found.user_id not in user_ids:
                self._store.delete(self._invitation_key(key))

    def invitation(self, token: str) -> Invitation:
        """The invitation with this token, whether expired or used.

        Raises:
            LinkingError: there is none.
        """
        found = self._invitation(sha256(token))
        if found is None:
            raise linking_error(LinkingFailure.UNKNOWN)
        return found

    def link_of(self, invitation: Invitation) -> LineLink | None:
        """The member's link once the invitation has served, even where the process died before noting so."""
        link = self.members.line_link(invitation.user_id)
        return link if link and (invitation.used_at or link.invitation == invitation.key) else None

    # --- the login at LINE

    def begin(self, token: str, login: LineLogin, redirect_uri: str, now: dt.datetime) -> AuthorizationRequest:
        """Send the member to LINE.

        Raises:
            LinkingError: the invitation is unknown, expired, has served, or was begun with too often.
        """
        invitation = self.invitation(token)
        self.check(invitation, now)
        attempts = (self._part_key(invitation.key, str(n)) for n in range(1, MAX_ATTEMPTS + 1))
        if not any(records.create(self._store, attempt, LoginStart(now)) for attempt in attempts):
            raise linking_error(LinkingFailure.OFTEN)
        state, browser = new_state(self.tenant), secrets.token_urlsafe(32)
        nonce = secrets.token_hex(32)
        verifier, challenge = pkce()
        attempt = LoginAttempt(
            invitation.key, nonce, verifier, sha256(browser), (now + LOGIN_LASTS).replace(microsecond=0)
        )
        records.write(self._store, self._login_key(sha256(state)), attempt)
        return AuthorizationRequest(
            login.authorize_url(redirect_uri, state, nonce, challenge), cookie_name(state), browser
        )

    def check(self, invitation: Invitation, now: dt.datetime) -> None:
        """Nothing, where an attempt may begin by this invitation.

        Raises:
            LinkingError: it has expired or served, or its member is gone.
        """
        if invitation.used_at or self.link_of(invitation):
            raise linking_error(LinkingFailure.SPENT)
        if now >= invitation.expires_at:
            raise linking_error(LinkingFailure.EXPIRED)
        if self.members.find(invitation.user_id) is None:
            raise linking_error(LinkingFailure.UNKNOWN)

    def attempt(self, state: str, browser: str) -> LoginAttempt:
        """The attempt from which the member comes back; `browser` is the value of its cookie, "" without one.

        Raises:
            LinkingError: it is none of ours, or another browser's.
        """
        key = sha256(state)
        found = records.read_or_none(self._store, self._login_key(key), LoginAttempt)
        if found is None:
            raise linking_error(LinkingFailure.STATE)
        if not hmac.compare_digest(sha256(browser), found.browser):  # nor may a stranger use it up
            raise linking_error(LinkingFailure.BROWSER)
        return replace(found, key=key)

    def finish(
        self, attempt: LoginAttempt, code: str, error: str, login: LineLogin, redirect_uri: str, now: dt.datetime
    ) -> Linked:
        """What LINE sent the member back with, made into a link. An attempt counts once; to come again is harmless.

        Raises:
            LinkingError: nothing was linked.
        """
        invitation = self._invitation(attempt.invitation)
        if invitation is None:
            raise linking_error(LinkingFailure.UNKNOWN)
        if not records.create(self._store, f"{self._logins}/{attempt.key}.used.json", LoginStart(now)):
            if link := self.link_of(invitation):  # the page was loaded again
                return Linked(link.user_id, None)
            raise linking_error(LinkingFailure.STATE)
        if now >= attempt.expires_at:
            raise linking_error(LinkingFailure.STATE)
        if error or not code:
            raise linking_error(
                LinkingFailure.CANCELLED if error.casefold() == "access_denied" else LinkingFailure.LINE
            )
        return self._link(invitation, attempt, code, login, redirect_uri, now)

    def _link(
        self,
        invitation: Invitation,
        attempt: LoginAttempt,
        code: str,
        login: LineLogin,
        redirect_uri: str,
        now: dt.datetime,
    ) -> Linked:
        try:
            tokens = login.exchange(code, redirect_uri, attempt.verifier)
            line_user_id = login.verify(tokens.id_token, attempt.nonce, now.timestamp())
        except LineLoginError as error:
            log.warning("line login refused tenant=%s reason=%s", self.tenant, error.reason)
            raise LinkingError(LinkingFailure.LINE, str(error)) from None
        link = self.link_of(invitation)  # read now: another tab may have been quicker
        if (link is None and invitation.used_at) or (link and link.line_user_id != line_user_id):
            raise linking_error(LinkingFailure.SPENT)
        claim, mine = self._part_key(invitation.key, "by"), LinkedBy(sha256(line_user_id))
        if not records.create(self._store, claim, mine) and records.read(self._store, claim, LinkedBy) != mine:
            raise linking_error(LinkingFailure.SPENT)  # somebody is linking another account by it this very moment
        try:
            self.members.link_line(invitation.user_id, line_user_id, now=now, invitation=invitation.key)
        except LineTakenError as error:
            self._store.delete(claim)  # for the right account
            raise LinkingError(LinkingFailure.TAKEN, str(error)) from None
        except UnknownMemberError:
            raise linking_error(LinkingFailure.UNKNOWN) from None
        # `undo_line` withdraws it first, and may have come before the link.
        if self._invitation(invitation.key) is None:
            self.members.unlink_line(invitation.user_id)
            raise linking_error(LinkingFailure.UNKNOWN)
        records.write(self._store, self._invitation_key(invitation.key), replace(invitation, used_at=now))
        return Linked(invitation.user_id, login.is_friend(tokens.access_token))

    # --- keeping it small

    def tidy(self, now: dt.datetime) -> int:
        """Delete attempts that are over and invitations long expired; how many files went. May be repeated."""
        attempts = self._records(self._logins, LoginAttempt)
        over = [key for key, attempt in attempts.items() if now - attempt.expires_at > LOGIN_LASTS]
        for key in over:
            self._store.delete(self._login_key(key))  # its note stays, or it could be made twice
        notes = {name.partition(".")[0] for name in self._store.names(self._logins) if name.endswith(".used.json")}
        for key in notes - (attempts.keys() - set(over)):
            if not self._store.exists(self._login_key(key)):  # nor begun while we looked
                self._store.delete(f"{self._logins}/{key}.used.json")
        invitations = self._records(self._invitations, Invitation)
        old = [key for key, invitation in invitations.items() if now - invitation.expires_at > KEPT_AFTER]
        for key in old:
            self._store.delete(self._invitation_key(key))
        names = self._store.names(self._invitations)
        there = {name[:64] for name in names if len(name.split(".")) == 2}
        for name in names:
            if name[:64] not in there:  # what belongs to an invitation that is gone, withdrawn ones too
                self._store.delete(f"{self._invitations}/{name}")
        return len(over) + len(old)

    def _records(self, folder: str, model: type[T]) -> dict[str, T]:
        """Every attempt or invitation by the digest that names it."""
        names = [name for name in self._store.names(folder) if re.fullmatch(r"[0-9a-f]{64}\.json", name)]
        found = read_all(self._store, [f"{folder}/{name}" for name in names], model)
        return {path.rsplit("/", 1)[1].removesuffix(".json"): record for path, record in found.items()}

    def _invitation(self, key: str) -> Invitation | None:
        found = records.read_or_none(self._store, self._invitation_key(key), Invitation)
        return replace(found, key=key) if found else None

    def _invitation_key(self, key: str) -> str:
        return f"{self._invitations}/{key}.json"

    def _part_key(self, invitation: str, part: str) -> str:
        return f"{self._invitations}/{invitation}.{part}.json"

    def _login_key(self, key: str) -> str:
        return f"{self._logins}/{key}.json"


def cookie_name(state: str) -> str:
    """One per attempt, so that two tabs do not take each other's."""
    return f"renkei_line_{sha256(state)[:16]}"
