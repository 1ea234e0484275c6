"""What the console shows of this link alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from renkei import settings
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.accounts import Accounts, AccountState
from renkei.links.lineworks_kot.preparing import unusable
from renkei.links.lineworks_kot.registration import FIRST_DONE
from renkei.orchestration.lineworks_kot import (
    account_pages,
    first_pages,
    import_pages,
    punch_pages,
    registration_pages,
    word_pages,
)
from renkei.orchestration.lineworks_kot.import_jobs import CheckedFile, ImportResult
from renkei.orchestration.lineworks_kot.jobs import (
    CHECK,
    FIRST,
    IMPORT,
    MENU,
    READ,
    TAKE,
    TRY,
    CheckedAccounts,
    FirstMessages,
    ReadEmployees,
    RegistrationTrial,
    ShownMenu,
)
from renkei.orchestration.lineworks_kot.sheet_editor import EDITOR
from renkei.orchestration.web.link_view import LinkView
from renkei.storage.database.database import open_database
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.facts import Counts, Figure, Findings
from renkei.web.services import OwnJob, OwnPages

TITLES = ("場所", "内容", "対処")


def counts(words: Mapping[str, Any]) -> Counts | None:
    """The employees that a run read."""
    found = words.get("accounts")
    employees = found.get("employees") if isinstance(found, dict) else None
    return Counts(employees, 0, 0, 0) if isinstance(employees, int) and employees else None


def figures(folder: TenantFolder) -> list[Figure]:
    accounts = Accounts(open_database(settings.database_url()), folder.store, folder.tenant)
    states = accounts.states()
    return [
        Figure("従業員", accounts.count()),
        Figure("打刻できる人", states.get(AccountState.LINKED, 0)),
        Figure("要確認のアカウント", unusable(states)),
    ]


def problems(record: RunRecord, start: int, most: int) -> Findings:
    """A run lists no errors of its own: whose account is wrong is the company's own page."""
    return Findings([], 0, 0)


def findings(record: RunRecord) -> Iterator[Sequence[str]]:
    yield TITLES


def connection_names(mapping: Any) -> Sequence[str]:
    return f"lineworks__{mapping.tenant}", f"kingoftime__{mapping.tenant}"


_JOB = "lineworks_kot/job_{}.html"
router = APIRouter()
for pages in (registration_pages, account_pages, import_pages, first_pages, word_pages, punch_pages):
    router.include_router(pages.router)
PAGES = OwnPages(
    LINK,
    router,
    Path(__file__).parent / "pages",
    (
        ("lineworks", "LINE WORKSのAPI登録"),
        ("accounts", "LINE WORKS連携設定（アカウント）"),
        ("first", "初回メッセージ送信"),
        ("words", "打刻メッセージ編集"),
        ("punches", "打刻一覧"),
        ("punch", "なぜ打刻になった／ならなかったのか"),
    ),
    jobs={
        TRY: OwnJob("LINE WORKSへの接続", RegistrationTrial, _JOB.format("try"), {"FIRST_DONE": FIRST_DONE}),
        READ: OwnJob("従業員の読み込み", ReadEmployees, _JOB.format("read")),
        CHECK: OwnJob("LINE WORKSへの確認", CheckedAccounts, _JOB.format("check")),
        FIRST: OwnJob("初回メッセージの送信", FirstMessages, _JOB.format("first")),
        IMPORT: OwnJob(
            "一括インポートの検査", CheckedFile, _JOB.format("import"), {"most": import_pages.PROBLEMS_SHOWN}
        ),
        TAKE: OwnJob("一括インポートの登録", ImportResult, _JOB.format("take")),
        MENU: OwnJob("メニューの更新", ShownMenu, _JOB.format("menu")),
    },
    first=(
        "まだ一度も連携していません。LINE WORKSのAPIを登録し、従業員を読み込んでアカウントを登録してください。",
        "LINE WORKSのAPI登録を開く",
        "lineworks",
    ),
    uploads={"/accounts/import": import_pages.MAX_UPLOAD},
)
VIEW = LinkView(
    ("accounts",),
    counts,
    problems,
    findings,
    pages=PAGES,
    connections=connection_names,
    figures=figures,
    sheet_editor=EDITOR,
)
