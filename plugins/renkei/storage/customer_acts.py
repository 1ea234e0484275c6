"""What customers did on the お客様ページ, in one folder of their link: one question tells the watch of all companies.

An act is noted before it is done, so that none is lost; whether it was done, the watch sees by what it was to leave.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import DamagedFileError, MissingKeyError, Store
from renkei.storage.tenant_folder import customer_acts_folder


class CustomerActKind(StrEnum):
    """What it was."""

    SHEET = "sheet"  # a sheet was uploaded
    CONNECTION = "connection"  # the source system was allowed us


@dataclass(frozen=True, slots=True)
class CustomerAct:
    """One act; nothing of it names a person."""

    tenant: str
    act: CustomerActKind
    at: Moment
    by: str  # "invitation" and its number, as what it left says
    digest: str = ""  # of a sheet's bytes


def note(store: Store, link: str, act: CustomerAct) -> str:
    """Note it; its name, for `forget`."""
    name = f"{act.at:%Y%m%dT%H%M%S}-{secrets.token_hex(6)}.json"
    records.write(store, f"{customer_acts_folder(link)}/{name}", act)
    return name


def noted(store: Store, link: str, most: int) -> Mapping[str, CustomerAct]:
    """The oldest ones by name; one that cannot be read says nothing to anybody, and goes."""
    found = {}
    for name in sorted(store.names(customer_acts_folder(link)))[:most]:
        try:
            found[name] = records.read(store, f"{customer_acts_folder(link)}/{name}", CustomerAct)
        except MissingKeyError:
            continue
        except DamagedFileError:
            forget(store, link, name)
    return found


def forget(store: Store, link: str, name: str) -> None:
    store.delete(f"{customer_acts_folder(link)}/{name}")
