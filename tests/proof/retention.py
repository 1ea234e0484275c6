"""Pruning dies at every delete, over real baselines, plain and encrypted; afterwards the links go on as if it had not.

Four tenants with a history of more than two years, each a shape of its own (`HISTORY`). What must stay of it is
written down here by hand; whether the next day is right is asked from EMC and SmartHR.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from renkei.errors import BaselineError, LinkStateError, RenkeiError
from renkei.links.smarthr_emc.model import Mode
from renkei.storage.cipher import Cipher
from renkei.storage.retention import prune, tenants_and_accounts
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from tests.harness.emc import Emc
from tests.harness.fuse import Died, Fuse
from tests.harness.program import ROOT
from tests.harness.sheet import full_mapping
from tests.harness.smarthr import SmartHR
from tests.harness.tenant import LINK, Tenant
from tests.proof.case import Case, Effort, Say

KEEP_DAYS = 400
KEY = "cmVua2VpLXByb29mLXJldGVudGlvbi1rZXktMDAwMDE="
DAY = {"joiners": 1, "leavers": 1, "moves": 1}
SIZE = 24

# Days ago, what happened, whether it stays. Written by hand from the rules: the last two baselines' runs, an
# unsettled load, what is young, and loads that no baseline knows any more.
HISTORY: dict[str, tuple[tuple[int, str, bool], ...]] = {
    "acme": (
        (900, "load", False),
        (800, "load", False),
        (700, "load", True),
        (600, "load", True),
        (500, "quiet", False),
        (450, "check only", False),
        (440, "no start", False),
        (410, "quiet", False),
        (390, "quiet", True),
        (2, "quiet", True),
    ),
    "kita": ((700, "load", False), (600, "load", True), (500, "load", True), (420, "committed, then dead", True)),
    "sheet_gone": ((800, "load", False), (700, "load", True), (600, "load", True)),
    "lost": ((700, "load", True), (600, "load", True), (500, "refused", False)),
}
BRIEF: dict[str, tuple[tuple[int, str, bool], ...]] = {
    "acme": ((900, "load", False), (700, "load", True), (600, "load", True), (410, "quiet", False)),
    "kita": ((600, "load", True), (420, "committed, then dead", True)),
}


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


# --- the histories


@dataclass
class Histories:
    """Tenants with runs of many ages: the stores as they were before any pruning, and what must stay of them."""

    folder: Path
    smarthr: SmartHR
    emc: Emc
    history: dict[str, tuple[tuple[int, str, bool], ...]]
    today: dt.datetime
    stays: set[str] = field(default_factory=set)  # run folders, as keys
    goes: set[str] = field(default_factory=set)

    @property
    def database(self) -> Path:
        return self.folder / "emc.sqlite"

    def tenant(self, name: str, store: Store, emc_url: str) -> Tenant:
        mapping = full_mapping(tenant=name, emc_account=name)
        return Tenant.over_http(store, mapping, self.smarthr.url, emc_url)

    def crews(self, name: str) -> list[dict[str, Any]]:
        """Whom EMC should know."""
        crews = self.smarthr.sim("GET", f"companies/{name}/crews")
        return [crew for crew in crews if crew["emp_status"] != "retired" and crew["emp_code"]]


@contextmanager
def world(folder: Path, effort: Effort) -> Iterator[Histories]:
    history = HISTORY if effort is Effort.FULL else BRIEF
    accounts = [part for name in history if name != "acme" for part in ("--account", name)]
    emc = Emc.start("--database", str(folder / "emc.sqlite"), *accounts)
    try:
        smarthr = SmartHR.start()
        try:
            smarthr.sim("POST", "limits", {"per_second": 10_000, "per_hour": 1_000_000})
            made = Histories(folder, smarthr, emc, history, dt.datetime.now(dt.UTC))
            _live(made)
            yield made
        finally:
            smarthr.stop()
    finally:
        emc.stop()


def _live(world: Histories) -> None:
    """Let the tenants have their histories, plain; then the same store once more, encrypted."""
    store = Store(LocalFileSystem(), str(world.folder / "plain"))
    for seed, (name, days) in enumerate(world.history.items(), start=4):
        world.smarthr.sim("POST", "companies", {"name": name, "seed": seed, "size": SIZE})
        tenant = world.tenant(name, store, world.emc.url)
        for ago, event, stays in days:
            tenant.now = world.today - dt.timedelta(days=ago)
            run_id = f"scheduled__{tenant.now.isoformat()}"
            _happen(world, tenant, event, run_id)
            (world.stays if stays else world.goes).add(tenant.record(run_id).folder)
        tenant.close()
        if name in ("acme", "kita"):
            world.smarthr.sim("POST", f"companies/{name}/day", DAY)
    encrypted = Store(LocalFileSystem(), str(world.folder / "encrypted"), Cipher(KEY))
    for key in store.files(LINK):
        encrypted.write(key, store.read(key))
        shutil.copystat(store.path(key), encrypted.path(key))


def _happen(world: Histories, tenant: Tenant, event: str, run_id: str) -> None:
    name = tenant.mapping.tenant
    if event == "load":
        if tenant.generation():
            world.smarthr.sim("POST", f"companies/{name}/day", DAY)
        assert tenant.run(run_id=run_id) == "loaded"
    elif event == "quiet":
        assert tenant.run(run_id=run_id, manual=False) == "unchanged"
        # A write that died long ago: it holds people like the rest.
        Path(tenant.store.path(f"{tenant.record(run_id).folder}/.users.parquet.0123456789ab")).write_bytes(b"half")
    elif event == "check only":
        assert tenant.run(Mode.CHECK_ONLY, run_id=run_id) == "checked"
    elif event == "no start":  # failed before it could begin: the mail's record is all there is
        record = tenant.record(run_id)
        record.write_json("told", {})
        at = tenant.now.timestamp()
        os.utime(tenant.store.path(f"{record.folder}/told.json"), (at, at))
    elif event == "committed, then dead":
        world.smarthr.sim("POST", f"companies/{name}/day", DAY)
        job = tenant.plan(run_id=run_id)
        real, tenant.target = tenant.target, _DiesAfterSubmit(tenant.target)
        try:
            tenant.load(job)
        except Died:
            tenant.target = real
        assert tenant.note()
    else:  # refused: EMC has forgotten everything and the baselines are gone, so only the store's history tells
        shutil.rmtree(tenant.store.path(f"{LINK}/tenants/{name}/baselines"))
        world.emc.sim("DELETE", f"accounts/{name}")
        try:
            tenant.open(manual=False, run_id=run_id)
        except BaselineError:
            return
        raise AssertionError("a lost baseline was not refused")


class _DiesAfterSubmit:
    """EMC commits, and nobody lives to hear of it."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def submit(self, *args: Any) -> Any:
        self._target.submit(*args)
        raise Died

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


