"""What every task needs, imported once: a task is a fork of its worker, and inherits what that has imported.

Named in `[scheduler] mp_forkserver_preload` (LocalExecutor). Without it all works the same, only each task takes some
tenths of a second of a core longer.
"""

from importlib import import_module

from airflow.sdk import ObjectStoragePath

from renkei.adapters import make_all
from renkei.orchestration.link import LINKS
from renkei.sheets.load import form_of

for name in (
    "airflow.dag_processing.dagbag",
    "airflow.executors.local_executor",
    "airflow.providers.smtp.hooks.smtp",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "email_validator",
    "encodings.cp932",
    "encodings.shift_jis",
    "encodings.utf_32_le",
    "pandas",
    "jinja2.ext",
    "phonenumbers.data.region_JP",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "renkei.orchestration.closing_tasks",
    "renkei.orchestration.connection_form",
    "renkei.orchestration.dag_builder",
    "renkei.orchestration.monitor.monitor",
    "renkei.orchestration.plain_mail",
    "renkei.notifications.messengers",
    "renkei.storage.parquet",
    "tenacity",
    *(f"renkei.orchestration.{name}.tasks" for name in LINKS),
):
    import_module(name)

for link in LINKS.values():
    for part in (link.form, link.work, link.page, link.report, link.subjects, link.check_grants, link.timetable):
        part()
    form_of(link.sheets())
make_all()

# Airflow looks through all installed providers for file systems, once per process: 0.2 s.
_ = ObjectStoragePath("file:///").fs
