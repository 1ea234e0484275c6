"""LINE WORKS連携設定: アカウント設定 of the shown 所属 and 雇用区分, one by one (P5).

Ids and names are sent as forms or shown, and stand in no address (L6). Who looked is noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.account_file import CODE, NAME
from renkei.links.lineworks_kot.accounts import Account, AccountState, AccountTakenError, Selection
from renkei.links.lineworks_kot.credentials import ACCOUNT_LABEL, account_fault
from renkei.links.lineworks_kot.registration import read_registration
from renkei.orchestration.lineworks_kot.company import accounts_of, database, mapping_of
from renkei.orchestration.lineworks_kot.jobs import CHECK, READ
from renkei.texts import Fault
from renkei.web import downloads
from renkei.web.console import guard
from renkei.web.console.jobs import newest, start
from renkei.web.console.page import PageNumber, address, page
from renkei.web.screens.overview import page_of
from renkei.web.services import Refused

router = APIRouter()
PER_PAGE = 50  # each line sends three texts of a form that may have 64 KB
TONES = {AccountState.LINKED: "good", AccountState.NEW: "cold", AccountState.PENDING: "wait"}
_CODE = Query(max_length=40)


@router.get("/dag/{dag_id}/accounts")
def accounts(
    request: Request,
    access: guard.EditsDag,
    division: Annotated[str, _CODE] = "",
    type_: Annotated[str, Query(alias="type", max_length=40)] = "",
    number: PageNumber = "",
) -> Response:
    access.note("accounts")
    return _page(request, access, Selection(division, type_), number)


@router.post("/dag/{dag_id}/accounts")
def save(
    request: Request,
    access: guard.PostsEditsDag,
    key: Annotated[list[str], Form(max_length=PER_PAGE)],
    was: Annotated[list[str], Form(max_length=PER_PAGE)],
    entered: Annotated[list[str], Form(max_length=PER_PAGE)],
    division: Annotated[str, Form(max_length=40)] = "",
    type_: Annotated[str, Form(alias="type", max_length=40)] = "",
    number: Annotated[str, Form(alias="page", max_length=10)] = "",
) -> Response:
    """登録: what differs from what the page had drawn."""
    of, found = Selection(division, type_), accounts_of(access)
    if not (len(key) == len(was) == len(entered)) or found.employees.names(key).keys() != set(key):
        raise Refused("画面の内容が古くなっています。開き直して、もう一度入力してください。")
    drawn = dict(zip(key, was, strict=True))
    given = {one: text for one, text in zip(key, entered, strict=True) if text != drawn[one]}
    faults = {one: fault for one, text in given.items() if text and (fault := account_fault(text))}
    if not faults:
        try:
            count = found.put(given, access.user.name, access.services.now(), {one: drawn[one] for one in given})
        except AccountTakenError as error:
            raise Refused(str(error)) from None
        _have_checked(request, access, count)
        place = address(request, "dag", access.company.dag_id, "accounts")
        return RedirectResponse(f"{place}?division={division}&type={type_}&page={number}&saved={count}", 303)
    return _page(request, access, of, number, faults, dict(zip(key, entered, strict=True)))


@router.post("/dag/{dag_id}/accounts/read")
def read(request: Request, access: guard.PostsEditsDag) -> Response:
    """従業員を読み込む."""
    access.tenant_of(LINK)
    return start(request, access, READ, {})


@router.post("/dag/{dag_id}/accounts/check")
def check(request: Request, access: guard.PostsEditsDag) -> Response:
    """LINE WORKSに確認."""
    access.tenant_of(LINK)
    return start(request, access, CHECK, {})


def _have_checked(request: Request, access: guard.Access, changed: int) -> None:
    """LINE WORKS is asked at once for the userId of what was entered, by which alone a message finds its employee."""
    if changed and read_registration(database(), access.company.tenant).first_at:
        with suppress(Refused):  # too much is under way: the button, or the next run, does it
            start(request, access, CHECK, {})


@router.get("/dag/{dag_id}/accounts.csv")
def download(
    access: guard.EditsDag,
    division: Annotated[str, _CODE] = "",
    type_: Annotated[str, Query(alias="type", max_length=40)] = "",
) -> Response:
    """The shown accounts as a file that 一括インポート takes back."""
    access.note("accounts.csv")
    shown = accounts_of(access).each(Selection(division, type_))
    return downloads.table("accounts.csv", _rows(shown))


def _rows(shown: Iterable[Account]) -> Iterator[Sequence[str]]:
    yield CODE, NAME, "所属", "雇用区分", ACCOUNT_LABEL, "状態"
    for one in shown:
        employee, state = one.employee, one.state.label if one.state else "未登録"
        yield employee.code, employee.name, employee.division_name, employee.type_name, one.entered, state


def _page(
    request: Request,
    access: guard.Access,
    of: Selection,
    number: str,
    faults: Mapping[str, Fault] | None = None,
    entered: Mapping[str, str] | None = None,
) -> Response:
    found = accounts_of(access)
    divisions, types = found.employees.groups()
    shown = page_of(number, found.count(of), PER_PAGE)
    mapping = mapping_of(access)
    return page(
        request,
        "lineworks_kot/accounts.html",
        400 if faults else 200,
        one=access.company,
        mapping=mapping,
        of=of,
        divisions=divisions,
        types=types,
        without_boundary=[one for one in divisions if mapping and one.code not in mapping.boundaries],
        lines=found.shown(of, shown.start, PER_PAGE),
        states=found.states(of),
        shown=shown,
        faults=faults or {},
        entered=entered or {},
        saved=request.query_params.get("saved", ""),
        employees_at=read_registration(database(), access.company.tenant).employees_at,
        TONES=TONES,
        jobs=newest(access),
        now=access.services.now(),
    )
