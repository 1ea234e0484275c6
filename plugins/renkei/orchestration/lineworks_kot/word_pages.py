"""打刻メッセージ編集: the words of each 打刻種別, in force at once, with every earlier version (P7, S2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from renkei.errors import Problem
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.kinds import Kind, switched_on
from renkei.links.lineworks_kot.registration import read_registration
from renkei.links.lineworks_kot.words_store import (
    MAX_WORD,
    MAX_WORDS,
    ChangedMeanwhileError,
    Word,
    WordList,
    Words,
    word_problems,
    word_warnings,
)
from renkei.orchestration.lineworks_kot.company import database, mapping_of
from renkei.orchestration.lineworks_kot.jobs import MENU
from renkei.web.console import guard
from renkei.web.console.jobs import newest, start
from renkei.web.console.page import address, go_to, page
from renkei.web.services import Refused

router = APIRouter()
MAX_FIELDS = MAX_WORDS * len(Kind)


@router.get("/dag/{dag_id}/words")
def words(request: Request, access: guard.EditsDag) -> Response:
    current = _words(access).current()
    return _page(request, access, current, current.words)


@router.post("/dag/{dag_id}/words")
def save(
    request: Request,
    access: guard.PostsEditsDag,
    version: Annotated[int, Form()],
    kind: Annotated[list[Kind], Form(max_length=MAX_FIELDS)],
    text: Annotated[list[str], Form(max_length=MAX_FIELDS)],
    why: Annotated[str, Form(max_length=200)] = "",
    add: Annotated[str, Form(max_length=2)] = "",
) -> Response:
    """登録; or 追加, which draws the page with one more line. A line that was emptied is gone."""
    found, mapping = _words(access), mapping_of(access)
    if mapping is None or len(kind) != len(text):
        raise Refused("画面の内容が古くなっています。開き直して、もう一度入力してください。")
    drawn, on = found.version(version), switched_on(mapping)
    if drawn is None:
        raise Refused("画面の内容が古くなっています。開き直して、もう一度入力してください。")
    given = [Word(each, said) for each, said in zip(kind, text, strict=True) if each in on]
    if add in list(Kind):
        return _page(request, access, drawn, [*given, Word(Kind(add), "")])
    hidden = [word for word in drawn.words if word.kind not in on]  # not on the page, and kept
    whole = [*(word for word in given if word.text), *hidden]
    whole.sort(key=lambda word: word.kind)
    if problems := word_problems(whole, on):
        return _page(request, access, drawn, given, problems)
    if tuple(whole) != drawn.words:
        try:
            found.save(whole, version, access.user.name, access.services.now(), why.strip())
        except ChangedMeanwhileError as error:
            raise Refused(str(error)) from None
        return _saved(request, access)
    return go_to(request, "dag", access.company.dag_id, "words", saved=1)


@router.post("/dag/{dag_id}/words/back")
def back(
    request: Request, access: guard.PostsEditsDag, version: Annotated[int, Form()], to: Annotated[int, Form()]
) -> Response:
    """この版に戻す: a new version with the words of that one."""
    found = _words(access)
    wanted = found.version(to)
    if wanted is None:
        raise guard.NotFound
    try:
        found.save(wanted.words, version, access.user.name, access.services.now(), f"版{to}に戻す")
    except ChangedMeanwhileError as error:
        raise Refused(str(error)) from None
    return _saved(request, access)


def _saved(request: Request, access: guard.Access) -> Response:
    """What people write counts from now on; the buttons in LINE WORKS follow by a job, begun at once (P18)."""
    menu = ""
    if read_registration(database(), access.company.tenant).first_at:
        try:
            start(request, access, MENU, {"version": str(_words(access).current().version)})
            menu = "&menu=1"
        except Refused:  # another job is under way: the next run does it
            menu = "&menu=0"
    return RedirectResponse(address(request, "dag", access.company.dag_id, "words") + f"?saved=1{menu}", 303)


def _words(access: guard.Access) -> Words:
    return Words(database(), access.tenant_of(LINK))


def _page(
    request: Request, access: guard.Access, drawn: WordList, shown: Sequence[Word], problems: Sequence[Problem] = ()
) -> Response:
    mapping = mapping_of(access)
    on = switched_on(mapping) if mapping else ()
    return page(
        request,
        "lineworks_kot/words.html",
        400 if problems else 200,
        one=access.company,
        mapping=mapping,
        drawn=drawn,
        kinds=[(kind, [word.text for word in shown if word.kind is kind]) for kind in on],
        off=[kind for kind in Kind if kind not in on],
        problems=problems,
        warnings=word_warnings([word for word in shown if word.kind in on]),
        versions=_words(access).versions(),
        saved=bool(request.query_params.get("saved")),
        menu=request.query_params.get("menu", ""),
        jobs=newest(access),
        most=MAX_WORD,
        now=access.services.now(),
    )
