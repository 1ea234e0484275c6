"""`renkei rehearse` and `renkei person`: what a sheet would do, shown to the one who asked and written nowhere."""

from __future__ import annotations

import dataclasses
import datetime as dt
from enum import StrEnum
from typing import Annotated, Any

import typer

from renkei.clock import utcnow
from renkei.commands import context
from renkei.commands.check import AsJson, File, TenantName
from renkei.commands.i18n import say
from renkei.commands.output import Status, out, print_json, stages
from renkei.commands.smarthr_emc import systems
from renkei.commands.smarthr_emc.person_text import show_recorded
from renkei.commands.smarthr_emc.rehearsal_text import show, show_person
from renkei.commands.smarthr_emc.sheet import sound_mapping
from renkei.links.smarthr_emc import LINK, rehearsal
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.people.explain import explain
from renkei.links.smarthr_emc.rehearsal.person import trace
from renkei.links.smarthr_emc.rehearsal.result import Verdict
from renkei.links.smarthr_emc.rehearsal.whole import PEOPLE_SHOWN
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.orchestration.link import LINKS
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.emc.file_format import EmcFormat

Live = Annotated[
    bool,
    typer.Option(
        "--live",
        help=say(
            "SmartHRとEMCを今読んで試します。省略すると、保存先にある前回の受信で試します。",
            "Reads SmartHR and EMC now; without it, the newest read in the store is used.",
        ),
    ),
]


class RehearsalMode(StrEnum):
    """What a manual run could be asked for, as it is typed."""

    NORMAL = "normal"  # 通常
    WRITE_ALL = "write-all"  # 全件書き込み
    RELINK = "relink"  # 再連携

    @property
    def mode(self) -> Mode:
        return Mode(self.value.upper().replace("-", "_"))


AsIf = Annotated[
    RehearsalMode,
    typer.Option(
        "--mode",
        help=say(
            "実行方法: normal 通常、write-all 全件書き込み、relink 再連携。",
            "As if triggered with: normal 通常, write-all 全件書き込み, relink 再連携.",
        ),
    ),
]


def rehearse(
    file: File,
    live: Live = False,
    mode: AsIf = RehearsalMode.NORMAL,
    everybody: Annotated[
        bool,
        typer.Option(
            "--all",
            help=say("誤りや注意の全員を挙げます(省略時は各20名)。", "Names everybody in each list, not the first 20."),
        ),
    ] = False,
    tenant: TenantName = "",
    as_json: AsJson = False,
) -> None:
    mapping = sound_mapping(file, tenant)
    with stages() as progress:
        found = rehearsal.rehearse(
            *_what(mapping),
            **_systems(mapping, live),
            mode=mode.mode,
            shown=None if everybody else PEOPLE_SHOWN,
            progress=progress,
        )
    refused = context.refused(LINKS[LINK], mapping, mapping.channels) if live else []
    if as_json:
        print_json(found.as_json() | {"refused_connections": [dataclasses.asdict(trial) for trial in refused]})
    else:
        show(found, mapping.smarthr_url)
        for trial in refused:
            out.print(f"  × Airflowの接続「{trial.connection}」: {trial.said}", style="red", markup=False)
    if refused or found.verdict in (Verdict.STOPPED, Verdict.ERRORS, Verdict.HELD):
        raise typer.Exit(Status.WRONG)


def person(
    file: File,
    who: Annotated[
        str,
        typer.Argument(
            help=say(
                "ユーザID、社員番号、SmartHRの従業員ID、メールアドレス、氏名のどれか。退職した人や以前のユーザIDでも探せます。",
                "User id, employee number, SmartHR crew id, mail address or name; of leavers and earlier ids too.",
            )
        ),
    ],
    live: Live = False,
    mode: AsIf = RehearsalMode.NORMAL,
    tenant: TenantName = "",
    as_json: AsJson = False,
) -> None:
    mapping = sound_mapping(file, tenant)
    with stages() as progress:
        progress(say("実行の記録を調べています", "looking at the record of runs"), 0, 0)
        what = _what(mapping)
        recorded = explain(TenantFolder(what[0], LINK, mapping.tenant), who)
        # Of one whom a name or an earlier id led to, the next run is asked by crew id.
        crew_id = recorded.people[0].person.crew_id if len(recorded.people) == 1 else who
        found = trace(*what, crew_id, **_systems(mapping, live), mode=mode.mode, progress=progress)
    if as_json:
        print_json(found.as_json() | {"recorded": recorded.as_json()})
    else:
        show_recorded(recorded)
        show_person(found)
    if not (found.people or recorded.people or recorded.others):
        raise typer.Exit(Status.WRONG)


def _what(mapping: Mapping) -> tuple[Store, str, Mapping, EmcFormat, dt.datetime]:
    return context.open_store(), LINK, mapping, systems.emc_format(), utcnow()


def _systems(mapping: Mapping, live: bool) -> dict[str, Any]:
    """SmartHR and EMC where they are to be asked, and whether 災害時凍結 is on."""
    frozen = systems.disaster_freeze(mapping.tenant)
    if not live:
        return {"disaster": frozen}
    client = systems.smarthr_client(mapping.tenant, mapping.smarthr_url, mapping.requests_per_second)
    return {"source": client, "target": systems.emc_target(mapping), "disaster": frozen}
