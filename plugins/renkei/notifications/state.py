"""What is kept of a channel across runs: its failures in a row, and whether it is 無効 (N2)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from dataclasses import dataclass

from renkei.notifications.channel import Channel, Service
from renkei.storage.store import MissingKeyError
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Delivery, Verdict


@dataclass(frozen=True, slots=True)
class ChannelState:
    """The state of one registration of a channel; a new registration begins with a new state."""

    registration: str = ""  # Registration.digest
    failures: int = 0  # runs in a row that could not be told
    run: str = ""  # the last one counted
    disabled_at: str = ""  # ISO 8601; empty while the channel is in use
    told: bool = False  # the remaining channels heard that it is disabled
    verdict: str = ""  # of the last delivery, with its status and reason
    status: int | None = None
    reason: str = ""
    dead: bool = False
    at: str = ""  # of the last delivery
    accepted_at: str = ""  # of the last one that was accepted

    @property
    def disabled(self) -> bool:
        return bool(self.disabled_at)

    @property
    def last(self) -> Delivery | None:
        """The last delivery, as far as it is kept."""
        return Delivery(Verdict(self.verdict), self.status, self.reason, dead=self.dead) if self.verdict else None


def after(
    state: ChannelState, delivery: Delivery, service: Service, run: str, now: dt.datetime, limit: int
) -> ChannelState:
    """The state once `delivery` is known.

    A registration that is void is disabled at once, for no message can pass; any other failure only in the
    `limit`th run in a row. Several messages of one run count once. Mail is never disabled.
    """
    kept = dataclasses.replace(
        state,
        verdict=delivery.verdict.value,
        status=delivery.status,
        reason=delivery.reason,
        dead=delivery.dead,
        at=now.isoformat(),
    )
    if delivery.accepted:
        return dataclasses.replace(kept, failures=0, run="", disabled_at="", told=False, accepted_at=now.isoformat())
    failures = state.failures + (state.run != run)
    void = service is not Service.MAIL and (delivery.dead or failures >= limit)
    disabled_at = state.disabled_at or (now.isoformat() if void else "")
    return dataclasses.replace(kept, failures=failures, run=run, disabled_at=disabled_at)


class ChannelStates:
    """The states of one tenant's channels, each a file of its own."""

    def __init__(self, folder: TenantFolder) -> None:
        self._store, self._folder = folder.store, folder.channels

    def read(self, channel: Channel) -> ChannelState:
        try:
            return ChannelState(**self._store.read_json(self._key(channel)))
        except (MissingKeyError, TypeError, ValueError):  # one that cannot be read only costs its count
            return ChannelState()

    def write(self, channel: Channel, state: ChannelState) -> None:
        self._store.write_json(self._key(channel), dataclasses.asdict(state))

    def forget(self, channel: Channel) -> None:
        self._store.delete(self._key(channel))

    def _key(self, channel: Channel) -> str:
        return f"{self._folder}/{hashlib.sha256(channel.name.encode()).hexdigest()[:16]}.json"
