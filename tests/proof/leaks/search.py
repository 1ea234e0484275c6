"""The search of every place for marks that may not be there."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from tests.proof.leaks.fronts import Letter
from tests.proof.leaks.marks import ADDRESS, EVERYTHING, MAPPED, NOT_IN_AIRFLOW, PASSWORD, SECRETS, UNMAPPED, USER_ID
from tests.proof.leaks.scenarios import MAIL_ALONE, Scenario
from tests.proof.leaks.world import LeakWorld

CHATS = ("slack", "chatwork", "teams", "lineworks", "googlechat", "line")
APPROVAL = "hitl_detail"  # whose body names people by user id, for whoever has to judge a held plan


def _forms(mark: str) -> Iterator[bytes]:
    """How a mark may be written: plain, escaped, quoted, in other encodings, and within base64."""
    plain = mark.encode()
    yield plain
    yield json.dumps(mark)[1:-1].encode()
    yield quote(mark).encode()
    yield repr(plain)[2:-1].encode()
    yield mark.encode("utf-16-le")
    yield mark.encode("cp932", errors="ignore") if len(mark.encode("cp932", errors="ignore")) > 3 else plain
    for shift in range(3):  # the part of its base64 that is the same whatever stands around it
        coded = base64.b64encode(b"\0" * shift + plain)
        core = coded[(0, 2, 3)[shift] : (shift + len(plain)) * 4 // 3]
        if len(core) > 6:
            yield core


class Search:
    """Looks for marks; each answer is one line per place and kind, never the value. An empty place is an error."""

    def __init__(self, always: dict[str, str] | None = None) -> None:
        """`always`: marks of this run alone, forbidden in every place."""
        self._always = tuple(always or ())
        marks = EVERYTHING | (always or {})
        self._forms = {kind: tuple(dict.fromkeys(_forms(mark))) for kind, mark in marks.items()}

    def kinds(self, content: bytes, forbidden: Iterable[str]) -> list[str]:
        return [kind for kind in (*forbidden, *self._always) if any(form in content for form in self._forms[kind])]

    def files(self, folder: Path, forbidden: Iterable[str], control: bytes = b"") -> list[str]:
        """Marks in the bytes of the files below `folder`, one of which must hold `control`."""
        wrong, seen = [], not control
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                seen = seen or control in content
                wrong += [f"{path.relative_to(folder)}: {kind}" for kind in self.kinds(content, forbidden)]
        return wrong if seen else [*wrong, f"{folder.name}: {control.decode()} is not there, so nothing was searched"]

    def databases(self, world: LeakWorld) -> list[str]:
        """As `database`, for each Airflow that ran."""
        return [line for path in sorted(world.folder.glob("*/airflow.db")) for line in self.database(path)]

    def database(self, path: Path) -> list[str]:
        """Marks in the bytes of the database with its journal, and in each column as text, unpacked where packed."""
        content = b"".join(part.read_bytes() for part in sorted(path.parent.glob(path.name + "*")))
        wrong = [f"bytes of {path.name}: {kind}" for kind in self.kinds(content, NOT_IN_AIRFLOW)]
        filled = set()
        with closing(sqlite3.connect(path)) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for (column,) in db.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall():
                    cells = [_unpacked(value) for (value,) in db.execute(f'SELECT "{column}" FROM "{table}"')]
                    filled |= {table} if cells else set()
                    asks = table.startswith(APPROVAL) and column == "body"
                    forbidden = NOT_IN_AIRFLOW if asks else EVERYTHING
                    wrong += [f"{table}.{column}: {kind}" for kind in self.kinds(b"\n".join(cells), forbidden)]
            plain = db.execute("SELECT count(*) FROM connection WHERE password IS NOT NULL AND NOT is_encrypted")
            wrong += ["connection: a password is not encrypted"] if plain.fetchone()[0] else []
        empty = {"serialized_dag", "task_instance", "xcom"} - filled
        return wrong + [f"{table} is empty, so nothing was searched" for table in sorted(empty)]

    def logs(self, world: LeakWorld) -> list[str]:
        """Marks in the task logs and in all that Airflow's processes print."""
        wrong, seen = [], False
        for path in (*sorted(world.folder.glob("*.log")), *sorted(world.folder.glob("*/logs/**/*.log"))):
            content = path.read_bytes()
            seen = seen or b"fetch users" in content
            wrong += [f"{path.relative_to(world.folder)}: {kind}" for kind in self.kinds(content, EVERYTHING)]
        return wrong if seen else [*wrong, "no task said anything, so nothing was searched"]

    def kept(self, world: LeakWorld) -> list[str]:
        sheets = [*ADDRESS, *PASSWORD]
        wrong = self.files(world.folder / "index", [kind for kind in EVERYTHING if kind not in sheets], b"smarthr_url")
        board = world.folder / "index/channels/smarthr_emc__chat.json"
        wrong += [] if board.exists() else ["no channel is shown as disabled, so no board was searched"]
        homes = (world.airflow.home, world.folder / "inside")
        rest = [path for home in homes for path in home.iterdir() if path.is_file()]
        for path in rest:
            forbidden = NOT_IN_AIRFLOW if path.name.startswith("airflow.db") else EVERYTHING  # see `database`
            wrong += [f"{path.name}: {kind}" for kind in self.kinds(path.read_bytes(), forbidden)]
        return wrong + self.files(world.folder / "tmp", EVERYTHING)

    def store(self, folder: Path) -> list[str]:
        """Marks in the records and in the tables as they read; mapped items must be there, or nothing was kept."""
        forbidden = UNMAPPED | SECRETS | PASSWORD
        wrong, seen = [], set[str]()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content += pd.read_parquet(path).to_csv().encode()
            found = self.kinds(content, forbidden)
            if path.name == "emc_problems.json":  # EMC's own words, kept for the operator, quoted in no mail
                found = []
            wrong += [f"{path.relative_to(folder)}: {kind}" for kind in found]
            seen |= set(self.kinds(content, MAPPED | USER_ID))
        for kept in ("runs/*/told.json", "channels/*.json"):
            wrong += [] if any(folder.glob(f"*/tenants/*/{kept}")) else [f"no {kept}, so no channel was tried"]
        missing = [kind for kind in MAPPED | USER_ID if kind not in seen and kind != "telephone in digits"]
        return wrong + [f"nothing of the kind {kind} was kept, so nothing was tried" for kind in missing]

    def mails(self, mails: list[Letter]) -> list[str]:
        forbidden = NOT_IN_AIRFLOW  # nor in a mail
        wrong = [
            f"{letter.subject} to {'、'.join(letter.tenants)}: {kind}"
            for letter in mails
            for kind in self.kinds(f"{letter.subject}\n{letter.body}".encode(), forbidden)
        ]
        named = any(self.kinds(letter.body.encode(), USER_ID) and "/crews/" in letter.body for letter in mails)
        return wrong if named else [*wrong, "no mail named anybody"]

    def chats(self, messages: list[dict[str, Any]], scenarios: list[Scenario]) -> list[str]:
        """Marks in what was posted, and as it looks; every service must have heard of every tenant that it served."""
        wrong = []
        heard = set[tuple[str, str]]()
        for message in messages:
            content = json.dumps(message, ensure_ascii=False).encode()
            found = re.search(r"SmartHR → EMC: (\w+)", message["text"])
            tenant = found[1] if found else ""
            heard.add((message["service"], tenant))
            wrong += [f"{message['service']} about {tenant}: {kind}" for kind in self.kinds(content, EVERYTHING)]
        deaf = (*MAIL_ALONE, "chat", "chat_busy", "trip_collect")  # refused, and the result itself not collected
        expected = {(service, s.tenant) for service in CHATS for s in scenarios if s.tenant not in deaf}
        return wrong + [f"{service} did not hear of {tenant}" for service, tenant in sorted(expected - heard)]


def _unpacked(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        try:
            return value + zlib.decompress(value)
        except zlib.error:
            return value
    return b""
