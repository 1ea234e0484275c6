"""Tenants with a history of more than two years, each a shape of its own, and what must stay of it."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from renkei.errors import BaselineError
from renkei.links.smarthr_emc.model import Mode
from renkei.storage.cipher import Cipher
from renkei.storage.store import Store
from tests.harness.emc import Emc
from tests.harness.fuse import Died
from tests.harness.sheet import full_mapping
from tests.harness.smarthr import SmartHR
from tests.harness.tenant import LINK, Tenant
from tests.proof.case import Effort

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


@dataclass
class HistoryWorld:
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
def world(folder: Path, effort: Effort) -> Iterator[HistoryWorld]:
    history = HISTORY if effort is Effort.FULL else BRIEF
    with emc_of(history, folder / "emc.sqlite") as emc, SmartHR.start() as smarthr:
        smarthr.clear()
        made = HistoryWorld(folder, smarthr, emc, history, dt.datetime.now(dt.UTC))
        _live(made)
        yield made


def emc_of(tenants: Iterable[str], database: Path) -> Emc:
    """An EMC with an account for each of them."""
    accounts = [part for name in tenants if name != "acme" for part in ("--account", name)]
    return Emc.start("--database", str(database), *accounts)


def _live(world: HistoryWorld) -> None:
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


def _happen(world: HistoryWorld, tenant: Tenant, event: str, run_id: str) -> None:
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
