"""States as a page shows them: a word and a tone, never a colour alone."""

from __future__ import annotations

from enum import Enum


class Labelled(Enum):
    """A label and its tone (bad, wait, cold, good, quiet, none)."""

    @property
    def label(self) -> str:
        return str(self.value[0])

    @property
    def tone(self) -> str:
        return str(self.value[1])
