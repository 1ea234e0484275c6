"""`renkei members …`: who is reached where, and the invitations to link LINE (N4)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from renkei import settings
from renkei.clock import day_in_japan, utcnow
from renkei.commands import context
from renkei.commands.check import AsJson, Force
from renkei.commands.i18n import say
from renkei.commands.output import Status, new_file, out, print_json, wrong_usage
from renkei.errors import Problem
from renkei.notifications.members.file import written
from renkei.notifications.members.importing import Import, read_import, take_over
from renkei.notifications.members.linking import Linking
from renkei.notifications.members.own import OwnEntries
from renkei.notifications.members.table import COLUMNS, LABELS, Members
from renkei.sheets.table_file import guarded
from renkei.sheets.tenant_files import is_tenant
from renkei.storage.database.database import open_database
from renkei.storage.tenant_folder import TenantFolder

MAX_DAYS = 90
app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Tenant = Annotated[str, typer.Argument(metavar="TENANT", help=say("テナント名。", "The tenant."))]
UserIds = Annotated[list[str] | None, typer.Argument(metavar="USER_ID...", help=say("ユーザID。", "User ids."))]
Output = Annotated[
    Path,
    typer.Option("-o", "--output", help=say("作るファイル(.csv)。本人だけが読めます。", "The file to write (.csv).")),
]


def import_(
    tenant: Tenant,
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, metavar="FILE", help=say("CSVまたはExcelブック。", "A CSV or a workbook.")
        ),
    ],
    check: Annotated[
        bool, typer.Option("--check", help=say("確かめるだけで登録しません。", "Looks for mistakes only."))
    ] = False,
    remove_many: Annotated[
        bool,
        typer.Option(
            "--remove-many",
            help=say("登録の1割を超える社員が消えても登録します。", "Even if more than a tenth of the members go."),
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    linking = _linking(tenant)
    found = read_import(file.read_bytes(), file.name, linking, settings.allowed_hosts())
    if not found.problems:
        if found.removes_many and not remove_many:
            raise wrong_usage(
                f"{found.before}名のうち{found.removed}名の登録が消えます。ファイルを確かめ、正しければ --remove-many を付けてください。",
                f"{found.removed} of {found.before} members would go; if that is right, add --remove-many.",
            )
        if not check:
            take_over(found, linking, OwnEntries(open_database(settings.database_url()), linking.folder))
    _show_import(found, check, as_json)
    if found.problems:
        raise typer.Exit(Status.WRONG)


def _show_import(found: Import, check: bool, as_json: bool) -> None:
    sound = not found.problems
    counts = {name: getattr(found, name) for name in ("members", "added", "changed", "removed")}
    if as_json:
        rows = {"problems": _rows(found.problems), "warnings": _rows(found.warnings)}
        print_json({"imported": sound and not check, **(counts if sound else {}), **rows})
        return
    for kind, style, problems in (("誤り", "red", found.problems), ("注意", "yellow", found.warnings)):
        for problem in problems:
            out.print(f"[{style}]{kind}[/]", end="  ")
            out.print(f"{problem.where}: {problem.found}", markup=False)
            out.print("        →", problem.remedy, markup=False)
    if not sound:
        out.print(f"誤りが{len(found.problems)}件あるため、何も登録していません。")
        return
    done = "確かめました(登録はしていません)" if check else "登録しました"
    out.print(
        f"{counts['members']}名を{done}。追加 {counts['added']}、変更 {counts['changed']}、削除 {counts['removed']}"
    )


def _rows(problems: Sequence[Problem]) -> list[dict[str, str]]:
    return [{"where": p.where, "found": p.found, "remedy": p.remedy} for p in problems]


def list_(tenant: Tenant, as_json: AsJson = False) -> None:
    table = _members(tenant).all()
    has = (table[list(COLUMNS[1:])] != "").assign(line_linked_at=table["linked_at"])
    if as_json:
        rows = has.assign(user_id=table["user_id"]).to_dict("records")
        print_json({"tenant": tenant, "members": [{str(name): row[name] for name in row} for row in rows]})
        return
    shown = Table(*LABELS.values(), box=None)
    for user, row in zip(table["user_id"], has.to_dict("records"), strict=True):
        marks = ["○" if row[name] else "-" for name in COLUMNS[1:]]
        if row["line_linked_at"]:
            marks[-1] = f"○ {day_in_japan(row['line_linked_at'])}に本人が連携"
        shown.add_row(user, *marks)
    out.print(shown)
    out.print(f"{len(table)}名")


def export(
    tenant: Tenant,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help=say("作るファイル(.csv、.xlsx)。", "The file to write (.csv, .xlsx).")),
    ],
    with_webhooks: Annotated[
        bool,
        typer.Option(
            "--with-webhooks",
            help=say(
                "秘密情報であるGoogle Chat Webhookも書き出します。", "Writes the webhooks too, which are secrets."
            ),
        ),
    ] = False,
    force: Force = False,
) -> None:
    if file.suffix.lower() not in (".csv", ".xlsx"):
        raise wrong_usage(
            "ファイル名は .csv か .xlsx で終わるようにしてください。", "The file's name must end with .csv or .xlsx."
        )
    members = _members(tenant)
    # Their own links stay where they are: exported and imported again, they could no longer be undone.
    table = members.imported().assign(linked_at=members.all()["linked_at"])
    columns = [name for name in COLUMNS if with_webhooks or name != "google_chat_webhook"]
    with new_file(file, replace=force) as path:
        path.write_bytes(written(table, columns, excel=file.suffix.lower() == ".xlsx"))
    out.print(say(f"{len(table)}名を {file} に書き出しました。", f"{len(table)} members are in {file}."), markup=False)


def invite(
    tenant: Tenant,
    output: Output,
    user_ids: UserIds = None,
    unlinked: Annotated[
        bool,
        typer.Option("--unlinked", help=say("LINEの登録がない全員を招待します。", "Invites everybody without LINE.")),
    ] = False,
    days: Annotated[
        int, typer.Option(min=1, max=MAX_DAYS, help=say("URLの有効日数。", "For how many days the URLs are good."))
    ] = 14,
    as_json: AsJson = False,
    force: Force = False,
) -> None:
    if bool(user_ids) == unlinked:
        raise wrong_usage(
            "ユーザIDか --unlinked のどちらか一方を指定してください。", "Give either user ids or --unlinked."
        )
    linking = _linking(tenant)
    from renkei.orchestration.line.connection import invitation_url, login_channel  # Airflow: see `lazy`

    login_channel(tenant)  # no URL is handed out behind which nothing works
    if unlinked:
        table = linking.members.all()
        user_ids = table.loc[table["line_user_id"] == "", "user_id"].tolist()
    with new_file(output, replace=force) as path:  # before the earlier invitations become void
        tokens = linking.invite(user_ids or [], days, utcnow())
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["ユーザID", "LINE連携URL"])
            rows.writerows((guarded(user), invitation_url(tenant, token)) for user, token in tokens.items())
    if as_json:
        print_json({"invited": len(tokens), "days": days, "file": str(output)})
        return
    out.print(f"{len(tokens)}名の招待URLを {output} に書き出しました。有効期間は{days}日です。", markup=False)
    out.print("URLを知る人は誰でも連携できます。本人だけに届く方法で、1人に1つずつ送ってください。")


def invite_my(
    tenant: Tenant,
    output: Output,
    user_ids: UserIds = None,
    everybody: Annotated[
        bool, typer.Option("--all", help=say("メンバー表の全員を招待します。", "Invites everybody in the table."))
    ] = False,
    days: Annotated[
        int, typer.Option(min=1, max=30, help=say("URLの有効日数。", "For how many days the URLs are good."))
    ] = 14,
    force: Force = False,
) -> None:
    if bool(user_ids) == everybody:
        raise wrong_usage("ユーザIDか --all のどちらか一方を指定してください。", "Give either user ids or --all.")
    linking = _linking(tenant)
    from renkei.orchestration.line.connection import page_url  # Airflow: see `lazy`

    known = set(linking.members.imported()["user_id"])
    if strangers := [user for user in user_ids or [] if user not in known]:
        raise wrong_usage(
            f"メンバー表にいないユーザIDが{len(strangers)}件あります。", f"{len(strangers)} of them are no members."
        )
    own = OwnEntries(open_database(settings.database_url()), linking.folder)
    with new_file(output, replace=force) as path:  # before the earlier invitations become void
        tokens = own.invite(sorted(known) if everybody else user_ids or [], days, utcnow())
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["ユーザID", "マイ情報のURL"])
            address = f"{page_url()}/my/{linking.tenant}"
            rows.writerows((guarded(user), f"{address}/{token}") for user, token in tokens.items())
    out.print(f"{len(tokens)}名のマイ情報のURLを {output} に書き出しました。有効期間は{days}日です。", markup=False)
    out.print("URLを知る人は誰でも登録を変えられます。本人だけに届く方法で、1人に1つずつ送ってください。")


def line_callback(tenant: Tenant, as_json: AsJson = False) -> None:
    _linking(tenant)
    from renkei.orchestration.line.connection import callback_url, login_channel  # Airflow: see `lazy`

    url = callback_url()
    if as_json:
        print_json({"callback_url": url})
    else:
        out.print(url, markup=False)
    login_channel(tenant)  # what is wrong with the Connection is said after the answer


def unlink_line(tenant: Tenant, user_id: Annotated[str, typer.Argument(metavar="USER_ID")]) -> None:
    linking = _linking(tenant)
    member = linking.members.find(user_id)
    was_linked = linking.undo_line(user_id)
    if not was_linked:
        out.print("この社員が連携したLINEはありません。招待があれば取り消しました。")
        raise typer.Exit(Status.WRONG)
    out.print("LINE連携を取り消しました。")
    left = linking.members.find(user_id)
    if member and left and left.line_user_id:
        out.print("取り込んだLINEユーザーIDが残っているため、通知はそちらに届きます。")


def _linking(name: str) -> Linking:
    link, tenant = context.link_of(name)
    if not is_tenant(tenant):
        raise wrong_usage(f"「{tenant}」はテナント名ではありません。", f"{tenant!r} is no tenant's name.")
    return Linking(TenantFolder(context.open_store(), link.name, tenant))


def _members(tenant: str) -> Members:
    return _linking(tenant).members


for name, command, japanese, english in (
    ("import", import_, "CSV・Excelの通知先で登録を置き換えます。誤りが1つでもあれば何も変えません。", "Replaces the table by a CSV or workbook; any mistake, and nothing changes."),
    ("list", list_, "誰にどの通知先があるかを示します(IDそのものは示しません)。", "Shows who can be reached where, without the ids."),
    ("export", export, "登録をCSV・Excelに書き出します。", "Writes the table to a CSV or workbook."),
    ("invite", invite, "LINE連携の招待URLを社員ごとに作ります。前の招待は使えなくなります。", "Makes each member a URL to link LINE; earlier ones become void."),
    ("invite-my", invite_my, "マイ情報(通知の受け取り方を本人が登録する画面)のURLを社員ごとに作ります。前のURLは使えなくなります。", "Makes each member a URL of the page on which he registers his messengers; earlier ones become void."),
    ("line-callback", line_callback, "LINE Developersに登録するコールバックURLを示します。", "Shows the callback URL to register at LINE."),
    ("unlink-line", unlink_line, "本人が連携したLINEと、その招待を取り消します。", "Undoes what a member linked, and the invitation."),
):  # fmt: skip
    app.command(name, help=say(japanese, english))(command)
