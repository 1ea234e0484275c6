"""The commands of SmartHR → Emergency Call: its sheet written, converted and rehearsed."""

import typer

from renkei.commands.smarthr_emc import rehearse, sheet


def add_to(app: typer.Typer) -> None:
    """Puts them under `renkei`."""
    sheet.add_to(app)
    rehearse.add_to(app)
