"""Which commands there are, without importing them: only the one that is called is imported, whole (its time to start).

So a command's module imports at its top what it works with. What brings Airflow is the exception: Airflow reads the
environment when it is imported, so `context` (and `smarthr_emc/systems`, `serve`) set that first and import it then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from renkei.commands.i18n import say


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command by the dotted name, "module:name", of its function, or of its `Typer` where it is a group of some."""

    name: str
    target: str
    japanese: str  # what its help says, as the list of all commands does
    english: str

    def load(self) -> Any:
        """The command itself, imported."""
        target, text = resolve_name(self.target), say(self.japanese, self.english)
        if isinstance(target, typer.Typer):
            group = get_group(target)
            group.name, group.help = self.name, text
            return group
        alone = typer.Typer(rich_markup_mode=None, add_completion=False)
        alone.command(self.name, help=text)(target)
        return get_command(alone)


class LazyGroup(TyperGroup):
    """Has a stand-in for each command, by its name and help; what is called is the command itself."""

    sections: Mapping[str, Sequence[LazyCommand]] = {}  # by what the list of all commands calls them

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        found = next((one for part in self.sections.values() for one in part if one.name == name), None)
        return name, found.load() if found else command, rest

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of all commands, by section, in columns of one width."""
        longest = max(map(len, self.commands))
        for title, commands in self.sections.items():
            with formatter.section(title):
                formatter.write_dl(
                    (one.name.ljust(longest), self.commands[one.name].get_short_help_str(formatter.width - 6 - longest))
                    for one in commands
                )


def add_commands(app: typer.Typer, sections: Mapping[str, Sequence[LazyCommand]]) -> None:
    """Puts the commands' names and helps under `app`, whose class is made for them."""
    app.info.cls = type("Commands", (LazyGroup,), {"sections": sections})
    for one in (one for part in sections.values() for one in part):
        app.command(one.name, help=say(one.japanese, one.english))(_stand_in)


def _stand_in() -> None: ...
