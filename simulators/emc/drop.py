"""The drop folder: the counterpart of uploading the same files by hand or by SFTP."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simulators.emc.api import Opening
from simulators.emc.imports import FILES, Imports
from simulators.emc.problems import Problem
from simulators.emc.rows import count_rows

log = logging.getLogger(__name__)

POLL_S = 0.2


class DropFolder:
    """Imports what is put into a folder, for one account.

    `<name>.ready` says that `<name>.departments.csv` and `<name>.users.csv` are complete (a missing one is a data set
    that is not touched). It is empty, or holds the JSON body of `POST /imports` with `key` added, against which the
    files are then checked. The answer is `<name>.result.json`: an Import, or `{code, message}` for a refusal; the
    ready file is removed after it. The same name with the same content is the same import.
    """

    def __init__(self, imports: Imports, account: str, folder: Path) -> None:
        self.imports = imports
        self.account = account
        self.folder = folder
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(POLL_S):
            for ready in sorted(self.folder.glob("*.ready")):
                try:
                    self._take(ready)
                except OSError as exc:
                    log.warning("drop file not readable yet: %s", type(exc).__name__)

    def _take(self, ready: Path) -> None:
        name = ready.name.removesuffix(".ready")
        paths = {file: self.folder / f"{name}.{file}.csv" for file in FILES}
        bodies = {file: path.read_bytes() for file, path in paths.items() if path.exists()}
        try:
            result = self._import(name, ready.read_text(encoding="utf-8"), bodies)
        except Problem as problem:
            if problem.code == "IMPORT_IN_PROGRESS":
                return
            result = problem.body()
        target = self.folder / f"{name}.result.json"
        partial = target.with_suffix(".partial")
        partial.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
        partial.replace(target)
        ready.unlink()

    def _import(self, name: str, declaration: str, bodies: dict[str, bytes]) -> dict[str, Any]:
        key, body = _declared(declaration) if declaration.strip() else _derived(name, bodies)
        if body["departments"] is None and body["users"] is None:
            raise Problem("FILES_MISSING")
        opened, _ = self.imports.open(self.account, key, body)
        if opened["state"] != "open":
            return opened
        try:
            for file in FILES:
                if body[file] is not None and file in bodies:
                    self.imports.put_file(self.account, opened["id"], file, bodies[file])
            return self.imports.commit(self.account, opened["id"])
        except Problem:
            self.imports.abort(self.account, opened["id"])
            raise


def _declared(declaration: str) -> tuple[str, dict[str, Any]]:
    try:
        given = json.loads(declaration)
        return str(given.pop("key")), Opening.model_validate(given).model_dump()
    except (ValueError, KeyError, AttributeError, ValidationError) as exc:
        raise Problem("BAD_REQUEST") from exc


def _derived(name: str, bodies: dict[str, bytes]) -> tuple[str, dict[str, Any]]:
    declared: dict[str, Any] = dict.fromkeys(FILES)
    for file, content in bodies.items():
        declared[file] = {"rows": count_rows(content) or 0, "sha256": hashlib.sha256(content).hexdigest()}
    digest = hashlib.sha256(json.dumps([name, declared], sort_keys=True).encode()).hexdigest()
    return f"drop-{digest}", {"source": name[:100], "plan_digest": digest, **declared}
