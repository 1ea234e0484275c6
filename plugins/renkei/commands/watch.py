"""`renkei watch`: who is silent, asked from the command line, for a cron that outlives Airflow."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei import settings
from renkei.commands import around
from renkei.commands.output import Status, err, out, print_json
from renkei.commands.sheet import AsJson
from renkei.commands.words import say
from renkei.errors import StoreError

if TYPE_CHECKING:
    from renkei.orchestration.watching.look import Look


def add_to(app: typer.Typer) -> None:
    """Puts this command under `renkei`."""
    app.command(
        help=say(
            "処理時刻を過ぎても結果が届いていない会社を挙げます(1社でもあれば終了コード1)。",
            "Lists the tenants that should have had a result and have none; exit status 1 if there is one.",
        )
    )(watch)


def watch(
    tell: Annotated[
        bool,
        typer.Option(
            "--tell",
            help=say(
                "運用担当者の通知先(RENKEI_OPERATOR)にも知らせます。同じ日のことは1回だけです。",
                "Also tells the operator's channels (RENKEI_OPERATOR), each day of silence once.",
            ),
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    store = around.open_store()  # first: it prepares Airflow's own modules, which the next lines import
    from renkei.notifications.watch.silence import Notes
    from renkei.orchestration.telling import tell as tell_channels
    from renkei.orchestration.watching.dag import tell_silence
    from renkei.orchestration.watching.look import look
    from renkei.orchestration.watching.operator_channels import operator_channels

    if not store.names(f"{around.LINK}/tenants"):  # the wrong store, or none that is mounted: nobody is seen there
        raise StoreError(
            "保存先に会社の記録が1つもないため、結果が届いているかを確認できません。保存先(RENKEI_STORE)を確認してください。"
        )
    folder = settings.mappings_folder(around.DAG_FILE, around.LINK)
    # Where no look was ever kept and this one is not either, nothing would ever be due: so everything is.
    without = Notes(whole=tell)
    found = look(store, folder, dt.datetime.now(dt.UTC), settings.silence_grace(), without)
    faults: list[str] = []
    if tell:
        channels, faults = operator_channels(settings.operator_file(around.DAG_FILE))
        faults += tell_silence(store, found, channels, tell_channels)
    if as_json:
        print_json({**_plain(found), "faults": faults})
    else:
        _show(found)
    for fault in faults:
        err.print(fault, style="red", markup=False)
    if found.silent:
        raise typer.Exit(Status.WRONG)
    if faults:
        raise typer.Exit(Status.UNDONE)


def _show(found: Look) -> None:
    from renkei.notifications.watch.silence import shown

    for one in found.silent:
        last = say("最後の結果 ", "last result ") + shown(one.last) if one.last else say("結果の記録なし", "no result")
        out.print(f"{one.tenant}  {shown(one.tick)}  {one.cause or last}", markup=False)
    watched, silent = len(found.notes.schedules), len(found.silent)
    out.print(
        say(
            f"{watched}社のうち、結果が届いていない会社: {silent}社",
            f"{silent} of {watched} tenants have no result.",
        ),
        markup=False,
    )


def _plain(found: Look) -> dict[str, Any]:
    return {
        "tenants": len(found.notes.schedules),
        "silent": [
            {
                "tenant": one.tenant,
                "expected_at": one.tick.isoformat(),
                "last_result_at": one.last.isoformat() if one.last else None,
                "cause": one.cause,
            }
            for one in found.silent
        ],
    }
