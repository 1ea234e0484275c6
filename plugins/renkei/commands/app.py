"""The entry `renkei`."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from renkei.commands.i18n import say
from renkei.commands.lazy import LazyCommand, add_commands
from renkei.commands.output import Status, err
from renkei.errors import RenkeiError
from renkei.orchestration.link import LINKS

STATUSES = say(
    "終了コード: 0 問題なし / 1 誤りあり / 2 使い方の誤り / 3 実行できなかった(接続、保存先など)",
    "Exit status: 0 nothing wrong / 1 something is wrong / 2 used wrongly / 3 could not be done (connection, store ...)",
)
OF_ALL_LINKS = (
    LazyCommand(
        "check", "renkei.commands.check:check",
        "連携設定シートの誤りと注意をすべて挙げます。何も変更しません。",
        "Lists all that is wrong or doubtful in sheets; changes nothing.",
    ),
    LazyCommand(
        "connections", "renkei.commands.connections:app",
        "Airflowの接続を試します。", "Tests Airflow's Connections.",
    ),
    LazyCommand(
        "notify", "renkei.commands.notify:app",
        "通知先を表示し、試します。", "Lists and tests the channels of a tenant.",
    ),
    LazyCommand(
        "members", "renkei.commands.members:app",
        "社員ごとの通知先を登録し、LINE連携の招待を作ります。",
        "Registers where each member is reached; makes invitations to link LINE.",
    ),
    LazyCommand(
        "watch", "renkei.commands.watch:watch",
        "処理時刻を過ぎても結果が届いていない会社を挙げます(1社でもあれば終了コード1)。",
        "Lists the tenants that should have had a result and have none; exit status 1 if there is one.",
    ),
    LazyCommand(
        "serve", "renkei.commands.serve:serve",
        "インターネットから届くもの(コールバック、LINE連携の画面)を、AirflowのAPIサーバーとは別に受けます。",
        "Serves what the internet may reach (callbacks, the LINE linking pages), apart from Airflow's API server.",
    ),
)  # fmt: skip
COMMANDS = {
    say("すべての連携のコマンド", "Commands of all links"): OF_ALL_LINKS,
    **{link.label: tuple(link.commands()) for link in LINKS.values() if link.commands},
}
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
add_commands(app, COMMANDS)


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
