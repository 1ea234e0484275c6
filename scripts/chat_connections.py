"""The simulated chat services as Airflow Connections, as an operator would enter them for one tenant."""

from __future__ import annotations

from typing import Any

FIELDS = {"client_id": "login", "client_secret": "password", "url": "password", "token": "password", "base_url": "host"}
TYPES = {
    "slack_webhook": "slack_webhook",
    "slack_bot": "slack_bot",
    "chatwork": "chatwork",
    "teams": "teams_workflow",
    "lineworks": "lineworks",
    "google_chat": "google_chat",
    "line": "line",
}
EXTRA = ("service_account", "private_key", "bot_id")


def chat_connections(registrations: dict[str, dict[str, Any]], tenant: str) -> dict[str, dict[str, Any]]:
    """By connection id; `registrations` is what the simulator hands out at `/_sim/registrations`."""
    return {f"{kind}__{tenant}": _connection(kind, registrations[name]) for name, kind in TYPES.items()}


def _connection(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    found = {FIELDS[key]: value for key, value in values.items() if key in FIELDS}
    extra = {key: value for key, value in values.items() if key in EXTRA}
    return {"conn_type": kind, **found, **({"extra": extra} if extra else {})}


def destinations(registrations: dict[str, dict[str, Any]]) -> dict[str, str]:
    """A 送信先 for each service that needs one, by the names of `registrations`."""
    return {
        "slack_bot": registrations["slack_bot"]["members"][0],
        "chatwork": registrations["chatwork"]["rooms"][0],
        "lineworks": registrations["lineworks"]["users"][0],
        "line": registrations["line"]["friends"][0],
    }
