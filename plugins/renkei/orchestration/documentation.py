"""What a Dag's page tells the operator about its tenant, in Japanese; no address and no secret (L6, L7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from renkei import settings
from renkei.channel import Event, Service
from renkei.errors import Problem
from renkei.notifications import disabled_channels
from renkei.notifications.services import SPEC
from renkei.orchestration.markdown import plain, quoted
from renkei.orchestration.tenant import Tenant

PENDING = """**シートを確認中です。**

シートが新しいか変更されたため、読み取っています。数分で表示が変わります。操作は不要です。

処理時刻と連携開始日は、読み取りが終わるまで前のシートのものです（新しい会社は、終わってから予定が決まります）。
前のシートの内容で{target}に登録することはありません。
"""


@dataclass(frozen=True, slots=True)
class Page:
    """What a link says of a tenant whose sheet can be used."""

    description: str  # one line, for the list of Dags
    lines: Sequence[str]  # Markdown


def page_of(tenant: Tenant) -> tuple[str, str]:
    """A line for the list of Dags, and Markdown: the tenant's settings, or what is wrong with its sheet."""
    sheet = tenant.sheet
    head = f"# {display_name(tenant)}\n\n連携設定シート: {quoted(tenant.sheet_file)}（`{sheet.digest[:12]}`）\n\n"
    if sheet.pending:
        description = f"連携設定シート {plain(tenant.sheet_file)} を確認中です（数分で表示が変わります）"
        return description, head + PENDING.format(target=tenant.link.target)
    if sheet.mapping is None:
        text = "**シートを直すまで処理は失敗します。**\n\n" + _list(sheet.problems, "")
        return f"連携設定シート {plain(tenant.sheet_file)} に誤りがあります", head + text
    page = tenant.link.page()(tenant)
    return page.description, head + "\n".join([*page.lines, "", _list(sheet.warnings, "注意: ")])


def display_name(tenant: Tenant) -> str:
    return f"{tenant.link.label}: {tenant.name}"


def _list(problems: Sequence[Problem], what: str) -> str:
    # The line end is a must: Airflow takes a text that ends in ".md" for the name of a file.
    return "".join(f"- {what}{quoted(problem)}\n" for problem in problems)


def channel_table(tenant: Tenant) -> list[str]:
    """通知 as the sheet has it, with the channels that are disabled; no address of a mail (L6)."""
    stopped = (
        disabled_channels.disabled(settings.index_folder(), tenant.link.name, tenant.name)
        if tenant.sheet.channels
        else {}
    )
    rows = []
    for channel in tenant.channels:
        events = "、".join(event.label for event in Event if event in channel.events)
        if channel.muted:
            state = "通知を行わない"
        elif channel.name in stopped:
            state = f"**無効**（{stopped[channel.name]}から。直した後に通知テストで有効に戻る）"
        else:
            state = "有効"
        conn_id = "smtp_default" if channel.service is Service.MAIL else channel.connection
        shown = [quoted(channel.name), SPEC[channel.service].label, quoted(conn_id or "-"), events, state]
        rows.append(f"| {' | '.join(shown)} |")
    return ["| 通知先 | サービス | Airflowの接続 | 通知 | 状態 |", "|---|---|---|---|---|", *rows] if rows else []
