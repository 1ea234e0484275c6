"""The worksheet 通知 of the form: prepared lines, drop-downs, and where the secrets go (N1, L7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from renkei.channel import LABELS
from renkei.notifications.form.cells import MAX_CONNECTION, MAX_NAME
from renkei.notifications.form.lines import ChannelLine
from renkei.notifications.form.table import HEADERS
from renkei.notifications.services import SPECS, ServiceSpec
from renkei.sheets.workbook import drawing
from renkei.sheets.workbook.drawing import HEADER

LINES = 10  # prepared for a customer; a longer list gets SPARE_LINES more than it has
SPARE_LINES = 3
WIDTHS = (26, 18, 24, 34, 17, 8, 8, 8, 10, 12, 14)
_HEADER = (3, 4)
_NOTES = {
    1: "通知先の名前です。結果の一覧などに表示されます。ほかの行と異なる名前にします。例: 総務のチャット",
    2: "一覧から選びます。結果通知先メールアドレス(連携情報)には、ここに書かなくてもメールが届きます。",
    3: "通常は空白です。WebhookのURL、トークンなどの秘密の文字列は、運用担当者がAirflowの接続に登録します。このシートには"
    "書かないでください。接続を使い分けるときだけ、担当者が決めた接続の名前を記入します。",
    4: "Slack(Webhook)、Microsoft Teams、Google Chatは空白です。ほかのサービスの書き方は「はじめに」にあります。\n"
    "「社員:1001」のように書くと、その社員本人に届きます(Slack(Bot)、LINE WORKS、Google Chat、LINE)。",
    5: "○を付けると、この行には通知しません。しばらく止めるときに使います。",
    6: "知らせる内容に○を付けます。6つとも空白なら、すべて知らせます。",
}


def channel_sheet(sheet: Any, lines: Sequence[ChannelLine]) -> None:
    """通知 with these lines, and blank ones below them."""
    drawing.heading(sheet, 1, "通知: 結果を知らせるチャットなど(使わない場合は空白のまま)", size=14)
    text = "1行に1つの通知先を記入してください。URLやトークンは書かず、担当者に別の方法で渡してください(チャットに届くのは要点だけです)。"
    drawing.remark(sheet, 2, text)
    channel_header(sheet, _HEADER[0])
    for column, note in _NOTES.items():
        drawing.note(sheet.cell(_HEADER[0], column), note)
    first, height = _HEADER[1] + 1, LINES if not lines else max(LINES, len(lines) + SPARE_LINES)
    blank = ("",) * len(WIDTHS)
    for number in range(height):
        drawing.line(sheet, first + number, channel_texts(lines[number]) if number < len(lines) else blank)
    _limit(sheet, first, first + height - 1)
    drawing.finish(sheet, WIDTHS, header=_HEADER, start=f"A{first}")


def channel_header(sheet: Any, row: int) -> None:
    """The two header rows of 通知: the events stand below 通知管理."""
    own, events = [titles[0] for titles in HEADERS.values()], list(LABELS.values())
    drawing.line(sheet, row, (*own, "通知管理", *[""] * (len(events) - 1)), HEADER, bold=True)
    drawing.line(sheet, row + 1, (*[""] * len(own), *events), HEADER, bold=True)
    for column in range(1, len(own) + 1):
        sheet.merge_cells(start_row=row, end_row=row + 1, start_column=column, end_column=column)
    sheet.merge_cells(start_row=row, end_row=row, start_column=len(own) + 1, end_column=len(own) + len(events))


def channel_texts(line: ChannelLine) -> tuple[str, ...]:
    """The cells of a line of 通知, in the order of its columns."""
    marks = (mark.text for _, mark in line.marks or ())
    return (line.name.text, line.service.text, line.connection.text, line.to.text, line.muted.text, *marks)


def _limit(sheet: Any, first: int, last: int) -> None:
    def cells(columns: str) -> list[str]:
        return [f"{column}{first}:{column}{last}" for column in columns]

    drawing.offer(sheet, cells("B"), [spec.label for spec in SPECS], strict=True)
    drawing.offer(sheet, cells("EFGHIJK"), ("○", "×"), strict=True)
    drawing.limit(sheet, cells("A"), "textLength", 0, MAX_NAME, f"{MAX_NAME}文字以内で記入してください。")
    text = "接続の名前を半角の英数字で記入してください。URLやトークンは書かないでください。"
    drawing.limit(sheet, cells("C"), "textLength", 0, MAX_CONNECTION, text)
    wanting = ",".join(f'$B{first}="{spec.label}"' for spec in SPECS if spec.destination)
    drawing.when(sheet, f"B{first}:B{last}", f'AND($B{first}="",$D{first}<>"")', fill=drawing.MISSING)
    drawing.when(sheet, f"D{first}:D{last}", f'AND($D{first}="",OR({wanting}))', fill=drawing.MISSING)
    drawing.when(sheet, f"A{first}:K{last}", f'$E{first}="○"', color=drawing.DIM)


def service_notes() -> list[tuple[str, str]]:
    """Each service with what to write for it and what its secret is, for whoever fills the worksheet in."""
    return [(spec.label, f"送信先: {_destination(spec)}。担当者に渡すもの: {_secret(spec)}。") for spec in SPECS]


def _destination(spec: ServiceSpec) -> str:
    member = "、または「社員:ID」"
    if spec.destination is None:
        return "空白" + (member if spec.member_field else "")
    note = f"{spec.destination.label}({spec.destination.note})"
    return note + (member if spec.destination.member_field else "")


def _secret(spec: ServiceSpec) -> str:
    needed = [field.label for field in spec.fields if field.required]
    return "、".join(needed) if needed else "ありません"
