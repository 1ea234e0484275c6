"""The word that only our own pages know (S1)."""

from __future__ import annotations

import pytest

from renkei.web.guarded import is_same


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ("0f3a", True),
        ("0f3b", False),
        ("0f3", False),
        ("", False),
        (None, False),
        (b"0f3a", False),
        ("\udc8f\ud83d", False),
    ],
)
def test_s1_a_form_that_does_not_bring_our_word_is_foreign(given: object, same: bool) -> None:
    """Left out, of another kind, or of characters that no text has: never an error."""
    assert is_same(given, "0f3a") is same
