"""`renkei template`, `convert`, `schema`: the sheet itself, without Airflow unless SmartHR is to be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from renkei.commands import context
from renkei.commands.check import File, Force, TenantName, show, with_refused
from renkei.commands.i18n import say
from renkei.commands.output import Status, stages
from renkei.commands.sheet_files import ConvertedFile, NewTenant, TemplateFile, template_file, write_new, writer_of
from renkei.commands.smarthr_emc import systems
from renkei.links.smarthr_emc import LINK
from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.links.smarthr_emc.sheet.excel.item_list import CustomFieldInfo
from renkei.links.smarthr_emc.sheet.excel.template import write_template
from renkei.links.smarthr_emc.sheet.excel.writer import write_workbook
from renkei.links.smarthr_emc.sheet.json_schema import schema_text
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.review import SheetReview
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.orchestration.link import LINKS, Link
from renkei.orchestration.smarthr_emc.sheet_review import review
from renkei.sheets.bounded import Compiler


def template(
    tenant: NewTenant,
    output: TemplateFile = None,
    smarthr_url: Annotated[
        str,
        typer.Option(
            help=say(
                "このSmartHRのカスタム項目も項目一覧に載せます(Airflowの接続 smarthr__テナント名 を使います)。",
                "Lists this SmartHR's custom fields too, by the Airflow Connection smarthr__TENANT.",
            )
        ),
    ] = "",
    force: Force = False,
) -> None:
    path = template_file(tenant, output)
    fields = custom_fields(tenant, smarthr_url) if smarthr_url else ()
    write_new(path, lambda file: write_template(file, tenant=tenant, custom_fields=fields), force=force)


def custom_fields(tenant: str, smarthr_url: str) -> list[CustomFieldInfo]:
    """The tenant's own SmartHR items (カスタム項目), in SmartHR's order.

    Raises:
        RenkeiError: the Connection is missing, or SmartHR does not answer.
    """

    def texts(values: Any) -> tuple[str, ...]:
        found = (value.get("name") for value in values or () if isinstance(value, dict))
        return tuple(name for name in found if isinstance(name, str))

    title = say("SmartHRの項目を読み取り中", "reading SmartHR's items")
    with stages() as stage:
        client = systems.smarthr_client(tenant, smarthr_url.rstrip("/"))
        found = client.read_all("crew_custom_field_templates", progress=lambda done, total: stage(title, done, total))
    return [
        CustomFieldInfo(str(one.get("name") or ""), str(one.get("type") or ""), texts(one.get("elements")))
        for one in found
    ]


def check(link: Link, file: Path, tenant: str, live: bool, compiler: Compiler[Mapping]) -> SheetReview:
    """What Airflow would say of a sheet, and what only other files and (`live`) SmartHR and the Connections tell."""

    given = (link, file, tenant, context.grants().of(tenant), context.neighbours(link, file), compiler)
    found = review(*given)
    if not live or not found.smarthr_url:
        return found
    refused = context.refused(link, found.mapping, found.mapping.channels) if found.mapping else []
    if not any(trial.connection == f"smarthr__{tenant}" for trial in refused):
        found = review(*given, [field.name for field in custom_fields(tenant, found.smarthr_url)])
    return with_refused(found, file, refused)


def sound_mapping(file: Path, tenant: str) -> Mapping:
    """The mapping of a sheet without mistakes.

    Raises:
        typer.Exit: it has some; they have been shown.
    """
    with Compiler(SHEETS) as compiler:
        report = check(LINKS[LINK], file, tenant or file.stem, False, compiler)
    if report.mapping is None or not report.usable:
        show(file, report, None)
        raise typer.Exit(Status.WRONG)
    mapping: Mapping = report.mapping
    return mapping


def convert(file: File, output: ConvertedFile, tenant: TenantName = "", force: Force = False) -> None:
    write = writer_of(output, {".xlsx": write_workbook, ".yaml": write_yaml, ".yml": write_yaml})
    mapping = sound_mapping(file, tenant)
    write_new(output, lambda path: write(mapping, path), force=force)


def schema() -> None:
    print(schema_text(), end="")
