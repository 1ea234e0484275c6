"""Digests in the database (L6): nobody finds a name behind one by trying names, and none changes with the store's key."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import delete, select, update

from renkei.errors import StoreError
from renkei.links.hotprofile_kintone import digest_key as module
from renkei.links.hotprofile_kintone.digest_key import digest_key
from renkei.links.hotprofile_kintone.sheet.mapping import OVERWRITE, Item, Mapping
from renkei.links.hotprofile_kintone.tables import CONFLICT, DIGEST_KEY, WORK, WRITTEN
from renkei.links.hotprofile_kintone.versions import sheet_digest
from renkei.storage.cipher import Cipher
from tests.harness.hotprofile_kintone import KEY, LinkWorld

NEW_KEY = "bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3LWtleS0="


def with_names(world: LinkWorld) -> LinkWorld:
    """会社名 is the 更新キー, 備考 is watched. 1 is written, 2 is refused as too long, and 1 was changed by somebody in kintone."""
    watched = (Item("会社ID", "id"), Item("会社名", "name"), Item("備考", "note", conflict=OVERWRITE))
    world.change_mapping(key="会社名", items=watched)
    world.pass_test()
    world.hotprofile.put(1, "山田商店", note="古い")
    world.hotprofile.put(2, "名前が十文字より長い会社", note="")
    world.wait(minutes=5)
    world.run()
    world.kintone.by_hand("1", note="秘密")
    world.hotprofile.put(1, "山田商店", note="新しい")
    world.wait(minutes=30)
    world.run()
    return world


@pytest.fixture
def named(world: LinkWorld) -> LinkWorld:
    return with_names(world)


def rows(world: LinkWorld, table: Any) -> list[Any]:
    with world.database.reading() as connection:
        return [*connection.execute(select(table).order_by(*table.primary_key))]


def bare(text: str, size: int = 16) -> bytes:
    return blake2b(text.encode(), digest_size=size).digest()


def bare_content(mapping: Mapping, **values: Any) -> bytes:
    content = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return blake2b(content, digest_size=16, key=sheet_digest(mapping, mapping.data_sets[0])).digest()


def test_l6_who_has_the_database_and_the_sheet_finds_no_name_by_trying(named: LinkWorld) -> None:
    (written,), (failed,), (conflict,) = (rows(named, table) for table in (WRITTEN, WORK, CONFLICT))
    assert None not in (written.key, failed.key)
    assert written.key != bare("山田商店")
    assert failed.key != bare("名前が十文字より長い会社")
    assert conflict.mark != bare("秘密", 8).hex()[:8]
    its = {"会社ID": 1, "会社名": "山田商店", "備考": "新しい"}
    assert written.digest != bare_content(named.mapping, **its)


def test_l6_the_same_name_in_two_companies_has_two_digests(world: LinkWorld) -> None:
    keys = {tenant: digest_key(world.database, world.store, tenant) for tenant in ("acme", "beta", "acme")}
    assert len({*keys.values()}) == 2
    assert keys["acme"] == digest_key(world.database, world.store, "acme")


def test_k5_what_a_version_without_keys_has_written_stays_known(world: LinkWorld) -> None:
    """Nothing is written again, nothing failed is told again, and a conflict that was seen stays that one."""
    named = with_names(world)
    named.hotprofile.put(3, "三", note="")
    named.wait(minutes=5)
    named.run()
    mapping = named.mapping
    before = {table: rows(named, table) for table in (WRITTEN, WORK, CONFLICT)}
    contents = {
        "1": {"会社ID": 1, "会社名": "山田商店", "備考": "新しい"},
        "2": {"会社ID": 2, "会社名": "名前が十文字より長い会社", "備考": ""},
        "3": {"会社ID": 3, "会社名": "三", "備考": ""},
    }
    with named.database.writing() as connection:  # as the version before wrote them
        connection.execute(delete(DIGEST_KEY))
        for source_id, values in contents.items():
            old = {"digest": bare_content(mapping, **values), "key": bare(values["会社名"])}
            for table in (WRITTEN, WORK):
                connection.execute(update(table).where(table.c.source_id == source_id).values(old))
        connection.execute(update(CONFLICT).values(mark=bare("秘密", 8).hex()[:8]))
    requests = named.kintone.requests
    named.wait(minutes=5)
    with mock.patch.object(module, "PIECE", 1):
        lines = named.run()
    assert (lines["companies"].read, lines["companies"].unchanged, lines["companies"].failed) == (1, 1, 1)
    assert named.kintone.requests - requests <= 1  # the form
    after = {table: rows(named, table) for table in (WRITTEN, WORK, CONFLICT)}
    assert [one.told for one in after[CONFLICT]] == [one.told for one in before[CONFLICT]]
    assert [one.key for one in after[WRITTEN]] != [one.key for one in before[WRITTEN]]  # by another key
    named.hotprofile.put(4, "山田商店")
    named.wait(minutes=5)
    named.run()
    assert named.failed() == {"2": after[WORK][0].code, "4": "TAKEN_KEY"}


def test_l6_a_new_key_of_the_store_seals_it_anew_and_changes_no_digest(named: LinkWorld) -> None:
    before = rows(named, WRITTEN)
    (sealed,) = rows(named, DIGEST_KEY)
    named.store._cipher = Cipher(f"{NEW_KEY},{KEY}")
    named.wait(minutes=30)
    named.run()
    (again,) = rows(named, DIGEST_KEY)
    assert again.sealed != sealed.sealed
    assert [(one.digest, one.key) for one in rows(named, WRITTEN)] == [(one.digest, one.key) for one in before]
    named.store._cipher = Cipher(NEW_KEY)
    assert digest_key(named.database, named.store, "acme") == named.store.unseal(
        "hotprofile_kintone/acme/digest_key", again.sealed
    )
    named.store._cipher = Cipher(KEY)
    with pytest.raises(StoreError, match="鍵"):
        digest_key(named.database, named.store, "acme")
