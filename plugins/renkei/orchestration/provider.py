"""What Airflow's connection form knows of us: the systems of all links and the chat services, labelled in Japanese."""

from __future__ import annotations

from typing import Any

from renkei.notifications.services import ConnectionField
from renkei.orchestration.connection_kinds import CHANNEL_KINDS, SYSTEM_KINDS
from renkei.web.connection_facts import ConnectionKind

_STANDARD = ("host", "schema", "login", "password", "port", "extra")


def get_provider_info() -> dict[str, Any]:
    """Airflow's provider entry point (pyproject.toml, `apache_airflow_provider`)."""
    return {
        "package-name": "renkei",
        "name": "Renkei",
        "description": "SmartHR → Emergency Call, Hot Profile → kintone, LINE WORKS → KING OF TIME, notifications",
        "connection-types": [_form(kind) for kind in (*SYSTEM_KINDS, *CHANNEL_KINDS)],
    }


def _form(kind: ConnectionKind) -> dict[str, Any]:
    standard = {field.place: field for field in kind.fields if field.place != "extra"}
    return {
        "connection-type": kind.type,
        "hook-class-name": kind.hook,
        "hook-name": kind.label,
        "conn-fields": {field.key: _extra_field(field) for field in kind.fields if field.place == "extra"},
        "ui-field-behaviour": {
            "hidden-fields": [place for place in _STANDARD if place not in standard],
            "relabeling": {place: _label(field) for place, field in standard.items()},
            "placeholders": {place: field.note for place, field in standard.items() if field.note},
        },
    }


def _label(field: ConnectionField) -> str:
    return field.label if field.required else f"{field.label}（任意）"


def _extra_field(field: ConnectionField) -> dict[str, Any]:
    kind = {"format": "multiline" if field.lines else "password"} if field.secret else {}
    note = {"description": field.note} if field.note else {}
    return {"label": _label(field), "schema": {"type": ["string", "null"], **kind}, **note}
