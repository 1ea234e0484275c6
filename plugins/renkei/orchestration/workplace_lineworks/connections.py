"""What a task gets from Airflow: WORKPLACE, LINE WORKS' calendars with the tenant's credentials, and the database."""

from __future__ import annotations

from collections.abc import Callable

from renkei import settings
from renkei.channel import Channel, Service
from renkei.errors import RenkeiError
from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.notifications.services import SPEC
from renkei.orchestration.channel_connections import registration_of
from renkei.orchestration.secret_hook import SecretHook
from renkei.storage.database.database import Database, open_database
from renkei.systems.lineworks.api import LineWorksApi
from renkei.systems.lineworks.auth import LineWorksCredentials
from renkei.systems.lineworks.calendar import SCOPES, LineWorksCalendar
from renkei.systems.workplace.client import WorkplaceClient

BOT = "bot_id"  # of the Connection; calendars do without
_NAMES = ("client_id", "client_secret", "service_account", "private_key", BOT)


class WorkplaceHook(SecretHook):
    """Connection type `workplace`: a token of whatever answers by our source contract."""

    conn_name_attr = "workplace_conn_id"
    default_conn_name = "workplace_default"
    conn_type = "workplace"
    hook_name = label = "WORKPLACE"

    def __init__(self, workplace_conn_id: str = default_conn_name) -> None:
        super().__init__(method="GET", http_conn_id=workplace_conn_id)

    def client(self) -> WorkplaceClient:
        """Raises ConnectionError_: as `open_session`, or the URL is missing or would carry the token in clear."""
        session, connection = self.open_session()
        self.require_private_url()
        session.headers["Authorization"] = f"Bearer {self.secret_of(connection)}"
        return WorkplaceClient(session, self.base_url)

    def test_connection(self) -> tuple[bool, str]:
        """The form's test button."""
        try:
            self.client().check()
        except RenkeiError as error:
            return False, str(error)
        return True, "WORKPLACEに接続できました。"


def workplace_client(tenant: str) -> WorkplaceClient:
    """WORKPLACE of one tenant: Connection `workplace__<tenant>`."""
    return WorkplaceHook(f"workplace__{tenant}").client()


def lineworks_name(tenant: str) -> str:
    """The one Connection of LINE WORKS, for calendar and messenger alike (C2)."""
    return f"lineworks__{tenant}"


def registrations(mapping: Mapping) -> list[Channel]:
    """What the link works with beside its channels, as channels: their 有効期限 is told ahead alike (C1, N7)."""
    found = []
    if mapping.calendar or mapping.uses("lineworks"):
        found.append(Channel("LINE WORKS", Service.LINEWORKS, lineworks_name(mapping.tenant)))
    for key, service in {"slack": Service.SLACK_BOT, "line": Service.LINE}.items():
        if mapping.uses(key):
            found.append(Channel(SPEC[service].label, service, f"{SPEC[service].connection_type}__{mapping.tenant}"))
    return found


def calendar(tenant: str, may_send: Callable[[], None] = lambda: None) -> LineWorksCalendar:
    """LINE WORKS' calendars of one tenant; `may_send` is asked right before each request.

    Raises:
        ConnectionError_: what is wrong with each field (C1).
    """
    fields = registration_of(Service.LINEWORKS, lineworks_name(tenant), (BOT,)).fields
    credentials = LineWorksCredentials(**{name: fields.get(name, "") for name in _NAMES})
    return LineWorksCalendar(LineWorksApi(credentials, fields.get("base_url", ""), scopes=SCOPES, may_send=may_send))


def database() -> Database:
    """The database of RENKEI_DATABASE; raises StoreError."""
    return open_database(settings.database_url())
