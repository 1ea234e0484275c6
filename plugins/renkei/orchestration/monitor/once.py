"""What is told once: a message and a note that it was told, in the store."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from renkei.errors import StoreError
from renkei.notifications.channel import Channel
from renkei.notifications.deliver import was_heard
from renkei.notifications.event import Event
from renkei.orchestration.link import Link
from renkei.orchestration.monitor.operator_channels import Tell
from renkei.storage.store import MissingKeyError, Store
from renkei.storage.tenant_folder import TenantFolder, watch_folder
from renkei.systems.delivery import Message

log = logging.getLogger(__name__)

KEPT = dt.timedelta(days=400)  # what was told; an end that nobody mended for so long is told anew


@dataclass
class Notices:
    """What is told of one link's tenants at one look: how many messages went out, and why others did not."""

    link: Link
    store: Store
    now: dt.datetime
    tell: Tell
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
            if was_heard(self.tell(self.link.name, whom, channels, event, message, _key_of(keys)), event):
                young = {key: at for key, at in known.items() if at > (self.now - KEPT).isoformat()}
                told = young | dict.fromkeys(keys, self.now.isoformat())
                self.store.write_json(self._key(whom), {"told": told})
                self.told += 1
            else:
                self.faults.append(f"{whom}: {event.label}を届けられませんでした。通知先の接続を確認してください。")
        except Exception as error:  # the others are told all the same (L5); its text may hold secrets (L7)
            reason = str(error) if isinstance(error, StoreError) else type(error).__name__
            self.faults.append(f"{whom}: {event.label}を届けられませんでした（{reason}）。")

    def told_before(self, whom: str) -> dict[str, str]:
        """What was told, and when (ISO 8601, UTC)."""
        found = read_note(self.store, self._key(whom)).get("told")
        return {str(key): str(at) for key, at in found.items()} if isinstance(found, dict) else {}

    def folder(self, tenant: str) -> TenantFolder:
        return TenantFolder(self.store, self.link.name, tenant)

    def _key(self, whom: str) -> str:
        return f"{watch_folder(self.link.name)}/expiry/{whom}.json"


def read_note(store: Store, key: str) -> dict[str, Any]:
    """A note; one that cannot be read costs a repetition."""
    try:
        found = store.read_json(key)
    except MissingKeyError:
        return {}
    except (StoreError, ValueError) as error:
        log.warning("the note %s cannot be read: %s", key, type(error).__name__)
        return {}
    return found if isinstance(found, dict) else {}


def _key_of(keys: Sequence[str]) -> str:
    return keys[0] if len(keys) == 1 else hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:32]
