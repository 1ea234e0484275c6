"""打刻一覧 by day and person, held ones with a button, the morning's times; and なぜ打刻になった／ならなかったのか.

For those who may change the Dag: they name people. What is asked for is sent as a form, and every look is noted (L6).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from renkei.clock import TOKYO
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.explain import explain
from renkei.links.lineworks_kot.punch_list import PunchFilter, PunchList, Quarter, remedy, why
from renkei.links.lineworks_kot.punches import State
from renkei.orchestration.lineworks_kot.company import accounts_of, database, mapping_of
from renkei.runs.steps import SHOWN
from renkei.web.console import guard
from renkei.web.console.page import PageNumber, go_to, page
from renkei.web.screens.overview import page_of
from renkei.web.services import Refused

router = APIRouter()
PER_PAGE, OPEN_SHOWN = 100, 100
TONES = {
    State.DONE: "good",
    State.DOUBLE: "good",
    State.SENDING: "cold",
    State.APPROVED: "cold",
    State.UNKNOWN: "wait",
    State.HELD: "wait",
    State.REFUSED: "bad",
    State.NONE: "bad",
}
BAR, GAP, TALL = 14, 4, 120  # pixels


@dataclass(frozen=True, slots=True)
class Bar:
    """A quarter of an hour in the chart: two boxes, one upon the other."""

    x: int
    done_y: int
    done_height: int
    others_y: int
    others_height: int
    text: str
    label: str  # of a full hour


@router.get("/dag/{dag_id}/punches")
def punches(
    request: Request,
    access: guard.EditsDag,
    day: Annotated[str, Query(max_length=10)] = "",
    state: Annotated[str, Query(max_length=10)] = "",
    number: PageNumber = "",
) -> Response:
    access.note("punches")
    return _page(request, access, PunchFilter(_day(access, day), state=_state(state)), number)


@router.post("/dag/{dag_id}/punches")
def of_one(
    request: Request,
    access: guard.PostsEditsDag,
    day: Annotated[str, Form(max_length=10)] = "",
    code: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Of one employee; the code stands in no address."""
    access.note("punches of one")
    return _page(request, access, PunchFilter(_day(access, day), code.strip()), "")


@router.post("/dag/{dag_id}/punches/decide")
def decide(
    request: Request,
    access: guard.PostsEditsDag,
    number: Annotated[int, Form()],
    word: Annotated[str, Form(max_length=10)],
) -> Response:
    """打刻する or 打刻しない, about one that is held."""
    mapping = mapping_of(access)
    if mapping is None or word not in ("yes", "no"):
        raise guard.NotFound
    found = _list(access)
    if not found.decide(mapping, number, word == "yes", access.user.name, access.services.now()):
        raise Refused("この打刻は、ほかの人が先に決めたか、もう待っていません。画面を開き直してください。")
    return go_to(request, "dag", access.company.dag_id, "punches")


@router.get("/dag/{dag_id}/punch")
def ask(request: Request, access: guard.EditsDag) -> Response:
    return _why_page(request, access, "", _day(access, ""))


@router.post("/dag/{dag_id}/punch")
def why_page(
    request: Request,
    access: guard.PostsEditsDag,
    code: Annotated[str, Form(max_length=40)] = "",
    day: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    access.tenant_of(LINK)
    access.note("punch")
    return _why_page(request, access, code.strip(), _day(access, day))


def _why_page(request: Request, access: guard.Access, code: str, day: dt.date) -> Response:
    mapping, found, account = mapping_of(access), None, None
    if mapping and code:
        store = access.services.knowledge.folder(access.company.dag_id).store
        account, found = explain(database(), store, mapping, code, day)
    return page(
        request,
        "lineworks_kot/punch.html",
        one=access.company,
        mapping=mapping,
        code=code,
        day=day,
        account=account,
        found=found,
        passed=SHOWN,
        now=access.services.now(),
    )


def _page(request: Request, access: guard.Access, wanted: PunchFilter, number: str) -> Response:
    found = _list(access)
    counts = found.counts(wanted)
    shown = page_of(number, counts.get(wanted.state, 0) if wanted.state else sum(counts.values()), PER_PAGE)
    rows, waiting = found.listed(wanted, shown.start, PER_PAGE), found.open(OPEN_SHOWN)
    quarters = found.quarters(wanted.day)
    return page(
        request,
        "lineworks_kot/punches.html",
        one=access.company,
        wanted=wanted,
        yesterday=wanted.day - dt.timedelta(days=1),
        tomorrow=wanted.day + dt.timedelta(days=1),
        counts=counts,
        rows=rows,
        waiting=waiting,
        replies=found.replies([*rows, *waiting]),
        names=_names(access, {one.key for one in (*rows, *waiting) if one.key}),
        bars=_bars(quarters),
        width=max(1, len(quarters)) * (BAR + GAP) + 20,
        tall=TALL,
        times=found.times(wanted.day),
        shown=shown,
        TONES=TONES,
        why=why,
        remedy=remedy,
        State=State,
        now=access.services.now(),
    )


def _bars(quarters: list[Quarter]) -> list[Bar]:
    most = max((one.done + one.others for one in quarters), default=1)
    found = []
    for place, one in enumerate(quarters):
        done, others = (-(-count * TALL // most) for count in (one.done, one.others))
        text = f"{one.begins:%H:%M}～ 打刻 {one.done:,}件、そのほか {one.others:,}件"
        label = f"{one.begins.hour}時" if one.begins.minute == 0 else ""
        found.append(Bar(10 + place * (BAR + GAP), TALL - done, done, TALL - done - others, others, text, label))
    return found


def _names(access: guard.Access, keys: set[str]) -> Mapping[str, str]:
    return accounts_of(access).employees.names(keys)


def _list(access: guard.Access) -> PunchList:
    store = access.services.knowledge.folder(access.company.dag_id).store
    return PunchList(database(), store, access.tenant_of(LINK))


def _day(access: guard.Access, text: str) -> dt.date:
    """Today in Japan where the text is no day."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        today: dt.date = access.services.now().astimezone(TOKYO).date()
        return today


def _state(text: str) -> State | None:
    return State(text) if text in list(State) else None
