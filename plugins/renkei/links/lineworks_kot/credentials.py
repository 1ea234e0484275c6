"""What people paste: blanks in it are an error that names field and place, never silently removed (P4)."""

from __future__ import annotations

import re
import unicodedata

from renkei.texts import BLANKS, UNSEEN_NAMES, Fault

ACCOUNT = re.compile(r"[0-9A-Za-z_.+\-]{1,100}(?:@[0-9A-Za-z_.\-]{1,100})?")
ACCOUNT_LABEL = "LINE WORKSアカウントID"
_NAMES = {**UNSEEN_NAMES, " ": "半角スペース", "\u3000": "全角スペース"}


def blank_fault(label: str, value: str) -> Fault | None:
    """The first blank or unseen character of a value, edges included; None where there is none."""
    for place, character in enumerate(value, 1):
        if character in BLANKS or not character.isprintable():
            name = f"{_NAMES.get(character, '見えない文字')}(U+{ord(character):04X})"
            return Fault(
                f"{label}の{place}文字目に{name}が入っています", f"{label}をコピーし直し、空白を除いて入力してください"
            )
    return None


def account_fault(value: str) -> Fault | None:
    """What is wrong with a LINE WORKSアカウントID."""
    if not value:
        return Fault(f"{ACCOUNT_LABEL}が空白です", "登録しない従業員の行は削除してください")
    if fault := blank_fault(ACCOUNT_LABEL, value):
        return fault
    if unicodedata.normalize("NFKC", value) != value:
        return Fault(f"{ACCOUNT_LABEL}に全角の文字があります", "LINE WORKSのとおり、半角で入力してください")
    if not ACCOUNT.fullmatch(value):
        return Fault(
            f"{ACCOUNT_LABEL}の形ではありません", "LINE WORKSのログインID（例: tanaka@example）を入力してください"
        )
    return None