# --- one store that is pruned


@dataclass
class Copy:
    """A copy of a store: pruning unlinks and never writes into a file, so its files are hard links."""

    world: Histories
    kind: str  # plain or encrypted
    root: Path

    @classmethod
    def fresh(cls, world: Histories, kind: str) -> Copy:
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
        program = f"from tests.proof.retention import *; die_while_pruning(*{arguments!r}, {fuse})"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "plugins")))}
        return subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT).returncode

    def next_night(self) -> None:
        prune_all(self.store(), self.world.today + dt.timedelta(days=1))

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


# --- the next day


def next_day(copy: Copy, full: bool) -> list[str]:
    """Run every tenant's next day over this store, against EMC as it was; what is wrong with its end."""
    world, wrong = copy.world, []
    database = world.folder / "next_day.sqlite"
    database.unlink(missing_ok=True)
    with closing(sqlite3.connect(world.database)) as source, closing(sqlite3.connect(database)) as target:
        source.backup(target)
    accounts = [part for name in world.history if name != "acme" for part in ("--account", name)]
    emc = Emc.start("--database", str(database), *accounts)
    try:
        for name in world.history.keys() - {"sheet_gone"}:
            tenant = world.tenant(name, copy.store(), emc.url)
            tenant.now = world.today + dt.timedelta(days=1)
            try:
                wrong += [f"{name}: {line}" for line in _tenants_day(world, tenant, emc, full)]
            except RenkeiError as error:
                wrong.append(f"{name}: {type(error).__name__}: {error}")
            finally:
                tenant.close()
    finally:
        emc.stop()
    return wrong


