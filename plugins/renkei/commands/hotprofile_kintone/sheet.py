"""`renkei kintone template`, `convert`: the sheet itself, without Airflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from renkei import settings
from renkei.commands.check import File, Force, TenantName
from renkei.commands.i18n import say
from renkei.commands.output import Status, err, new_file, out, wrong_usage
from renkei.links.hotprofile_kintone.sheet import SHEETS
from renkei.links.hotprofile_kintone.sheet.mapping import Mapping
from renkei.sheets.bounded import Compiler
from renkei.sheets.compiled import Compiled
from renkei.sheets.load import load
from renkei.sheets.tenant_files import is_tenant


def add_to(app: typer.Typer) -> None:
    """Puts these commands under their link's."""
    app.command(help=say("記入用の連携設定シートを作ります。", "Writes a fresh workbook for a tenant to fill in."))(
        template
    )
    app.command(
        help=say("ExcelブックとYAMLを相互に変換します。", "Turns a workbook into YAML, or YAML into a workbook.")
    )(convert)


def template(
    tenant: Annotated[
        str, typer.Argument(help=say("テナント名(半角の英小文字、数字、_、-)。", "The tenant (a-z, 0-9, _, -)."))
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help=say("作るファイル。省略すると テナント名.xlsx。", "The file to write; else TENANT.xlsx."),
        ),
    ] = None,
    force: Force = False,
) -> None:
    from renkei.links.hotprofile_kintone.sheet.template import write_template

    if not is_tenant(tenant):
        raise wrong_usage(
            f"「{tenant}」はテナント名に使えません。半角の英小文字、数字、_、- で指定してください。",
            f"{tenant!r} cannot be a tenant's name: a-z, 0-9, _ and - only.",
        )
    path = output or Path(f"{tenant}.xlsx")
    if path.suffix.lower() != ".xlsx":
        raise wrong_usage("ファイル名は .xlsx で終わるようにしてください。", "The file's name must end with .xlsx.")
    with new_file(path, replace=force) as file:
        write_template(file, tenant=tenant)
    out.print(say(f"{path} を作りました。", f"{path} is written."), markup=False)


def convert(
    file: File,
    output: Annotated[
        Path,
        typer.Argument(metavar="OUTPUT", help=say("作るファイル(.xlsx、.yaml)。", "The file to write (.xlsx, .yaml).")),
    ],
    tenant: TenantName = "",
    force: Force = False,
) -> None:
    from renkei.links.hotprofile_kintone.sheet.template import write_workbook
    from renkei.links.hotprofile_kintone.sheet.yaml_form import write_yaml

    writers = {".xlsx": write_workbook, ".yaml": write_yaml, ".yml": write_yaml}
    write = writers.get(output.suffix.lower())
    if write is None:
        raise wrong_usage(
            "ファイル名は .xlsx か .yaml で終わるようにしてください。", "The file's name must end with .xlsx or .yaml."
        )
    with Compiler(SHEETS) as compiler:
        sheet: Compiled[Mapping] = load(
            SHEETS, file, tenant or file.stem, allowed_hosts=settings.allowed_hosts(), compiler=compiler
        )
    if sheet.mapping is None:
        for problem in sheet.problems:
            err.print(str(problem), markup=False)
        raise typer.Exit(Status.WRONG)
    with new_file(output, replace=force) as written:
        write(sheet.mapping, sheet.channels, written)
    out.print(say(f"{output} を作りました。", f"{output} is written."), markup=False)
