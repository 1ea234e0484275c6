"""`renkei connections test`: what the form's Test button does, for all Connections that a tenant's sheet needs."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer

from renkei.commands import context
from renkei.commands.check import AsJson
from renkei.commands.i18n import say
from renkei.commands.output import Status, out, print_json, wrong_usage
from renkei.orchestration.link import split_dag_id

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Tenants = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TENANT...]", help=say("テナント名。無ければすべて。", "The tenants; all of them without any.")
    ),
]


# Without the callback a group of one command would be that command.
@app.callback()
def _group() -> None: ...


@app.command(
    "test",
    help=say(
        "連携設定シートが使うAirflowの接続を試します。何も送信・書き込みしません。",
        "Tests the Connections that the sheets use; sends and writes nothing.",
    ),
)
def try_out(tenants: Tenants = None, as_json: AsJson = False) -> None:
    """Status 1 when a Connection is missing or refused, or a sheet does not say which it needs."""
    sheets = context.sheets()
    named = [(name, split_dag_id(name)) for name in tenants or ()]
    tenants = [split[1] if split and name not in sheets else name for name, split in named]
    if unknown := [name for name in tenants or () if name not in sheets or sheets[name][1].mapping is None]:
        raise wrong_usage(
            f"使える連携設定シートがありません: {'、'.join(unknown)}", f"no usable sheet of: {', '.join(unknown)}"
        )
    if not sheets:
        raise wrong_usage("連携設定シートがありません。", "there is no sheet")
    found: dict[str, list[dict[str, Any]]] = {}
    for tenant in tenants or sheets:
        if not as_json:
            out.print(tenant, style="bold", markup=False)
        link, sheet = sheets[tenant]
        for trial in context.try_connections(link, sheet.mapping, sheet.channels):
            found.setdefault(tenant, []).append(dataclasses.asdict(trial))
            if not as_json:
                mark, style = ("○", "") if trial.well else ("×", "red")
                out.print(f"  {mark} {trial.connection}: {trial.said}", style=style, markup=False)
    if as_json:
        print_json(found)
    if not all(trial["well"] for trials in found.values() for trial in trials):
        raise typer.Exit(Status.WRONG)
