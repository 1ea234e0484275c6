"""Makes Renkei known to Airflow, in every one of its processes: so it imports next to nothing."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from renkei.orchestration import run_end
from renkei.orchestration.connection_form import PortZeroIsNoPort
from renkei.orchestration.starting import watch_new_runs
from renkei.orchestration.timetable import (
    DailyInJapan,
    DailyWithSideRuns,
    EveryMinutes,
    EveryMinutesWithSideRuns,
    TimesInJapan,
)


class Pages:
    """An app that the function of this name builds at the first request: only API servers ever get one."""

    def __init__(self, build: str) -> None:
        self._build = build
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._app is None:
            import asyncio

            self._app = await asyncio.to_thread(lambda: resolve_name(self._build)())
        scope["airflow_app"] = scope.get("app")  # Airflow's own; the app will put itself in its place
        await self._app(scope, receive, send)


class RenkeiPlugin(AirflowPlugin):
    name = "renkei"
    timetables = [DailyInJapan, DailyWithSideRuns, EveryMinutes, EveryMinutesWithSideRuns, TimesInJapan]  # noqa: RUF012 - Airflow's own form
    listeners = [run_end]  # noqa: RUF012
    fastapi_apps = [  # noqa: RUF012 - the longer prefix first, or the other app would take its requests
        {
            "name": "renkei console",
            "url_prefix": "/renkei/console",
            "app": Pages("renkei.orchestration.web.mount:build"),
        },
        {"name": "renkei", "url_prefix": "/renkei", "app": Pages("renkei.orchestration.public.app:in_api_server")},
    ]
    external_views = [  # noqa: RUF012 - relative addresses, so that they work below a prefix
        {
            "name": "連携",
            "href": "renkei/console/",
            "destination": "nav",
            "url_route": "renkei",
            "nav_top_level": True,
            "icon": "renkei/console/static/menu/icon.svg",
        },
        {
            "name": "連携の状態",
            "href": "renkei/console/dag/{DAG_ID}",
            "destination": "dag",
            "url_route": "renkei-dag",
        },
    ]
    fastapi_root_middlewares = [  # noqa: RUF012
        {"name": "renkei connection test", "middleware": PortZeroIsNoPort, "args": [], "kwargs": {}},
    ]

    @classmethod
    def on_load(cls, *_args: Any, **_kwargs: Any) -> None:
        watch_new_runs()
