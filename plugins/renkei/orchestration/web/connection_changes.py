"""Who changed a company's Connections, and which fields: read from Airflow's audit log, which keeps no secret.

Airflow writes a line for each request, one that it then refuses too; a form sends all of its fields, changed or not.
What stands in a secrets backend, in the environment or in an imported file is not seen.
"""

from __future__ import annotations

import ast
import datetime as dt
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from airflow.models.log import Log
from airflow.utils.session import create_session
from sqlalchemy import or_, select

from renkei.sheets.grants import is_own
from renkei.web.facts import ConnectionChange

WORDS = {
    "post_connection": "登録",
    "patch_connection": "変更",
    "delete_connection": "削除",
    "cli_connections_add": "登録",
    "cli_connections_delete": "削除",
}
BULK, BULK_WORDS = "bulk_connections", {"create": "登録", "update": "変更", "delete": "削除"}
MAX_LINES = 200  # lines that are looked at, the newest
_IDS = ("connection_id", "conn_id")


def connection_changes(tenant: str, others: Collection[str], since: dt.datetime) -> list[ConnectionChange]:
    """Of the Connections that end in `__<tenant>` and of `others`, the newest first."""
    ends = [name + quote for name in (f"__{tenant}", *others) for quote in "\"'"]
    named = or_(*(Log.extra.contains(end, autoescape=True) for end in ends))
    wanted = (
        select(Log.event, Log.dttm, Log.owner, Log.owner_display_name, Log.extra)
        .where(Log.event.in_([*WORDS, BULK]), Log.dttm >= since, named)
        .order_by(Log.dttm.desc())
        .limit(MAX_LINES)
    )
    with create_session() as session:
        rows = list(session.execute(wanted))

    def mine(name: object) -> bool:
        return isinstance(name, str) and (is_own(name, tenant) or name in others)

    return [
        ConnectionChange(row.dttm, str(row.owner_display_name or row.owner or ""), name, done, fields)
        for row in rows
        for name, done, fields in _changes(row.event, row.extra, mine)
    ]


def _changes(event: str, extra: str | None, mine: Callable[[object], bool]) -> Iterator[tuple[str, str, list[str]]]:
    """Name, what was done, and the names of the fields given, of each of `mine` in a line of the audit log."""
    try:
        said: Any = json.loads(extra or "")
        command = ast.literal_eval(said["full_command"]) if event.startswith("cli_") else ()
    except (ValueError, SyntaxError, TypeError, KeyError):  # whatever may be written there one day
        return
    if event.startswith("cli_"):
        yield from ((word, WORDS[event], []) for word in command if mine(word))
    elif event == BULK:
        for action in _mappings(said.get("actions")):
            done = BULK_WORDS.get(str(action.get("action")), "変更")
            yield from ((name, done, []) for name in action.get("entities") or () if mine(name))
            yield from (
                (name, done, _fields(one)) for one in _mappings(action.get("entities")) if mine(name := _name(one))
            )
    elif isinstance(said, dict) and mine(name := _name(said)):
        yield name, WORDS[event], _fields(said)


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _name(entity: Mapping[str, Any]) -> Any:
    return entity.get("connection_id") or entity.get("conn_id")


def _fields(entity: Mapping[str, Any]) -> list[str]:
    """The names of the fields that have a value; of Extra, of what is in it."""
    names = [
        name for name, value in entity.items() if value not in (None, "") and name not in (*_IDS, "extra", "method")
    ]
    extra = entity.get("extra")
    return names + ([f"extra.{name}" for name in extra] if isinstance(extra, dict) else ["extra"] if extra else [])
