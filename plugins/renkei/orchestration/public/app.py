"""The public service's app, with what it needs of Airflow: Connections and the store (docs/decisions/0018)."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from renkei import settings
from renkei.inbox.receiver import Receiver
from renkei.orchestration.connections import open_store
from renkei.orchestration.line import page
from renkei.orchestration.link import LINKS
from renkei.orchestration.public import customers
from renkei.orchestration.public.inviting import PART
from renkei.public import app
from renkei.storage.database.database import open_database


@functools.cache
def receiver() -> Receiver:
    """The way into the inbox, one in a process.

    Raises:
        StoreError: the store, whose key seals messages, cannot be opened; the next one asks again.
    """
    return Receiver(settings.database_url(), open_store())


def standalone_app() -> ASGIApp:
    """What `renkei serve` serves."""
    return app.build([*_of_links(), Mount(f"/{PART}", app=customers.build()), Mount("", app=page.build())], _check)


def in_api_server() -> ASGIApp:
    """What Airflow's API server has below the prefix: all of it; pages show the way if RENKEI_PUBLIC_URL has them elsewhere.

    Callbacks are taken all the same: each customer registers the new address on a day of his own.
    """
    elsewhere = bool(settings.public_url())
    own = [] if elsewhere else [Mount(f"/{PART}", app=customers.build())]
    return app.guarded([*_of_links(), *own, Mount("", app=page.moved() if elsewhere else page.build())])


def _of_links() -> Sequence[BaseRoute]:
    return [route for link in LINKS.values() if link.public for route in link.public()()]


def _check() -> None:
    receiver()
    with open_database(settings.database_url()).reading() as connection:
        connection.exec_driver_sql("SELECT 1")
