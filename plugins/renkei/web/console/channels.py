"""通知連携: the list, 通知連携の登録, 通知管理 and a test of each channel, as text 2 has them (N1, N2, N5, N8).

The channels stand in the sheet, so each change is a new version of it; their secrets stand in Connections.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from renkei import settings
from renkei.channel import Channel, Event, Service, unheard
from renkei.notifications.form.lines import read_channels
from renkei.notifications.form.words import event_marks
from renkei.notifications.form.written import channel_line
from renkei.notifications.services import SPEC, SPECS, connection_needed
from renkei.sheets.findings import Findings
from renkei.texts import Fault, RawCell, fold
from renkei.web.channel_facts import ChannelLine, channel_key, with_events
from renkei.web.connection_facts import ConnectionState, faults_of
from renkei.web.console import connections, guard, sheet_change
from renkei.web.console.jobs import CHANNEL, newest, start
from renkei.web.console.page import address, go_to, page
from renkei.web.console.sheet_change import Change, InForce, UnsoundError
from renkei.web.services import Refused, Right

router = APIRouter()
MAX_TEXT = 500  # characters of a field of the sheet
KNOWN = "届かなくてもよいことを確認して「承知のうえで保存する」にチェックを入れるか、ONにする通知先を選んでください"
FILL_IN = "このサービスの項目を入力してください"
ASK = "Airflowの接続を変更できる運用担当者に、登録を依頼してください"
Text = Annotated[str, Form(max_length=MAX_TEXT)]


@dataclass(frozen=True, slots=True)
class ChannelForm:
    """通知連携の登録 as it was filled in; `of` is the channel that is changed, None for a new one."""

    service: Service
    name: str = ""
    to: str = ""
    muted: bool = False
    of: Channel | None = None


@router.get("/dag/{dag_id}/channels")
def channels(request: Request, access: guard.SeesDag, saved: str = "", version: str = "") -> Response:
    may = access.may(Right.EDIT)
    lines = access.services.knowledge.channel_lines(access.company.dag_id)
    return page(
        request,
        "channels.html",
        one=access.company,
        lines=lines,
        limit=settings.channel_failures(),
        unheard=() if access.company.pending else unheard([one.channel for one in lines], _disabled(lines)),
        may=may,
        saved=next((one.channel.name for one in lines if one.key == saved), ""),
        version=version if re.fullmatch(r"[1-9][0-9]{0,7}", version) else "",
        jobs=newest(access) if may else (),
        now=access.services.now(),
    )


@router.get("/dag/{dag_id}/channels/new")
def new(request: Request, access: guard.EditsDag, service: str = "") -> Response:
    """The form of a サービス種別: what it asks for is drawn from `services.SPECS`."""
    return _form(request, access, sheet_change.in_force(access), ChannelForm(_service(service)))


@router.get("/dag/{dag_id}/channels/{key}")
def edit(request: Request, key: str, access: guard.EditsDag) -> Response:
    of = sheet_change.in_force(access)
    one = _channel(of, key)
    return _form(request, access, of, ChannelForm(one.service, one.name, one.to, one.muted, one))


@router.post("/dag/{dag_id}/channels")
async def register(
    request: Request,
    access: guard.PostsEditsDag,
    digest: Text = "",
    service: Text = "",
    name: Text = "",
    to: Text = "",
    muted: Text = "",
    key: Text = "",
) -> Response:
    """登録する: the secret into its Connection, then the sheet; a channel that was 無効 is none after it."""
    of = await run_in_threadpool(sheet_change.sheet_as_drawn, access, digest)
    old = _channel(of, key) if key else None
    form = ChannelForm(old.service if old else _service(service), name, to, bool(muted), old)
    channel, state, faults = await run_in_threadpool(_read, access, of, form)
    given = await connections.given_of(request, state) if state else {}
    entered = bool(state and any(given.values()) and not state.fault)
    may = state is not None and await run_in_threadpool(access.services.authority.may_register, access.user, state.name)
    if entered and state is not None:
        if not may:
            raise guard.NotAllowed
        await connections.refuse_changed(request, state)
        faults += faults_of(state, given, settings.allowed_hosts())
    elif state and not state.registered:
        faults.append(Fault(f"接続「{state.name}」がまだ登録されていません", FILL_IN if may else ASK))
    content = b""
    if channel and not faults:
        try:
            told = [channel if one is old else one for one in of.review.channels] + ([] if old else [channel])
            content = await run_in_threadpool(sheet_change.with_channels, access, of, told)
        except UnsoundError as error:
            faults += [Fault(one.found, one.remedy) for one in error.problems]
    if faults or channel is None:
        return await run_in_threadpool(_form, request, access, of, form, faults, given)
    if entered and state is not None:
        await connections.register(request, access, state, given)
    return await run_in_threadpool(_registered, request, access, of, channel, old, content)


@router.post("/dag/{dag_id}/channels/{key}/test")
def test(request: Request, key: str, access: guard.PostsEditsDag) -> Response:
    """テスト: a message to this channel, step by step; one that passes enables a channel that was 無効 (N5)."""
    lines = access.services.knowledge.channel_lines(access.company.dag_id)
    if key not in {one.key for one in lines}:
        raise guard.NotFound
    return start(request, access, CHANNEL, {"channel": key})


@router.post("/dag/{dag_id}/channels/{key}/remove")
def remove(request: Request, key: str, access: guard.PostsEditsDag, digest: Text = "") -> Response:
    """The channel leaves the sheet; its Connection stays where it is."""
    of = sheet_change.sheet_as_drawn(access, digest)
    gone = _channel(of, key)
    left = [one for one in of.review.channels if one is not gone]
    answer = _changed(request, access, of, left, f"通知連携「{gone.name}」を削除しました")
    access.services.knowledge.channels_renewed(
        access.company.dag_id, [gone.name]
    )  # another one of this name begins anew
    access.services.knowledge.changed()
    return answer


@router.get("/dag/{dag_id}/events")
def events(request: Request, access: guard.EditsDag) -> Response:
    of = sheet_change.in_force(access)
    return _table(request, access, of, of.review.channels)


@router.post("/dag/{dag_id}/events")
async def save_events(request: Request, access: guard.PostsEditsDag) -> Response:
    """保存する: the boxes are called `<channel's key>.<event>`, those of 通知を行わない `<key>.muted`."""
    sent = {name for name, value in (await request.form()).items() if isinstance(value, str)}
    digest = str((await request.form()).get("digest", ""))
    return await run_in_threadpool(_saved_events, request, access, sent, digest)


def _saved_events(request: Request, access: guard.Access, sent: set[str], digest: str) -> Response:
    of = sheet_change.sheet_as_drawn(access, digest)
    own = of.review.channels
    boxes = {
        channel_key(one.name): {event for event in Event if f"{channel_key(one.name)}.{event.value}" in sent}
        for one in own
    }
    told = [replace(one, muted=f"{channel_key(one.name)}.muted" in sent) for one in with_events(own, boxes)]
    lost = _lost(access, told)
    if lost and "known" not in sent:
        return _table(request, access, of, told, lost)
    if told == list(own):
        return go_to(request, "dag", access.company.dag_id, "channels")
    return _changed(request, access, of, told, "通知管理を変更しました")


def _read(
    access: guard.Access, of: InForce, form: ChannelForm
) -> tuple[Channel | None, ConnectionState | None, list[Fault]]:
    """The channel that was filled in, as the sheet will have it, and its Connection; all that is wrong with it."""
    state = _connection(access, of, form)
    old = form.of or Channel("", form.service)
    line = channel_line(replace(old, name="", connection=state.name if state else ""))
    line = replace(
        line,
        name=RawCell(form.name, "名前"),
        to=RawCell(form.to, "送信先"),
        muted=RawCell("○" if form.muted else "", "通知を行わない"),
    )
    marks = tuple((word, RawCell(mark, "")) for (word, _), mark in zip(line.marks or (), event_marks(old), strict=True))
    findings = Findings()
    read = read_channels([replace(line, marks=marks)], findings, tenant=access.company.tenant)
    faults = [Fault(f"{one.where}: {one.found}" if one.where else one.found, one.remedy) for one in findings.problems]
    channel = read[0] if read else None
    if channel and any(fold(one.name) == fold(channel.name) for one in of.review.channels if one is not form.of):
        faults.append(Fault("同じ名前の通知先がほかにもあります", "通知先ごとに異なる名前を付けてください"))
    if channel and not connection_needed(channel.service, channel.to):  # 社員:ID brings its own webhook
        state = None
    return channel, state, faults


def _connection(access: guard.Access, of: InForce, form: ChannelForm) -> ConnectionState | None:
    """Of the sheet in force: by what Airflow has read of it, a new channel would get the Connection of the one before."""
    taken = {one.connection for one in of.review.channels}
    return access.services.knowledge.channel_connection(access.company.dag_id, form.service, form.of, taken)


def _registered(
    request: Request, access: guard.Access, of: InForce, channel: Channel, old: Channel | None, content: bytes
) -> Response:
    """After the secret: the sheet, where it says anything new; then 無効 is taken back, under its old name, too."""
    dag_id = access.company.dag_id
    change = Change()
    if channel not in of.review.channels:
        change = sheet_change.put_into_force(access, of, content, f"通知連携「{channel.name}」を登録しました")
    access.services.knowledge.channels_renewed(dag_id, {channel.name, old.name} if old else {channel.name})
    access.services.knowledge.changed()
    return _to_list(request, access, change, channel_key(channel.name))


def _changed(request: Request, access: guard.Access, of: InForce, told: Sequence[Channel], why: str) -> Response:
    try:
        content = sheet_change.with_channels(access, of, told)
    except UnsoundError as error:
        raise Refused(" ".join(str(one) for one in error.problems)) from None
    return _to_list(request, access, sheet_change.put_into_force(access, of, content, why))


def _to_list(request: Request, access: guard.Access, change: Change, key: str = "") -> Response:
    dag = ("dag", access.company.dag_id)
    if change.not_placed:  # kept in Git: the version's own page says why, and gives the file
        return go_to(request, *dag, "sheets", str(change.number))
    asked = "&".join([f"saved={key}"] * bool(key) + [f"version={change.number}"] * bool(change.number))
    return RedirectResponse(address(request, *dag, "channels") + (f"?{asked}" if asked else ""), 303)


def _form(
    request: Request,
    access: guard.Access,
    of: InForce,
    form: ChannelForm,
    faults: Sequence[Fault] = (),
    given: Mapping[str, str] | None = None,
) -> Response:
    state = _connection(access, of, form)
    secret = {one.key for one in state.kind.fields if one.secret} if state else set()
    may = state is not None and access.services.authority.may_register(access.user, state.name)
    shown = (given if given else state.values) if state and may else {}
    return page(
        request,
        "channel.html",
        400 if faults else 200,
        one=access.company,
        form=form,
        spec=SPEC[form.service],
        specs=SPECS,
        state=state,
        may=may,
        values={key: text for key, text in shown.items() if key not in secret},
        digest=of.digest,
        key=channel_key(form.of.name) if form.of else "",
        faults=faults,
        now=access.services.now(),
    )


def _table(
    request: Request, access: guard.Access, of: InForce, told: Sequence[Channel], lost: Sequence[Event] = ()
) -> Response:
    """With what is `lost` the page asks again before anything is saved (N8)."""
    mails = _mails(access.services.knowledge.channel_lines(access.company.dag_id))
    return page(
        request,
        "channel_events.html",
        409 if lost else 200,
        one=access.company,
        mails=mails,
        rows=[(channel_key(one.name), one, SPEC[one.service].label) for one in told],
        events=list(Event),
        lost=lost,
        unheard=_lost(access, told),
        known=KNOWN,
        digest=of.digest,
        now=access.services.now(),
    )


def _lost(access: guard.Access, told: Sequence[Channel]) -> list[Event]:
    """失敗 and 保留 that these channels and the mail would not hear of; while the sheet is being read, nobody can say."""
    if access.company.pending:
        return []
    lines = access.services.knowledge.channel_lines(access.company.dag_id)
    return unheard([*_mails(lines), *told], _disabled(lines))


def _mails(lines: Sequence[ChannelLine]) -> list[Channel]:
    return [one.channel for one in lines if not one.of_sheet]


def _channel(of: InForce, key: str) -> Channel:
    """Raises NotFound."""
    found = next((one for one in of.review.channels if channel_key(one.name) == key), None)
    if found is None:
        raise guard.NotFound
    return found


def _service(text: str) -> Service:
    return Service(text) if text in set(Service) else Service.SLACK_WEBHOOK


def _disabled(lines: Sequence[ChannelLine]) -> list[str]:
    return [one.channel.name for one in lines if one.is_disabled]
