"""Invitations to the お客様ページ, and the sessions of those who came in by them.

An invitation is good for one company of one link until its end, unless it is revoked, which ends its sessions at once:
each request asks for both rows. Tokens are kept as digests alone; for whom an invitation is, and why, is sealed (L6).
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, literal, select, update

from renkei.errors import RenkeiError
from renkei.storage.database.columns import Moment
from renkei.storage.database.database import Database
from renkei.storage.database.statements import insert
from renkei.storage.store import Store
from renkei.storage.tokens import digest_of_token, is_token, new_token
from renkei.web.customer.tables import INVITATION, SESSION

AGAIN = "別の招待を作る場合は、もう一度「招待のリンクを作る」を押してください。"
MAX_DAYS = 30
MAX_LIVE = 20  # invitations of one company at a time
MAX_SESSIONS = 5  # of one invitation: the newest ones
IDLE = dt.timedelta(minutes=30)  # a session without a request ends
LASTS = dt.timedelta(hours=8)  # a session ends, whatever is done in it
NOTED_EVERY = dt.timedelta(minutes=1)  # a request is no write each time


class CustomerRight(StrEnum):
    """What an invitation lets somebody do."""

    CONNECTION = "connection"  # connect the source system
    SHEET = "sheet"
    RESULTS = "results"


class NotInvitedError(RenkeiError):
    """No invitation was made; the message says why, in Japanese."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """One invitation, as its company's page lists it."""

    link: str
    tenant: str
    number: int
    label: str = field(repr=False)  # for whom
    why: str = field(repr=False)
    allows: frozenset[CustomerRight]
    created_at: dt.datetime
    created_by: str
    expires_at: dt.datetime
    revoked_at: dt.datetime | None = None
    revoked_by: str = ""
    first_used_at: dt.datetime | None = None
    last_used_at: dt.datetime | None = None
    token: bytes = field(default=b"", repr=False)  # its digest

    def is_good(self, now: dt.datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who came in; `form` is what his forms carry."""

    invitation: Invitation
    form: str = field(repr=False)


class Invitations:
    """All invitations of this installation."""

    def __init__(self, database: Database, store: Store) -> None:
        self._database, self._store = database, store

    # --- the operator's side

    def invite(
        self,
        link: str,
        tenant: str,
        label: str,
        why: str,
        allows: Collection[CustomerRight],
        days: int,
        by: str,
        now: dt.datetime,
        token: str,
    ) -> Invitation:
        """A new one; `token` is kept nowhere. Of the same token there is one: it is this one, too.

        Raises:
            NotInvitedError: the company has too many that are good, or the token was another invitation's.
        """
        digest = digest_of_token(token)
        made = Invitation(
            *(link, tenant, 0, label, why, frozenset(allows), now, by[:250]),
            now + dt.timedelta(days=min(days, MAX_DAYS)),
            token=digest,
        )
        sealed = self._store.seal(_place(made), json.dumps([label, why], ensure_ascii=False).encode())
        with self._database.writing(brief=True) as connection:
            if existing := self._find_existing(connection, made, now):
                return existing
            good = (INVITATION.c.revoked_at.is_(None), INVITATION.c.expires_at > now)
            if connection.scalar(select(func.count()).where(*_of(link, tenant), *good)) >= MAX_LIVE:  # type: ignore[operator]
                raise NotInvitedError(
                    f"有効な招待が{MAX_LIVE}件あります。使わない招待を取り消してから、招待してください。"
                )
            found = self._insert(connection, made, sealed) or self._find_existing(connection, made, now)
            assert found is not None
            return found

    def listed(self, link: str, tenant: str) -> list[Invitation]:
        """Of one company, the newest first."""
        wanted = select(INVITATION).where(*_of(link, tenant)).order_by(INVITATION.c.number.desc())
        with self._database.reading() as connection:
            return [self._read(row) for row in connection.execute(wanted)]

    def revoke(self, link: str, tenant: str, number: int, by: str, now: dt.datetime) -> bool:
        """Make one void, and its sessions with it; whether there was one to revoke."""
        this = (*_of(link, tenant), INVITATION.c.number == number)
        with self._database.writing(brief=True) as connection:
            values = {"revoked_at": now, "revoked_by": by[:250]}
            done = connection.execute(update(INVITATION).where(*this, INVITATION.c.revoked_at.is_(None)).values(values))
        return bool(done.rowcount)

    # --- the customer's side

    def enter(self, token: str, now: dt.datetime) -> tuple[Session, str] | None:
        """A session and the value of its cookie; None where the token is not good, whatever the cause."""
        if not is_token(token):
            return None
        digest, cookie = digest_of_token(token), new_token()
        with self._database.writing(brief=True) as connection:
            row = connection.execute(select(INVITATION).where(INVITATION.c.token == digest)).first()
            if row is None or not hmac.compare_digest(row.token, digest) or not self._read(row).is_good(now):
                return None
            self._make_room(connection, digest, now)
            connection.execute(
                insert(self._database, SESSION),
                {"token": digest_of_token(cookie), "invitation": digest, "begun_at": now, "seen_at": now},
            )
            _note_use(connection, digest, now)
        return Session(self._read(row), _form(cookie)), cookie

    def session(self, cookie: str, now: dt.datetime) -> Session | None:
        """Who has come in with this cookie, and may still be there; he has been seen now."""
        if not is_token(cookie):
            return None
        digest = digest_of_token(cookie)
        wanted = (
            select(INVITATION, SESSION.c.token.label("session"), SESSION.c.begun_at, SESSION.c.seen_at)
            .join(SESSION, SESSION.c.invitation == INVITATION.c.token)
            .where(SESSION.c.token == digest)
        )
        with self._database.reading() as connection:
            row = connection.execute(wanted).first()
        if row is None or not hmac.compare_digest(row.session, digest):
            return None
        found = self._read(row)
        if not found.is_good(now) or now - row.seen_at >= IDLE or now - row.begun_at >= LASTS:
            return None
        if now - row.seen_at >= NOTED_EVERY:
            with self._database.writing(brief=True) as connection:
                connection.execute(update(SESSION).where(SESSION.c.token == digest).values(seen_at=now))
                _note_use(connection, found.token, now)
        return Session(found, _form(cookie))

    def leave(self, cookie: str) -> None:
        """End the session of this cookie, if there is one."""
        with self._database.writing(brief=True) as connection:
            connection.execute(delete(SESSION).where(SESSION.c.token == digest_of_token(cookie)))

    # ---

    def _find_existing(self, connection: Connection, made: Invitation, now: dt.datetime) -> Invitation | None:
        """The one that was made by this token; raises NotInvitedError: it is not the same, or good no more."""
        row = connection.execute(select(INVITATION).where(INVITATION.c.token == made.token)).first()
        if row is None:
            return None
        found, wanted = self._read(row), (made.link, made.tenant, made.label, made.why, made.allows)
        if not found.is_good(now) or (found.link, found.tenant, found.label, found.why, found.allows) != wanted:
            raise NotInvitedError(f"この画面からは、既に招待{found.number}を作りました。{AGAIN}")
        return found

    def _insert(self, connection: Connection, made: Invitation, sealed: bytes) -> Invitation | None:
        """With its number: of several made at once each gets one of its own. None: its token is taken this moment."""
        last = select(func.max(INVITATION.c.number)).where(*_of(made.link, made.tenant))
        number = (connection.scalar(last) or 0) + 1
        row = {
            "token": made.token,
            "link": made.link,
            "tenant": made.tenant,
            "about": sealed,
            "allows": ",".join(sorted(made.allows)),
            "created_at": made.created_at,
            "created_by": made.created_by,
            "expires_at": made.expires_at,
        }
        new = insert(self._database, INVITATION).on_conflict_do_nothing()
        while not connection.execute(new, {**row, "number": number}).rowcount:
            if connection.scalar(select(func.count()).where(INVITATION.c.token == made.token)):
                return None
            number += 1
        return replace(made, number=number)

    def _make_room(self, connection: Connection, invitation: bytes, now: dt.datetime) -> None:
        """Of the sessions of an invitation, the oldest ones go, and those that are over."""
        of_it = select(SESSION).where(SESSION.c.invitation == invitation).order_by(SESSION.c.seen_at.desc())
        for place, row in enumerate(connection.execute(of_it).all()):
            if place >= MAX_SESSIONS - 1 or now - row.seen_at >= IDLE or now - row.begun_at >= LASTS:
                connection.execute(delete(SESSION).where(SESSION.c.token == row.token))

    def _read(self, row: Any) -> Invitation:
        known = [one for one in row.allows.split(",") if one in set(CustomerRight)]
        found = Invitation(
            *(row.link, row.tenant, row.number, "", "", frozenset(map(CustomerRight, known)), row.created_at),
            *(row.created_by, row.expires_at, row.revoked_at, row.revoked_by or ""),
            *(row.first_used_at, row.last_used_at, row.token),
        )
        label, why = json.loads(self._store.unseal(_place(found), row.about))
        return replace(found, label=label, why=why)


def forget(database: Database, now: dt.datetime, keep: dt.timedelta) -> int:
    """Delete invitations that ended longer ago than `keep`, and sessions that are over; how many invitations."""
    with database.writing() as connection:
        connection.execute(delete(SESSION).where(SESSION.c.begun_at < now - LASTS))
        old = INVITATION.c.expires_at < now - keep
        left = select(INVITATION.c.token).where(old)
        connection.execute(delete(SESSION).where(SESSION.c.invitation.in_(left)))
        return connection.execute(delete(INVITATION).where(old)).rowcount


def _note_use(connection: Connection, invitation: bytes, now: dt.datetime) -> None:
    used = {"first_used_at": func.coalesce(INVITATION.c.first_used_at, literal(now, Moment)), "last_used_at": now}
    connection.execute(update(INVITATION).where(INVITATION.c.token == invitation).values(used))


def _of(link: str, tenant: str) -> tuple[ColumnElement[bool], ...]:
    return INVITATION.c.link == link, INVITATION.c.tenant == tenant


def _place(of: Invitation) -> str:
    return f"customer_invitation/{of.link}/{of.tenant}/{of.token.hex()}"


def _form(cookie: str) -> str:
    """What forms carry: known to who has the cookie, and no way back to it."""
    return hmac.digest(cookie.encode(), b"renkei customer form", "sha256").hex()
