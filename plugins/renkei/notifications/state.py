"""What is kept of a channel across runs: its failures in a row, and whether it is 無効 (N2)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import logging
from dataclasses import dataclass
from typing import Literal

from renkei.channel import Channel, Service
from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import DamagedFileError
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Delivery, Verdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChannelState:
    """The state of one registration of a channel; a new registration begins with a new state."""

    registration: str = ""  # Registration.digest
    failures: int = 0  # runs in a row that could not be told
    run: str = ""  # the last one counted
    disabled_at: Moment | Literal[""] = ""  # empty while the channel is in use
    told: bool = False  # the remaining channels heard that it is disabled
    verdict: Verdict | Literal[""] = ""  # of the last delivery, with its status and reason
    status: int | None = None
    reason: str = ""
    dead: bool = False
    at: Moment | Literal[""] = ""  # of the last delivery
    accepted_at: Moment | Literal[""] = ""  # of the last one that was accepted

    @property
    def disabled(self) -> bool:
        return bool(self.disabled_at)

    @property
    def last(self) -> Delivery | None:
        """The last delivery, as far as it is kept."""
        return Delivery(self.verdict, self.status, self.reason, dead=self.dead) if self.verdict else None


def after(
    state: ChannelState, delivery: Delivery, service: Service, run: str, now: dt.datetime, limit: int
) -> ChannelState:
    """The state once `delivery` is known.

    A registration that is void is disabled at once, for no message can pass; any other failure only in the
    `limit`th run in a row. Several messages of one run count once. Mail is never disabled.
    """
    kept = dataclasses.replace(
        state,
        verdict=delivery.verdict,
        status=delivery.status,
        reason=delivery.reason,
        dead=delivery.dead,
        at=now,
    )
    if delivery.accepted:
        return dataclasses.replace(kept, failures=0, run="", disabled_at="", told=False, accepted_at=now)
    failures = state.failures + (state.run != run)
    void = service is not Service.MAIL and (delivery.dead or failures >= limit)
    disabled_at = state.disabled_at or (now if void else "")
    return dataclasses.replace(kept, failures=failures, run=run, disabled_at=disabled_at)


class ChannelStates:
    """The states of one tenant's channels, each a file of its own."""

    def __init__(self, folder: TenantFolder) -> None:
        self._store, self._folder = folder.store, folder.channels

    def read(self, channel: Channel) -> ChannelState:
        try:
            return records.read_or_none(self._store, self._key(channel), ChannelState) or ChannelState()
        except DamagedFileError as error:  # it only costs its count
            log.warning("%s", error)
            return ChannelState()

    def write(self, channel: Channel, state: ChannelState) -> None:
        records.write(self._store, self._key(channel), state)

    def forget(self, channel: Channel) -> None:
        self._store.delete(self._key(channel))

    def _key(self, channel: Channel) -> str:
        return f"{self._folder}/{hashlib.sha256(channel.name.encode()).hexdigest()[:16]}.json"
