"""What every task needs, imported once: a task is a fork of its worker, and inherits what that has imported.

Named in `[scheduler] mp_forkserver_preload` (LocalExecutor). Without it all works the same, only each task takes some
tenths of a second of a core longer.
"""

from importlib import import_module

from airflow.sdk import ObjectStoragePath

from renkei.orchestration.link import LINKS

for name in (
    "airflow.dag_processing.dagbag",
    "airflow.executors.local_executor",
    "airflow.providers.smtp.hooks.smtp",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "email_validator",
    "encodings.shift_jis",
    "encodings.utf_32_le",
    "pandas",
    "phonenumbers",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "renkei.orchestration.closing_tasks",
    "renkei.orchestration.dag_builder",
    "renkei.orchestration.monitor.watch",
    "renkei.orchestration.plain_mail",
    "renkei.notifications.messengers",
    "tenacity",
    *(name for link in LINKS.values() for name in link.preloads),
):
    import_module(name)

# Airflow looks through all installed providers for file systems, once per process: 0.2 s.
_ = ObjectStoragePath("file:///").fs
