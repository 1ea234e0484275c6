"""What can go wrong, grouped by what the caller does next.

    RenkeiError
    ├── SettingError            mend a setting, then run again
    │   ├── MappingError        the 連携設定シート (carries every problem found)
    │   ├── SheetPendingError   the 連携設定シート is new or changed, and not read yet: a matter of minutes
    │   ├── ConnectionError_    an Airflow Connection is missing or incomplete
    │   └── LinkStateError      連携解除, changed ID付与コード …
    │       └── NotLinkedYetError   連携開始日 is ahead, or the first link was not asked for
    ├── FetchError              SmartHR could not be read whole
    │   ├── RetriableFetchError   a later attempt may succeed (429, 5xx)
    │   │   └── IncompleteReadError   the read proves nothing: torn, empty, malformed (E33)
    │   └── RefusedFetchError     it will not, until a person acts (401, 403, lost permission)
    ├── RecordError             departments or users break a rule (all of them are listed in the run's record)
    ├── BaselineError           the baseline is lost, or moved since the run began to read
    │   └── UnknownRunError       Airflow does not say which record is this run's
    ├── HoldError               a guard held the plan and nobody let it through
    ├── LoadError               EMC did not take the plan
    │   ├── RetriableLoadError    ask again: busy, unreachable, answer lost
    │   │   └── BusyAccountError      another tenant is loading into the account: wait for one's turn
    │   └── RejectedLoadError     EMC refused with reasons
    ├── NotificationError       a channel did not take a message; the work is done or undone all the same (N3)
    │   └── RetriableNotificationError  it may take it later, and not twice
    └── StoreError              the object store cannot be read or written

Messages are Japanese, because the customer's mail carries them word for word: who or which record,
which item, what is wrong, what to do (L8). They hold no personal data (L6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class RenkeiError(Exception):
    """Root of every error that Renkei raises on purpose; `str()` is the Japanese message."""


class SettingError(RenkeiError):
    """A setting must be mended before a run can succeed."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong (or doubtful) in a 連携設定シート.

    `where` names the cell as its reader sees it (`acme.xlsx ユーザデータ!E7` or
    `acme.yaml users[3].on_create.when_blank`); the rest is Japanese text.
    """

    where: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found} → {self.remedy}"


class MappingError(SettingError):
    """The 連携設定シート cannot be used; `problems` has every fault found in it, in reading order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("連携設定シートに誤りがあります。\n" + "\n".join(str(p) for p in self.problems))


class SheetPendingError(SettingError):
    """The 連携設定シート is new or changed, and nobody has read it yet; what it said before is not acted on (L1)."""


class ConnectionError_(SettingError):
    """An Airflow Connection is missing, or lacks a field."""


class LinkStateError(SettingError):
    """The tenant's link is in a state in which this run must not write (E25, E31, E32)."""


class NotLinkedYetError(LinkStateError):
    """連携開始日 has not come, or the first link has not been made (E1, E31): nothing is wrong with that."""


class FetchError(RenkeiError):
    """SmartHR could not be read."""


class RetriableFetchError(FetchError):
    """A later attempt may succeed."""


class IncompleteReadError(RetriableFetchError):
    """What was read is not the whole truth, so absence from it proves nothing (E33)."""


class RefusedFetchError(FetchError):
    """No attempt will succeed until a person acts."""


class RecordError(RenkeiError):
    """At least one department or user breaks a rule; nothing is written (L2)."""


class BaselineError(RenkeiError):
    """The baseline is lost, or is not the one that the plan was made against (L1, L3)."""


class UnknownRunError(BaselineError):
    """Which record is this run's cannot be told; another run's is never taken for it (L1, L4)."""


class HoldError(RenkeiError):
    """A guard held the plan and it was refused, or nobody approved it in time (E36)."""


class LoadError(RenkeiError):
    """EMC did not confirm the plan."""


class RetriableLoadError(LoadError):
    """Nobody knows yet what became of the import, or EMC is busy: ask again by the idempotency key."""


class BusyAccountError(RetriableLoadError):
    """Somebody else writes into the same target just now (E27, C8); nothing is wrong."""


class RejectedLoadError(LoadError):
    """EMC refused the import; nothing of it was applied."""


class NotificationError(RenkeiError):
    """A channel did not take a message; the work it tells of is done or undone all the same (N3)."""


class RetriableNotificationError(NotificationError):
    """The same message may pass later, and cannot arrive twice."""


class StoreError(RenkeiError):
    """The object store cannot be read or written."""
