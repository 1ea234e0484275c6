"""Makes Renkei known to Airflow, in every one of its processes: so it imports no more than the timetable."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from renkei.orchestration.timetable import DailyInJapan


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
    timetables = [DailyInJapan]  # noqa: RUF012 - Airflow's own form
    fastapi_apps = [  # noqa: RUF012
        {"name": "renkei", "url_prefix": "/renkei", "app": LinePages()},
    ]
