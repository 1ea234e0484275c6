"""The command of LINE WORKS → KING OF TIME, `renkei kingoftime template`."""

import typer

from renkei.commands.templates import add_template


def add_to(app: typer.Typer) -> None:
    """Puts it under `renkei kingoftime`."""
    add_template(app, "kingoftime", "LINE WORKS → KING OF TIME", "renkei.links.lineworks_kot.sheet.template:TEMPLATE")
