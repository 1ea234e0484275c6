"""The お客様ページ as the public service has it, over a real store, real sheets and a real database."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
from fsspec.implementations.local import LocalFileSystem
from httpx import Response
from starlette.routing import Mount
from starlette.testclient import TestClient

from renkei.links.smarthr_emc.sheet.yaml_form import to_yaml, write_yaml
from renkei.orchestration.link import dag_id
from renkei.orchestration.public.connection_secrets import DAG_FILE
from renkei.orchestration.public.customers import PublicKnowledge
from renkei.orchestration.public.inviting import INVITING, invitations
from renkei.orchestration.sheet_reviews import SheetReviews
from renkei.public import app as public_app
from renkei.public.limits import RateLimit
from renkei.runs.outcome import End, Summary
from renkei.storage.runs import CommonRunStart, RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.tokens import new_token
from renkei.storage.versions import Version
from renkei.web.customer.app import build
from renkei.web.customer.facts import Services
from renkei.web.customer.guard import Limits
from renkei.web.customer.invitations import CustomerRight, Invitation
from scripts.page_forms import forms_of
from tests.builders import mapping

LINK = "smarthr_emc"
NOW = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)  # 10:00 in Japan
OURS = "https://renkei.example.jp"
BASE = "/renkei/customer"
FOLDER = "scheduled__2026-11-29T19-30-00-00-00.0123456789ab"
EVERYTHING = frozenset(CustomerRight)
LABEL = "総務部 ご担当者様"


def sheet(tenant: str = "acme", **settings: str) -> bytes:
    found = mapping(settings={"会社名": "株式会社アクメ", **settings})
    return to_yaml(dataclasses.replace(found, tenant=tenant, emc_account=tenant)).encode()


def text_of(html: str) -> str:
    """What a reader sees, without blanks between tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


class Browser:
    """Somebody's browser; `form` is what forms of the last page carry."""

    def __init__(self, app: Any, **headers: str) -> None:
        self.client = TestClient(app, OURS, raise_server_exceptions=False, follow_redirects=False)
        self.client.headers.update({"Sec-Fetch-Site": "same-origin"} | headers)

    def get(self, path: str, status: int = 200) -> Response:
        answer = self.client.get(BASE + path)
        assert answer.status_code == status, text_of(answer.text)[:2000]
        return answer

    def shown(self, path: str, status: int = 200) -> str:
        return text_of(self.get(path, status).text)

    @property
    def form(self) -> str:
        drawn = [form.fields for form in forms_of(self.client.get(BASE + "/").text)]
        return next((fields["form"] for fields in drawn if "form" in fields), "")

    def post(self, path: str, form: str | None = None, **more: Any) -> Response:
        data = {"form": self.form if form is None else form} | more.pop("data", {})
        return self.client.post(BASE + path, data=data, **more)

    def enter(self, token: str) -> Response:
        return self.client.post(BASE + "/enter", data={"invitation": token})

    def upload(self, content: bytes, name: str = "連携設定シート.yaml") -> Response:
        return self.post("/sheets", files={"file": (name, content, "application/octet-stream")})


class CustomerWorld:
    """acme and beta, two companies of one link."""

    def __init__(self, folder: Path) -> None:
        self.sheets = folder / "mappings" / LINK
        self.store = Store(LocalFileSystem(), str(folder / "store"))
        self.now = NOW
        self.invitations = invitations()
        self.limits = Limits(**{name: RateLimit(1e-9, most) for name, most in
                                (("entries", 50), ("requests", 500), ("reviews", 100), ("departures", 50))})  # fmt: skip
        self.company("acme", "株式会社アクメ")
        self.company("beta", "ベータ商事")
        self.serve()

    def serve(self, **others: Any) -> None:
        services = Services(INVITING, SheetReviews(DAG_FILE), PublicKnowledge(), lambda: self.now)
        pages = build(dataclasses.replace(services, **others), self.limits)
        self.app = public_app.build([Mount("/customer", app=pages)], lambda: None)

    def company(self, tenant: str, name: str) -> None:
        found = mapping(settings={"会社名": name, "連携開始日": "2026-12-01"})
        write_yaml(dataclasses.replace(found, tenant=tenant, emc_account=tenant), self.sheets / f"{tenant}.yaml")

    def invite(self, tenant: str = "acme", allows: frozenset[CustomerRight] = EVERYTHING, days: int = 7) -> str:
        return self.invitation(tenant, allows, days)[1]

    def invitation(
        self, tenant: str = "acme", allows: frozenset[CustomerRight] = EVERYTHING, days: int = 7
    ) -> tuple[Invitation, str]:
        token = new_token()
        made = self.invitations.invite(LINK, tenant, LABEL, "シートの提出", allows, days, "yuki", self.now, token)
        return made, token

    def browser(self, token: str = "", **headers: str) -> Browser:
        """One that has come in by this invitation."""
        found = Browser(self.app, **headers)
        if token:
            assert found.enter(token).status_code == 303
        return found

    def guest(self, tenant: str = "acme", allows: frozenset[CustomerRight] = EVERYTHING) -> Browser:
        return self.browser(self.invite(tenant, allows))

    def folder(self, tenant: str = "acme") -> TenantFolder:
        return TenantFolder(self.store, LINK, tenant)

    def versions(self, tenant: str = "acme") -> list[tuple[int, Version]]:
        found = SheetReviews(DAG_FILE).of(dag_id(LINK, tenant)).versions
        return found.listed(50)

    def ran(
        self, tenant: str = "acme", key: str = FOLDER, subject: str = "EMC-OK", end: str = "loaded", **more: Any
    ) -> RunRecord:
        """A run's record; `problems` are rows of its table."""
        record = RunRecord(self.folder(tenant), key)
        record.write(CommonRunStart(key, more.get("at", NOW - dt.timedelta(hours=5))))
        if subject:
            record.write(Summary([f"{subject} {tenant}", *more.get("lines", ["社員 30件 新規2 更新28 削除1"])]))
        if end:
            record.write(End(end, NOW - dt.timedelta(hours=4)))
        if "problems" in more:
            record.write_table("problems", pd.DataFrame(more["problems"]))
        return record


def problem(line: int, user_id: str, **more: str) -> dict[str, Any]:
    return {
        "record_set": "users",
        "line": line,
        "id": user_id,
        "crew_id": f"crew-{line}",
        "item": "full_name",
        "kind": "required",
        "detail": "山田太郎",
        "source": "SmartHRの「氏名」",
    } | more
