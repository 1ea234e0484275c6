"""A copy of a store: pruned by a process that dies, looked at, and used for the next day."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem

from renkei.errors import BaselineError, LinkStateError, RenkeiError
from renkei.storage.cipher import Cipher
from renkei.storage.retention import prune, tenants_and_accounts
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from tests.harness.emc import Emc
from tests.harness.fuse import Died, Fuse
from tests.harness.program import ROOT
from tests.harness.tenant import LINK, Tenant
from tests.proof.retention.world import KEY, HistoryWorld, emc_of

KEEP_DAYS = 400


class Mortal(Store):
    """A store whose user dies at one of its removals."""

    fuse: Fuse

    def delete(self, key: str) -> None:
        self.fuse.around(key, lambda: super(Mortal, self).delete(key))

    def remove_folder(self, prefix: str) -> None:
        self.fuse.around(prefix, lambda: super(Mortal, self).remove_folder(prefix))


class Killed(Fuse):
    """By the system, not from inside."""

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def prune_all(store: Store, now: dt.datetime) -> None:
    for tenant, accounts in tenants_and_accounts(store, LINK).items():
        prune(TenantFolder(store, LINK, tenant), accounts, now, dt.timedelta(days=KEEP_DAYS), lambda run_id: False)


def die_while_pruning(root: str, key: str, now: str, fuse: Fuse) -> int:
    """Steps that were gone through; fewer than the fuse's when it came to its end."""
    store = Mortal(LocalFileSystem(), root, Cipher(key) if key else None)
    store.fuse = fuse
    with suppress(Died):
        prune_all(store, dt.datetime.fromisoformat(now))
    return len(fuse.seen)


@dataclass
class Copy:
    """A copy of a store: pruning unlinks and never writes into a file, so its files are hard links."""

    world: HistoryWorld
    kind: str  # plain or encrypted
    root: Path

    @classmethod
    def fresh(cls, world: HistoryWorld, kind: str) -> Copy:
        root = world.folder / "copy"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(world.folder / kind, root, copy_function=os.link)
        return cls(world, kind, root)

    @property
    def key(self) -> str:
        return KEY if self.kind == "encrypted" else ""

    def store(self) -> Store:
        return Store(LocalFileSystem(), str(self.root), Cipher(self.key) if self.key else None)

    def die(self, at: int, side: str, days: int = 0) -> int:
        now = (self.world.today + dt.timedelta(days=days)).isoformat()
        return die_while_pruning(str(self.root), self.key, now, Fuse(at, side == "after"))

    def die_by_signal(self, at: int, side: str) -> int:
        """The exit code of a process of its own."""
        arguments = (str(self.root), self.key, self.world.today.isoformat())
        fuse = f"Killed({at}, {side == 'after'})"
        program = f"from tests.proof.retention.pruning import *; die_while_pruning(*{arguments!r}, {fuse})"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "plugins")))}
        return subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT).returncode

    def next_night(self) -> None:
        prune_all(self.store(), self.world.today + dt.timedelta(days=1))

    def remains_after_next_night(self) -> list[str]:
        self.next_night()
        return self.remains()

    def damage(self) -> list[str]:
        """What is wrong in the middle: with what stays, or with the remains of what goes."""
        wrong = []
        before, now = _tree(self.world.folder / self.kind), _tree(self.root)
        touched = {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
        for path in sorted(touched):
            if not any(path.startswith(f"{run}/") for run in self.world.goes):
                wrong.append(f"{path} was touched")
        for run in self.world.goes:
            left, had = ({p.rsplit("/", 1)[1] for p in tree if p.startswith(f"{run}/")} for tree in (now, before))
            gone = had - left
            usable = "plan.json" in left or ("snapshot.json" in left and not gone <= {"plan.json"})
            if gone and usable:
                wrong.append(f"{run} has lost {len(gone)} files and can still be taken up again")
            if left and "run.json" in gone:
                wrong.append(f"{run} has lost what tells its age before the rest")
        return wrong

    def remains(self) -> list[str]:
        """What differs from what must stay once pruning has come to its end; empty folders count."""
        before, now = _tree(self.world.folder / self.kind), _tree(self.root)
        right = {p: n for p, n in before.items() if not any(p.startswith(f"{run}/") for run in self.world.goes)}
        wrong = [f"{path} is gone or changed" for path in sorted(right) if now.get(path) != right[path]]
        wrong += [f"{path} is still there" for path in sorted(now.keys() - right.keys())]
        return wrong + [f"{run} is still there, empty" for run in self.world.goes if (self.root / run).exists()]


def _tree(root: Path) -> dict[str, int]:
    """Every file with its inode: the same one is the same content."""
    files: dict[str, int] = {}
    pending = [str(root)]
    while pending:
        for entry in os.scandir(pending.pop()):
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            else:
                files[entry.path[len(str(root)) + 1 :]] = entry.inode()
    return files


def next_day(copy: Copy, full: bool) -> list[str]:
    """Run every tenant's next day over this store, against EMC as it was; what is wrong with its end."""
    world, wrong = copy.world, []
    database = world.folder / "next_day.sqlite"
    database.unlink(missing_ok=True)
    with closing(sqlite3.connect(world.database)) as source, closing(sqlite3.connect(database)) as target:
        source.backup(target)
    with emc_of(world.history, database) as emc:
        for name in world.history.keys() - {"sheet_gone"}:
            with closing(world.tenant(name, copy.store(), emc.url)) as tenant:
                tenant.now = world.today + dt.timedelta(days=1)
                try:
                    wrong += [f"{name}: {line}" for line in _tenants_day(world, tenant, emc, full)]
                except RenkeiError as error:
                    wrong.append(f"{name}: {type(error).__name__}: {error}")
    return wrong


def _tenants_day(world: HistoryWorld, tenant: Tenant, emc: Emc, full: bool) -> list[str]:
    name = tenant.mapping.tenant
    loads = [event for _, event, _ in world.history[name] if event in ("load", "committed, then dead")]
    if name == "lost":
        for manual in (False, True):
            try:
                tenant.run(manual=manual, run_id=f"next {manual}")
            except (BaselineError, LinkStateError) as error:
                if isinstance(error, BaselineError):
                    continue
            return ["the lost baseline was taken for a first link"]
        return [] if _users(emc, name) == {} else ["something was written without a baseline"]
    answer = tenant.run(manual=False, run_id="next day")
    wrong = [] if answer == "loaded" else [f"load answered {answer}"]
    if tenant.generation() != len(loads) + 1:
        wrong.append(f"{tenant.generation()} baselines instead of {len(loads) + 1}")
    if tenant.note():
        wrong.append("the note is still there")
    right = {crew["emp_code"]: f"{crew['last_name']}　{crew['first_name']}" for crew in world.crews(name)}
    if (found := _users(emc, name)) != right:
        wrong.append(f"EMC has {len(found)} people, SmartHR {len(right)}; {len(found.items() ^ right.items())} differ")
    if full and tenant.run(manual=False, run_id="the day after") != "unchanged":
        wrong.append("the day after is not 変化なし")
    return wrong


def _users(emc: Emc, account: str) -> dict[str, str]:
    answer = emc.call("GET", "/users?limit=1000", token=f"emc_sim_{account}")
    return {user["ユーザID"]: user["氏名"] for user in answer.json()["items"]}
