"""Who asks the console, and what he may: Airflow's own users and rights.

The only file that imports `airflow.api_fastapi`, which is nobody's promise: tests/dags/test_console_in_airflow.py fails
loudly where a new Airflow answers otherwise.
"""

from __future__ import annotations

from collections.abc import Set

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.api_fastapi.auth.managers.models.resource_details import (
    ConnectionDetails,
    DagAccessEntity,
    DagDetails,
    VariableDetails,
)
from airflow.api_fastapi.core_api.security import get_user
from airflow.models.dag import DagModel
from fastapi import HTTPException, Request

from renkei.orchestration.disaster_freeze import VARIABLE
from renkei.web.services import Right, User

COOKIE = COOKIE_NAME_JWT_TOKEN


class AirflowAuthority:
    """`renkei.web.services.Authority` by the auth manager of this Airflow."""

    async def user(self, request: Request) -> User | None:
        """By the cookie of Airflow's log-in alone: pages are for browsers."""
        try:
            own = await get_user(request, None, None)
        except HTTPException as error:
            if error.status_code in (401, 403):  # no token, an old one, a forged one
                return None
            raise
        return User(str(own.get_id()), str(own.get_name()), own)

    def visible(self, user: User) -> Set[str]:
        return get_auth_manager().get_authorized_dag_ids(user=user.own, method="GET")

    def may(self, user: User, right: Right, dag_id: str) -> bool:
        """Without the entity, FAB refuses everybody a POST on a Dag."""
        method, entity = {
            Right.SEE: ("GET", None),
            Right.EDIT: ("PUT", None),
            Right.RUN: ("POST", DagAccessEntity.RUN),
            Right.ANSWER: ("PUT", DagAccessEntity.HITL_DETAIL),
        }[right]
        details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
        return get_auth_manager().is_authorized_dag(
            method=method,  # type: ignore[arg-type]
            access_entity=entity,
            details=details,
            user=user.own,
        )

    def may_create(self, user: User) -> bool:
        return get_auth_manager().is_authorized_dag(method="PUT", user=user.own)

    def may_freeze_all(self, user: User) -> bool:
        """Who may write the Variable."""
        details = VariableDetails(key=VARIABLE)
        return get_auth_manager().is_authorized_variable(method="PUT", details=details, user=user.own)

    def may_register(self, user: User, name: str) -> bool:
        """As Airflow asks when it changes one, and when it makes one."""
        details = ConnectionDetails(conn_id=name)
        manager = get_auth_manager()
        return all(
            manager.is_authorized_connection(method=method, details=details, user=user.own)
            for method in ("PUT", "POST")
        )

    def log_in(self, back: str) -> str:
        return str(get_auth_manager().get_url_login(next_url=back))