def _tenants_day(world: Histories, tenant: Tenant, emc: Emc, full: bool) -> list[str]:
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


# --- the campaign


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    """`folder` lies best where flushing costs nothing."""
    full = effort is Effort.FULL
    with world(folder, effort) as made:
        say(f"retention: {len(made.stays)} runs must stay, {len(made.goes)} must go")
        return [
            _case(f"{name}, {kind}", rules, afterwards, partial(run, made, kind, full), say)
            for kind in ("plain", "encrypted")
            for name, rules, afterwards, run in CASES
            if full or kind == "encrypted" or run not in (_by_signal, _days)
        ]


def _case(name: str, rules: str, afterwards: str, run: Callable[[], Result], say: Say) -> Case:
    start = time.monotonic()
    tries, wrong = run()
    case = Case("retention", name, rules, tries, tuple(wrong), afterwards, time.monotonic() - start)
    say(f"retention: {name}: {tries} tries, {len(wrong)} wrong, {case.seconds:.1f} s")
    return case


Result = tuple[int, list[str]]


def _removals(world: Histories, kind: str) -> int:
    """Deletes and removed folders of a pruning that nothing interrupts."""
    return Copy.fresh(world, kind).die(-1, "after")


def _once(world: Histories, kind: str, full: bool) -> Result:
    """One death, then the next night. Of each removal the plain store tries one side, the encrypted one the other."""
    count, tries, wrong = _removals(world, kind), 0, []
    for at in range(0, count, 1 if full else max(1, count // 12)):
        side = "before" if (at % 2 == 0) == (kind == "plain") else "after"
        copy = Copy.fresh(world, kind)
        copy.die(at, side)
        found = copy.damage()
        copy.next_night()
        wrong += [f"{kind}, {side} removal {at}: {line}" for line in found + copy.remains()]
        tries += 1
    return tries, wrong


def _in_turn(world: Histories, kind: str, full: bool) -> Result:
    """Each night's pruning lives for one removal only, until there is nothing left to do."""
    copy, tries, wrong = Copy.fresh(world, kind), 0, []
    while copy.die(0, "after", days=1):
        tries += 1
        wrong += [f"{kind}, night {tries}: {line}" for line in copy.damage()]
    return tries, wrong + [f"{kind}, in turn: {line}" for line in copy.remains()]


def _by_signal(world: Histories, kind: str, full: bool) -> Result:
    """As `_once`, in a process of its own that gets SIGKILL."""
    count, tries, wrong = _removals(world, kind), 0, []
    for at, side in ((count // 2, "after"), (count - 1, "before"))[: 2 if full else 1]:
        copy = Copy.fresh(world, kind)
        code = copy.die_by_signal(at, side)
        found = [] if code == -signal.SIGKILL else [f"ended with {code}"]
        found += copy.damage()
        copy.next_night()
        wrong += [f"{kind}, SIGKILL {side} removal {at}: {line}" for line in found + copy.remains()]
        tries += 1
    return tries, wrong


def _days(world: Histories, kind: str, full: bool) -> Result:
    """After a pruning that came to its end, and right after one that died half-way."""
    tries, wrong = 0, []
    for at in (-1, _removals(world, kind) // 2)[: 2 if full and kind == "encrypted" else 1]:
        copy = Copy.fresh(world, kind)
        copy.die(at, "after")
        wrong += [f"{kind}, the day after removal {at}: {line}" for line in next_day(copy, full)]
        tries += 1
    return tries, wrong


KEPT = "half a run never usable; after the next night exactly what the rules keep, untouched, undo's runs among it"
NEXT_DAY = "EMC as SmartHR, baseline moved once, open load settled, lost baseline refused, then 変化なし"
CASES = (
    ("killed at a removal", "L1 L4 L6 E31", KEPT, _once),
    ("killed at every removal in turn", "L1 L4 L6", KEPT, _in_turn),
    ("SIGKILL", "L4", KEPT, _by_signal),
    ("the next day", "L3 L4 E31", NEXT_DAY, _days),
)
