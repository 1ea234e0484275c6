"""The entry `renkei`."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from renkei.commands import check, connections, members, notify, serve, watch
from renkei.commands.i18n import say
from renkei.commands.output import Status, err
from renkei.errors import RenkeiError
from renkei.orchestration.link import LINKS

STATUSES = say(
    "終了コード: 0 問題なし / 1 誤りあり / 2 使い方の誤り / 3 実行できなかった(接続、保存先など)",
    "Exit status: 0 nothing wrong / 1 something is wrong / 2 used wrongly / 3 could not be done (connection, store ...)",
)
app = typer.Typer(
    name="renkei",
    help=say(
        "連携設定シートを作り、確かめ、試します。通知先とメンバー表を扱います。",
        "Writes, checks and rehearses a tenant's sheet (連携設定シート); its channels and members.",
    ),
    epilog=STATUSES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # its boxes cut Japanese lines short
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
check.add_to(app)
for link in LINKS.values():
    if link.commands:
        link.commands()(app)
connections.add_to(app)
notify.add_to(app)
members.add_to(app)
watch.add_to(app)
serve.add_to(app)


def _version(asked: bool) -> None:
    if asked:
        print(f"renkei {version('renkei')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help=say("版を表示します。", "Shows the version.")),
    ] = False,
) -> None:
    """What stands before a command's name."""


def main() -> None:
    """Run the command line; ends the process with one of `Status`."""
    try:
        app()
    except RenkeiError as error:
        err.print(str(error), style="red", markup=False)
        sys.exit(Status.UNDONE)
    except KeyboardInterrupt:
        sys.exit(130)
