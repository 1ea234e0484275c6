"""マイ情報, a page for one member by an invitation (N4, W2): Slack's member id, a webhook of Google Chat, LINE, a test.

    GET  /my/{tenant}/{token}   what is registered
    POST /my/{tenant}/{token}   registers one thing, or sends a test to oneself

It shows one member's own entries to whoever has the address, and of others nothing, not even that they are there.
The address is a secret and enters no log (L7). What is sent goes through the outbox, to the member himself.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from renkei.channel import Service
from renkei.clock import TOKYO, day_in_japan, time_in_japan, utcnow
from renkei.errors import RenkeiError
from renkei.notifications.members.own import Invitee, OwnEntries, OwnEntry
from renkei.notifications.members.table import Member
from renkei.notifications.services import SPEC
from renkei.orchestration.line.answers import WithoutAccessLog, masked, page
from renkei.outbox.outbox import Entry, Outbox
from renkei.outbox.tables import State
from renkei.public.bodies import body_of
from renkei.public.limits import RateLimit
from renkei.public.origin import is_from
from renkei.sheets.tenant_files import is_tenant
from renkei.storage.database.database import Database
from renkei.storage.tokens import is_token
from renkei.systems.delivery import Message

log = logging.getLogger(__name__)

TEST_LASTS = dt.timedelta(minutes=10)
CHANGES_PER_S, CHANGES_AT_ONCE = 1 / 60, 20  # of one invitation
TESTS_PER_S, TESTS_AT_ONCE = 1 / 120, 4
PURPOSE = "test"
FIELDS = {"slack": "slack_member_id", "google_chat": "google_chat_webhook", "line": "line_user_id"}
NOTES = {
    "slack": (
        "SlackのメンバーID",
        "Slackのプロフィールの「︙」から「メンバーIDをコピー」で得られます（例: U012ABCDEF）。",
    ),
    "google_chat": (
        "Google ChatのWebhook",
        "会社のGoogle Workspaceのアカウントで自分だけのスペースを作り、「アプリと統合」でWebhookを追加して、そのURLを貼り付けます。"
        "個人のGoogleアカウント（@gmail.com）ではWebhookを作れません。",
    ),
}
STATES = {
    State.WAITING: "送信を待っています",
    State.SENDING: "送信しています",
    State.SENT: "サービスが受け付けました。届いているか確認してください",
    State.REFUSED: "届けられませんでした",
    State.UNKNOWN: "届いたか分かりません",
    State.DROPPED: "送信しませんでした",
}


@dataclass(frozen=True, slots=True)
class MyPageContext:
    """What the page needs of one tenant of one link."""

    own: OwnEntries
    outbox: Outbox
    database: Database
    channels: Mapping[str, str]  # those that the tenant uses, with their names
    company: str
    slack_fault: Callable[[str], str]
    webhook_fault: Callable[[str], str]
    line_invitation: Callable[[str], str]  # the address at which a member links LINE


@dataclass(frozen=True, slots=True)
class Row:
    """A channel on the page."""

    channel: str
    label: str
    registered: bool
    own: bool  # the member himself registered it
    shown: str
    field: str
    note: str
    last: str  # of the tests


@dataclass(frozen=True)
class MyPage:
    """The two endpoints, over what they need of their surroundings."""

    contexts_of: Callable[[str], Sequence[MyPageContext]]  # one for each link that may have a tenant of this name
    address: Callable[[], str]  # of the public pages
    now: Callable[[], dt.datetime]
    changes: RateLimit
    tests: RateLimit

    async def show(self, request: Request) -> Response:
        context, invited, member = await run_in_threadpool(self._context, request)
        return await run_in_threadpool(self._page, context, invited, member)

    async def change(self, request: Request) -> Response:
        body = await body_of(request, 8_000)
        context, invited, member = await run_in_threadpool(self._context, request)
        if not is_from(request, self.address()):
            raise HTTPException(403)
        if not self.changes.take(invited.token.hex()):
            raise HTTPException(429, headers={"Retry-After": "60"})
        try:
            given = parse_qs(body.decode(), max_num_fields=10)
        except ValueError:
            raise HTTPException(400) from None
        action, value = (given.get(name, [""])[0].strip() for name in ("action", "value"))
        return await run_in_threadpool(self._act, context, invited, member, action, value)

    def _act(self, context: MyPageContext, invited: Invitee, member: Member, action: str, value: str) -> Response:
        channel, _, clear = action.partition("-")
        if action == "line" and "line" in context.channels:
            return RedirectResponse(context.line_invitation(invited.user_id), 303)
        if action == "test":
            return self._test(context, invited, member, [*context.channels])
        if channel not in NOTES or channel not in context.channels or clear not in ("", "clear"):
            raise HTTPException(400)
        fault = "" if clear else self._fault(context, channel, value)
        if not fault:
            try:
                context.own.register(invited, FIELDS[channel], "" if clear else value, self.now())
            except RenkeiError as error:
                fault = str(error)
        if fault:
            return self._page(context, invited, member, fault, channel, 400)
        log.info("my page tenant=%s channel=%s %s", context.own.tenant, channel, "cleared" if clear else "registered")
        member = context.own.find(invited.user_id) or member
        if clear:
            return self._page(context, invited, member, "自分の登録を消しました。")
        return self._test(context, invited, member, [channel])

    @staticmethod
    def _fault(context: MyPageContext, channel: str, value: str) -> str:
        if not value:
            return f"{NOTES[channel][0]}を入力してください。"
        return (context.slack_fault if channel == "slack" else context.webhook_fault)(value)

    def _test(self, context: MyPageContext, invited: Invitee, member: Member, channels: list[str]) -> Response:
        """Sent by the pump, a moment later: the page says what became of it when it is loaded again."""
        if not self.tests.take(invited.token.hex()):
            return self._page(context, invited, member, "テストは、少し時間をおいてから送ってください。")
        now, batch = self.now(), secrets.token_hex(8)
        entries = [
            Entry(
                event="\n".join((PURPOSE, batch, channel)),
                key=f"{PURPOSE}\n{invited.user_id}",
                channel=channel,
                purpose=PURPOSE,
                recipient=invited.user_id,
                to=to,
                message=_message(context.channels[channel], now),
                not_after=now + TEST_LASTS,
                priority=1,
            )
            for channel in channels
            if (to := _address(member, channel))
        ]
        with context.database.writing(brief=True) as connection:
            context.outbox.add(connection, entries, now)
        names = "、".join(context.channels[one.channel] for one in entries)
        said = (
            f"{names}にテストを送ります。1分ほどして、届いているか確認してください。" if names else "登録がありません。"
        )
        return self._page(context, invited, member, said)

    def _page(
        self,
        context: MyPageContext,
        invited: Invitee,
        member: Member,
        said: str = "",
        wrong: str = "",
        status: int = 200,
    ) -> Response:
        own, tests = context.own.of(invited.user_id), self._tests(context, invited)
        until = invited.expires_at.astimezone(TOKYO)
        return page(
            "my.html",
            status,
            form_action="'self'",
            company=context.company,
            member=masked(invited.user_id),
            until=f"{until.year}年{until.month}月{until.day}日 {until.hour}:{until.minute:02}",
            channels=[_row(channel, label, member, own, tests) for channel, label in context.channels.items()],
            said=said,
            wrong=wrong,
        )

    @staticmethod
    def _tests(context: MyPageContext, invited: Invitee) -> dict[str, str]:
        found: dict[str, str] = {}
        for one in context.outbox.listed(most=12, recipient=invited.user_id, purpose=PURPOSE):
            note = f"（{one.note}）" if one.note else ""
            found.setdefault(one.channel, f"{time_in_japan(one.created_at)} {STATES[one.state]}{note}")
        return found

    def _context(self, request: Request) -> tuple[MyPageContext, Invitee, Member]:
        """Whose invitation it is.

        Raises:
            HTTPException: nobody's, or not any more; a member who left is nobody.
        """
        tenant, token = request.path_params["tenant"], request.path_params["token"]
        if is_tenant(tenant) and is_token(token):
            for context in self.contexts_of(tenant):
                invited = context.own.invited(token)
                if invited is None:
                    continue
                if self.now() >= invited.expires_at:
                    raise HTTPException(410)
                member = context.own.find(invited.user_id)
                if member:
                    return context, invited, member
        raise HTTPException(404)


def build(
    contexts_of: Callable[[str], Sequence[MyPageContext]],
    address: Callable[[], str],
    now: Callable[[], dt.datetime] = utcnow,
) -> ASGIApp:
    """The app, to be mounted at `/my` below the prefix."""
    mine = MyPage(
        contexts_of, address, now, RateLimit(CHANGES_PER_S, CHANGES_AT_ONCE), RateLimit(TESTS_PER_S, TESTS_AT_ONCE)
    )
    app = Starlette(
        routes=[
            Route("/{tenant}/{token}", mine.show, methods=["GET"]),
            Route("/{tenant}/{token}", mine.change, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _refused, RenkeiError: _failed, Exception: _failed},
    )
    app.router.redirect_slashes = False  # that redirect would show the invitation once more
    return WithoutAccessLog(app, "/renkei/my/(…)")


def slack_fault(value: str) -> str:
    """Why it is no member's id; "" where it is one."""
    destination = SPEC[Service.SLACK_BOT].destination
    assert destination is not None
    if destination.pattern.fullmatch(value) and value[0] in "UW":
        return ""
    return "SlackのメンバーIDの形（U または W で始まる英数字）ではありません。名前やメールアドレスではなく、IDを貼り付けてください。"


