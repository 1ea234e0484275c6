"""LINE Login v2.1: the page where somebody lets in an app, the tokens, and whether they are the account's friend.

Sources: developers.line.biz "Integrating LINE Login with your web app", "PKCE support", "LINE Login v2.1 API reference"
and "Add friend option". The wording of the token endpoint's errors is not documented: RFC 6749's words, status 400.

Of LINE's pages only the consent is here, with the account to choose in place of logging in, and it comes each time.
With `bot_prompt=aggressive` LINE shows a page of its own for the friend; here it is the same check box, already set.

Stricter than documented: an unknown scope or `bot_prompt`, PKCE other than S256, a verifier nobody announced, and a
parameter given twice are refused.

Control: `GET`, `POST` and `DELETE /_sim/line/login`, see `line_login_channel.Settings`. The people are those of `/_sim/line`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from simulators.chat.inbox import Inbox
from simulators.chat.line.account import NAME
from simulators.chat.line.id_token import OAuthError, claims_of, id_token
from simulators.chat.line.login_channel import CHANNEL_ID, CHANNEL_SECRET, AccessToken, Asked, Channel, Granted
from simulators.chat.line.wire import LineRoute, read_form

CODE_LIFE_S, ACCESS_TOKEN_LIFE_S = 600, 2_592_000
SCOPES = {"profile": "メインプロフィール情報（必須）", "openid": "ユーザーの内部識別子（必須）"}
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class NoReturn(Exception):
    """A request that LINE answers with a page of its own: it can send nobody back."""


class ReturnedError(Exception):
    """A request that sends the person back to the app with an error."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error, self.description = error, description


def registrations(base: str) -> dict[str, Any]:
    return {
        "line_login": {"channel_id": CHANNEL_ID, "channel_secret": CHANNEL_SECRET, "base_url": f"{base}/line"},
    }


def build(inbox: Inbox) -> APIRouter:
    channel = Channel(inbox)
    router = APIRouter()
    router.include_router(build_page(channel))
    router.include_router(build_tokens(channel))
    router.include_router(channel.control)
    return router


def build_page(channel: Channel) -> APIRouter:
    """What a person sees; the consent form goes to an address of our own, as LINE's own is not documented."""
    router = APIRouter(prefix="/line/oauth2/v2.1")
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )

    def shown(name: str, status: int = 200, **values: Any) -> Response:
        headers = {"cache-control": "no-store", "x-frame-options": "DENY"}
        return HTMLResponse(pages.get_template(name).render(**values), status, headers)

    @router.get("/authorize")
    async def authorize(request: Request) -> Response:
        given = dict(request.query_params)
        try:
            if len(given) != len(request.query_params.multi_items()):
                raise NoReturn("同じ名前のパラメーターが2つあります")
            asked = returnable(channel, given)
        except NoReturn as error:
            return shown("line_login_error.html", 400, reason=str(error))
        try:
            check_asked(given, asked)
        except ReturnedError as error:
            return channel.back(asked, error=error.error, error_description=error.description)
        number = secrets.token_urlsafe(16)
        channel.asked[number] = asked
        scopes = [SCOPES[scope] for scope in asked.scopes]
        people = channel.account.settings.people
        return shown("line_login.html", number=number, asked=asked, scopes=scopes, people=people, account=NAME)

    @router.post("/consent")
    async def consent(request: Request) -> Response:
        form = await read_form(request)
        asked = channel.asked.pop(form.get("request", ""), None)
        if asked is None:
            return shown("line_login_error.html", 400, reason="この画面の有効期限が切れています")
        if form.get("decision") != "allow":
            denied = "The resource owner denied the request."
            return channel.back(asked, error="access_denied", error_description=denied)
        person = channel.account.person(form.get("user_id", ""))
        if person is None:
            return shown("line_login_error.html", 400, reason="アカウントを選んでください")
        answer = {}
        if asked.bot_prompt:
            added = "add_friend" in form and channel.account.befriend(person.user_id)
            answer = {"friendship_status_changed": str(added).lower()}
        code = secrets.token_urlsafe(15)
        channel.codes[code] = Granted(asked, person, channel.account.now())
        return channel.back(asked, code=code, **answer)

    return router


