"""`renkei <link> template`: sheets of the links whose workbook is a few short tables."""

from __future__ import annotations

from pkgutil import resolve_name

import typer

from renkei.commands.check import Force
from renkei.commands.i18n import say
from renkei.commands.sheet_files import NewTenant, TemplateFile, template_file, write_new


def add_template(app: typer.Typer, name: str, link: str, asked: str) -> None:
    """Puts `renkei <name> template` under `renkei`; `asked` names what the link asks in its sheet."""
    own = typer.Typer(
        help=say(f"{link} の連携設定シートを作ります。", f"Sheets of {link}."),
        no_args_is_help=True,
        rich_markup_mode=None,
    )

    @own.callback()
    def group() -> None:
        """A group of one command, which keeps its name."""

    @own.command(help=say("記入用の連携設定シートを作ります。", "Writes a fresh workbook for a tenant to fill in."))
    def template(tenant: NewTenant, output: TemplateFile = None, force: Force = False) -> None:
        from renkei.notifications.form.template import write_template

        path = template_file(tenant, output)
        write_new(path, lambda file: write_template(file, resolve_name(asked), tenant), force=force)

    app.add_typer(own, name=name)
