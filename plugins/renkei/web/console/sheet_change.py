"""A setting changed on a page: a new version of the sheet, put into force at once where it is sound (S2).

Whoever dies in between leaves a version that is not in force, or one whose move the next look puts on record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from renkei.channel import Channel
from renkei.errors import Problem
from renkei.sheets.placed import NotPlacedError
from renkei.sheets.review import Review
from renkei.storage.versions import Origin
from renkei.web.console import guard
from renkei.web.services import Refused
from renkei.web.tenant_sheet import Actor

CHANGED = (
    "画面を開いた後に、シートが変更されました。画面を開き直して、いまの内容を確認してから、もう一度操作してください。"
)
UNUSABLE = (
    "シートに誤りがあるか、まだ読み取られていないため、画面では変更できません。「シート」の画面で誤りを直してください。"
)


@dataclass(frozen=True, slots=True)
class InForce:
    """The sheet that is in force, as a page draws it: its digest, and what it says."""

    digest: str
    number: int
    file_name: str
    review: Review


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a change: the version, 0 where the sheet says so already; why it is not in force, in Japanese."""

    number: int = 0
    not_placed: str = ""


class UnsoundError(Exception):
    """The sheet that would say so has errors, and nothing was kept."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("unsound")
        self.problems = problems


def in_force(access: guard.Access) -> InForce:
    """Raises Refused: there is none that a page can change; StoreError."""
    sheet = access.services.sheets.of(access.company.dag_id)
    current = sheet.notice(access.services.now())
    if not current.number:
        raise Refused(UNUSABLE)
    version = sheet.versions.read(current.number)
    content = sheet.versions.content(version)
    review = access.services.sheets.review(access.company.dag_id, version.file_name, content)
    if not review.usable:
        raise Refused(UNUSABLE)
    return InForce(current.placed.digest, current.number, version.file_name, review)


def sheet_as_drawn(access: guard.Access, digest: str) -> InForce:
    """The sheet that a page was drawn from; raises Refused: it is another one by now."""
    found = in_force(access)
    if found.digest != digest:
        raise Refused(CHANGED)
    return found


def with_channels(access: guard.Access, of: InForce, channels: Sequence[Channel]) -> bytes:
    """The sheet with these channels; raises UnsoundError, and Refused where its link's sheets are not edited on pages."""
    services, dag_id = access.services, access.company.dag_id
    content = services.sheets.with_channels(dag_id, of.file_name, of.review, channels)
    review = services.sheets.review(dag_id, of.file_name, content)
    if not review.usable:
        raise UnsoundError([*review.problems, *review.misplaced])
    return content


def put_into_force(access: guard.Access, of: InForce, content: bytes, why: str) -> Change:
    """Keep it as a version, and put it into force in the place of the one that the page was drawn from."""
    services, dag_id, now = access.services, access.company.dag_id, access.services.now()
    access.note("sheet change")
    sheet, by = services.sheets.of(dag_id), Actor(access.user.id, access.user.name)
    number = sheet.keep(content, of.file_name, Origin.FORM, by, now, of=of.number, why=why)
    try:
        moved = sheet.enable(number, of.digest, by, why, now)
    except NotPlacedError as error:
        return Change(number, str(error))
    digest = sheet.versions.read(number).digest
    told = {"version": number, "digest": digest, "replaces": moved.move.replaces, "reason": why}
    services.sheets.enabled(dag_id, access.user.name, told)
    services.knowledge.changed()
    return Change(number)
