"""A record of Hot Profile as the database keeps it: its mapped items alone (L6), and what tells two versions apart (K5)."""

from __future__ import annotations

import json
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import blake2b
from typing import Any, NamedTuple

from renkei.links.hotprofile_kintone import LINK
from renkei.links.hotprofile_kintone.conversion import key_texts
from renkei.links.hotprofile_kintone.digest_key import keyed
from renkei.links.hotprofile_kintone.items import values_of
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Mapping
from renkei.storage.store import Store

_HALVES_TOO = ("utf-8", "surrogatepass")  # half a character, which JSON can write, is its record's fault alone
Values = dict[str, Any]  # by the sheet's names of items, as Hot Profile wrote them


class Version(NamedTuple):
    """One record at one moment. `key` and `old_key` stand for the values; None where they are blank."""

    source_id: str
    updated_at: str
    digest: bytes
    key: bytes | None
    old_key: bytes | None
    body: bytes


class Versions:
    """Makes the versions of one data set, and reads their bodies."""

    def __init__(
        self, store: Store, mapping: Mapping, data_set: DataSet, secret: bytes, *, numeric_key: bool = False
    ) -> None:
        """`secret`: the tenant's `digest_key`.

        `numeric_key`: kintone's field of the 更新キー is a number, so 01 and 1 are the same key (K7).
        """
        self._store, self._data_set, self._secret, self._numeric = store, data_set, secret, numeric_key
        self._key_conversion = next((one.conversion for one in data_set.items if one.item == data_set.key), "")
        self._place = f"{LINK}/{mapping.tenant}/{data_set.name}"
        self.sheet = sheet_digest(mapping, data_set)
        self.names = list(dict.fromkeys([*(item.item for item in data_set.items), data_set.old_key_item]))
        self.names = [name for name in self.names if name]

    def of(self, entry: Dict[str, Any]) -> Version:
        """The version that Hot Profile's `entry` is."""
        return self.of_all([entry])[0]

    def of_all(self, entries: Sequence[Dict[str, Any]]) -> list[Version]:
        """The versions that Hot Profile's `entries` are, in their order."""
        rows = [values_of(entry, self._data_set.name, self.names) for entry in entries]
        keys = self.keys([values.get(self._data_set.key) for values in rows])
        old_keys = self.keys([values.get(self._data_set.old_key_item) for values in rows])
        return list(map(self._of, entries, rows, keys, old_keys))

    def _of(self, entry: Dict[str, Any], values: Values, key: bytes | None, old_key: bytes | None) -> Version:
        content = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(*_HALVES_TOO)
        source_id = str(entry["id"])
        digest = keyed(blake2b(content, digest_size=16, key=self.sheet).digest(), self._secret)
        body = self._store.seal(f"{self._place}/{source_id}", content)
        return Version(source_id, str(entry["updated_at"]), digest, key, old_key, body)

    def read(self, source_id: str, body: bytes) -> Values:
        """The items that `of` kept; raises StoreError."""
        values: Values = json.loads(self._store.unseal(f"{self._place}/{source_id}", body))
        return values

    def keys(self, values: Sequence[Any]) -> list[bytes | None]:
        """What stands for each value of the 更新キー: the same for all that kintone gets as one; None for a blank."""
        texts = key_texts(values, self._key_conversion, is_number=self._numeric)
        return [self._key(text) if text else None for text in texts]

    def _key(self, text: str) -> bytes:
        return keyed(blake2b(text.encode(*_HALVES_TOO), digest_size=16).digest(), self._secret)


def sheet_digest(mapping: Mapping, data_set: DataSet) -> bytes:
    """What stands for how a data set is mapped, and to which app: after a change of it, no value counts as written."""
    deciding = asdict(data_set)
    deciding.pop("enabled")
    for item in deciding["items"]:  # it decides nothing about a value
        item.pop("conflict")
    said = [mapping.domain, mapping.guest_space, mapping.users, deciding]
    return blake2b(json.dumps(said, ensure_ascii=False, sort_keys=True).encode(), digest_size=16).digest()
