"""`renkei <link> template`: sheets of the links whose workbook is a few short tables."""

from __future__ import annotations

import typer

from renkei.commands.check import Force
from renkei.commands.i18n import say
from renkei.commands.sheet_files import NewTenant, TemplateFile, template_file, write_new
from renkei.notifications.form.template import Template, write_template


def template_group(asked: Template) -> typer.Typer:
    """`template`, alone in a group; `asked` is what the link asks in its sheet."""
    own = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

    @own.callback()
    def group() -> None:
        """A group of one command, which keeps its name."""

    @own.command(help=say("記入用の連携設定シートを作ります。", "Writes a fresh workbook for a tenant to fill in."))
    def template(tenant: NewTenant, output: TemplateFile = None, force: Force = False) -> None:
        path = template_file(tenant, output)
        write_new(path, lambda file: write_template(file, asked, tenant), force=force)

    return own
