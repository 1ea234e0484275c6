"""`renkei check`: all that is wrong or doubtful in sheets, of whichever link they are."""

from __future__ import annotations

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from renkei import settings
from renkei.commands import context
from renkei.commands.i18n import say
from renkei.commands.output import Status, new_file, out, print_json, stages, wrong_usage
from renkei.errors import Problem
from renkei.orchestration.link import LINKS, Link
from renkei.sheets.bounded import Compiler
from renkei.sheets.load import load
from renkei.sheets.review import Review
from renkei.sheets.workbook.marked import mark

if TYPE_CHECKING:
    from renkei.orchestration.connection_trial import Trial

_ReviewT = TypeVar("_ReviewT", bound=Review)
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


_CONNECT = "Airflowの Admin > Connections で登録または修正し、もう一度確認してください"


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
                "カスタム項目がSmartHRにあるか、Airflowの接続が使えるかも確かめます。何も送信・書き込みしません。",
                "Asks SmartHR for the custom fields, too, and tries every Connection; sends and writes nothing.",
            ),
        ),
    ] = False,
    tenant: TenantName = "",
    link: Annotated[
        str,
        typer.Option(
            "--link",
            help=say(
                "シートの連携の名前（hotprofile_kintone など）。省略するとシートのあるフォルダの名前。",
                "The sheets' link, such as hotprofile_kintone; without it, the name of the folder that they lie in.",
            ),
        ),
    ] = "",
    as_json: AsJson = False,
    force: Force = False,
) -> None:
    _refuse_wrong_usage(files, marked, tenant, link)
    reports = []
    with stages() as stage, contextlib.ExitStack() as ends:
        compilers = {name: ends.enter_context(Compiler(link.sheets())) for name, link in LINKS.items()}
        for number, file in enumerate(files, 1):
            its = LINKS[link] if link else context.link_of_file(file)
            report = its.review()(its, file, tenant or file.stem, live, compilers[its.name])
            target = marked and (marked / file.name if len(files) > 1 or marked.is_dir() else marked)
            reports.append((file, report, target))
            stage(say("確認中", "checking"), number, len(files))
    for file, report, target in reports:
        if target:
            _write_marked(LINKS[link] if link else context.link_of_file(file), report, target, force)
    if as_json:
        print_json({"sheets": [_as_json(*report) for report in reports]})
    else:
        for checked in reports:
            show(*checked)
    if any(report.problems or report.misplaced for _, report, _ in reports):
        raise typer.Exit(Status.WRONG)


def _refuse_wrong_usage(files: Sequence[Path], marked: Path | None, tenant: str, link: str) -> None:
    if link and link not in LINKS:
        known = ", ".join(LINKS)
        raise wrong_usage(f"--link は {known} のいずれかです。", f"--link is one of {known}.")
    if tenant and len(files) > 1:
        raise wrong_usage("--tenant はシートが1つの場合だけ使えます。", "--tenant is for one sheet alone.")
    if marked and (text := next((file for file in files if file.suffix.lower() != ".xlsx"), None)):
        raise wrong_usage(
            f"{text} はExcelブックではないため、写しを作れません。", f"{text} is no workbook: no copy can be marked."
        )


def review(link: Link, file: Path, tenant: str, live: bool, compiler: Compiler[Any]) -> Review:
    """What Airflow would say of a sheet, and with `live` of the Connections that it needs."""
    sheet = load(link.sheets(), file, tenant, None, settings.allowed_hosts(), compiler)
    sheet = link.check_grants()(sheet, context.grants().of(tenant), file.name)
    found = Review(tenant, sheet.mapping, sheet.problems, sheet.warnings, file.read_bytes())
    return (
        with_refused(found, file, context.refused(link, sheet.mapping, sheet.channels))
        if live and sheet.mapping
        else found
    )


def with_refused(found: _ReviewT, file: Path, refused: Sequence[Trial]) -> _ReviewT:
    """With the Connections that cannot be used, as errors of the operator's."""
    faults = [Problem(f"{file.name} Airflowの接続「{one.connection}」", one.said, _CONNECT) for one in refused]
    return dataclasses.replace(found, misplaced=(*found.misplaced, *faults))


def _write_marked(link: Link, report: Review, target: Path, force: bool) -> None:
    with new_file(target, replace=force) as file:
        titles = link.titles() if link.titles else {}
        file.write_bytes(mark(report.content, report.problems, report.warnings, titles))


def _as_json(file: Path, report: Review, target: Path | None) -> dict[str, Any]:
    def rows(problems: Sequence[Problem]) -> list[dict[str, str]]:
        return [{"where": p.where, "found": p.found, "remedy": p.remedy} for p in problems]

    return {
        "file": str(file),
        "tenant": report.tenant,
        "usable": report.usable,
        "problems": rows(report.problems),
        "warnings": rows(report.warnings),
        "operator_problems": rows(report.misplaced),
        "operator_warnings": rows(report.beside),
        "marked": str(target) if target else None,
    }


def show(file: Path, report: Review, target: Path | None) -> None:
    counts = Counter(誤り=len(report.problems) + len(report.misplaced), 注意=len(report.warnings) + len(report.beside))
    tally = "、".join(f"{kind} {number}件" for kind, number in counts.items() if number)
    out.print(f"[bold]{file.name}[/]: {tally or '誤りも注意もありません'}")
    for kind, style, problems in (
        ("誤り", "red", report.problems),
        ("誤り(運用担当者)", "red", report.misplaced),
        ("注意", "yellow", report.warnings),
        ("注意(運用担当者)", "yellow", report.beside),
    ):
        for problem in problems:
            out.print(f"  [{style}]{kind}[/]", end="  ")
            out.print(problem.where.removeprefix(file.name).strip() or "(全体)", problem.found, markup=False)
            out.print("        →", problem.remedy, markup=False)
    if target:
        out.print(say(f"  印を付けた写し: {target}", f"  marked copy: {target}"), markup=False)
