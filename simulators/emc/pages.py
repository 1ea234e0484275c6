"""Pages for people: accounts, the department tree, users, imports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from simulators.emc.imports import Imports
from simulators.emc.problems import Problem
from simulators.emc.store import Store

PAGE_SIZE = 50
STATES = {
    "open": "受付中",
    "applying": "反映中",
    "committed": "反映済",
    "rejected": "エラー(反映なし)",
    "aborted": "取消",
}
FILES = {"departments": "部署", "users": "ユーザ"}


def build_pages(store: Store, imports: Imports) -> APIRouter:
    """Read-only HTML, rendered on the server."""
    router = APIRouter(default_response_class=HTMLResponse)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )
    templates.globals.update(states=STATES, files=FILES)

    def render(template: str, **values: Any) -> str:
        return templates.get_template(template).render(values)

    @router.get("/")
    def accounts() -> str:
        heads = [
            {**store.head(name), "last": next(iter(imports.listed(name, limit=1)), None)}
            for name in store.account_names()
        ]
        return render("accounts.html", heads=heads)

    @router.get("/accounts/{account}/departments")
    def departments(account: str) -> str:
        return render(
            "departments.html",
            head=store.head(account),
            tree=_tree(store, account),
            names=[column.name for column in store.format.departments.columns if column.kind == "text"],
        )

    @router.get("/accounts/{account}/users")
    def users(account: str, q: str = "", page: Annotated[int, Query(ge=1)] = 1) -> str:
        head = store.head(account)
        data_set = store.format.users
        pattern = "%" + q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        where = "account = ? AND (id LIKE ? ESCAPE '\\' OR record LIKE ? ESCAPE '\\')"
        with store.snapshot() as db:
            found = db.execute(f"SELECT count(*) FROM users WHERE {where}", (account, pattern, pattern)).fetchone()[0]
            rows = db.execute(
                f"SELECT id, record FROM users WHERE {where} ORDER BY id LIMIT ? OFFSET ?",
                (account, pattern, pattern, PAGE_SIZE, (page - 1) * PAGE_SIZE),
            ).fetchall()
            names = {
                row["id"]: json.loads(row["record"]).get(store.format.departments.title, "")
                for row in db.execute("SELECT id, record FROM departments WHERE account = ?", (account,))
            }
        listed = [{"id": row["id"], "record": json.loads(row["record"])} for row in rows]
        return render(
            "users.html",
            head=head,
            data_set=data_set,
            users=listed,
            q=q,
            page=page,
            pages=max(1, -(-found // PAGE_SIZE)),
            found=found,
            department_names=names,
        )

    @router.get("/accounts/{account}/user")
    def user(account: str, id: str) -> str:
        item = next(iter(store.search(account, "users", [id], None)["items"]), None)
        if item is None:
            raise Problem("NOT_FOUND")
        return render("user.html", head=store.head(account), item=item)

    @router.get("/accounts/{account}/imports")
    def past_imports(account: str) -> str:
        return render("imports.html", head=store.head(account), imports=imports.listed(account, limit=100))

    @router.get("/accounts/{account}/imports/{import_id}")
    def one_import(account: str, import_id: str) -> str:
        return render("import.html", head=store.head(account), one=imports.get(account, import_id))

    return router


def _tree(store: Store, account: str) -> list[dict[str, Any]]:
    """Departments in tree order with their depth and number of users."""
    data_set = store.format.departments
    with store.snapshot() as db:
        records = {
            row["id"]: json.loads(row["record"])
            for row in db.execute("SELECT id, record FROM departments WHERE account = ? ORDER BY id", (account,))
        }
        members = dict(
            db.execute(
                "SELECT ref.value, count(*) FROM users, json_each(users.refs) AS ref WHERE account = ? GROUP BY 1",
                (account,),
            ).fetchall()
        )
    children: dict[str | None, list[str]] = {}
    for department, record in records.items():
        parent = next((record[name] for name in data_set.references if name in record), None)
        children.setdefault(parent if parent in records else None, []).append(department)
    ordered: list[dict[str, Any]] = []
    stack = [(department, 0) for department in reversed(children.get(None, []))]
    while stack:
        department, depth = stack.pop()
        ordered.append(
            {"id": department, "depth": depth, "record": records[department], "members": members.get(department, 0)}
        )
        stack += [(child, depth + 1) for child in reversed(children.get(department, []))]
    return ordered
