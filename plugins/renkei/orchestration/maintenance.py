"""The Dag `renkei_maintenance`: every night the records of runs that are old enough are deleted (docs/operations.md)."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from airflow.sdk import DAG, BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from renkei import settings
from renkei.clock import utcnow
from renkei.errors import RenkeiError, SettingError, StoreError
from renkei.jobs.records import KEPT, Jobs
from renkei.orchestration import connections
from renkei.orchestration.link import LINKS, dag_id
from renkei.orchestration.monitor.unfinished import ongoing_in
from renkei.orchestration.timetable import DailyInJapan
from renkei.storage import audit, once, retention, uploads
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.versions import Versions

log = logging.getLogger(__name__)

DAG_ID = "renkei_maintenance"
TIMEOUT = dt.timedelta(hours=6)  # ten thousand tenants in an object store, one request after the other
DOC = f"""# Renkei 保守

毎日3:00（Asia/Tokyo）に、保存期間（環境変数 `RENKEI_KEEP_DAYS`、既定400日）を過ぎた処理記録を保存先から削除します。
社員を画面で見た人の記録も、同じ期間を過ぎると削除します。
「連携」の画面から始めた作業（リハーサルなど）の結果は、{KEPT.days}日を過ぎると削除します。

受け取ったメッセージと、社員に送ったメッセージは、処理が終わってから35日を過ぎると削除します。未処理、確認待ちのものは残します。

次の処理記録は、保存期間を過ぎても残します。

- 現在の前回データと、その1つ前の前回データの処理記録
- 取込結果が未確定の処理記録（`pending.json`）、実行中の処理記録
- 開始日時が分からない処理記録、前回データが失われたことを示す処理記録（タスクのログに警告として表示します）

連携設定シートが無くなった会社も同じ規則です。ある会社で失敗しても他の会社の処理は続け、最後に失敗した会社の一覧とともに
タスクを失敗にします。途中で止まった場合は、次の実行が続きを削除します。
"""


class PruneOperator(BaseOperator):
    """Prunes the runs of every tenant in the store."""

    def execute(self, context: Any) -> dict[str, int]:
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
    from renkei.notifications.members.linking import Linking  # the client of LINE: parsing has no use for it

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
    from renkei.inbox import inbox  # SQLAlchemy: parsing has no use for it
    from renkei.notifications.members import own
    from renkei.outbox import outbox
    from renkei.storage.database.database import open_database
    from renkei.web.customer import invitations

    database = open_database(settings.database_url())
    log.info("prune inbox deleted=%d", inbox.forget(database, now))
    log.info("prune outbox deleted=%d", outbox.forget(database, now))
    own.forget(database, now)
    invitations.forget(database, now, keep)


def _kept(link: str, keep: dt.timedelta) -> dt.timedelta:
    """How long the records of a link's runs are kept: of one that runs every few minutes not as long as others'."""
    days = LINKS[link].keep_days
    return min(keep, dt.timedelta(days=days)) if days else keep


def build_dag() -> DAG:
    with DAG(
        DAG_ID,
        dag_display_name="Renkei 保守",
        description="保存期間を過ぎた処理記録を毎日 03:00 に削除",
        doc_md=DOC,
        schedule=DailyInJapan(3, 0),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,  # personal data goes in time without anybody having to think of it
        tags=["renkei"],
        default_args={"owner": "renkei", "retries": 3, "retry_delay": settings.retry_delay()},
    ) as dag:
        PruneOperator(task_id="prune", task_display_name="処理記録の整理", execution_timeout=TIMEOUT)
    return dag
