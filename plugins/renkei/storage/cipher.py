"""Encryption of stored values: AES-256-GCM, bound to the key under which a value lies (docs/decisions/0010).

An encrypted value is

    RENKEI1:  ·  4 bytes: which key  ·  12 bytes: nonce  ·  AES-GCM's ciphertext and tag

Plain values are JSON or parquet and never begin like that, so each value says for itself what it is.
"""

from __future__ import annotations

import base64
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from renkei.errors import StoreError

MAGIC = b"RENKEI1:"
NAME_BYTES, NONCE_BYTES = 4, 12
HEAD_BYTES = len(MAGIC) + NAME_BYTES + NONCE_BYTES


class Cipher:
    """One or more keys; the first writes, all of them read."""

    def __init__(self, keys: str) -> None:
        """`keys`: 32 random bytes each, as URL-safe base64 (the form of a Fernet key), with commas between.

        Raises:
            ValueError: there is none, or one that is no such key; its text is not in the message (L7).
        """
        secrets = [_decoded(text.strip()) for text in keys.split(",")]
        self._keys = {_name(secret): AESGCM(secret) for secret in secrets}
        self._writer = _name(secrets[0])

    def encrypt(self, key: str, content: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[self._writer].encrypt(nonce, content, key.encode())
        return b"".join((MAGIC, self._writer, nonce, sealed))

    def decrypt(self, key: str, content: bytes) -> bytes:
        """What was encrypted for the store's `key`.

        Raises:
            StoreError: none of the keys wrote it, or it is not what was written there.
        """
        name = key_name(content)
        cipher = self._keys.get(bytes.fromhex(name))
        if cipher is None:
            known = "、".join(name.hex() for name in self._keys)
            raise StoreError(
                f"保存先の「{key}」は鍵 {name} で暗号化されていますが、設定されている鍵は {known} です。"
                "RENKEI_STORE_KEY_CONN_ID の接続のPasswordに、その鍵をコンマ区切りで加えてください。"
            )
        nonce = content[HEAD_BYTES - NONCE_BYTES : HEAD_BYTES]
        try:
            return cipher.decrypt(nonce, memoryview(content)[HEAD_BYTES:], key.encode())
        except (InvalidTag, ValueError):
            raise StoreError(
                f"保存先の「{key}」は壊れているか、別の場所のファイルと入れ替わっています（鍵 {name}）。"
                "このファイルをバックアップから復元してください。"
            ) from None

    def wrote(self, content: bytes) -> bool:
        """Whether the key that writes now has encrypted `content`."""
        return is_encrypted(content) and bytes.fromhex(key_name(content)) == self._writer


def is_encrypted(content: bytes) -> bool:
    return content.startswith(MAGIC)


def key_name(content: bytes) -> str:
    """Which key encrypted a value: eight hex digits that tell nothing about the key itself."""
    return content[len(MAGIC) : len(MAGIC) + NAME_BYTES].hex()


def _name(secret: bytes) -> bytes:
    return hashlib.sha256(b"renkei store key" + secret).digest()[:NAME_BYTES]


def _decoded(text: str) -> bytes:
    try:
        secret = base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise ValueError("a key is 32 bytes in URL-safe base64, 44 characters")
    return secret
