"""Run in the environment of an Airflow with the FAB auth manager, before it starts: its tables, a user of each role, the Dags.

Each user is called as his role, in small letters; `acme` may see, edit and run the company acme alone. All have the
password of `scripts.local_airflow`.
"""

from __future__ import annotations

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from airflow.providers.fab.auth_manager.models.db import FABDBManager
from airflow.utils.session import create_session

from scripts.local_airflow import PASSWORD, PROJECT
from scripts.past_runs import parse_into_database

ROLES = ("Viewer", "User", "Op", "Admin")
OWN = (("can_read", "Website"), *((may, "DAG:smarthr_emc__acme") for may in ("can_read", "can_edit")))
RUNS = (("can_create", "DAG Run:smarthr_emc__acme"),)


def main() -> None:
    with create_session() as session:
        FABDBManager(session).upgradedb()
    parse_into_database(PROJECT / "dags/smarthr_emc.py")
    with get_application_builder() as builder:
        manager = builder.sm
        manager.sync_roles()
        own = manager.add_role("Acme")
        for action, resource in (*OWN, *RUNS):
            manager.add_permission_to_role(own, manager.create_permission(action, resource))
        for role in (*ROLES, "Acme"):
            name = role.lower()
            made = manager.add_user(name, name, "x", f"{name}@example.jp", manager.find_role(role), PASSWORD)
            assert made, name


if __name__ == "__main__":
    main()
