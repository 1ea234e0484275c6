"""A file as an answer, under whatever name (RFC 6266)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from renkei.sheets.table_file import csv_parts

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def file(name: str, content: bytes, media_type: str = "application/octet-stream") -> Response:
    return Response(content, headers=_headers(name), media_type=media_type)


def table(name: str, rows: Iterable[Sequence[str]]) -> Response:
    """The rows as CSV, sent while they are made; or whole, as the workbook that the name says."""
    if name.endswith(".xlsx"):
        from renkei.sheets.workbook.table import workbook  # openpyxl, which no other page needs

        return file(name, workbook(rows), XLSX)
    return StreamingResponse(csv_parts(rows), headers=_headers(name), media_type="text/csv; charset=utf-8")


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
