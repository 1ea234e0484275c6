"""Makes Renkei known to Airflow, in every one of its processes: so it imports next to nothing."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from renkei.orchestration import run_end
from renkei.orchestration.connection_form import PortZeroIsNoPort
from renkei.orchestration.starting import watch_new_runs
from renkei.orchestration.timetable import DailyInJapan, EveryMinutes


class LinePages:
    """The pages on which members link a LINE account, made by the first request: only API servers ever get one."""

    _app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._app is None:
            import asyncio

            self._app = await asyncio.to_thread(_build)
        await self._app(scope, receive, send)


def _build() -> Any:
    from renkei.orchestration.line.page import build

    return build()


class RenkeiPlugin(AirflowPlugin):
    name = "renkei"
    timetables = [DailyInJapan, EveryMinutes]  # noqa: RUF012 - Airflow's own form
    listeners = [run_end]  # noqa: RUF012
    fastapi_apps = [  # noqa: RUF012
        {"name": "renkei", "url_prefix": "/renkei", "app": LinePages()},
    ]
    fastapi_root_middlewares = [  # noqa: RUF012
        {"name": "renkei connection test", "middleware": PortZeroIsNoPort, "args": [], "kwargs": {}},
    ]

    @classmethod
    def on_load(cls, *_args: Any, **_kwargs: Any) -> None:
        watch_new_runs()
