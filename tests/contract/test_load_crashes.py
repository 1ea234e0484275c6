"""The load dies at every line that others can see, and is repeated: the end is that of a run that did not die (L2–L4).

Seen from outside, a load is its writes to the store and its requests to EMC. A first run counts them; then one run
per line dies just before it, and one just after it took effect.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import RenkeiError, RetriableLoadError
from renkei.links.smarthr_emc import stages
from renkei.storage.store import Store
from renkei.systems.emc.drop import DropFolder, LocalFiles
from tests.harness.emc import Emc
from tests.harness.expected import Export
from tests.harness.folders import in_memory
from tests.harness.fuse import Died, Fuse
from tests.harness.sheet import full_mapping
from tests.harness.smarthr import SmartHR
from tests.harness.tenant import NOW, Run, Tenant
from tests.harness.world import World

DAY = {"joiners": 2, "leavers": 1, "renumbered": 1, "moves": 1}


@contextmanager
def fused(monkeypatch: pytest.MonkeyPatch, fuse: Fuse) -> Iterator[None]:
    """Every write of the store, the drop folder's files and every request go through the fuse."""
    with monkeypatch.context() as patch:
        for owner, names in (
            (Store, ("write", "create", "delete")),
            (LocalFiles, ("write", "delete")),
            (requests.Session, ("request",)),
        ):
            for name in names:
                patch.setattr(owner, name, _through(fuse, getattr(owner, name)))
        yield


def _through(fuse: Fuse, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        label = f"{real.__qualname__} " + " ".join(str(a).rsplit("/", 1)[-1] for a in args[:2] if isinstance(a, str))
        return fuse.around(label, lambda: real(self, *args, **kwargs))

    return call


class Scene:
    """A run whose plan is validated and about to be loaded, as often as wanted."""

    def __init__(self, world: World, *, first: bool) -> None:
        """A first link, or an ordinary day with joiners, leavers, a move and a new number."""
        self.world, self.tenant = world, world.tenant
        if not first:
            world.tenant.run()
            world.day(**DAY)
        self.run = Run(world.tenant, "today", manual=True).until("load")
        self.job = self.run.job
        self.kept = world.keep("planned")

    def reset(self) -> None:
        """Store and EMC as they were before the load."""
        self.world.back_to(self.kept)

    def recover(self, stage: str) -> None:
        """Airflow repeats the load, an operator clears the run from another stage on, or the next day's run comes."""
        if stage == "next run":
            self.tenant.run(run_id="tomorrow")
        else:
            self.run.at = stage
            self.run.go()


@pytest.fixture(scope="module", params=[True, False], ids=["first link", "ordinary day"])
def set_up(request: pytest.FixtureRequest, emc_sim_process: Emc, smarthr_sim_process: SmartHR) -> Iterator[Scene]:
    emc_sim_process.clear()
    smarthr_sim_process.clear()
    with in_memory() as folder, closing(World(smarthr_sim_process, emc_sim_process, Path(folder), 12)) as world:
        yield Scene(world, first=request.param)


@pytest.fixture
def ready(set_up: Scene, emc_sim: Emc, smarthr_bare: SmartHR) -> Scene:
    """The same plan in front of the same EMC, for every test."""
    set_up.reset()
    return set_up


def uninterrupted(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], Export, int]:
    """What a load does, seen from outside, and how it ends."""
    fuse = Fuse()
    with fused(monkeypatch, fuse):
        assert scene.tenant.load(scene.job) == "loaded"
    assert not scene.tenant.note()
    return fuse.seen, scene.world.export(), scene.tenant.generation()


