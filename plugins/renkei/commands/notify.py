"""`renkei notify`: a tenant's channels, their state, and a test message with a diagnosis (N2, N5)."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer
from rich.table import Table

from renkei.channel import Channel, Event
from renkei.clock import TOKYO, day_in_japan
from renkei.commands import context
from renkei.commands.i18n import say
from renkei.commands.output import Status, err, out, print_json, wrong_usage
from renkei.notifications.services import SPEC
from renkei.notifications.state import ChannelState
from renkei.storage.records import to_plain

VERDICTS = {"ACCEPTED": "受付", "REFUSED": "拒否", "LATER": "受付不可(再送可)", "UNKNOWN": "届いたか不明"}
app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Tenant = Annotated[
    str, typer.Argument(help=say("会社(連携設定シートのファイル名)", "the tenant: its sheet's file name"))
]
AsJson = Annotated[bool, typer.Option("--json", help=say("JSONで出力します。", "Writes JSON."))]


@app.command("list", help=say("通知先と、その状態を表示します。", "Shows the channels and their state."))
def list_channels(tenant: Tenant, as_json: AsJson = False) -> None:
    """Status 1 when a channel in use is disabled, badly registered, or could not be told last time."""
    rows = [(channel, *context.channel_state(tenant, channel)) for channel in _channels(tenant)]
    if as_json:
        print_json([_plain(*row) for row in rows])
    else:
        out.print(_table(rows))
        for channel, _, fault in rows:
            if fault and not channel.muted:
                err.print(f"{channel.name}: {fault}", style="red", markup=False)
    if any(state.disabled or state.failures or fault for channel, state, fault in rows if not channel.muted):
        raise typer.Exit(Status.WRONG)


@app.command(
    "test",
    help=say("通知先に試しの通知を送り、届かない原因を調べます。", "Sends a test message and explains a refusal."),
)
def try_out(
    tenant: Tenant,
    name: Annotated[
        str, typer.Argument(help=say("通知先の名前。無ければすべて", "a channel's name; all without it"))
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Status 1 when a channel did not take the message."""
    known = _channels(tenant)
    chosen = [channel for channel in known if not name or channel.name == name]
    if not chosen:
        names = "、".join(channel.name for channel in known)
        raise wrong_usage(
            f"通知先「{name}」はありません。登録されている通知先: {names}", f"no channel {name}; there are: {names}"
        )
    found: dict[str, list[dict[str, Any]]] = {}
    for channel, step in context.try_channels(tenant, chosen):
        if not as_json and channel.name not in found:
            out.print(f"{channel.name}（{SPEC[channel.service].label}）", style="bold", markup=False)
        found.setdefault(channel.name, []).append(dataclasses.asdict(step))
        if not as_json:
            out.print(f"  {step}", style="" if step.well else "red", markup=False)
    if as_json:
        print_json(found)
    if any(not step["well"] and step["decides"] for steps in found.values() for step in steps):
        raise typer.Exit(Status.WRONG)


def _channels(tenant: str) -> tuple[Channel, ...]:
    found = context.channels(tenant)
    if found is None:
        raise wrong_usage(f"「{tenant}」の連携設定シートがありません。", f"there is no sheet of {tenant}")
    channels, problems = found
    for problem in problems:
        err.print(problem, style="yellow", markup=False)
    return channels


def state_text(channel: Channel, state: ChannelState, fault: str) -> str:
    """通知を行わない, 登録の誤り, 無効, 有効, or how often it failed."""
    if channel.muted:
        return "通知を行わない"
    if fault:
        return "登録の誤り"
    if state.disabled_at:
        return f"無効({day_in_japan(state.disabled_at)}から)"
    return f"有効(続けて{state.failures}回失敗)" if state.failures else "有効"


def _plain(channel: Channel, state: ChannelState, fault: str) -> dict[str, Any]:
    return {
        "name": channel.name,
        "service": channel.service.value,
        "connection": channel.connection,
        "muted": channel.muted,
        "events": [event.value for event in Event if event in channel.events],
        "state": state_text(channel, state, fault),
        "fault": fault,
        **{key: value for key, value in to_plain(state).items() if key != "registration"},
    }


def _table(rows: list[tuple[Channel, ChannelState, str]]) -> Table:
    table = Table("通知先", "サービス", "Airflowの接続", "通知", "状態", "最後の送信", box=None, pad_edge=False)
    for channel, state, fault in rows:
        at = f"{state.at.astimezone(TOKYO):%Y-%m-%d %H:%M}" if state.at else ""
        words = (at, VERDICTS.get(state.verdict, ""), str(state.status or ""), state.reason)
        last = " ".join(word for word in words if word)
        events = "、".join(event.label for event in Event if event in channel.events)
        table.add_row(
            channel.name,
            SPEC[channel.service].label,
            channel.connection or "smtp_default",
            events,
            state_text(channel, state, fault),
            last,
        )
    return table
