"""What the commands say of themselves, in the reader's language; what they say of a sheet is Japanese as the sheet is."""

from __future__ import annotations

import os

# gettext's order. https://www.gnu.org/software/gettext/manual/html_node/Locale-Environment-Variables.html
_LANGUAGE = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def is_japanese() -> bool:
    """Whether the environment asks for Japanese."""
    return next((value for name in _LANGUAGE if (value := os.environ.get(name))), "").startswith("ja")


def say(japanese: str, english: str) -> str:
    """The one of the two that the environment asks for."""
    return japanese if is_japanese() else english
