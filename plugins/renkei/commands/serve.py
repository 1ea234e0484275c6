"""`renkei serve`: what the internet may reach, in a process of its own."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from renkei.commands.i18n import say
from renkei.commands.output import err
from renkei.errors import SettingError
from renkei.settings import check_public_url


def serve(
    host: Annotated[str, typer.Option(help=say("待ち受けるアドレス", "Address to listen at."))] = "127.0.0.1",
    port: Annotated[int, typer.Option(help=say("待ち受けるポート", "Port to listen at."))] = 8090,
    proxies: Annotated[
        str,
        typer.Option(
            help=say(
                "前に置くプロキシのアドレス(コンマ区切り、CIDRも可)。その X-Forwarded-For を信じます",
                "Addresses of the proxies in front (comma list, CIDR too) whose X-Forwarded-For is believed.",
            )
        ),
    ] = "",
) -> None:
    # Connections as Airflow's servers find them, and its own log no finer than ours (airflow/settings.py reads both).
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "WARNING"
    from renkei.orchestration.public.app import standalone_app
    from renkei.public.server import server

    try:
        check_public_url()
    except SettingError as error:  # of the pages alone: callbacks are taken all the same, for they are sent once
        err.print(str(error), style="red", markup=False)
    server(standalone_app(), host, port, proxies).run()
