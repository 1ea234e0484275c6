"""What takes too long for a page, because it asks LINE WORKS or KING OF TIME, or writes to many people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from renkei import settings
from renkei.clock import utcnow
from renkei.errors import RenkeiError
from renkei.links.lineworks_kot import first_message, preparing
from renkei.links.lineworks_kot.accounts import Accounts, Selection
from renkei.links.lineworks_kot.registration import note_registration
from renkei.links.lineworks_kot.words_store import Words
from renkei.orchestration.lineworks_kot import import_jobs
from renkei.orchestration.lineworks_kot.connection_trial import try_lineworks
from renkei.orchestration.lineworks_kot.connections import kingoftime_client
from renkei.orchestration.lineworks_kot.import_jobs import ImportResult
from renkei.orchestration.lineworks_kot.lineworks import lineworks
from renkei.orchestration.tenant import Tenant
from renkei.storage.database.database import Database, open_database
from renkei.systems.delivery import Verdict
from renkei.systems.lineworks.menu import put_menu
from renkei.systems.lineworks.users import find_user

Progress = Callable[[str, int, int], None]
TRY, READ, CHECK, FIRST = "try_lineworks", "read_employees", "check_accounts", "first_messages"
IMPORT, TAKE, MENU = "import_accounts", "take_over_accounts", "put_menu"


@dataclass(frozen=True, slots=True)
class RegistrationTrial:
    """How the first stage of LINE WORKSのAPI登録 ended; a `fault` says what to look at."""

    fault: str = ""


@dataclass(frozen=True, slots=True)
class ReadEmployees:
    """What a read of KING OF TIME's employees came to; not `open` in the hours in which it must not be read."""

    open: bool
    employees: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class CheckedAccounts:
    asked: int
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FirstMessages:
    """How many were put into the outbox, of how many who are registered."""

    registered: int
    added: int
    minutes: int


@dataclass(frozen=True, slots=True)
class ShownMenu:
    """The buttons of the bot's menu, as of a version of the words; with a `fault` they are not there yet."""

    version: int
    buttons: tuple[str, ...]
    fault: str = ""


def try_registration(tenant: Tenant, asked: Mapping[str, str], progress: Progress) -> RegistrationTrial:
    """The secrets are in the Connection by now, and in no record of a job (L7)."""
    progress("LINE WORKSに接続しています", 0, 0)
    try:
        try_lineworks(tenant.mapping)
    except RenkeiError as error:
        return RegistrationTrial(str(error))
    note_registration(_database(), tenant.name, first_at=utcnow(), first_by=asked["by"])
    return RegistrationTrial()


def read_employees(tenant: Tenant, asked: Mapping[str, str], progress: Progress) -> ReadEmployees:
    progress("KING OF TIMEの従業員を読み込んでいます", 0, 0)
    source = kingoftime_client(tenant.name)
    found = preparing.read_employees(_accounts(tenant), source, utcnow(), asked_by_person=True)
    return ReadEmployees(True, found.employees, found.gone) if found else ReadEmployees(False)


def check_accounts(tenant: Tenant, asked: Mapping[str, str], progress: Progress) -> CheckedAccounts:
    accounts, app = _accounts(tenant), lineworks(tenant.mapping)
    count = preparing.check_accounts(accounts, lambda account: find_user(app.api, account), utcnow, progress)
    return CheckedAccounts(count, tuple(preparing.accounts_said(accounts.states())))


def take_over(tenant: Tenant, asked: Mapping[str, str], progress: Progress) -> ImportResult:
    return import_jobs.take_over(tenant, asked, progress, lambda *given: check_accounts(*given).said)


def show_words(tenant: Tenant, asked: Mapping[str, str], progress: Progress) -> ShownMenu:
    """The buttons in LINE WORKS have the words that are in force (P18)."""
    progress("LINE WORKSのメニューを更新しています", 0, 0)
    app, words = lineworks(tenant.mapping), Words(_database(), tenant.name).current()
    buttons = preparing.menu_of(tenant.mapping, words)
    answer = put_menu(app.api, app.bot_id, buttons)
    fault = "" if answer.verdict is Verdict.ACCEPTED else answer.reason or "応答がありません"
    return ShownMenu(words.version, tuple(buttons), fault)


def first_messages(tenant: Tenant, asked: Mapping[str, str], progress: Progress) -> FirstMessages:
    """`again` is a name of this very press where who has had theirs is to get another one."""
    progress("初回メッセージを用意しています", 0, 0)
    database, accounts = _database(), _accounts(tenant)
    registered = accounts.registered(Selection(asked["division"], asked["type"]))
    if asked.get("code"):
        registered = [one for one in registered if one.employee.code == asked["code"]]
    words, store = Words(database, tenant.name).current(), tenant.folder().store
    added = first_message.send_first_messages(
        *(database, store, tenant.mapping, words, registered, utcnow(), asked["again"])
    )
    return FirstMessages(len(registered), added, first_message.minutes_for(added))


def _database() -> Database:
    return open_database(settings.database_url())


def _accounts(tenant: Tenant) -> Accounts:
    return Accounts(_database(), tenant.folder().store, tenant.name)


JOBS = {
    TRY: try_registration,
    READ: read_employees,
    CHECK: check_accounts,
    FIRST: first_messages,
    IMPORT: import_jobs.check_file,
    TAKE: take_over,
    MENU: show_words,
}
