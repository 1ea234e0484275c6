"""What the console and the お客様ページ share: one guard for each route, and what an app answers where it refuses."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from renkei.web.services import Refused

GuardT = TypeVar("GuardT", bound=Callable[..., Any])
Answer = Callable[[Request, Exception], Response]
AGAIN = "画面を開き直して、もう一度操作してください。"
NOT_UNDERSTOOD = ("内容を読み取れません", AGAIN)


class NotFound(Exception):
    """There is no such thing, or none that this person may know of."""


class CsrfError(Exception):
    """The form was not sent from a page of ours, or long ago."""


class Guards(set[Any]):
    """The functions that say who may what: every route has exactly one of them as a dependency. A decorator."""

    def __call__(self, function: GuardT) -> GuardT:
        self.add(function)
        return function


def is_same(given: object, expected: str) -> bool:
    """Whether a form brought the word that our own pages know."""
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


class MessagePage(Protocol):
    """A page that says what is so, and what to do."""

    def __call__(self, request: Request, status: int, title: str, *lines: str) -> Response: ...


def build_app(
    routers: Iterable[APIRouter],
    says: MessagePage,
    not_found: Answer,
    own: Mapping[Any, Answer],
    refused: Mapping[int, tuple[str, str]],
) -> FastAPI:
    """An app of those routers. `own` answers by kind of exception; `refused` says a title and a line by status."""
    app = FastAPI(title="Renkei", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    for router in routers:
        app.include_router(router)
    handlers: dict[Any, Answer] = {NotFound: not_found, **_answers(says, not_found, refused), **own}
    for kind, answer in handlers.items():
        app.add_exception_handler(kind, answer)
    return app


def _answers(says: MessagePage, not_found: Answer, refused: Mapping[int, tuple[str, str]]) -> dict[Any, Answer]:
    def foreign(request: Request, _: Exception) -> Response:
        said = f"別のサイトから送信されたか、開いてから時間がたった画面です。{AGAIN}"
        return says(request, 403, "操作を受け付けませんでした", said)

    def not_understood(request: Request, _: Exception) -> Response:
        return says(request, 400, *NOT_UNDERSTOOD)

    def of_starlette(request: Request, error: Exception) -> Response:
        """What Starlette itself refuses (an unknown path, another method), and bodies."""
        assert isinstance(error, HTTPException)
        if error.status_code in refused:
            response = says(request, error.status_code, *refused[error.status_code])
        elif error.status_code in (400, 408, 411):
            response = not_understood(request, error)
        else:
            response = not_found(request, error)
        response.status_code = error.status_code
        response.headers.update(error.headers or {})
        return response

    def impossible(request: Request, error: Exception) -> Response:
        return says(request, 409, "操作できませんでした", str(error))

    return {
        CsrfError: foreign,
        RequestValidationError: not_understood,
        HTTPException: of_starlette,
        Refused: impossible,
    }
