"""The console as Airflow mounts it."""

from __future__ import annotations

from urllib.parse import urlsplit

from airflow.sdk import conf
from starlette.types import ASGIApp

from renkei.orchestration.public.inviting import INVITING
from renkei.orchestration.web.actions import AirflowActions
from renkei.orchestration.web.guard import AirflowAuthority
from renkei.orchestration.web.knowledge import AirflowKnowledge
from renkei.orchestration.web.link_view import own_pages
from renkei.orchestration.web.sheet_desk import AirflowSheets
from renkei.web.console.app import build as build_pages
from renkei.web.services import Services


def build() -> ASGIApp:
    """The app below /renkei/console, over this Airflow."""
    base = conf.get("api", "base_url", fallback="http://localhost:8080")
    secret = conf.get_mandatory_value("api", "secret_key").encode()
    parts = AirflowAuthority(), AirflowKnowledge(), AirflowActions(), secret, AirflowSheets()
    return build_pages(Services(*parts, own_pages(), (urlsplit(base).netloc,), inviting=INVITING))