def build_tokens(channel: Channel) -> APIRouter:
    """What the app calls."""
    router = APIRouter(prefix="/line", route_class=LineRoute)

    @router.post("/oauth2/v2.1/token")
    async def token(request: Request) -> Response:
        granted = redeem(channel, await read_form(request))
        given = secrets.token_urlsafe(64)
        scopes, now = granted.asked.scopes, channel.account.now()
        channel.tokens[given] = AccessToken(granted.person, scopes, now + ACCESS_TOKEN_LIFE_S)
        body = {
            "access_token": given,
            "expires_in": ACCESS_TOKEN_LIFE_S,
            "refresh_token": secrets.token_urlsafe(15),
            "scope": " ".join(scopes),
            "token_type": "Bearer",
        }
        if "openid" in scopes:
            body["id_token"] = id_token(granted, int(now), channel.fault(of_return=False))
        return JSONResponse(body, headers={"cache-control": "no-store"})

    @router.post("/oauth2/v2.1/verify")
    async def verify(request: Request) -> dict[str, Any]:
        return claims_of(await read_form(request), channel.account.now())

    @router.get("/oauth2/v2.1/verify")
    async def verify_access_token(access_token: str = "") -> dict[str, Any]:
        token = channel.tokens.get(access_token)
        left = token.expires_at - channel.account.now() if token else 0
        if token is None or left <= 0:
            raise OAuthError("invalid_request", "access token expired")
        return {"scope": " ".join(token.scopes), "client_id": CHANNEL_ID, "expires_in": int(left)}

    @router.get("/friendship/v1/status")
    async def friendship(request: Request) -> dict[str, bool]:
        token = channel.bearer(request, "profile")
        person = channel.account.person(token.person.user_id)
        return {"friendFlag": person is not None and person.reachable}

    @router.get("/v2/profile")
    async def profile(request: Request) -> dict[str, str]:
        person = channel.bearer(request, "profile").person
        return {"userId": person.user_id, "displayName": person.name}

    return router


def returnable(channel: Channel, given: dict[str, str]) -> Asked:
    """The request, once it is clear to whom an answer may go."""
    if given.get("client_id") != CHANNEL_ID:
        raise NoReturn("client_id のチャネルはありません")
    if not channel.registered(given.get("redirect_uri", "")):
        raise NoReturn("redirect_uri はチャネルに登録されていません")
    if not given.get("state"):
        raise NoReturn("state がありません")
    scopes = list(dict.fromkeys(given.get("scope", "").split()))
    names = ("redirect_uri", "state", "nonce", "code_challenge", "bot_prompt")
    redirect_uri, state, nonce, challenge, bot_prompt = (given.get(name, "") for name in names)
    return Asked(redirect_uri, state, scopes, nonce, challenge, bot_prompt)


def check_asked(given: dict[str, str], asked: Asked) -> None:
    if given.get("response_type") != "code":
        raise ReturnedError("unsupported_response_type", "response_type must be code")
    if not asked.scopes or set(asked.scopes) - set(SCOPES):
        raise ReturnedError("invalid_scope", "scope must be profile, openid or both")
    if asked.bot_prompt not in ("", "normal", "aggressive"):
        raise ReturnedError("invalid_request", "bot_prompt must be normal or aggressive")
    challenged = "code_challenge" in given or "code_challenge_method" in given
    if challenged and given.get("code_challenge_method") != "S256":
        raise ReturnedError("invalid_request", "code_challenge_method must be S256")
    if challenged and not CHALLENGE.fullmatch(asked.challenge):
        raise ReturnedError("invalid_request", "code_challenge must be a base64url SHA-256")


def redeem(channel: Channel, form: dict[str, str]) -> Granted:
    """What the code stands for. A code is spent by the first attempt of the right client, be it good or not."""
    if form.get("grant_type") != "authorization_code":
        raise OAuthError("unsupported_grant_type", "unsupported grant_type")
    secret = form.get("client_secret", "")
    if form.get("client_id") != CHANNEL_ID or not hmac.compare_digest(secret.encode(), CHANNEL_SECRET.encode()):
        raise OAuthError("invalid_client", "invalid client_id or client_secret")
    granted = channel.codes.pop(form.get("code", ""), None)
    if granted is None or channel.account.now() - granted.at >= CODE_LIFE_S:
        raise OAuthError("invalid_grant", "invalid authorization code")
    if form.get("redirect_uri") != granted.asked.redirect_uri:
        raise OAuthError("invalid_grant", "redirect_uri does not match")
    verifier = form.get("code_verifier", "")
    if bool(verifier) != bool(granted.asked.challenge) or (verifier and not VERIFIER.fullmatch(verifier)):
        raise OAuthError("invalid_grant", "code_verifier does not match")
    if verifier and challenge_of(verifier) != granted.asked.challenge:
        raise OAuthError("invalid_grant", "code_verifier does not match")
    return granted


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
