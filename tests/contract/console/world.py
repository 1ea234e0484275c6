"""The console over Airflow's own database (rows without a scheduler), a real store and real sheets; only the log-in is a stand-in."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import functools
import re
from collections.abc import Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fsspec.implementations.local import LocalFileSystem
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.testclient import TestClient

from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.orchestration import jobs
from renkei.orchestration.link import LINKS, dag_id
from renkei.orchestration.public.inviting import INVITING
from renkei.orchestration.web import freezing, registering
from renkei.orchestration.web.knowledge import AirflowKnowledge
from renkei.orchestration.web.link_view import own_pages
from renkei.orchestration.web.sheet_desk import AirflowSheets
from renkei.settings import index_folder
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.console.app import build
from renkei.web.console.guard import token_of
from renkei.web.services import Refused, Right, Services, User
from tests.builders import mapping
from tests.harness.airflow_rows import Row, add_dags, add_runs, answer_question, diff_said

LINK = "smarthr_emc"
NOW = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)  # 10:00 in Japan
TICK = dt.datetime(2026, 11, 29, 19, 30, tzinfo=dt.UTC)  # 4:30 of that day
BASE = "/renkei/console"
RUN_ID = "scheduled__2026-11-29T19:30:00+00:00"
FOLDER = "x.0123456789ab"
OK, BAD = "EMC-OK", "EMC-ERROR-D(Update NG)"


def dag(tenant: str) -> str:
    return f"{LINK}__{tenant}"


PAGES = ("/", "/t/acme", f"/dag/{dag('acme')}", f"/dag/{dag('acme')}/run", f"/dag/{dag('acme')}/runs",
         f"/dag/{dag('acme')}/runs/{quote(RUN_ID, safe='')}", f"/dag/{dag('acme')}/readiness")  # fmt: skip
POSTS = {f"/dag/{dag('acme')}/run": {"mode": "CHECK_ONLY"}, f"/dag/{dag('acme')}/pause": {"paused": "1"}}


@dataclass
class Door:
    """Who has logged in, by a cookie; what each may do, by tenant."""

    rights: dict[str, dict[str, set[Right]]]
    freeze_all: set[str] = field(default_factory=lambda: {"omar"})
    create: set[str] = field(default_factory=lambda: {"omar"})
    register: set[str] = field(default_factory=lambda: {"omar"})

    async def user(self, request: Request) -> User | None:
        name = request.cookies.get("_token")
        return User(name, name) if name in self.rights else None

    def visible(self, user: User) -> Set[str]:
        seen = [tenant for tenant, rights in self.rights[user.id].items() if Right.SEE in rights]
        return {dag_id(link, tenant) for link in LINKS for tenant in seen}

    def may(self, user: User, right: Right, dag_id: str) -> bool:
        return right in self.rights[user.id].get(dag_id.partition("__")[2], set())

    def may_create(self, user: User) -> bool:
        return user.id in self.create

    def may_freeze_all(self, user: User) -> bool:
        return user.id in self.freeze_all

    def may_register(self, user: User, name: str) -> bool:
        return user.id in self.register

    def log_in(self, back: str) -> str:
        return f"/auth/login?next={back}"


@dataclass
class Hands:
    """What was done."""

    done: list[tuple[Any, ...]] = field(default_factory=list)

    async def start(self, request: Request, dag_id: str, mode: str, **settings: str) -> str:
        self.done.append(("start", dag_id, mode, *settings.items()))
        return "manual__1"

    async def pause(self, request: Request, dag_id: str, paused: bool) -> None:
        self.done.append(("pause", dag_id, paused))

    def freeze(self, user: User, tenant: str, dag_id: str | None, on: bool, why: str) -> None:
        freezing.switch(user, tenant, dag_id, on, why)
        self.done.append(("freeze", tenant, on, why))

    async def answer(
        self, request: Request, dag_id: str, run_id: str, task_id: str, chosen: str, why: str, plan: str
    ) -> None:
        """As Airflow takes it: the first answer counts."""
        if not answer_question(dag_id, run_id, str(request.cookies["_token"]), chosen, why):
            raise Refused("同じ操作が先に行われました。")
        self.done.append(("answer", dag_id, run_id, task_id, chosen, why, plan))

    async def register(
        self,
        request: Request,
        name: str,
        conn_type: str,
        values: Mapping[str, str],
        extra: Mapping[str, str],
        drawn_over: str,
    ) -> None:
        if await run_in_threadpool(registering.digest, name) != drawn_over:
            raise Refused("ほかの人が変更しました。")
        self.done.append(("register", name, conn_type, dict(values), dict(extra)))

    def start_job(self, user: User, dag_id: str, number: int, run_id: str) -> None:
        """As Airflow does it; nobody works on the run yet."""
        self.done.append(("job", dag_id, number))
        at = dt.datetime.now(dt.UTC)
        add_runs([Row(jobs.DAG_ID, run_id, "queued", at, {}, run_type="manual", by=user.name)])


class OffTheLoop:
    """`real`, whose questions wait for a database or a store; which of them were asked in the event loop, is kept."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.in_loop: list[str] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.real, name)

        def asked(*args: Any, **named: Any) -> Any:
            with suppress(RuntimeError):
                asyncio.get_running_loop()
                self.in_loop.append(name)
            return real(*args, **named)

        return real if name in ("changed", "user") else asked  # these wait for nothing of ours


