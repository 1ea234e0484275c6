"""The command of WORKPLACE → LINE WORKS, `renkei workplace template`."""

import typer

from renkei.commands.templates import add_template


def add_to(app: typer.Typer) -> None:
    """Puts it under `renkei workplace`."""
    add_template(app, "workplace", "WORKPLACE → LINE WORKS", "renkei.links.workplace_lineworks.sheet.template:TEMPLATE")
