"""Where each member is reached (N4): the imported table, and the LINE ids that members linked themselves.

Below `<link>/tenants/<tenant>/`:

    members.parquet                        the imported table, replaced as a whole
    members_line/<sha256(user id)>.json    a LINE id linked by LINE Login; it wins over the imported one
    members_line_ids/<sha256(LINE id)>.json   whose that LINE id is: created once, so that two cannot both have it

Import and login write different files, so neither undoes the other. Who is not in the table is no member,
linked or not.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from renkei.errors import RenkeiError, SettingError
from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import MissingKeyError, Store
from renkei.storage.tenant_folder import TenantFolder

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("user_id", "lineworks_id", "slack_member_id", "google_chat_webhook", "line_user_id")
LABELS = dict(
    zip(COLUMNS, ("ユーザID", "LINE WORKS ID", "SlackメンバーID", "Google Chat Webhook", "LINEユーザーID"), strict=True)
)
READERS = 16
CLAIM_LASTS = dt.timedelta(minutes=10)  # longer than any linking takes
T = TypeVar("T")


class MemberError(RenkeiError):
    """The members table does not allow it; the message is Japanese for whoever asked."""


class UnknownMemberError(MemberError):
    """There is no such member."""


class LineTakenError(MemberError):
    """The LINE account is another member's."""


