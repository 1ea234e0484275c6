"""The commands of Hot Profile → kintone, `renkei kintone …`: its sheet written and converted."""

import typer

from renkei.commands.hotprofile_kintone import sheet
from renkei.commands.i18n import say


def add_to(app: typer.Typer) -> None:
    """Puts them under `renkei kintone`."""
    own = typer.Typer(
        help=say("Hot Profile → kintone の連携設定シートを作り、変換します。", "Sheets of Hot Profile → kintone."),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    sheet.add_to(own)
    app.add_typer(own, name="kintone")
