"""What is said of a version of a sheet: its state, where it came from, and how often it was in force."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from renkei.storage.versions import Moved, Origin, Version
from renkei.web.labelled import Labelled
from renkei.web.tenant_sheet import CurrentSheet

LOADED_SHOWN = 12  # characters of a digest that a Dag's page has


class VersionState(Labelled):
    """A label and its tone."""

    DRAFT = ("下書き", "none")
    COMING = ("反映待ち", "cold")
    IN_FORCE = ("使用中", "good")
    PAST = ("過去", "quiet")


ORIGINS = {
    Origin.UPLOAD: "アップロード",
    Origin.FORM: "画面で編集",
    Origin.OUTSIDE: "外部で変更",
    Origin.BACK: "以前の版に戻す",
    Origin.CUSTOMER: "お客様ページでアップロード",
}


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version as the list has it; `moved` is the last time that it was put into force."""

    number: int
    version: Version
    state: VersionState
    moved: Moved | None
    errors: int = 0  # of a draft, found at the last look

    @property
    def origin(self) -> str:
        if self.version.origin is Origin.OUTSIDE and not self.version.replaces:
            return "使われていたファイル"
        of = f"（版{self.version.of}から）" if self.version.of else ""
        return ORIGINS[self.version.origin] + of


def lines(
    versions: Sequence[tuple[int, Version]],
    moves: Sequence[Moved],
    current: CurrentSheet,
    loaded: str,
    errors: Callable[[int], int | None],
) -> list[VersionLine]:
    """In the order of `versions`; `moves` the newest first; `errors` of a version, as far as somebody has looked."""
    last = {one.move.version: one for one in reversed(moves) if one.done}
    found = []
    for number, version in versions:
        state = _state(number, version, last, current, loaded)
        count = errors(number) if state is VersionState.DRAFT else None
        found.append(VersionLine(number, version, state, last.get(number), count or 0))
    return found


def _state(number: int, version: Version, last: dict[int, Moved], current: CurrentSheet, loaded: str) -> VersionState:
    if number == current.number:
        return VersionState.IN_FORCE if version.digest.startswith(loaded or "-") else VersionState.COMING
    return VersionState.PAST if number in last else VersionState.DRAFT
