"""The pages on which a member links a LINE account (N4): an ASGI app without Airflow's log-in, for phones.

    GET  /line/{tenant}/{token}   what is about to happen, and a button
    POST /line/{tenant}/{token}   off to LINE, with a cookie by which this browser is known again
    GET  /line/callback           back from LINE

Endpoints are plain functions, run in threads: the store and LINE are waited for. The invitation in the path and
LINE's code in the query are secrets, so the access log around us is given neither (L7).
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import segno
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from renkei.clock import TOKYO, utcnow
from renkei.errors import RenkeiError
from renkei.notifications.members.linking import LOGIN_LASTS, Invitation, Linking, cookie_name
from renkei.notifications.members.troubles import LinkingError, LinkingFailure, linking_error
from renkei.orchestration.connections import open_store
from renkei.orchestration.line.answers import WithoutAccessLog, headers, masked, page
from renkei.orchestration.line.connection import PREFIX, LoginChannel, callback_url, login_channel, page_url
from renkei.orchestration.link import LINKS
from renkei.public.origin import is_from
from renkei.sheets.tenant_files import is_tenant
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.tokens import is_token, tenant_of_state

log = logging.getLogger(__name__)
_T = TypeVar("_T")
STATUS = {
    LinkingFailure.UNKNOWN: 404,
    LinkingFailure.EXPIRED: 410,
    LinkingFailure.SPENT: 410,
    LinkingFailure.OFTEN: 429,
    LinkingFailure.STATE: 400,
    LinkingFailure.ELSEWHERE: 403,
    LinkingFailure.BROWSER: 403,
    LinkingFailure.CANCELLED: 200,
    LinkingFailure.TAKEN: 409,
    LinkingFailure.LINE: 502,
}
TITLE = {
    LinkingFailure.UNKNOWN: "このURLは使えません",
    LinkingFailure.EXPIRED: "有効期限が切れています",
    LinkingFailure.SPENT: "使用済みのURLです",
    LinkingFailure.OFTEN: "使えなくなったURLです",
    LinkingFailure.ELSEWHERE: "招待のURLから始めてください",
    LinkingFailure.STATE: "最初からやり直してください",
    LinkingFailure.BROWSER: "同じブラウザで操作してください",
    LinkingFailure.CANCELLED: "登録していません",
    LinkingFailure.TAKEN: "別の社員が使っているLINEです",
    LinkingFailure.LINE: "LINEで確認できませんでした",
}
BROKEN = "ただいま登録の画面を使えません。時間をおいて招待のURLをもう一度開き、続く場合は総務・人事の担当者に連絡してください。"


@dataclass(frozen=True)
class Pages:
    """The three endpoints, over what they need of their surroundings."""

    linkings_of: Callable[[str], Sequence[Linking]]  # one for each link that may have a tenant of this name
    channel_of: Callable[[str], LoginChannel]
    callback_url: Callable[[], str]
    now: Callable[[], dt.datetime]

    def show(self, request: Request) -> Response:
        tenant, token = _invited(request)
        linking, invitation = self._where(tenant, lambda one: one.invitation(token))
        if linking.link_of(invitation):
            return self._linked(tenant, again=True, friend=None)
        linking.check(invitation, self.now())
        channel = self.channel_of(tenant)
        return page(
            "invitation.html",
            # The browser holds the whole way that begins with the button to this list, LINE's own redirects too.
            form_action=f"'self' https: {channel.ask_origin}",
            company=channel.company,
            member=masked(invitation.user_id),
            until=_day(invitation),
        )

    def begin(self, request: Request) -> Response:
        tenant, token = _invited(request)
        back = self.callback_url()
        _refuse_foreign_button(request, back)
        linking, invitation = self._where(tenant, lambda one: one.invitation(token))
        linking.check(invitation, self.now())  # before a Connection is asked for
        departure = linking.begin(token, self.channel_of(tenant).login, back, self.now())
        response = RedirectResponse(departure.url, 303, headers())
        response.set_cookie(
            _cookie(departure.cookie, back),
            departure.value,
            max_age=int(LOGIN_LASTS.total_seconds()),
            path="/" if _is_tls(back) else urlsplit(back).path,  # `__Host-` asks for it
            secure=_is_tls(back),
            httponly=True,
            samesite="lax",  # sent when LINE sends the browser back, and with nothing else from elsewhere
        )
        return response

    def come_back(self, request: Request) -> Response:
        query = request.query_params
        state = query.get("state", "")
        tenant = tenant_of_state(state)
        if not is_tenant(tenant):
            raise linking_error(LinkingFailure.STATE)
        browser = request.cookies.get(_cookie(cookie_name(state), self.callback_url()), "")
        code, error = query.get("code", ""), query.get("error", "")
        linking, attempt = self._where(tenant, lambda one: one.attempt(state, browser))
        login = self.channel_of(tenant).login
        linked = linking.finish(attempt, code, error, login, self.callback_url(), self.now())
        log.info("line linked tenant=%s friend=%s", tenant, linked.friend)
        return self._linked(tenant, again=False, friend=linked.friend)

    def _where(self, tenant: str, ask: Callable[[Linking], _T]) -> tuple[Linking, _T]:
        """Who knows of it, and the answer: two links may have a tenant of one name.

        Raises:
            LinkingError: nobody does.
        """
        linkings = self.linkings_of(tenant)
        for linking in linkings[:-1]:
            try:
                return linking, ask(linking)
            except LinkingError as error:
                if error.trouble not in (LinkingFailure.UNKNOWN, LinkingFailure.STATE):
                    raise
        return linkings[-1], ask(linkings[-1])

    def _linked(self, tenant: str, *, again: bool, friend: bool | None) -> Response:
        channel = self.channel_of(tenant)
        ask = channel.friend_url if friend is not True else ""
        code = segno.make(ask, micro=False).svg_inline(scale=6, border=2, light="#fff") if ask else ""
        return page("linked.html", company=channel.company, again=again, friend=friend, friend_url=ask, qr_code=code)


def build(
    linkings_of: Callable[[str], Sequence[Linking]] | None = None,
    channel_of: Callable[[str], LoginChannel] = login_channel,
    back: Callable[[], str] = callback_url,
    now: Callable[[], dt.datetime] = utcnow,
) -> ASGIApp:
    """The app, to be mounted at PREFIX. By default all that it needs comes from Airflow, anew for each request."""
    pages = Pages(linkings_of or _linkings_of, channel_of, back, now)
    app = Starlette(
        routes=[
            Route("/line/callback", pages.come_back, methods=["GET"]),
            Route("/line/{tenant}/{token}", pages.show, methods=["GET"]),
            Route("/line/{tenant}/{token}", pages.begin, methods=["POST"]),
        ],
        exception_handlers={
            LinkingError: _stopped,
            RenkeiError: _failed,
            HTTPException: _no_such_page,
            Exception: _failed,
        },
    )
    app.router.redirect_slashes = False  # that redirect would show the invitation once more
    return WithoutAccessLog(app, f"{PREFIX}/line/(…)")


def moved(page_url: Callable[[], str] = page_url) -> ASGIApp:
    """In place of the app, where the pages are served elsewhere: invitations with the former address lead there."""

    def there(request: Request) -> Response:
        tenant, token = _invited(request)
        return RedirectResponse(f"{page_url()}/line/{tenant}/{token}", 307, headers())

    handlers: dict[Any, Any] = {LinkingError: _stopped, HTTPException: _no_such_page}
    app = Starlette(routes=[Route("/line/{tenant}/{token}", there)], exception_handlers=handlers)
    return WithoutAccessLog(app, f"{PREFIX}/line/(…)")


def _linkings_of(tenant: str) -> list[Linking]:
    store = open_store()
    return [Linking(TenantFolder(store, link, tenant)) for link in LINKS]


def _invited(request: Request) -> tuple[str, str]:
    tenant, token = request.path_params["tenant"], request.path_params["token"]
    if not is_tenant(tenant) or not is_token(token):
        raise linking_error(LinkingFailure.UNKNOWN)
    return tenant, token


def _refuse_foreign_button(request: Request, back: str) -> None:
    """A page elsewhere may press our button too, and have its visitor's LINE account linked to a member of its choice.

    Raises:
        LinkingError: the browser says that another page sent it, or does not say where it comes from.
    """
    if not is_from(request, back):
        raise linking_error(LinkingFailure.ELSEWHERE)


def _is_tls(back: str) -> bool:
    return urlsplit(back).scheme == "https"


def _cookie(name: str, back: str) -> str:
    """`__Host-`: the browser takes it from this very host alone, by TLS, for all paths."""
    return f"__Host-{name}" if _is_tls(back) else name


def _day(invitation: Invitation) -> str:
    day = invitation.expires_at.astimezone(TOKYO)
    return f"{day.year}年{day.month}月{day.day}日 {day.hour}:{day.minute:02}"


# --- what is answered


def _stopped(_: Request, error: Exception) -> Response:
    assert isinstance(error, LinkingError)
    return page("message.html", STATUS[error.trouble], title=TITLE[error.trouble], message=str(error))


def _failed(_: Request, error: Exception) -> Response:
    """A fault of the setting, the store, or ours: the member can only be told to come back."""
    log.error("line page: %s", error if isinstance(error, RenkeiError) else type(error).__name__)
    return page("message.html", 503, title="ただいま使えません", message=BROKEN)


def _no_such_page(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _stopped(_, linking_error(LinkingFailure.UNKNOWN))
    response.status_code = error.status_code
    response.headers.update(error.headers or {})
    return response
