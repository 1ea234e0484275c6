"""One Dag per mapping file of a link (E1–E3). Parsing opens sheets, and nothing else."""

from __future__ import annotations

import datetime as dt
import gc
import re
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, chain, get_parsing_context

from renkei import settings
from renkei.errors import Problem, SettingError
from renkei.orchestration.documentation import display_name, page_of
from renkei.orchestration.link import LINKS, Link, dag_id
from renkei.orchestration.stage import BROKEN, StageOperator
from renkei.orchestration.tenant import Tenant
from renkei.orchestration.timetable import TOKYO, timetable_of
from renkei.sheets.beside import compile_beside
from renkei.sheets.compiled import Compiled
from renkei.sheets.grants import Grants, read_grants
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import TenantFile, tenants

# Airflow gives up a Dag file after 30 s, and with it every tenant's Dag.
WAIT_S = 5.0  # for all new sheets of the file together
OWN_WAIT_S = 15.0  # for the one sheet of a task's own tenant
NOTIFY_TIMEOUT = dt.timedelta(minutes=10)


def build_dags(dag_file: str) -> dict[str, DAG]:
    """The Dags of this file, by dag id; which link's they are, its name says.

    Files beside it named like it, with a number (`make shards`), share the tenants among them. A task's
    process asks for one Dag: only that tenant's sheet is opened.
    """
    link = LINKS.get(_link_name(Path(dag_file)))
    if link is None:
        raise SettingError(
            f"{Path(dag_file).name}: a Dag file is called <link>.py or <link>_<number>.py; links: {[*LINKS]}"
        )
    folder = settings.mappings_folder(dag_file, link.name)
    grants = read_grants(settings.operator_file(dag_file))
    wanted = get_parsing_context().dag_id
    shards = sorted(file.name for file in Path(dag_file).parent.glob("*.py") if _link_name(file) == link.name)
    here, count = shards.index(Path(dag_file).name), len(shards)
    files = {dag_id(link.name, file.tenant): file for file in tenants(folder)}
    if wanted is not None and wanted not in files and wanted.startswith(prefix := dag_id(link.name, "")):
        files[wanted] = _absent(folder, wanted.removeprefix(prefix))
    ours = [
        file
        for name, file in files.items()
        if wanted in (None, name) and zlib.crc32(file.tenant.encode()) % count == here
    ]
    with _nothing_collected():
        sheets = _sheets(link, folder, ours, WAIT_S if wanted is None else OWN_WAIT_S)
        dags = [
            _dag(link, file, sheet, dag_file, grants.of(file.tenant)) for file, sheet in zip(ours, sheets, strict=True)
        ]
    return {dag.dag_id: dag for dag in dags}


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """A thousand Dags are cycles that all live: Python looked through them again and again, a quarter of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _link_name(dag_file: Path) -> str:
    return re.sub(r"_\d+$", "", dag_file.stem)  # of a shard


def _dag(link: Link, file: TenantFile, sheet: Compiled[Any], dag_file: str, grants: Grants) -> DAG:
    """The tenant's Dag; a fault of ours in making it costs no other tenant its own (L5)."""
    tenant = Tenant(link, file.tenant, sheet, file.name, dag_file, grants)
    try:
        return _build(replace(tenant, sheet=link.check_grants()(sheet, grants, file.name)), _changed_at(file.path))
    except Exception as error:
        found = f"予期しないエラーでDagを作れません（{type(error).__name__}）"
        problem = Problem(file.name, found, "運用担当者がRenkeiの開発元に連絡してください")
        return _build(replace(tenant, sheet=Compiled(file.tenant, "", None, (problem,))), None)


def _absent(folder: Path, tenant: str) -> TenantFile:
    """A task of this Dag runs and its sheet is away: for the moment of a save, or for good. It says so itself."""
    problem = Problem(tenant, "連携設定シートがありません", "シートを元の場所に戻してください")
    return TenantFile(folder / tenant, tenant, problem)


def _sheets(link: Link, folder: Path, files: Sequence[TenantFile], patience_s: float) -> list[Compiled[Any]]:
    """The sheets as far as they are compiled within `patience_s`; the others go on being compiled beside (L5)."""
    kind, index, hosts = link.sheets(), settings.index_folder(), settings.allowed_hosts()
    sheets = load_all(kind, files, index, hosts, patience_s)
    if any(sheet.pending for sheet in sheets):
        compile_beside(kind, folder, index, hosts)
    return sheets


def _changed_at(sheet: Path) -> dt.datetime | None:
    """When the sheet took its present form: a 処理時刻 that had passed by then starts nothing (E1)."""
    try:
        changed = sheet.stat().st_mtime
        # A clock that was wrong where the sheet was saved must not keep the tenant from running.
        return dt.datetime.fromtimestamp(int(changed), TOKYO) if changed <= time.time() else None
    except (OSError, ValueError, OverflowError):  # a year below 1
        return None


def _build(tenant: Tenant, changed_at: dt.datetime | None) -> DAG:
    sheet = tenant.sheet
    begins = [dt.datetime.combine(sheet.link_start_on, dt.time(), TOKYO)] if sheet.link_start_on else []
    not_before = max([*begins, *([changed_at] if changed_at else [])], default=None)
    description, text = page_of(tenant)
    state = [] if sheet.mapping else ["確認中"] if sheet.pending else [BROKEN]
    with DAG(
        tenant.dag_id,
        dag_display_name=display_name(tenant),
        description=description,
        doc_md=text,
        schedule=timetable_of(tenant.link, sheet, not_before) if sheet.scheduled else None,
        catchup=False,
        max_active_runs=1,
        # No backfill: no source can be read as it was, and Airflow runs several of one at a time.
        allowed_run_types=["scheduled", "manual", "operator_triggered"],  # type: ignore[list-item]
        tags=["renkei", tenant.link.name, *state],
        auto_register=False,  # one that could not be finished is none
        default_args={
            "owner": "renkei",
            "retries": 3,
            "retry_delay": settings.retry_delay(),
            "retry_exponential_backoff": True,
            "max_retry_delay": dt.timedelta(minutes=30),
        },
    ) as dag:
        _add_tasks(tenant)
    # Last: every operator would copy it, which was a quarter of the time that parsing took. And past the validator of
    # Airflow's DAG, which took two fifths: it compiles the JSON Schema of the same few fields anew for each Dag.
    object.__setattr__(dag, "params", tenant.link.form().params())
    return dag


def _add_tasks(tenant: Tenant) -> None:
    """The link's own tasks, then `notify`, which always runs, and `outcome`, the leaf: the run's colour is the work's (E2, N3).

    The same for a sheet that cannot be used: its first task says what to mend (L5), and a run that waits for a person
    keeps its question. The last two are teardowns: those Airflow runs even when a person marks the whole run, which
    skips every other task. Both may fail the run in Airflow's eyes, or else the tasks before them would be its leaves too.
    """
    work = tenant.link.work()(tenant)
    mail = _closing_task(tenant, "notify", "結果通知").as_teardown(on_failure_fail_dagrun=True)
    result = _closing_task(tenant, "outcome", "処理結果").as_teardown(on_failure_fail_dagrun=True)
    chain(*work, mail, result)


def _closing_task(tenant: Tenant, name: str, shown: str) -> StageOperator:
    return StageOperator(
        tenant=tenant,
        function=f"renkei.orchestration.closing_tasks:{name}",
        task_id=name,
        task_display_name=shown,
        execution_timeout=NOTIFY_TIMEOUT,
    )
