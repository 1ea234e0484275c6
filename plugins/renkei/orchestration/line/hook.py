"""The connection type `line_login`: a tenant's LINE Login channel (N4)."""

from __future__ import annotations

from airflow.sdk import BaseHook

from renkei.errors import RenkeiError
from renkei.orchestration.line.connection import CONN_TYPE, callback_url, read_channel


class LineLoginHook(BaseHook):
    """For Airflow's connection form; the pages read the Connection themselves."""

    conn_name_attr = "line_login_conn_id"
    conn_type = CONN_TYPE
    hook_name = "LINEログイン"

    def __init__(self, line_login_conn_id: str = "") -> None:
        super().__init__()
        self.line_login_conn_id = line_login_conn_id

    def test_connection(self) -> tuple[bool, str]:
        """The form's test button: the shape of everything, and what to register at LINE. The secret cannot be tried."""
        try:
            read_channel(self.line_login_conn_id)
        except RenkeiError as error:
            return False, str(error)
        return True, f"形は正しいです。LINE DevelopersのコールバックURLに {callback_url()} を登録してください。"
