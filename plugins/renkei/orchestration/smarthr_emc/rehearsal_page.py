"""リハーサル of a company by a button: what a run would do now, done by a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from renkei.links.smarthr_emc import LINK
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.rehearsal.result import ItemFigures, Rehearsal
from renkei.links.smarthr_emc.rehearsal.words import (
    COUNTS,
    FIGURES,
    HOLDS_UNKNOWN,
    VERDICTS,
    effect_in_words,
    emc_in_words,
    read_in_words,
    sent_in_words,
)
from renkei.links.smarthr_emc.wording import MODES, RECORD_SETS
from renkei.orchestration.smarthr_emc.jobs import LIVE, REHEARSAL, STORED
from renkei.web.console import guard
from renkei.web.console.jobs import newest, start
from renkei.web.console.page import message, page
from renkei.web.services import OwnJob
from renkei.web.sheet_facts import SheetTry

router = APIRouter()
OFFERED = {mode: MODES[mode] for mode in (Mode.NORMAL, Mode.WRITE_ALL, Mode.RELINK)}
READS = {
    STORED: ("保存先にある前回の受信で試す", "数秒で終わります。EMCは前回確定した内容のままとみなします"),
    LIVE: ("今のSmartHRとEMCで試す", "全員を読むため、社員1万人で数分かかります"),
}


@router.get("/dag/{dag_id}/rehearsal")
def ask(request: Request, access: guard.EditsDag) -> Response:
    _own(access)
    values = {
        "one": access.company,
        "reads": READS,
        "modes": OFFERED,
        "jobs": newest(access),
        "now": access.services.now(),
    }
    return page(request, "smarthr_emc/rehearsal.html", **values)


@router.post("/dag/{dag_id}/rehearsal")
def begin(
    request: Request, access: guard.PostsEditsDag, read: Annotated[str, Form()] = "", mode: Annotated[str, Form()] = ""
) -> Response:
    _own(access)
    if read not in READS or mode not in OFFERED:
        return message(request, 400, "内容が選ばれていません", "画面に戻り、データと実行方法を選んでください。")
    return start(request, access, REHEARSAL, {"read": read, "mode": mode})


def _own(access: guard.Access) -> None:
    if access.services.knowledge.folder(access.company.dag_id).link != LINK:
        raise guard.NotFound


def _columns(figures: Sequence[ItemFigures]) -> list[str]:
    """Those in which anything happens."""
    return [key for key in FIGURES if any(getattr(one, key) for one in figures)]


JOB = OwnJob(
    "リハーサル",
    Rehearsal,
    "smarthr_emc/job_rehearsal.html",
    {
        "COUNTS": COUNTS,
        "FIGURES": FIGURES,
        "HOLDS_UNKNOWN": HOLDS_UNKNOWN,
        "MODES": {mode.value: words for mode, (words, _) in MODES.items()},
        "RECORD_SETS": {name.value: words for name, words in RECORD_SETS.items()},
        "VERDICTS": VERDICTS,
        "effect_in_words": effect_in_words,
        "emc_in_words": emc_in_words,
        "read_in_words": read_in_words,
        "sent_in_words": sent_in_words,
        "shown_columns": _columns,
    },
)
MENU = (("rehearsal", "リハーサル"),)
TRIES = tuple(
    SheetTry(label, note, REHEARSAL, {"read": read, "mode": Mode.NORMAL.value}) for read, (label, note) in READS.items()
)
