"""The pages of a salesperson: companies and leads, to look for, to see and to change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from simulators.clock import TOKYO
from simulators.hotprofile.instance import Instance, Kind, Row, Values
from simulators.hotprofile.reading import told

PAGE_SIZE = 50
NAMES: dict[Kind, str] = {"clients": "会社", "leads": "リード"}
COLUMNS: dict[Kind, dict[str, str]] = {
    "clients": {"id": "ID", "name": "会社名", "pref": "都道府県", "main_tel": "代表電話", "updated_at": "更新日時"},
    "leads": {
        "id": "ID",
        "name": "氏名",
        "client_name": "会社名",
        "organization_name": "部署",
        "updated_at": "更新日時",
    },
}
EDITED: dict[Kind, dict[str, str]] = {
    "clients": {
        **{
            "name": "会社名",
            "name_kana": "会社名カナ",
            "name_disp": "会社名略称",
            "zip": "郵便番号",
            "pref": "都道府県",
        },
        **{
            "address": "住所",
            "main_tel": "代表電話番号",
            "url": "URL",
            "worker_number_kbn": "従業員数",
            "note": "備考",
        },
    },
    "leads": {
        **{"family_name": "姓", "first_name": "名", "post": "役職", "tel": "電話番号", "email": "メールアドレス"},
        **{"mobile_tel": "携帯電話番号", "address": "住所", "trade_on": "取引日", "note": "備考"},
    },
}


def build_pages(instance: Instance) -> APIRouter:
    """HTML rendered on the server; saving a form is a change at this second."""
    router = APIRouter(default_response_class=HTMLResponse)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )

    def render(template: str, **values: Any) -> HTMLResponse:
        values["now"] = instance.clock.now().astimezone(TOKYO).strftime("%Y-%m-%d %H:%M:%S")
        values["totals"] = {kind: len(table.ids) for kind, table in instance.tables.items()}
        return HTMLResponse(templates.get_template(template).render(names=NAMES, **values))

    @router.get("/")
    async def start() -> RedirectResponse:
        return RedirectResponse("/clients", 303)

    @router.get("/{kind}")
    async def listed(kind: Kind, q: str = "", page: Annotated[int, Query(ge=1)] = 1) -> HTMLResponse:
        instance.settle()
        table = instance.tables[kind]
        ids = table.ids[::-1]
        if q:
            ids = [each for each in ids if q in str(table.values(each)["name"]) or q == str(each)]
        shown = [told(table, each) for each in ids[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]]
        pages = max(1, -(-len(ids) // PAGE_SIZE))
        return render(
            "list.html", kind=kind, columns=COLUMNS[kind], records=shown, q=q, page=page, pages=pages, found=len(ids)
        )

    @router.get("/{kind}/{number:int}")
    async def one(kind: Kind, number: int, saved: bool = False) -> HTMLResponse:
        return render("record.html", kind=kind, record=_record(kind, number), edited=EDITED[kind], saved=saved)

    @router.post("/{kind}/{number:int}")
    async def save(kind: Kind, number: int, request: Request) -> RedirectResponse:
        record = _record(kind, number)
        sent = parse_qs((await request.body()).decode(), keep_blank_values=True)
        values: Values = {name: sent[name][-1].replace("\r\n", "\n") for name in EDITED[kind] if name in sent}
        custom = sent.get("item", [])
        items = [{**item, "value": new} for item, new in zip(record["items"], custom, strict=False)]
        table = instance.tables[kind]
        merged = dict(table.values(number)) | values | {"items": items + record["items"][len(items) :]}
        if kind == "leads":
            merged["name"] = f"{merged['family_name']} {merged['first_name']}".strip()
        old = table.rows[number]
        table.put(number, Row(merged, old.created, int(instance.clock.seconds()), old.seen_by))
        return RedirectResponse(f"/{kind}/{number}?saved=true", 303)

    def _record(kind: Kind, number: int) -> Values:
        instance.settle()
        if number not in instance.tables[kind].rows:
            raise HTTPException(404, f"no {kind} {number}")
        return told(instance.tables[kind], number)

    return router
