"""Whether a text looks like a secret, so that it is refused where everybody reads it, and quoted nowhere (L7)."""

from __future__ import annotations

import re
import unicodedata

from renkei.texts import BLANKS, Fault

SECRET_FAULT = Fault(
    "URLまたはトークン(秘密の文字列)と思われる記入があります",
    "ここには書けません。記入を消してください。URLやトークンは、運用担当者がAirflowの接続に登録します",
)
_BLANKS = str.maketrans("", "", BLANKS)
_KNOWN = re.compile(
    r"[a-z0-9]://|https?:|^//|\bwww\.|[?&](?:key|token|sig|code)="
    r"|hooks\.slack|googleapis\.|logic\.azure|webhook\.office|powerplatform\."
    r"|xox[a-z]{1,2}-|xapp-|-----BEGIN|\beyJ[\w\-]{10,}|\bAIza[\w\-]{10,}|\bya29\.",
    re.IGNORECASE,
)
_RUN = re.compile(r"[A-Za-z0-9]+")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
TOKEN_LEAST = 20  # letters and digits in a row
WORD_LEAST = 3.2  # letters on average: words and years are longer, a token changes its kind of sign all the time


def has_address(text: str) -> bool:
    """True for what is a URL, or begins as a token of a known service does, however wide or broken over lines."""
    return _KNOWN.search(unicodedata.normalize("NFKC", text).translate(_BLANKS)) is not None


def has_token(text: str, least: int = TOKEN_LEAST) -> bool:
    """True for `least` letters and digits in a row that no person has made up."""
    plain = unicodedata.normalize("NFKC", text).translate(_BLANKS)
    runs = (run for run in _RUN.findall(plain) if len(run) >= least)
    return any(len(run) / len(_WORD.findall(run)) < WORD_LEAST for run in runs)


def is_secret(text: str) -> bool:
    """True where a text may be a webhook's URL, a token or a key."""
    return has_address(text) or has_token(text)
