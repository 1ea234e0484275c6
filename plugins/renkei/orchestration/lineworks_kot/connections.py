"""What a task gets from Airflow: KING OF TIME with the tenant's token."""

from __future__ import annotations

from urllib.parse import urlsplit

from renkei import settings
from renkei.errors import ConnectionError_, RenkeiError
from renkei.orchestration.secret_hook import SecretHook
from renkei.settings import allowed_hosts
from renkei.systems.hosts import is_trusted
from renkei.systems.kingoftime.client import HOST, KingOfTimeClient
from renkei.systems.kingoftime.errors import KingOfTimeAwayError


class KingOfTimeHook(SecretHook):
    """Connection type `kingoftime`: one company's access token."""

    conn_name_attr = "kingoftime_conn_id"
    default_conn_name = "kingoftime_default"
    conn_type = "kingoftime"
    hook_name = label = "KING OF TIME"
    secret_name = "アクセストークン(Password)"

    def __init__(self, kingoftime_conn_id: str = default_conn_name) -> None:
        super().__init__(method="GET", http_conn_id=kingoftime_conn_id)

    def client(self) -> KingOfTimeClient:
        """Raises ConnectionError_: as `open_session`, or the URL is not KING OF TIME's."""
        session, connection = self.open_session()
        url = self.base_url if urlsplit(self.base_url).hostname else HOST
        if not is_trusted(url, lambda host: host == urlsplit(HOST).hostname, allowed_hosts()):
            raise ConnectionError_(
                f"Airflowの接続「{self.http_conn_id}」のURL(Host)はKING OF TIMEのものではないため、"
                f"トークンを送りませんでした。URLを空白にするか、{HOST} に直してください。"
            )
        session.headers["Authorization"] = f"Bearer {self.secret_of(connection)}"
        return KingOfTimeClient(session, url, settings.outgoing_ip())

    def test_connection(self) -> tuple[bool, str]:
        """The form's test button."""
        try:
            found = self.client().divisions()
        except KingOfTimeAwayError as error:
            return False, f"{error}10:00～17:30 または 18:30～8:30 に、もう一度テストしてください。"
        except RenkeiError as error:
            return False, str(error)
        return True, f"KING OF TIMEに接続できました（所属 {len(found)}件）。"


def kingoftime_client(tenant: str) -> KingOfTimeClient:
    """KING OF TIME of one tenant: Connection `kingoftime__<tenant>`."""
    return KingOfTimeHook(f"kingoftime__{tenant}").client()
