"""An import of the members table: what it would change, and the change (N4). Any mistake, and nothing changes (L2)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei.errors import Problem
from renkei.notifications.members.file import read_members
from renkei.notifications.members.linking import Linking
from renkei.notifications.members.own import OwnEntries
from renkei.notifications.members.table import completed

if TYPE_CHECKING:
    import pandas as pd

REMOVED_LEAST, REMOVED_SHARE = 5, 0.1  # of the members, by one import; as E34 has it for people


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was read, against the table as it was then. Without `problems` it can be `taken_over`."""

    table: pd.DataFrame
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    members: int
    added: int
    changed: int
    removed: int
    before: int

    @property
    def removes_many(self) -> bool:
        """So many that somebody has to say that it is meant."""
        return self.removed >= REMOVED_LEAST and self.removed > REMOVED_SHARE * self.before


def read_import(content: bytes, name: str, linking: Linking, allowed: Collection[str]) -> Import:
    """What the file called `name` would make of the table.

    Raises:
        SettingError: the store may not keep what is in it (L7).
    """
    members = linking.members
    current = members.imported()
    linked = {user: link.line_user_id for user, link in members.line_links().items()}
    found = read_members(content, name, current, linked, allowed)
    table = completed(found.frame, current)
    if not found.problems:
        members.check(table)
    before, after = current.set_index("user_id"), table.set_index("user_id")
    stay = after.index.intersection(before.index)
    return Import(
        table,
        found.problems,
        found.warnings,
        members=len(after),
        added=len(after.index.difference(before.index)),
        changed=int((after.loc[stay] != before.loc[stay]).any(axis=1).sum()),
        removed=len(before.index.difference(after.index)),
        before=len(before),
    )


def take_over(read: Import, linking: Linking, own: OwnEntries) -> None:
    """The table is the file's; what members who are not in it had registered themselves is forgotten."""
    linking.members.replace(read.table)
    users = set(read.table["user_id"])  # all that stay: what an import that died has left behind goes now
    linking.keep_only(users)
    own.keep_only(users)
