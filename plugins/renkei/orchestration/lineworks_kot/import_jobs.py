"""一括インポート: a file of accounts is looked at as one job, and taken over as another one, once a person has seen it (P5).

Ten thousand lines take seconds, and LINE WORKS' answers about them most of an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from renkei import settings
from renkei.clock import utcnow
from renkei.errors import Problem, RenkeiError, SettingError
from renkei.jobs.records import Jobs
from renkei.links.lineworks_kot.account_file import read_accounts
from renkei.links.lineworks_kot.accounts import Accounts, AccountTakenError
from renkei.links.lineworks_kot.registration import read_registration
from renkei.orchestration.tenant import Tenant
from renkei.storage import uploads
from renkei.storage.database.database import open_database
from renkei.storage.store import DamagedFileError, MissingKeyError
from renkei.storage.tenant_folder import TenantFolder

Progress = Callable[[str, int, int], None]
OVER = "このファイルの検査結果は、もうありません。もう一度インポートしてください。"


@dataclass(frozen=True, slots=True)
class Line:
    """The account of an employee: what it is, and what the file says."""

    key: str
    was: str = field(repr=False)
    entered: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What is wrong in a file, all of it; or what it would change. It names accounts, and stays in the store (L6)."""

    problems: list[Problem]
    warnings: list[Problem]
    lines: list[Line]

    @property
    def added(self) -> int:
        return sum(not line.was for line in self.lines)

    @property
    def same(self) -> int:
        return sum(line.was == line.entered for line in self.lines)

    @property
    def changed(self) -> int:
        return len(self.lines) - self.added - self.same


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many accounts a file has changed, and what LINE WORKS says of them; or why it was not asked."""

    changed: int
    said: tuple[str, ...] = ()
    fault: str = ""


def check_file(tenant: Tenant, asked: Mapping[str, str], progress: Progress) -> CheckedFile:
    """What is in the file `asked["upload"]`; nothing is changed.

    Raises:
        MissingKeyError: it was looked at before.
    """
    folder = tenant.folder()
    content = uploads.take(folder, asked["upload"])
    progress("ファイルを検査しています", 0, 0)
    accounts = Accounts(open_database(settings.database_url()), folder.store, tenant.name)
    found = read_accounts(content, asked["name"], accounts.employees.keys(), accounts.by_entered())
    now = {one.employee.key: one.entered for one in accounts.shown()} if found.accounts else {}
    lines = [Line(key, now.get(key, ""), entered) for key, entered in found.accounts.items()]
    return CheckedFile(list(found.problems), list(found.warnings), lines)


def take_over(
    tenant: Tenant,
    asked: Mapping[str, str],
    progress: Progress,
    check: Callable[[Tenant, Mapping[str, str], Progress], tuple[str, ...]],
) -> ImportResult:
    """What job `asked["file"]` has found is registered, all or none; then LINE WORKS is asked for the userIds (`check`)."""
    folder, database = tenant.folder(), open_database(settings.database_url())
    found = checked_file(folder, int(asked["file"]))
    progress("登録しています", 0, 0)
    changes = {line.key: line.entered for line in found.lines}
    drawn = {line.key: line.was for line in found.lines}
    try:
        count = Accounts(database, folder.store, tenant.name).put(changes, asked["by"], utcnow(), drawn)
    except AccountTakenError as error:
        raise SettingError(f"{error}何も登録していません。もう一度インポートしてください。") from None
    if not count or not read_registration(database, tenant.name).first_at:
        return ImportResult(count)
    try:
        return ImportResult(count, check(tenant, asked, progress))
    except RenkeiError as error:  # they are registered all the same
        return ImportResult(count, fault=str(error))


def checked_file(folder: TenantFolder, number: int) -> CheckedFile:
    """What the job of this number has found.

    Raises:
        SettingError: it is gone, or was none without a fault.
    """
    jobs = Jobs(folder)
    try:
        found = jobs.result(number, CheckedFile)
    except (MissingKeyError, DamagedFileError):
        raise SettingError(OVER) from None
    if found.problems:
        raise SettingError("誤りのあるファイルは登録できません。すべて直してから、もう一度インポートしてください。")
    return found
