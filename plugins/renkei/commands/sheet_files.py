"""What the commands that write a sheet have in common, whichever link it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from renkei.commands.i18n import say
from renkei.commands.output import new_file, out, wrong_usage
from renkei.sheets.tenant_files import is_tenant

NewTenant = Annotated[
    str, typer.Argument(help=say("テナント名(半角の英小文字、数字、_、-)。", "The tenant (a-z, 0-9, _, -)."))
]
TemplateFile = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        help=say("作るファイル。省略すると テナント名.xlsx。", "The file to write; else TENANT.xlsx."),
    ),
]
ConvertedFile = Annotated[
    Path,
    typer.Argument(metavar="OUTPUT", help=say("作るファイル(.xlsx、.yaml)。", "The file to write (.xlsx, .yaml).")),
]
WriterT = TypeVar("WriterT")


def template_file(tenant: str, output: Path | None) -> Path:
    """Where the template goes.

    Raises:
        typer.Exit: that is no tenant's name, or no workbook's.
    """
    if not is_tenant(tenant):
        raise wrong_usage(
            f"「{tenant}」はテナント名に使えません。半角の英小文字、数字、_、- で指定してください。",
            f"{tenant!r} cannot be a tenant's name: a-z, 0-9, _ and - only.",
        )
    path = output or Path(f"{tenant}.xlsx")
    if path.suffix.lower() != ".xlsx":
        raise wrong_usage("ファイル名は .xlsx で終わるようにしてください。", "The file's name must end with .xlsx.")
    return path


def writer_of(output: Path, writers: Mapping[str, WriterT]) -> WriterT:
    """The one of `writers`, by endings, that the file's name asks for; raises typer.Exit: none."""
    found = writers.get(output.suffix.lower())
    if found is None:
        raise wrong_usage(
            "ファイル名は .xlsx か .yaml で終わるようにしてください。", "The file's name must end with .xlsx or .yaml."
        )
    return found


def write_new(path: Path, write: Callable[[Path], None], *, force: bool) -> None:
    with new_file(path, replace=force) as file:
        write(file)
    out.print(say(f"{path} を作りました。", f"{path} is written."), markup=False)
