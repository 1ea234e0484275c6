"""What `renkei_maintenance` does: records and rows that are old enough are deleted (docs/operations.md)."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from renkei import settings
from renkei.clock import utcnow
from renkei.errors import RenkeiError, SettingError, StoreError
from renkei.inbox import inbox
from renkei.jobs.records import Jobs
from renkei.notifications.members import own
from renkei.notifications.members.linking import Linking
from renkei.orchestration import connections
from renkei.orchestration.link import LINKS, dag_id
from renkei.orchestration.monitor.unfinished import ongoing_in
from renkei.outbox import outbox
from renkei.storage import audit, once, retention, uploads
from renkei.storage.database.database import open_database
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.versions import Versions
from renkei.web.customer import invitations

log = logging.getLogger(__name__)


def prune_in_task(context: Any) -> dict[str, int]:
    """As `prune_all`, in a task of Airflow."""
    try:
        keep = dt.timedelta(days=settings.keep_days())
        return prune_all(connections.open_store(), utcnow(), keep, ongoing_in(context))
    except SettingError as error:
        raise AirflowFailException(str(error)) from None
    except StoreError as error:  # perhaps it passes
        raise error from None


def prune_all(
    store: Store, now: dt.datetime, keep: dt.timedelta, ongoing: Callable[[str, str], bool]
) -> dict[str, int]:
    """Prune all tenants; how many there are, and how many runs were deleted, kept, and kept for a doubt.

    `ongoing` gets a Dag's id and a run id.

    Raises:
        RenkeiError: after all the others, it names the tenants that could not be pruned (L5).
    """
    counts = {"tenants": 0, "deleted": 0, "kept": 0, "doubtful": 0}
    failures = []
    tenants = [
        (TenantFolder(store, link, tenant), accounts)
        for link in LINKS
        for tenant, accounts in retention.tenants_and_accounts(store, link).items()
    ]
    for folder, accounts in tenants:
        try:
            found = _prune(folder, accounts, now, keep, ongoing)
        except RenkeiError as error:
            failures.append(f"{folder.tenant}: {error}")
            log.error("prune tenant=%s failed: %s", folder.tenant, error)
            continue
        except Exception as error:  # its text might quote a person (L6)
            failures.append(f"{folder.tenant}: 予期しないエラー（{type(error).__name__}）")
            log.error("prune tenant=%s failed: %s", folder.tenant, type(error).__name__)
            continue
        counts["tenants"] += 1
        counts["deleted"] += found.deleted
        counts["kept"] += found.kept
        counts["doubtful"] += len(found.doubtful)
    for name, one in LINKS.items():
        try:
            if one.tidy:
                one.tidy()(now, keep)
        except StoreError as error:
            failures.append(f"{name}: {error}")
    try:
        _forget(now, keep)
    except StoreError as error:
        failures.append(str(error))
    log.info("prune audit deleted=%d", audit.tidy(store, now, keep))
    once.tidy(store, now)
    if failures:
        raise RenkeiError(
            f"{len(failures)}社の処理記録を整理できませんでした（他の会社は終わっています）。\n" + "\n".join(failures)
        )
    return counts


def _prune(
    folder: TenantFolder,
    accounts: list[str],
    now: dt.datetime,
    keep: dt.timedelta,
    ongoing: Callable[[str, str], bool],
) -> retention.Pruned:
    """One tenant: its runs, and what else ends of itself, whatever becomes of the runs."""
    tenant = folder.tenant
    with ExitStack() as afterwards:
        afterwards.callback(Linking(folder).tidy, now)
        afterwards.callback(Jobs(folder).tidy, now)
        afterwards.callback(uploads.tidy, folder, now)
        afterwards.callback(Versions(folder).tidy, now)
        found = retention.prune(
            folder, accounts, now, _kept(folder.link, keep), partial(ongoing, dag_id(folder.link, tenant))
        )
    log.info("prune tenant=%s deleted=%d kept=%d", tenant, found.deleted, found.kept)
    for run in found.doubtful:
        log.warning(
            "prune tenant=%s run=%s: kept, for its date is unknown or the baseline that it made is lost", tenant, run
        )
    return found


def _forget(now: dt.datetime, keep: dt.timedelta) -> None:
    """Deletes the rows of all tenants that are old enough. Raises StoreError: the database is away."""
    database = open_database(settings.database_url())
    log.info("prune inbox deleted=%d", inbox.forget(database, now))
    log.info("prune outbox deleted=%d", outbox.forget(database, now))
    own.forget(database, now)
    invitations.forget(database, now, keep)


def _kept(link: str, keep: dt.timedelta) -> dt.timedelta:
    """How long the records of a link's runs are kept: of one that runs every few minutes not as long as others'."""
    days = LINKS[link].keep_days
    return min(keep, dt.timedelta(days=days)) if days else keep
