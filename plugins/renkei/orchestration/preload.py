"""What every task needs, imported once: a task is a fork of its worker, and inherits what that has imported.

Named in `[scheduler] mp_forkserver_preload` (LocalExecutor). Without it all works the same, only each task takes some
tenths of a second of a core longer.
"""

from importlib import import_module

from airflow.sdk import ObjectStoragePath

for name in (
    "airflow.dag_processing.dagbag",
    "airflow.executors.local_executor",
    "airflow.providers.smtp.hooks.smtp",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "email_validator",
    "encodings.shift_jis",
    "encodings.utf_32_le",
    "httpx",
    "pandas",
    "phonenumbers",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "renkei.orchestration.dag_builder",
    "renkei.orchestration.hooks",
    "renkei.orchestration.plain_mail",
    "renkei.orchestration.watching.dag",
    "tenacity",
):
    import_module(name)

# Airflow looks through all installed providers for file systems, once per process: 0.2 s.
_ = ObjectStoragePath("file:///").fs
