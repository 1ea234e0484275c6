"""マイ情報: what members register themselves by an invitation (N4, W2).

It counts before the administrator's file: who registers a channel has just looked it up in his own account, and an old
file that is imported again must not undo that. What a member clears is the file's again. Who is not in the members
table is no member, whatever he registered, and an import forgets it: his user id may become somebody else's.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from renkei.errors import SettingError
from renkei.notifications.members.table import Member, MemberError, Members
from renkei.notifications.members.tables import ENTRY, INVITATION
from renkei.storage.database.database import Database
from renkei.storage.database.statements import insert
from renkei.storage.database.statements import replace as replaced
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.tokens import digest_of_token, new_token

FIELDS = ("slack_member_id", "google_chat_webhook")  # what a member may register here; LINE has its own pages
KEPT_AFTER = dt.timedelta(days=30)  # an expired invitation says so for this long
MAX_DAYS = 30


@dataclass(frozen=True, slots=True)
class Invitee:
    """Whom an invitation is for, and until when."""

    user_id: str = field(repr=False)
    expires_at: dt.datetime
    token: bytes = field(repr=False)  # its digest


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """What a member registered, and when."""

    value: str = field(repr=False)
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class OwnRegistrations:
    """What a member has registered himself, and whether he may."""

    registered: dict[str, dt.datetime] = field(default_factory=dict)  # the fields that he has, and since when
    invited_until: dt.datetime | None = None


class OwnEntries:
    """What the members of one tenant registered themselves, and the invitations by which they may."""

    def __init__(self, database: Database, folder: TenantFolder) -> None:
        self._database, self._store = database, folder.store
        self.link, self.tenant = folder.link, folder.tenant
        self.members = Members(folder)

    def find(self, user_id: str) -> Member | None:
        """The member with what counts of him: his own entries, else the table's; None where he is not in the table."""
        member = self.members.find(user_id)
        if member is None:
            return None
        own = {name: entry.value for name, entry in self.of(user_id).items() if entry.value}
        return replace(member, **own)

    def of(self, user_id: str) -> dict[str, OwnEntry]:
        """His own entries, by field."""
        member = _digest(user_id)
        with self._database.reading() as connection:
            rows = connection.execute(select(ENTRY).where(*self._ours(member))).all()
        return {
            row.field: OwnEntry(self._store.unseal(self._place(member, row.field), row.value).decode(), row.changed_at)
            for row in rows
        }

    def registrations(self, user_ids: Iterable[str], now: dt.datetime) -> dict[str, OwnRegistrations]:
        """What these members have registered themselves, without what it is, and whether an invitation is open."""
        users = {_digest(user_id): user_id for user_id in user_ids}
        entries = select(ENTRY.c.member, ENTRY.c.field, ENTRY.c.changed_at)
        invited = select(INVITATION.c.member, INVITATION.c.expires_at)
        with self._database.reading() as connection:
            here = (ENTRY.c.link == self.link, ENTRY.c.tenant == self.tenant)
            rows = connection.execute(entries.where(*here)).all()
            open_ = connection.execute(invited.where(*self._invited_here(), INVITATION.c.expires_at > now)).all()
        found = {user_id: OwnRegistrations() for user_id in users.values()}
        for row in rows:
            if user_id := users.get(row.member):
                found[user_id].registered[row.field] = row.changed_at
        for member, until in open_:
            if user_id := users.get(member):
                found[user_id] = replace(found[user_id], invited_until=until)
        return found

    def register(self, invited: Invitee, name: str, value: str, now: dt.datetime) -> None:
        """Makes `value` his, checked already; an empty one takes it back.

        Raises:
            MemberError: another member has this Slack account.
            SettingError: a webhook is a secret, and the store is not encrypted (L7).
        """
        assert name in FIELDS
        if name == "google_chat_webhook" and value and not self._store.encrypted:
            raise SettingError("保存先を暗号化していないため、Google ChatのWebhookは登録できません。")
        member, same = _digest(invited.user_id), _digest(value)
        if name == "slack_member_id" and value:
            table = self.members.imported()
            if (table["slack_member_id"].eq(value) & table["user_id"].ne(invited.user_id)).any():
                raise _taken()
        row = {
            "link": self.link,
            "tenant": self.tenant,
            "member": member,
            "field": name,
            "value": self._store.seal(self._place(member, name), value.encode()),
            "same": same,
            "changed_at": now,
            "invitation": invited.token,
        }
        with self._database.writing(brief=True) as connection:
            if name == "slack_member_id" and value and self._is_anothers(connection, member, same):
                raise _taken()
            if value:
                connection.execute(replaced(self._database, ENTRY), row)
            else:
                connection.execute(delete(ENTRY).where(*self._ours(member), ENTRY.c.field == name))

    def keep_only(self, user_ids: Iterable[str]) -> None:
        """Forgets the entries and invitations of everybody else: a user id may be given to another person later."""
        known = {_digest(user_id) for user_id in user_ids}
        for table in (ENTRY, INVITATION):
            here = (table.c.link == self.link, table.c.tenant == self.tenant)
            with self._database.reading() as connection:
                members = set(connection.scalars(select(table.c.member).where(*here)))
            with self._database.writing(brief=True) as connection:
                for member in members - known:
                    connection.execute(delete(table).where(*here, table.c.member == member))

    # --- invitations

    def invite(self, user_ids: Iterable[str], days: int, now: dt.datetime) -> dict[str, str]:
        """A new token for each, good for `days`; the earlier ones of these members are void. Tokens are kept nowhere."""
        tokens = {user_id: new_token() for user_id in user_ids}
        until = now + dt.timedelta(days=min(days, MAX_DAYS))
        rows = [self._invitation(user_id, token, now, until) for user_id, token in tokens.items()]
        if rows:
            with self._database.writing(brief=True) as connection:
                for row in rows:
                    gone = and_(*self._invited_here(), INVITATION.c.member == row["member"])
                    connection.execute(delete(INVITATION).where(gone))
                connection.execute(insert(self._database, INVITATION), rows)
        return tokens

    def withdraw(self, user_id: str, now: dt.datetime) -> None:
        """Makes a member's invitation void."""
        his = and_(*self._invited_here(), INVITATION.c.member == _digest(user_id))
        with self._database.writing(brief=True) as connection:
            connection.execute(update(INVITATION).where(his).values(expires_at=now))

    def invited(self, token: str) -> Invitee | None:
        """Whom the token invites, expired or not; None where it is none of ours."""
        digest = digest_of_token(token)
        with self._database.reading() as connection:
            row = connection.execute(
                select(INVITATION).where(*self._invited_here(), INVITATION.c.token == digest)
            ).first()
        if row is None:
            return None
        user_id = self._store.unseal(self._token_place(digest), row.user_id).decode()
        return Invitee(user_id, row.expires_at, digest)

    def _invitation(self, user_id: str, token: str, now: dt.datetime, until: dt.datetime) -> dict[str, object]:
        digest = digest_of_token(token)
        return {
            "token": digest,
            "link": self.link,
            "tenant": self.tenant,
            "member": _digest(user_id),
            "user_id": self._store.seal(self._token_place(digest), user_id.encode()),
            "created_at": now,
            "expires_at": until,
        }

    def _is_anothers(self, connection: Connection, member: bytes, same: bytes) -> bool:
        here = (ENTRY.c.link == self.link, ENTRY.c.tenant == self.tenant, ENTRY.c.field == "slack_member_id")
        others = select(ENTRY.c.member).where(*here, ENTRY.c.same == same, ENTRY.c.member != member)
        return connection.execute(others).first() is not None

    def _ours(self, member: bytes) -> tuple[ColumnElement[bool], ...]:
        return ENTRY.c.link == self.link, ENTRY.c.tenant == self.tenant, ENTRY.c.member == member

    def _invited_here(self) -> tuple[ColumnElement[bool], ...]:
        return INVITATION.c.link == self.link, INVITATION.c.tenant == self.tenant

    def _place(self, member: bytes, name: str) -> str:
        return f"member_entry/{self.link}/{self.tenant}/{member.hex()}/{name}"

    def _token_place(self, digest: bytes) -> str:
        return f"member_invitation/{self.link}/{self.tenant}/{digest.hex()}"


def forget(database: Database, now: dt.datetime) -> int:
    """Deletes invitations that ended long ago; how many."""
    with database.writing() as connection:
        return connection.execute(delete(INVITATION).where(INVITATION.c.expires_at < now - KEPT_AFTER)).rowcount


def _taken() -> MemberError:
    return MemberError(
        "このIDは登録できません。ご自身のSlackのメンバーIDか確かめ、心当たりがない場合は総務・人事の担当者に連絡してください。"
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
