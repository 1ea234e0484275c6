"""`renkei template`, `check`, `convert`, `schema`: the sheet itself, without Airflow unless SmartHR is to be asked."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei import settings
from renkei.clock import TOKYO
from renkei.commands import around
from renkei.commands.output import Status, new_file, out, print_json, stages, wrong_usage
from renkei.commands.words import say
from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet.index import is_tenant

if TYPE_CHECKING:
    from renkei.links.smarthr_emc.sheet.excel.item_list import CustomFieldInfo
    from renkei.links.smarthr_emc.sheet.mapping import Mapping
    from renkei.links.smarthr_emc.sheet.review import Review

File = Annotated[
    Path,
    typer.Argument(
        exists=True,
        dir_okay=False,
        metavar="FILE",
        help=say("連携設定シート(.xlsx、.yaml)。", "A sheet (.xlsx, .yaml)."),
    ),
]
TenantName = Annotated[
    str,
    typer.Option(
        "--tenant",
        help=say(
            "テナント名。省略するとファイル名から拡張子を除いたもの。",
            "The tenant; without it, the file's name without its ending.",
        ),
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help=say("既にあるファイルを上書きします。", "Replaces a file that is there."))
]
AsJson = Annotated[bool, typer.Option("--json", help=say("結果をJSONで出力します。", "Prints the result as JSON."))]


def add_to(app: typer.Typer) -> None:
    """Puts these commands under `renkei`."""
    app.command(help=say("記入用の連携設定シートを作ります。", "Writes a fresh workbook for a tenant to fill in."))(
        template
    )
    app.command(
        help=say(
            "連携設定シートの誤りと注意をすべて挙げます。何も変更しません。",
            "Lists all that is wrong or doubtful in sheets; changes nothing.",
        )
    )(check)
    app.command(
        help=say("ExcelブックとYAMLを相互に変換します。", "Turns a workbook into YAML, or YAML into a workbook.")
    )(convert)
    app.command(help=say("YAMLのJSON Schemaを出力します。", "Prints the JSON Schema of the YAML form."))(schema)


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
    from renkei.links.smarthr_emc.sheet.excel.template import write_template

    if not is_tenant(tenant):
        raise wrong_usage(
            f"「{tenant}」はテナント名に使えません。半角の英小文字、数字、_、- で指定してください。",
            f"{tenant!r} cannot be a tenant's name: a-z, 0-9, _ and - only.",
        )
    path = output or Path(f"{tenant}.xlsx")
    if path.suffix.lower() != ".xlsx":
        raise wrong_usage("ファイル名は .xlsx で終わるようにしてください。", "The file's name must end with .xlsx.")
    fields = custom_fields(tenant, smarthr_url) if smarthr_url else ()
    with new_file(path, replace=force) as file:
        write_template(file, tenant=tenant, custom_fields=fields)
    out.print(say(f"{path} を作りました。", f"{path} is written."), markup=False)


def custom_fields(tenant: str, smarthr_url: str) -> list[CustomFieldInfo]:
    """The tenant's own SmartHR items (カスタム項目), in SmartHR's order.

    Raises:
        RenkeiError: the Connection is missing, or SmartHR does not answer.
    """
    from renkei.links.smarthr_emc.sheet.excel.item_list import CustomFieldInfo

    def texts(values: Any) -> tuple[str, ...]:
        found = (value.get("name") for value in values or () if isinstance(value, dict))
        return tuple(name for name in found if isinstance(name, str))

    title = say("SmartHRの項目を読み取り中", "reading SmartHR's items")
    with stages() as stage:
        client = around.smarthr_client(tenant, smarthr_url.rstrip("/"))
        found = client.read_all("crew_custom_field_templates", progress=lambda done, total: stage(title, done, total))
    return [
        CustomFieldInfo(str(one.get("name") or ""), str(one.get("type") or ""), texts(one.get("elements")))
        for one in found
    ]


def check(
    files: Annotated[
        list[Path],
        typer.Argument(
            exists=True,
            dir_okay=False,
            metavar="FILE...",
            help=say("連携設定シート(.xlsx、.yaml)。いくつでも。", "Sheets (.xlsx, .yaml), any number of them."),
        ),
    ],
    marked: Annotated[
        Path | None,
        typer.Option(
            help=say(
                "誤りのセルに色とコメントを付けた写しを作ります。シートが2つ以上ならフォルダ。",
                "Writes a copy with the bad cells coloured and commented; a folder for several sheets.",
            )
        ),
    ] = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live",
            help=say(
                "カスタム項目がSmartHRにあるかも確かめます(Airflowの接続 smarthr__テナント名 を使います)。",
                "Asks SmartHR for the custom fields, too, by the Airflow Connection smarthr__TENANT.",
            ),
        ),
    ] = False,
    tenant: TenantName = "",
    as_json: AsJson = False,
    force: Force = False,
) -> None:
    if tenant and len(files) > 1:
        raise wrong_usage("--tenant はシートが1つの場合だけ使えます。", "--tenant is for one sheet alone.")
    if marked and (text := next((file for file in files if file.suffix.lower() != ".xlsx"), None)):
        raise wrong_usage(
            f"{text} はExcelブックではないため、写しを作れません。", f"{text} is no workbook: no copy can be marked."
        )
    reports = []
    with stages() as stage:
        for number, file in enumerate(files, 1):
            report = _checked(file, tenant or file.stem, live=live)
            target = marked and (marked / file.name if len(files) > 1 or marked.is_dir() else marked)
            reports.append((file, report, target))
            stage(say("確認中", "checking"), number, len(files))
    for _, report, target in reports:
        if target:
            _write_marked(report, target, force)
    if as_json:
        print_json({"sheets": [_as_json(*report) for report in reports]})
    else:
        for checked in reports:
            _show(*checked)
    if any(report.problems for _, report, _ in reports):
        raise typer.Exit(Status.WRONG)


def _checked(file: Path, tenant: str, *, live: bool) -> Review:
    from renkei.links.smarthr_emc.sheet.review import review

    def look(templates: Collection[str] | None) -> Review:
        others = around.neighbours(file)
        hosts, today = settings.allowed_hosts(), dt.datetime.now(TOKYO).date()
        return review(file, tenant, neighbours=others, templates=templates, allowed_hosts=hosts, today=today)

    found = look(None)
    if not live or found.mapping is None:
        return found
    return look([field.name for field in custom_fields(tenant, found.mapping.smarthr_url)])


def _write_marked(report: Review, target: Path, force: bool) -> None:
    from renkei.links.smarthr_emc.sheet.excel.marked import mark

    with new_file(target, replace=force) as file:
        file.write_bytes(mark(report.content, report.problems, report.warnings))


def _as_json(file: Path, report: Review, target: Path | None) -> dict[str, Any]:
    def rows(problems: Sequence[Problem]) -> list[dict[str, str]]:
        return [{"where": p.where, "found": p.found, "remedy": p.remedy} for p in problems]

    return {
        "file": str(file),
        "tenant": report.tenant,
        "usable": report.mapping is not None and not report.problems,
        "problems": rows(report.problems),
        "warnings": rows(report.warnings),
        "marked": str(target) if target else None,
    }


def _show(file: Path, report: Review, target: Path | None) -> None:
    counts = Counter(誤り=len(report.problems), 注意=len(report.warnings))
    tally = "、".join(f"{kind} {number}件" for kind, number in counts.items() if number)
    out.print(f"[bold]{file.name}[/]: {tally or '誤りも注意もありません'}")
    for kind, style, problems in (("誤り", "red", report.problems), ("注意", "yellow", report.warnings)):
        for problem in problems:
            out.print(f"  [{style}]{kind}[/]", end="  ")
            out.print(problem.where.removeprefix(file.name).strip() or "(全体)", problem.found, markup=False)
            out.print("        →", problem.remedy, markup=False)
    if target:
        out.print(say(f"  印を付けた写し: {target}", f"  marked copy: {target}"), markup=False)


def sound_mapping(file: Path, tenant: str) -> Mapping:
    """The mapping of a sheet without mistakes.

    Raises:
        typer.Exit: it has some; they have been shown.
    """
    report = _checked(file, tenant or file.stem, live=False)
    if report.mapping is None or report.problems:
        _show(file, report, None)
        raise typer.Exit(Status.WRONG)
    return report.mapping


def convert(
    file: File,
    output: Annotated[
        Path,
        typer.Argument(metavar="OUTPUT", help=say("作るファイル(.xlsx、.yaml)。", "The file to write (.xlsx, .yaml).")),
    ],
    tenant: TenantName = "",
    force: Force = False,
) -> None:
    from renkei.links.smarthr_emc.sheet.excel.writer import write_workbook
    from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml

    writers = {".xlsx": write_workbook, ".yaml": write_yaml, ".yml": write_yaml}
    write = writers.get(output.suffix.lower())
    if write is None:
        raise wrong_usage(
            "ファイル名は .xlsx か .yaml で終わるようにしてください。", "The file's name must end with .xlsx or .yaml."
        )
    mapping = sound_mapping(file, tenant)
    with new_file(output, replace=force) as written:
        write(mapping, written)
    out.print(say(f"{output} を作りました。", f"{output} is written."), markup=False)


def schema() -> None:
    from renkei.links.smarthr_emc.sheet.json_schema.document import schema_text

    print(schema_text(), end="")
