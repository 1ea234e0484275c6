"""Celery as Airflow sets it up, and a worker that tells its long tasks that it was asked to stop (`stopping`).

`AIRFLOW__CELERY__CELERY_CONFIG_OPTIONS=renkei.orchestration.celery_config.CONFIG`; without it a pump keeps a worker that
stops waiting until its half hour is over.
"""

from __future__ import annotations

import os
from typing import Any

from airflow.providers.celery.executors.default_celery import DEFAULT_CELERY_CONFIG as CONFIG
from celery.signals import worker_init, worker_shutdown, worker_shutting_down  # type: ignore[import-untyped]

from renkei.orchestration.stopping import file_of

__all__ = ["CONFIG"]


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _tell(**_: Any) -> None:
    """In a handler of a signal: one thing that cannot wait for anything."""
    file_of(os.getpid()).touch()


@worker_init.connect  # type: ignore[untyped-decorator]
@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _forget(**_: Any) -> None:
    """An earlier worker of the same process id, as in a container that began anew, may have been killed."""
    file_of(os.getpid()).unlink(missing_ok=True)