class ConsoleWorld:
    """acme and beta, and who may look at them: `yuki` edits acme alone, `ken` sees acme, `omar` sees both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sheets = folder / "mappings" / LINK
        self.store = Store(LocalFileSystem(), str(folder / "store"))
        everything = set(Right)
        self.door = Door({
            "yuki": {"acme": everything},
            "ken": {"acme": {Right.SEE}},
            "omar": {"acme": everything, "beta": everything},
        })  # fmt: skip
        self.hands = Hands()
        self.services = Services(
            self.door,
            AirflowKnowledge(lambda: NOW),
            self.hands,
            b"secret",
            AirflowSheets(),
            own_pages(),
            ("airflow.example.jp",),
            lambda: NOW,
            inviting=INVITING,
        )
        self.serve()

    def serve(self, **others: Any) -> None:
        """The app, over `others` of the services."""
        pages = _pages()
        pages.app.state.services = dataclasses.replace(self.services, **others)
        self.app = Starlette()
        self.app.mount(BASE, pages)

    def browser(self, user: str = "", **headers: str) -> TestClient:
        """A browser that tells where a request comes from, as all do."""
        client = TestClient(
            self.app, "http://airflow.example.jp", raise_server_exceptions=False, follow_redirects=False
        )
        client.headers.update({"Sec-Fetch-Site": "same-origin"} | headers)
        if user:
            client.cookies.set("_token", user)
        return client

    def token(self, user: str) -> str:
        return token_of(self.services, User(user, user))

    def company(self, tenant: str, name: str = "", *, sheet: str = "", paused: bool = False, **settings: str) -> None:
        """Its sheet, compiled, and its Dag."""
        path = self.sheets / f"{tenant}.yaml"
        if sheet:
            path.write_text(sheet, encoding="utf-8")
        else:
            write_yaml(
                dataclasses.replace(mapping(settings={"会社名": name, **settings}), tenant=tenant, emc_account=tenant),
                path,
            )
        link = LINKS[LINK]
        load_all(link.sheets(), tenants(self.sheets), index_folder(), ())
        add_dags(dag(tenant), paused=paused, next_run=TICK + dt.timedelta(days=1))
        self.services.knowledge.changed()

    def ran(self, tenant: str, *, days_ago: int = 0, state: str = "success", subject: str = OK, **row: Any) -> str:
        """A run of a day's tick, and what its tasks said; its id."""
        at = TICK - dt.timedelta(days=days_ago)
        said = {"diff": diff_said(30, 2, 28, 1), ("fetch_departments", "run"): FOLDER, **row.pop("said", {})}
        if subject:
            said["notify"] = {"subject": subject, "told": {}}
        run_id = row.pop("run_id", f"scheduled__{at.isoformat()}")
        add_runs([Row(dag(tenant), run_id, state, at, said, **row)])
        self.services.knowledge.changed()
        return str(run_id)

    def record(self, tenant: str) -> RunRecord:
        return RunRecord(TenantFolder(self.store, LINK, tenant), FOLDER)

    def baseline(self, tenant: str) -> None:
        found = Baseline(1, FOLDER, "digest", "key", TICK.isoformat(), 30, 4)
        Baselines(TenantFolder(self.store, LINK, tenant)).promote(found)


class OwnPagesWorld(ConsoleWorld):
    """acme of another link, with pages of its own; `sent` and `shown` are of them."""

    def __init__(self, folder: Path, link: str, sheet: str) -> None:
        super().__init__(folder)
        self.own_link, self.own_dag = link, dag_id(link, "acme")
        self.own_sheets = folder / "mappings" / link
        self.own_sheets.mkdir()
        self.write_sheet(sheet)
        add_dags(self.own_dag, next_run=NOW + dt.timedelta(minutes=5))
        self.services.knowledge.changed()

    def write_sheet(self, text: str, tenant: str = "acme") -> None:
        """As the Dag processor has compiled it."""
        (self.own_sheets / f"{tenant}.yaml").write_text(text, encoding="utf-8")
        load_all(LINKS[self.own_link].sheets(), tenants(self.own_sheets), index_folder(), ())
        self.services.knowledge.changed()

    @property
    def mapping(self) -> Any:
        return self.services.knowledge.mapping(self.own_dag)

    @property
    def folder_of_acme(self) -> TenantFolder:
        return TenantFolder(self.store, self.own_link, "acme")

    def shown(self, path: str, user: str = "yuki", status: int = 200) -> str:
        """What a reader sees."""
        return text_of(self.html(path, user, status))

    def html(self, path: str, user: str = "yuki", status: int = 200) -> str:
        return body(self, f"/dag/{self.own_dag}{path}", user, status)

    def sent(self, path: str, user: str = "yuki", status: int = 200, files: Any = None, **form: Any) -> str:
        """What a reader sees of the answer to a form; where it leads to, if it does."""
        data = form | {"token": self.token(user)}
        answer = self.browser(user).post(f"{BASE}/dag/{self.own_dag}{path}", data=data, files=files)
        assert answer.status_code == status, text_of(answer.text)[:2000]
        return answer.headers["location"].removeprefix(BASE) if status == 303 else text_of(answer.text)


@functools.cache
def _pages() -> Any:
    """The app, once for all worlds: its hundred routes take a third of a second. Each request asks for its services anew."""
    nobody: Any = None
    return build(Services(nobody, nobody, nobody, b"", nobody, own_pages()))


def text_of(html: str) -> str:
    """What a reader sees, without blanks between tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def body(world: ConsoleWorld, path: str, user: str = "omar", status: int = 200) -> str:
    answer = world.browser(user).get(BASE + path)
    assert answer.status_code == status, answer.text[:2000]
    return answer.text