def _row(channel: str, label: str, member: Member, own: Mapping[str, OwnEntry], tests: Mapping[str, str]) -> Row:
    field, note = NOTES.get(channel, ("", ""))
    value, entry = _address(member, channel), own.get(FIELDS.get(channel, ""))
    shown = f"末尾 …{value[-4:]}" if value and channel != "lineworks" else ""
    if entry:
        shown += f"、{day_in_japan(entry.changed_at)} に自分で登録"
    return Row(channel, label, bool(value), bool(entry), shown, field, note, tests.get(channel, ""))


def _address(member: Member, channel: str) -> str:
    if channel == "lineworks":
        return member.lineworks_id or member.user_id
    found: str = getattr(member, FIELDS[channel])
    return found


def _message(label: str, now: dt.datetime) -> Message:
    lines = (f"マイ情報から送ったテストです（{time_in_japan(now)}）。", f"これが読めれば、通知は{label}に届きます。")
    return Message("【テスト】通知の受け取りの確認", lines)


# --- what is answered where it does not go on

_REFUSALS: dict[int, tuple[str, str]] = {
    403: ("招待のURLから始めてください", "届いた招待のURLをブラウザで開き、画面のボタンを押してください。"),
    404: (
        "このURLは使えません",
        "メールなどで届いたURLの全体を開いているか確かめ、それでも開けない場合は、総務・人事の担当者に新しいURLを依頼してください。",
    ),
    410: ("有効期限が切れています", "総務・人事の担当者に新しいURLを依頼してください。"),
    429: ("操作が多すぎます", "1分ほどおいてから、もう一度お試しください。"),
}


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title, message = _REFUSALS.get(error.status_code, ("送信の内容が正しくありません", "画面を開き直してください。"))
    response = page("message.html", error.status_code, title=title, message=message)
    response.headers.update(error.headers or {})
    return response


def _failed(_: Request, error: Exception) -> Response:
    log.error("my page: %s", error if isinstance(error, RenkeiError) else type(error).__name__)
    message = "時間をおいて、URLをもう一度開いてください。続く場合は総務・人事の担当者に連絡してください。"
    return page("message.html", 503, title="ただいま使えません", message=message)
