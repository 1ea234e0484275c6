"""Compiles what is new in a folder of sheets, beside whoever noticed: parsing waits a few seconds for it, not longer (L5)."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from renkei.sheets.bounded import environment
from renkei.sheets.compiled import SheetKind
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants

_NICE = 10


def compile_beside(kind: SheetKind[Any], folder: Path, cache: Path, allowed_hosts: Collection[str]) -> bool:
    """Starts a process that compiles all new sheets of the folder into `cache` and ends; whether it was needed.

    There is one at a time: it holds a lock that the kernel lets go of when it ends, however it does. It outlives the
    caller, is nobody's child and holds none of the caller's files.
    """
    hosts = ",".join(sorted(allowed_hosts))
    told = (kind.link, str(kind.version), kind.compiles, kind.mapping)
    which = hashlib.sha256("\n".join((*told, str(folder), hosts)).encode()).hexdigest()
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(cache / f"beside-{which[:16]}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError, an OSError: one is at it
            quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
            # The shell is gone at once, and with it the only parent that the process had.
            command = ["/bin/sh", "-c", '"$@" &', "sh", sys.executable, "-m", __spec__.name, str(folder), str(cache)]
            options: dict[str, Any] = {"pass_fds": (lock,), "start_new_session": True, "env": environment(), **quiet}
            return subprocess.run([*command, hosts, *told], check=False, **options).returncode == 0
        finally:
            os.close(lock)
    return False


def main() -> None:
    folder, cache, hosts, link, version, *names = sys.argv[1:]
    kind: SheetKind[Any] = SheetKind(link, int(version), *names)
    os.nice(_NICE)
    load_all(kind, tenants(Path(folder)), Path(cache), [host for host in hosts.split(",") if host])


if __name__ == "__main__":
    main()
