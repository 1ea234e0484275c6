"""The addresses of OAuth and the pages that people see: SmartHR Plus (連携をはじめる → 連携済み), the log-in, the consent."""

from __future__ import annotations

import asyncio
import hmac
from hashlib import sha256
from html import escape
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from .faults import Fault
from .oauth import OAuthRefusal, OAuthSwitches
from .server import World
from .wire import DroppedResponse, TruncatedResponse

COOKIE = "sim_smarthr"
APP = "/apps/emc"
Text = Annotated[str, Form()]
_STYLE = (
    "body{font:16px/1.7 sans-serif;max-width:34rem;margin:3rem auto;color:#23221e}h1{font-size:1.3rem;color:#00889e}"
    "input,button{font:inherit;padding:.4rem .8rem;margin:.2rem .3rem .2rem 0}button{background:#0077c7;color:#fff;border:0}"
)


def oauth_routes(world: World) -> APIRouter:
    """Routes of `/oauth`, `/login` and SmartHR Plus."""
    router = APIRouter(include_in_schema=False)
    oauth = world.oauth

    def user_of(request: Request) -> str:
        return oauth.sessions.get(request.cookies.get(COOKIE, ""), "")

    # -- SmartHR Plus

    @router.get(APP)
    async def plus(request: Request) -> Response:
        user = user_of(request)
        if user and user.partition("@")[2] in oauth.started:
            return _page("Emergency Call | SmartHR Plus", "<p><strong>連携済み</strong></p>")
        button = f'<form method="post" action="{APP}"><button>連携をはじめる</button></form>'
        return _page("Emergency Call | SmartHR Plus", f"<p>安否確認/緊急連絡システム</p>{button}")

    @router.post(APP)
    async def start(request: Request) -> Response:
        user = user_of(request)
        if not user:
            return RedirectResponse(f"/login?{urlencode({'next': APP})}", 303)
        if not user.startswith("admin@"):
            return _page("連携できません", "<p>SmartHRの管理者権限が必要です。</p>", 403)
        oauth.started.add(user.partition("@")[2])
        return RedirectResponse(APP, 303)

    # -- log-in

    @router.get("/login")
    async def login_form(request: Request) -> Response:
        return _login_page(request.query_params.get("next", APP))

    @router.post("/login")
    async def log_in(email: Text = "", password: Text = "", next: Text = APP) -> Response:
        cookie = oauth.log_in(email, password, world.companies)
        if cookie is None or not next.startswith("/") or next.startswith("//"):
            return _login_page(next, "メールアドレスまたはパスワードが違います。")
        answer = RedirectResponse(next, 303)
        answer.set_cookie(COOKIE, cookie, httponly=True, samesite="lax")
        return answer

    # -- consent

    @router.get("/oauth/authorization")
    async def ask(request: Request) -> Response:
        query = dict(request.query_params)
        if fault := oauth.fault_of(query):
            return _page("連携できません", f"<p>{escape(fault)}</p>", 400)
        if refusal := oauth.refusal_of(query):
            return _back(query, error=refusal)
        user = user_of(request)
        if not user:
            return RedirectResponse(f"/login?{urlencode({'next': f'/oauth/authorization?{request.url.query}'})}", 303)
        company = user.partition("@")[2]
        if not user.startswith("admin@"):
            return _page("連携できません", "<p>SmartHRの管理者権限が必要です。</p>", 403)
        if oauth.switches.needs_plus and company not in oauth.started:
            return _page(
                "連携できません",
                f'<p>先に<a href="{APP}">SmartHR Plus</a>で「連携をはじめる」を押してください。</p>',
                403,
            )
        hidden = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in query.items())
        token = _form_token(request, user)
        return _page(
            "連携の許可",
            f"<p>Emergency Call が、{escape(company)} の従業員と部署の情報を参照します。（{escape(user)}）</p>"
            f'<form method="post" action="/oauth/authorization">{hidden}<input type="hidden" name="_token" value="{token}">'
            '<button name="_answer" value="allow">許可する</button>'
            '<button name="_answer" value="deny">キャンセル</button></form>',
        )

    @router.post("/oauth/authorization")
    async def answer(request: Request) -> Response:
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        user = user_of(request)
        if fault := oauth.fault_of(form) or (oauth.refusal_of(form) and "要求が正しくありません"):
            return _page("連携できません", f"<p>{escape(fault)}</p>", 400)
        if not user.startswith("admin@") or not hmac.compare_digest(form.get("_token", ""), _form_token(request, user)):
            return _page("連携できません", "<p>この画面からやり直してください。</p>", 403)
        if form.get("_answer") != "allow":
            return _back(form, error="access_denied")
        return _back(form, code=oauth.allow(user, form))

    # -- the app's

    @router.post("/oauth/token")
    async def token(request: Request) -> Response:
        faults = world.faults.take("", request.url.path, 1)
        if refused := await _before(faults):
            return refused
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        try:
            response: Response = JSONResponse(oauth.token(form), headers={"Cache-Control": "no-store"})
        except OAuthRefusal as refusal:
            response = JSONResponse({"error": refusal.error}, refusal.status)
        return await _after(faults, response)

    @router.post("/oauth/revoke")
    async def revoke(request: Request) -> Response:
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        try:
            oauth.revoke(form)
        except OAuthRefusal as refusal:
            return JSONResponse({"error": refusal.error}, refusal.status)
        return JSONResponse({})

    # -- control

    @router.get("/_sim/oauth")
    async def state() -> dict[str, object]:
        return {
            "switches": oauth.switches.model_dump(),
            "started": sorted(oauth.started),
            "asked": oauth.asked,
            "grants": [{"company": one.company, "user": one.user, "revoked": one.revoked} for one in oauth.grants],
        }

    @router.patch("/_sim/oauth")
    async def change(switches: OAuthSwitches) -> OAuthSwitches:
        """Switches that are not sent keep their setting."""
        oauth.switches = oauth.switches.model_copy(update=switches.model_dump(exclude_unset=True))
        return oauth.switches

    @router.post("/_sim/oauth/expire", status_code=204)
    async def expire() -> None:
        oauth.expire()

    @router.post("/_sim/oauth/revoke", status_code=204)
    async def revoke_all() -> None:
        for grant in oauth.grants:
            grant.revoked = True

    @router.delete("/_sim/oauth", status_code=204)
    async def forget() -> None:
        """As at the start; nobody is logged in."""
        oauth.switches = OAuthSwitches()
        for kept in (oauth.sessions, oauth.codes, oauth.grants, oauth.started, oauth.asked):
            kept.clear()

    return router


