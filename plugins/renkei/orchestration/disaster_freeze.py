"""災害時凍結: the Airflow Variable that says of whom nothing is removed; set by hand, or on the console's page.

Airflow answers alike where there is no Variable and where it cannot be read: a fault of the database, of the network or
of the key looks as if there were none. So a missing one means "nobody" only as long as the watch has seen nobody frozen.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from airflow.sdk import Variable
from airflow.sdk.exceptions import AirflowRuntimeError

from renkei.errors import StoreError
from renkei.orchestration.connections import open_store
from renkei.orchestration.link import LINKS
from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import Store
from renkei.storage.tenant_folder import watch_folder

VARIABLE = "renkei_disaster_freeze"  # tenants, separated by commas


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """When the watch first found each name in the Variable; those that it has no more are not here."""

    at: dict[str, Moment]


def first_seen(store: Store) -> dict[str, dt.datetime]:
    """Raises StoreError: it cannot be read, or is damaged."""
    found = records.read_or_none(store, first_seen_key(), FirstSeen)
    return dict(found.at) if found else {}


def first_seen_key() -> str:
    return f"{watch_folder(next(iter(LINKS)))}/freeze.json"


def frozen_tenants() -> set[str]:
    """The tenants that the Variable names, or `all`.

    Raises:
        StoreError: Airflow does not answer, or has no Variable where one was; whether to delete is not a thing to guess
            (L1).
    """
    names = names_as_told()
    if names is None and (seen := first_seen(open_store())):
        raise StoreError(
            f"Airflowの変数「{VARIABLE}」（災害時凍結）を読み取れません。{'、'.join(sorted(seen))} の凍結が続いているおそれが"
            "あるため、処理を行いません。Airflowが正常か確認してください。凍結を終えるために変数を削除した場合は、"
            "Admin > Variablesで、同じ名前の変数を値「none」で登録してください。"
        )
    return names or set()


def names_as_told() -> set[str] | None:
    """What Airflow says; None where it has no such Variable, or cannot say."""
    try:
        value = Variable.get(VARIABLE, default=None)
    except AirflowRuntimeError as error:
        raise StoreError(f"Airflowの変数「{VARIABLE}」（災害時凍結）を読み取れません。") from error
    return None if value is None else set(names_in(str(value)))


def names_in(text: str) -> list[str]:
    """The names in a value of the Variable, as they stand there; `none` is nobody's."""
    return [name for part in text.split(",") if (name := part.strip().lower()) not in ("", "none")]
