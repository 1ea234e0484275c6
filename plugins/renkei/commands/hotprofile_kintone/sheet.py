"""`renkei kintone template`, `convert`: the sheet itself, without Airflow."""

from __future__ import annotations

import typer

from renkei import settings
from renkei.commands.check import File, Force, TenantName
from renkei.commands.i18n import say
from renkei.commands.output import Status, err
from renkei.commands.sheet_files import ConvertedFile, NewTenant, TemplateFile, template_file, write_new, writer_of
from renkei.links.hotprofile_kintone.sheet import SHEETS
from renkei.links.hotprofile_kintone.sheet.mapping import Mapping
from renkei.links.hotprofile_kintone.sheet.template import write_template, write_workbook
from renkei.links.hotprofile_kintone.sheet.yaml_form import write_yaml
from renkei.sheets.bounded import Compiler
from renkei.sheets.compiled import Compiled
from renkei.sheets.load import load

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command(help=say("記入用の連携設定シートを作ります。", "Writes a fresh workbook for a tenant to fill in."))
def template(tenant: NewTenant, output: TemplateFile = None, force: Force = False) -> None:
    path = template_file(tenant, output)
    write_new(path, lambda file: write_template(file, tenant=tenant), force=force)


@app.command(help=say("ExcelブックとYAMLを相互に変換します。", "Turns a workbook into YAML, or YAML into a workbook."))
def convert(file: File, output: ConvertedFile, tenant: TenantName = "", force: Force = False) -> None:
    write = writer_of(output, {".xlsx": write_workbook, ".yaml": write_yaml, ".yml": write_yaml})
    with Compiler(SHEETS) as compiler:
        sheet: Compiled[Mapping] = load(
            SHEETS, file, tenant or file.stem, allowed_hosts=settings.allowed_hosts(), compiler=compiler
        )
    mapping = sheet.mapping
    if mapping is None:
        for problem in sheet.problems:
            err.print(str(problem), markup=False)
        raise typer.Exit(Status.WRONG)
    write_new(output, lambda path: write(mapping, sheet.channels, path), force=force)