@pytest.mark.parametrize("stage", ["load", "next run"])
def test_l4_a_load_that_died_anywhere_ends_as_if_it_had_not(
    ready: Scene, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """EMC has the same, it was committed once, the baseline moved once, and no note is left in the import lock."""
    lines, *wanted = uninterrupted(ready, monkeypatch)

    assert len(lines) >= 8, lines
    assert left_wrong(ready, monkeypatch, stage, range(-1, len(lines)), *wanted) == []


@pytest.mark.parametrize("stage", ["validate", "diff", "open"])
def test_l4_a_load_that_died_once_emc_had_it_may_be_cleared_from_anywhere(
    ready: Scene, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """EMC has the plan, the store may not know yet: whatever an operator clears, the run ends well."""
    lines, *wanted = uninterrupted(ready, monkeypatch)
    commit = next(at for at, name in enumerate(lines) if name.endswith("commit"))

    assert left_wrong(ready, monkeypatch, stage, range(commit, len(lines)), *wanted) == []


def left_wrong(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    deaths: range,
    export: Export,
    generation: int,
) -> list[tuple[str, dict[str, Any]]]:
    """After which deaths the recovery ended otherwise. Dying after line n is dying before n + 1; -1 is before all."""
    sound = {"error": "", "export differs": False, "generation": generation, "committed": 1, "note": False}
    wrong = []
    for at in deaths:
        scene.reset()
        fuse = Fuse(max(at, 0), after=at >= 0)
        with fused(monkeypatch, fuse), pytest.raises(Died):
            scene.tenant.load(scene.job)
        error = ""
        try:
            scene.recover(stage)
        except RenkeiError as raised:
            error = f"{type(raised).__name__}: {raised}"
        found = {
            "error": error,
            "export differs": scene.world.export() != export,
            "generation": scene.tenant.generation(),
            "committed": scene.world.imports()["committed"],
            "note": scene.tenant.note(),
        }
        if found != sound:
            wrong.append((f"died after {fuse.seen[-1]}" if at >= 0 else "died before all", found))
    return wrong


def test_l2_a_load_that_died_before_the_commit_has_changed_nothing(
    ready: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the commit EMC is as it was, and so is the baseline."""
    lines, _, generation = uninterrupted(ready, monkeypatch)
    commit = next(at for at, name in enumerate(lines) if name.endswith("commit"))
    for at in range(commit + 1):
        ready.reset()
        with fused(monkeypatch, Fuse(at)), pytest.raises(Died):
            ready.tenant.load(ready.job)

        assert ready.world.export() == ready.kept.emc
        assert ready.tenant.generation() == generation - 1


def test_l4_a_load_that_died_twice_ends_as_if_it_had_not(ready: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repetition dies too, at every line of its own; the second repetition completes it."""
    lines, wanted, generation = uninterrupted(ready, monkeypatch)
    commit = next(at for at, name in enumerate(lines) if name.endswith("commit"))
    for second in range(len(lines)):
        ready.reset()
        with fused(monkeypatch, Fuse(commit, after=second % 2 == 0)), pytest.raises(Died):
            ready.tenant.load(ready.job)
        with fused(monkeypatch, Fuse(second, after=True)), suppress(Died):
            ready.tenant.load(ready.job)
        ready.tenant.load(ready.job)

        assert ready.world.export() == wanted
        assert ready.tenant.generation() == generation
        assert ready.world.imports()["committed"] == 1


def test_e27_a_neighbour_waits_for_a_dead_load_and_then_finishes_it(
    ready: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the lease the neighbour keeps out; after it, it settles the dead tenant's load and does its own."""
    tenant = ready.tenant
    lines, wanted, generation = uninterrupted(ready, monkeypatch)
    commit = next(at for at, name in enumerate(lines) if name.endswith("commit"))
    ready.reset()
    with fused(monkeypatch, Fuse(commit, after=True)), pytest.raises(Died):
        tenant.load(ready.job)
    neighbour = ready.world.join("beta", seed=9, size=3, id_prefix="b-")
    job = neighbour.plan()
    with pytest.raises(RetriableLoadError, match="acme"):
        neighbour.load(job)
    assert neighbour.generation() == 0
    neighbour.now = NOW + dt.timedelta(hours=3)

    assert neighbour.load(job) == "loaded"
    assert (tenant.generation(), neighbour.generation()) == (generation, 1)
    assert not tenant.note()
    assert {key for key in ready.world.export()["users"] if not key.startswith("b-")} == set(wanted["users"])


@pytest.mark.parametrize("status", ["expired_token", "not_json"])
def test_l5_a_refused_load_does_not_shut_the_account_for_the_others(ready: Scene, status: str) -> None:
    """A load that EMC refused on opening has sent nothing: the neighbour need not wait two hours for it."""
    neighbour = ready.world.join("beta", seed=9, size=3, id_prefix="b-")
    job = neighbour.plan()
    ready.world.emc.fault(status, "/api/v1/imports", method="POST")
    with pytest.raises(RenkeiError):
        ready.tenant.load(ready.job)

    if status == "not_json":  # the answer was lost: whether anything was opened must be asked first
        ready.tenant.load(ready.job)
    assert neighbour.load(job) == "loaded"


@pytest.mark.parametrize("tenant", ["acme", "beta"])
def test_l4_an_import_that_reached_emc_after_we_had_asked_for_it_blocks_nobody(ready: Scene, tenant: str) -> None:
    """The request to open it was late, its note is gone: it is aborted, whichever tenant's it was; others' are not."""
    found = ready.world.emc.open(None, b'"a"\r\n', f"{tenant}.{'0' * 16}.0123456789ab").json()
    with pytest.raises(RetriableLoadError):
        ready.tenant.load(ready.job)

    assert ready.world.emc.call("GET", f"/imports/{found['id']}").json()["state"] == "aborted"
    assert ready.tenant.load(ready.job) == "loaded"


def test_l4_a_file_drop_that_died_anywhere_is_handed_over_once(
    emc_sim: Emc, smarthr_bare: SmartHR, memory_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever the writer dies: after the repetition exactly one import is complete, and it waits for its result."""
    smarthr_bare.sim("POST", "companies", {"name": "acme", "seed": 4, "size": 5})
    drop = memory_path / "drop"
    store = Store(LocalFileSystem(), str(memory_path / "store"))
    tenant = Tenant(store, full_mapping(loader="FILE_DROP"), smarthr_bare.url, DropFolder(LocalFiles(drop)))
    job = tenant.plan(run_id="today")
    shutil.copytree(store.root, memory_path / "kept")
    fuse = Fuse()
    with fused(monkeypatch, fuse):
        assert tenant.load(job) == "waiting"
    wrong = []
    for at, name in enumerate(fuse.seen):
        for after in (False, True):
            shutil.rmtree(store.root)
            shutil.copytree(memory_path / "kept", store.root)
            shutil.rmtree(drop, ignore_errors=True)
            with fused(monkeypatch, Fuse(at, after)), pytest.raises(Died):
                tenant.load(job)
            try:
                answer = tenant.load(job)
            except RetriableLoadError:
                answer = "waiting"  # it was complete: the repetition waits for its result too
            ready = [path.name.removesuffix(".ready") for path in drop.glob("*.ready")]
            files = sorted(path.name for path in drop.iterdir() if not path.name.startswith("."))
            expected = sorted(f"{key}.{end}" for key in ready for end in ("departments.csv", "ready", "users.csv"))
            if (answer, len(ready), files) != ("waiting", 1, expected):
                wrong.append((f"died {'after' if after else 'before'} {name}", answer, files))
            (drop / f"{ready[0]}.result.json").write_text(
                f'{{"id": "1", "key": "{ready[0]}", "state": "committed"}}', encoding="utf-8"
            )
            found = stages.load.confirm(job, tenant.target, NOW)
            if found is None or tenant.generation() != 1 or tenant.note():
                wrong.append((f"died {'after' if after else 'before'} {name}", "not confirmed", files))

    assert wrong == []
