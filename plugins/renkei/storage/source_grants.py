"""What a company allowed us at its source by OAuth: numbered records that are only ever created (docs/decisions/0023).

Below `<tenant>/source_grants/`, the highest number counts:

    00000003.json            a grant, a renewed one, or the end of one; sealed by the store's cipher, as all
    00000003.renewing.json   somebody is renewing number 3; created once, so that its refresh token is sent once

and beside them, for all tenants of a link in one folder, `void_grants/<tenant>`: a person has to log in again.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from renkei.errors import StoreError
from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder, void_grants_folder

KEPT = 10  # records of one tenant, with the one that counts
_NUMBERED = re.compile(r"([0-9]{8})\.json")
_NOTE = re.compile(r"([0-9]{8})\.renewing\.json")


class PlainStoreError(StoreError):
    """The store has no key, so no secret may be kept there (L7)."""


class GrantEvent(StrEnum):
    """How a record came about."""

    ALLOWED = "allowed"  # somebody logged in and allowed it
    RENEWED = "renewed"
    ENDED = "ended"  # 連携解除
    VOID = "void"  # the source refused to renew it


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant, or the end of one: then it has no tokens."""

    made: GrantEvent
    at: Moment
    by: str  # the id of whoever allowed it, or ended it
    by_name: str
    allowed_at: Moment | None = None  # of a renewed one, when it was first allowed
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)  # empty: it cannot be renewed
    expires_at: Moment | None = None  # None: it does not expire
    scope: str = ""
    source: str = ""  # the address of the source at which it was proven
    people: int | None = None  # that it saw then

    @property
    def is_valid(self) -> bool:
        return bool(self.access_token)

    @property
    def log_in(self) -> str | None:
        """The log-in that allowed it, named by its time: the same through all renewals. None: nobody can say."""
        return self.allowed_at.isoformat() if self.allowed_at else None


@dataclass(frozen=True, slots=True)
class Renewal:
    """Somebody is renewing a grant since then, or died of it."""

    at: Moment
    by: str = ""  # a number drawn for this note, so that it is known from another of the same moment


class SourceGrants:
    """The grants of one tenant of one link."""

    def __init__(self, folder: TenantFolder) -> None:
        self.folder = folder
        self._store, self._path = folder.store, folder.source_grants

    @property
    def may_be_kept(self) -> bool:
        return self._store.encrypted

    def newest(self) -> tuple[int, Grant | None]:
        """The number and the record that count; 0 and None: there never was one.

        Raises:
            DamagedFileError, StoreError: nobody can say.
        """
        numbers = self._numbers(_NUMBERED)
        return (numbers[-1], records.read(self._store, self._key(numbers[-1]), Grant)) if numbers else (0, None)

    def follow(self, number: int, grant: Grant) -> bool:
        """Create the record after `number`; False: another one is there.

        Raises:
            PlainStoreError: it has tokens, and they would lie open.
        """
        if grant.is_valid and not self.may_be_kept:
            raise PlainStoreError(
                "保存先が暗号化されていないため、SmartHRの許可を保存できません。"
                "運用担当者が RENKEI_STORE_KEY_CONN_ID を設定してから、もう一度「連携する」を押してください。"
            )
        return self._create(self._key(number + 1), grant)

    def begin_renewal(self, number: int, now: dt.datetime) -> bool:
        """Note that number is being renewed; False: it is, or was, by another."""
        return self._create(self._note(number), Renewal(now, secrets.token_hex(8)))

    def renewal(self, number: int) -> Renewal | None:
        return records.read_or_none(self._store, self._note(number), Renewal)

    def undo_renewal(self, number: int) -> None:
        """By who noted it, and surely sent nothing."""
        self._store.delete(self._note(number))

    def note_void(self) -> None:
        """For the list of all companies: a person has to log in again."""
        self._store.write(self._void, b"")

    def forget_void(self) -> None:
        if self._store.exists(self._void):
            self._store.delete(self._void)

    def tidy(self) -> int:
        """Delete all records but the last ones, and the notes of those; how many files."""
        last = self._numbers(_NUMBERED)[-KEPT:]
        old = [self._key(number) for number in self._numbers(_NUMBERED) if last and number < last[0]]
        old += [self._note(number) for number in self._numbers(_NOTE) if last and number < last[0]]
        for key in old:
            self._store.delete(key)
        return len(old)

    def _create(self, key: str, value: Grant | Renewal) -> bool:
        """Whether it is there, and ours: an object store's client asks once more where the answer was lost, and is told
        that something is there.
        """
        return records.create(self._store, key, value) or records.read_or_none(self._store, key, type(value)) == value

    def _numbers(self, kind: re.Pattern[str]) -> list[int]:
        return sorted(int(found[1]) for name in self._store.names(self._path) if (found := kind.fullmatch(name)))

    def _key(self, number: int) -> str:
        return f"{self._path}/{number:08d}.json"

    def _note(self, number: int) -> str:
        return f"{self._path}/{number:08d}.renewing.json"

    @property
    def _void(self) -> str:
        return f"{void_grants_folder(self.folder.link)}/{self.folder.tenant}"


def void_tenants(store: Store, link: str) -> frozenset[str]:
    """The tenants of a link whose grant was found void; may raise StoreError."""
    return frozenset(store.names(void_grants_folder(link)))
