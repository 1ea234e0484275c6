"""Where the commands write: results to stdout, progress and troubles to stderr, files for their owner alone."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from renkei.commands.i18n import say

WIDE = 160  # columns where there is no terminal to fit: a file, a pipe
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
if not out.is_terminal and "COLUMNS" not in os.environ:
    out.width = WIDE
Stage = Callable[[str, int, int], None]  # what is being done, how much of it, of how much (0 = not known)


class Status(IntEnum):
    """The command's exit status; 2 is typer's own, for a command used wrongly."""

    WELL = 0  # done, and nothing wrong
    WRONG = 1  # done, and something is wrong: in the sheet, in what it would do
    USAGE = 2
    UNDONE = 3  # not done: no connection, no store, SmartHR or EMC did not answer


def print_json(value: Any) -> None:
    """JSON alone, so that a program may read all of stdout."""
    print(json.dumps(value, ensure_ascii=False, indent=1))


def wrong_usage(japanese: str, english: str) -> typer.Exit:
    """Print what to type instead; the exit to raise."""
    err.print(say(japanese, english), style="red", markup=False)
    return typer.Exit(Status.USAGE)


@contextmanager
def new_file(path: Path, *, replace: bool) -> Iterator[Path]:
    """A path to write to; at the end it is `path`, whole, and its owner's alone: sheets and reports hold secrets and people.

    Raises:
        typer.Exit: there is such a file, and it may not be replaced.
    """
    if path.exists() and not replace:
        raise wrong_usage(
            f"{path} は既にあります。上書きする場合は --force を付けてください。",
            f"{path} is there already; --force replaces it.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)  # 0600
    os.close(handle)
    written = Path(name)
    try:
        yield written
        os.replace(written, path)
    finally:
        written.unlink(missing_ok=True)


@contextmanager
def stages() -> Iterator[Stage]:
    """Tells on stderr what is being done: a bar on a terminal, gone at the end; else a line when something new begins."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task, said = bar.add_task("", total=None), ""

        def stage(title: str, done: int, total: int) -> None:
            nonlocal said
            if title != said and not err.is_terminal:
                err.print(title, markup=False)
            said = title
            bar.update(task, description=title, completed=done, total=total or None)

        yield stage