@dataclass(frozen=True, slots=True)
class Member:
    """One row. What is empty is not known. Not to be shown or logged: all of it is personal, the webhook a secret."""

    user_id: str = field(repr=False)
    lineworks_id: str = field(default="", repr=False)
    slack_member_id: str = field(default="", repr=False)
    google_chat_webhook: str = field(default="", repr=False)
    line_user_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LineLink:
    """A LINE id that a member linked by login."""

    user_id: str = field(repr=False)
    line_user_id: str = field(repr=False)
    linked_at: Moment
    invitation: str = ""  # SHA-256 of the invitation's token by which it came


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose a LINE account is."""

    user_id: str = field(repr=False)
    at: Moment


class Members:
    """The members of one tenant."""

    def __init__(self, folder: TenantFolder) -> None:
        self._store, self._folder = folder.store, folder

    def find(self, user_id: str) -> Member | None:
        """The member with this user id, exactly; None when there is none."""
        table = self.imported()
        rows = table[table["user_id"] == user_id]
        if rows.empty:
            return None
        row = {str(name): str(value) for name, value in rows.iloc[0].items()}
        link = self.line_link(user_id)
        return Member(**(row | ({"line_user_id": link.line_user_id} if link else {})))

    def imported(self) -> pd.DataFrame:
        """The table as it was imported: COLUMNS, all text, "" for what is not known; no rows before the first import."""
        import pandas as pd

        try:
            return self._store.read_table(self._folder.members).reindex(columns=list(COLUMNS)).fillna("")
        except MissingKeyError:
            return pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS})

    def all(self) -> pd.DataFrame:
        """Every member in the table's order: COLUMNS with the LINE id in force, and `linked_at` ("" where imported)."""
        links, table = self.line_links(), self.imported()
        ids = look_up(table["user_id"], {user: link.line_user_id for user, link in links.items()})
        at = look_up(table["user_id"], {user: link.linked_at.isoformat() for user, link in links.items()})
        return table.assign(line_user_id=ids.where(ids != "", table["line_user_id"]), linked_at=at)

    def replace(self, frame: pd.DataFrame) -> None:
        """Put `frame` in the place of the whole table. It has `user_id` and any of COLUMNS, and has been checked.

        A column that `frame` does not have keeps what the table knows of those who stay.

        Raises:
            SettingError: it has Google Chat webhooks, and the store is not encrypted (L7).
        """
        table = completed(frame, self.imported())
        self.check(table)
        self._store.write_table(self._folder.members, table)

    def check(self, table: pd.DataFrame) -> None:
        """Nothing, where `replace` would take this table; raises as it does."""
        if table["google_chat_webhook"].ne("").any() and not self.may_keep_secrets:
            raise SettingError(
                "Google ChatのWebhook URLは秘密情報のため、暗号化していない保存先には登録できません。何も登録していません。"
                "RENKEI_STORE_KEY_CONN_ID で保存先の暗号化を設定するか、Google Chat Webhookの列を削除してください。"
            )

    @property
    def may_keep_secrets(self) -> bool:
        """Whether the store is encrypted."""
        return self._store.encrypted

    # --- LINE, linked by login

    def line_link(self, user_id: str) -> LineLink | None:
        return records.read_or_none(self._store, self._link_key(user_id), LineLink)

    def line_links(self) -> dict[str, LineLink]:
        """Every link by user id, those of former members too."""
        folder = self._folder.members_line
        keys = [f"{folder}/{name}" for name in self._store.names(folder) if name.endswith(".json")]
        return {link.user_id: link for link in read_all(self._store, keys, LineLink).values()}

    def link_line(self, user_id: str, line_user_id: str, *, now: dt.datetime, invitation: str = "") -> None:
        """Make `line_user_id` the member's. Done twice is done once; a link that the member had is replaced.

        Raises:
            UnknownMemberError: not, or no longer, in the table.
            LineTakenError: another member has this LINE account, or is just linking it.
        """
        if self.find(user_id) is None:
            raise UnknownMemberError("社員の登録が見つかりません。総務・人事の担当者に連絡してください。")
        before = self.line_link(user_id)
        self._claim(user_id, line_user_id, now)
        link = LineLink(user_id, line_user_id, now.replace(microsecond=0), invitation)
        records.write(self._store, self._link_key(user_id), link)
        if before and before.line_user_id != line_user_id:
            self._release(user_id, before.line_user_id)

    def unlink_line(self, user_id: str) -> bool:
        """Forget what the member linked by login; whether there was anything. An imported LINE id stays."""
        link = self.line_link(user_id)
        if link is None:
            return False
        self._store.delete(self._link_key(user_id))
        self._release(user_id, link.line_user_id)  # dying before this, the claim is void all the same
        return True

    def _release(self, user_id: str, line_user_id: str) -> None:
        """Give up a claim, unless another member took it over while this one was not in the table."""
        key = self._claim_key(line_user_id)
        claim = records.read_or_none(self._store, key, Claim)
        if claim and claim.user_id == user_id:
            self._store.delete(key)

    def _claim(self, user_id: str, line_user_id: str, now: dt.datetime) -> None:
        taken = LineTakenError(
            "このLINEアカウントは、別の社員の通知先として既に登録されています。ご自身のLINEアカウントで操作しているか確かめ、"
            "心当たりがない場合は総務・人事の担当者に連絡してください。"
        )
        table = self.imported()
        users = set(table["user_id"])
        others = table.loc[table["line_user_id"].eq(line_user_id) & table["user_id"].ne(user_id), "user_id"]
        if any(self.line_link(str(other)) is None for other in others):  # who linked another one uses that
            raise taken
        claim = Claim(user_id, now.replace(microsecond=0))
        key = self._claim_key(line_user_id)
        if records.create(self._store, key, claim):
            return
        existing = records.read_or_none(self._store, key, Claim) or claim  # given up this very moment
        owner = existing.user_id
        if owner != user_id:
            link = self.line_link(owner)
            has_it = owner in users and link is not None and link.line_user_id == line_user_id
            if has_it or now - existing.at < CLAIM_LASTS:
                raise taken
        records.write(self._store, key, claim)

    def _link_key(self, user_id: str) -> str:
        return f"{self._folder.members_line}/{sha256(user_id)}.json"

    def _claim_key(self, line_user_id: str) -> str:
        return f"{self._folder.members_line_ids}/{sha256(line_user_id)}.json"


def completed(frame: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """`frame` with all of COLUMNS as text; a column that it lacks comes from `current` by user id, else is ""."""
    kept = {
        name: look_up(frame["user_id"], dict(zip(current["user_id"], current[name], strict=True)))
        for name in COLUMNS
        if name not in frame
    }
    return frame.assign(**kept)[list(COLUMNS)].astype("str").reset_index(drop=True)


def look_up(keys: pd.Series[str], known: Mapping[str, str]) -> pd.Series[str]:
    """What is known of each key, "" where nothing is."""
    import pandas as pd

    return pd.Series([known.get(key, "") for key in keys], keys.index, dtype="str")


def read_all(store: Store, keys: Sequence[str], model: type[T]) -> dict[str, T]:
    """Those of the keys that are there; many at a time, for an object store takes its time over each."""
    with ThreadPoolExecutor(min(READERS, len(keys)) or 1) as pool:
        read = pool.map(lambda key: records.read_or_none(store, key, model), keys)
        return {key: found for key, found in zip(keys, read, strict=True) if found is not None}


def sha256(text: str) -> str:
    """A file's name for what may hold any character, or must not be readable in a listing."""
    return hashlib.sha256(text.encode()).hexdigest()
