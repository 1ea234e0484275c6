"""`renkei watch`: who is silent, asked from the command line, for a cron that outlives Airflow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei import settings
from renkei.clock import time_in_japan, utcnow
from renkei.commands import context
from renkei.commands.check import AsJson
from renkei.commands.i18n import say
from renkei.commands.output import Status, err, out, print_json
from renkei.errors import StoreError
from renkei.notifications.monitor.silence import LOST, NONE_YET, Notes, Silence
from renkei.orchestration.link import LINKS
from renkei.storage.store import Store
from renkei.storage.tenant_folder import tenants_folder

if TYPE_CHECKING:
    from renkei.orchestration.monitor.scan import ScanResult


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
    store = context.open_store()
    # Airflow: see `lazy`.
    from renkei.orchestration.channel_connections import notify_channels as tell_channels
    from renkei.orchestration.monitor.monitor import tell_silence
    from renkei.orchestration.monitor.operator_channels import operator_channels

    if not any(store.names(tenants_folder(link)) for link in LINKS):  # the wrong store: nobody is seen there
        raise StoreError(
            "保存先に会社の記録が1つもないため、結果が届いているかを確認できません。保存先(RENKEI_STORE)を確認してください。"
        )
    # Where no look was ever kept and this one is not either, nothing would ever be due: so everything is.
    results = _scan_all(store, NONE_YET if tell else LOST)
    faults: list[str] = []
    if tell:
        channels, faults = operator_channels(settings.operator_file(context.DAG_FILE))
        for link, found in zip(LINKS.values(), results, strict=True):
            faults += tell_silence(link, store, found, channels, tell_channels)
    watched = sum(len(found.notes.schedules) for found in results)
    silent = [one for found in results for one in found.silent]
    if as_json:
        print_json({"tenants": watched, "silent": [_plain(one) for one in silent], "faults": faults})
    else:
        _show(watched, silent)
    for fault in faults:
        err.print(fault, style="red", markup=False)
    if silent:
        raise typer.Exit(Status.WRONG)
    if faults:
        raise typer.Exit(Status.UNDONE)


def _scan_all(store: Store, without: Notes) -> list[ScanResult]:
    from renkei.orchestration.monitor.scan import scan  # Airflow: see `lazy`

    return [
        scan(
            link,
            store,
            settings.mappings_folder(context.DAG_FILE, link.name),
            context.grants(),
            utcnow(),
            settings.silence_grace(),
            without,
        )
        for link in LINKS.values()
    ]


def _show(watched: int, silent: Sequence[Silence]) -> None:
    for one in silent:
        at = time_in_japan(one.last) if one.last else ""
        last = say(f"最後の結果 {at}", f"last result {at}") if at else say("結果の記録なし", "no result")
        out.print(f"{one.tenant}  {time_in_japan(one.tick)}  {one.cause or last}", markup=False)
    out.print(
        say(
            f"{watched}社のうち、結果が届いていない会社: {len(silent)}社",
            f"{len(silent)} of {watched} tenants have no result.",
        ),
        markup=False,
    )


def _plain(one: Silence) -> dict[str, Any]:
    return {
        "tenant": one.tenant,
        "expected_at": one.tick.isoformat(),
        "last_result_at": one.last.isoformat() if one.last else None,
        "cause": one.cause,
    }
