"""What is told once: a message and a note that it was told, in the store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from renkei.channel import Channel, Event
from renkei.errors import StoreError
from renkei.notifications.deliver import was_accepted
from renkei.orchestration.link import Link
from renkei.orchestration.monitor.operator_channels import NotifyChannels
from renkei.runs import notes
from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder, watch_folder
from renkei.systems.delivery import Message, key_of

KEPT = dt.timedelta(days=400)  # what was told; an end that nobody mended for so long is told anew


@dataclass(frozen=True, slots=True)
class ToldNotices:
    """When what was told, by the keys of what it was about."""

    told: dict[str, Moment]


@dataclass
class Notices:
    """What is told of one link's tenants at one look: how many messages went out, and why others did not."""

    link: Link
    store: Store
    now: dt.datetime
    tell: NotifyChannels
    told: int = 0
    faults: list[str] = field(default_factory=list)

    def tell_once(
        self,
        whom: str,
        channels: Sequence[Channel],
        message: Message,
        keys: Sequence[str],
        event: Event = Event.EXPIRY,
    ) -> None:
        """Tell those channels, then note it: a crash between the two tells twice, never not at all."""
        if not any(channel.wants(event) for channel in channels):
            return
        known = self.told_before(whom)
        if known.keys() >= set(keys):
            return
        try:
            if was_accepted(self.tell(self.link.name, whom, channels, event, message, _key_of(keys)), event):
                young = {key: at for key, at in known.items() if at > self.now - KEPT}
                records.write(self.store, self._key(whom), ToldNotices(young | dict.fromkeys(keys, self.now)))
                self.told += 1
            else:
                self.faults.append(f"{whom}: {event.label}を届けられませんでした。通知先の接続を確認してください。")
        except Exception as error:  # the others are told all the same (L5); its text may hold secrets (L7)
            reason = str(error) if isinstance(error, StoreError) else type(error).__name__
            self.faults.append(f"{whom}: {event.label}を届けられませんでした（{reason}）。")

    def forget(self, whom: str, keys: Collection[str]) -> None:
        """Of what nobody can ask to be told again."""
        left = {key: at for key, at in self.told_before(whom).items() if key not in keys}
        records.write(self.store, self._key(whom), ToldNotices(left))

    def told_before(self, whom: str) -> Mapping[str, dt.datetime]:
        """What was told, and when."""
        found = notes.read(self.store, self._key(whom), ToldNotices)
        return found.told if found else {}

    def folder(self, tenant: str) -> TenantFolder:
        return TenantFolder(self.store, self.link.name, tenant)

    def _key(self, whom: str) -> str:
        return f"{watch_folder(self.link.name)}/expiry/{whom}.json"


def _key_of(keys: Sequence[str]) -> str:
    return keys[0] if len(keys) == 1 else key_of(*sorted(keys))
