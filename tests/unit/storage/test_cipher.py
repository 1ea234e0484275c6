"""Encrypted values: readable with the right key, under the right name, unchanged."""

from __future__ import annotations

import base64
import os

import pytest

from renkei.errors import StoreError
from renkei.storage.cipher import HEAD_BYTES, Cipher, is_encrypted, key_name


def new_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


OLD, NEW, STRANGER = new_key(), new_key(), new_key()


@pytest.mark.parametrize("content", [b"", b"{}", "髙﨑".encode(), os.urandom(1_000_000)], ids=len)
def test_l6_what_was_encrypted_comes_back(content: bytes) -> None:
    """Of any length; the same value never looks the same twice."""
    cipher = Cipher(NEW)
    first, second = cipher.encrypt("a/b", content), cipher.encrypt("a/b", content)
    assert first != second
    assert is_encrypted(first)
    assert cipher.decrypt("a/b", first) == cipher.decrypt("a/b", second) == content
    assert len(first) == HEAD_BYTES + len(content) + 16


def test_l6_keys_are_rotated() -> None:
    """The first one writes, all read; once everything is written anew, the old one may go."""
    before = Cipher(OLD).encrypt("k", b"1")
    both = Cipher(f"{NEW}, {OLD}")
    assert both.decrypt("k", before) == b"1"
    after = both.encrypt("k", b"2")
    assert Cipher(NEW).decrypt("k", after) == b"2"
    assert key_name(after) != key_name(before)
    with pytest.raises(StoreError):
        Cipher(OLD).decrypt("k", after)


def test_l1_the_wrong_key_is_named_by_what_it_is_not() -> None:
    """Which file, which key it needs, which keys there are, where to put it; and no key."""
    sealed = Cipher(STRANGER).encrypt("smarthr_emc/tenants/acme/baselines/00000001.json", b"1")
    with pytest.raises(StoreError) as caught:
        Cipher(f"{NEW},{OLD}").decrypt("smarthr_emc/tenants/acme/baselines/00000001.json", sealed)
    message = str(caught.value)
    for part in (
        "acme/baselines/00000001.json",
        key_name(sealed),
        *(key_name(Cipher(key).encrypt("k", b"")) for key in (NEW, OLD)),
        "RENKEI_STORE_KEY_CONN_ID",
    ):
        assert part in message
    assert [key for key in (OLD, NEW, STRANGER) if key in message] == []


@pytest.mark.parametrize("at", [HEAD_BYTES - 1, HEAD_BYTES, -1], ids=["nonce", "text", "tag"])
def test_l1_a_changed_value_is_not_read(at: int) -> None:
    """One bit anywhere is enough."""
    sealed = bytearray(Cipher(NEW).encrypt("a/b", b"0123456789"))
    sealed[at] ^= 1
    with pytest.raises(StoreError, match=r"a/b.*壊れている"):
        Cipher(NEW).decrypt("a/b", bytes(sealed))


@pytest.mark.parametrize("length", range(8, HEAD_BYTES + 16))
def test_l1_a_value_that_was_cut_off_is_not_read(length: int) -> None:
    """However much is left of it."""
    with pytest.raises(StoreError, match="a/b"):
        Cipher(NEW).decrypt("a/b", Cipher(NEW).encrypt("a/b", b"0123456789")[:length])


def test_l5_a_value_does_not_pass_for_another() -> None:
    """The baseline of one tenant, put in the place of another's, is refused."""
    sealed = Cipher(NEW).encrypt("acme/baselines/00000001.json", b"{}")
    with pytest.raises(StoreError, match="入れ替わっています"):
        Cipher(NEW).decrypt("beta/baselines/00000001.json", sealed)


@pytest.mark.parametrize(
    "keys", ["", ",", "geheim", f"{NEW},", f"{NEW};{OLD}", NEW[:-4], "髙" * 44, NEW + "AAAA"], ids=range(8)
)
def test_l7_what_is_no_key_is_refused_without_being_quoted(keys: str) -> None:
    """A wrong entry in the Connection is told from a wrong key."""
    with pytest.raises(ValueError, match="32 bytes") as caught:
        Cipher(keys)
    assert "geheim" not in str(caught.value)
    assert NEW[:-4] not in str(caught.value)
