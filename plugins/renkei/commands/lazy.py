"""Which commands there are, without importing them: only the one that is called is imported, whole (its time to start).

So a command's module imports at its top what it works with. What brings Airflow is the exception: Airflow reads the
environment when it is imported, so `context` (and `smarthr_emc/systems`, `serve`) set that first and import it then.
"""

from __future__ import annotations

from collections.abc import Iterable
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

    lazy: Iterable[LazyCommand] = ()

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        found = next((one for one in self.lazy if one.name == name), None)
        return name, found.load() if found else command, rest


def lazy_group(commands: Iterable[LazyCommand]) -> type[LazyGroup]:
    """The class of a group of these commands."""
    return type("Commands", (LazyGroup,), {"lazy": tuple(commands)})


def add_stand_ins(app: typer.Typer, commands: Iterable[LazyCommand]) -> None:
    """Puts the commands' names and helps under `app`, whose class is `lazy_group(commands)`."""
    for one in commands:
        app.command(one.name, help=say(one.japanese, one.english))(_stand_in)


def _stand_in() -> None: ...