async def _before(faults: list[Fault]) -> Response | None:
    """Of what goes wrong before anything is done."""
    kinds = {fault.kind for fault in faults}
    if "drop_connection" in kinds:
        return DroppedResponse()
    if "maintenance_503" in kinds:
        return HTMLResponse("<h1>メンテナンス中です</h1>", 503)
    if "status_429" in kinds:
        return JSONResponse({"error": "too_many_requests"}, 429)
    return JSONResponse({}, 500) if "status_500" in kinds else None


async def _after(faults: list[Fault], response: Response) -> Response:
    """Of what goes wrong once it is done."""
    for fault in faults:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
    kinds = {fault.kind for fault in faults}
    if "lost_answer" in kinds:
        return DroppedResponse()
    if "not_json" in kinds:
        return HTMLResponse("<h1>SmartHR</h1>")
    if "truncated" in kinds:
        return TruncatedResponse(bytes(response.body), response.status_code, dict(response.headers))
    return response


def _back(query: dict[str, str], **answer: str) -> Response:
    given = answer | ({"state": query["state"]} if "state" in query else {})
    joint = "&" if "?" in query["redirect_uri"] else "?"
    return RedirectResponse(f"{query['redirect_uri']}{joint}{urlencode(given)}", 303)


def _form_token(request: Request, user: str) -> str:
    return hmac.new(request.cookies.get(COOKIE, "").encode(), user.encode(), sha256).hexdigest()


def _login_page(back: str, fault: str = "") -> Response:
    said = f'<p role="alert">{escape(fault)}</p>' if fault else ""
    return _page(
        "SmartHRにログイン",
        f'{said}<form method="post" action="/login"><input type="hidden" name="next" value="{escape(back)}">'
        '<p><label>メールアドレス <input name="email" autocomplete="off"></label></p>'
        '<p><label>パスワード <input name="password" type="password"></label></p><button>ログイン</button></form>'
        "<p>見本の会社 NAME には admin@NAME（管理者）と member@NAME が、パスワード smarthr でログインできます。</p>",
        401 if fault else 200,
    )


def _page(title: str, content: str, status: int = 200) -> Response:
    head = f"<!doctype html><html lang=ja><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"
    headers = {"X-Frame-Options": "DENY", "Cache-Control": "no-store"}
    return HTMLResponse(f"{head}<h1>{title}</h1>{content}", status, headers)
