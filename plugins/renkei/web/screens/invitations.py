"""What is said of invitations to the お客様ページ. No clock, no files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from renkei.web.customer.invitations import CustomerRight, Invitation
from renkei.web.screens.timeline import Event


def state(one: Invitation, now: dt.datetime) -> tuple[str, str]:
    """A label and its tone."""
    if one.revoked_at:
        return "取り消し", "quiet"
    if now >= one.expires_at:
        return "期限切れ", "quiet"
    return ("使用中", "good") if one.first_used_at else ("未使用", "none")


def allowed(one: Invitation, names: Mapping[CustomerRight, str]) -> list[str]:
    """What it allows, in the order in which it is offered; what its link does not have any more is not said."""
    return [name for kind, name in names.items() if kind in one.allows]


def events(invitations: Sequence[Invitation]) -> list[Event]:
    """When each was made, first used and revoked, the newest first; for whom it is stands on its own page alone."""
    found = []
    for one in invitations:
        name = f"お客様ページの招待{one.number}"
        found.append(Event(one.created_at, f"{name}を作成（{one.created_by}さん）", "cold"))
        if one.first_used_at:
            found.append(Event(one.first_used_at, f"{name}が初めて使われました", "cold"))
        if one.revoked_at:
            found.append(Event(one.revoked_at, f"{name}を取り消し（{one.revoked_by}さん）", "cold"))
    return sorted(found, key=lambda event: event.at, reverse=True)
