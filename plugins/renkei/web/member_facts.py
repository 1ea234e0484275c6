"""The members of a company as its page lists them: who is reached where, never by what (N4, L6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from renkei.notifications.members.table import COLUMNS, LABELS

FIELDS = {name: LABELS[name] for name in COLUMNS[1:]}


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One member. `has` are the fields that the table or the member himself has filled in."""

    user_id: str
    has: frozenset[str]
    himself: Mapping[str, dt.datetime]  # the fields that he registered himself, and when
    invited_until: dt.datetime | None = None


class MemberInvitations(Protocol):
    """Invitations by which members register themselves."""

    def member_invitations(self, dag_id: str) -> Mapping[str, str]:
        """The kinds that the company's link has, and what each is called."""

    def member_invitation_fault(self, dag_id: str, kind: str) -> str:
        """Why no address is handed out, in Japanese: nothing would work behind it. Else empty."""

    def member_invitation_url(self, dag_id: str, kind: str, token: str) -> str: ...


def registered(lines: Sequence[MemberLine]) -> Mapping[str, int]:
    """How many can be reached in each field."""
    return {name: sum(name in one.has for one in lines) for name in FIELDS}
