"""The load dies at every line that others can see, and is repeated: the end is that of a run that did not die (L2–L4).

Seen from outside, a load is its writes to the store and its requests to EMC. A first run counts them; then one run
per line dies just before it, and one just after it took effect.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import RenkeiError, RetriableLoadError
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.stages.job import Job
from renkei.storage.store import Store
from renkei.systems.emc.client import EmcClient
from renkei.systems.emc.drop import DropFolder, LocalFiles
from tests.contract.conftest import Simulator, in_memory
from tests.contract.emc_client import Emc
from tests.contract.fuse import Died, Fuse
from tests.contract.rig import FORMAT, NOW, Tenant, mapping_of

Export = dict[str, dict[str, dict[str, str]]]
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


@dataclass
class Scene:
    """A tenant whose plan is validated and about to be loaded, as often as wanted."""

    tenant: Tenant
    emc: Emc
    job: Job
    kept: Path
    before: Export

    def reset(self) -> None:
        """Store and EMC as they were before the load."""
        root = Path(self.tenant.store.root)
        shutil.rmtree(root)
        shutil.copytree(self.kept, root)
        self.emc.sim("DELETE", "/faults")
        self.emc.sim("DELETE", "/accounts/acme")
        for name, id_name in (("departments", "部署ID"), ("users", "ユーザID")):
            rows = [{id_name: key, **values} for key, values in self.before[name].items()]
            if rows:
                self.emc.sim("POST", f"/accounts/acme/{name}", json=rows)

    def export(self) -> Export:
        return {name: self.emc.export(name) for name in ("departments", "users")}

    def committed(self) -> int:
        found = self.emc.sim("GET", "/accounts/acme").json()["imports"]
        return int(found.get("committed", 0))


def scene(emc: Emc, smarthr: Simulator, folder: Path, company: str, *, first: bool) -> Scene:
    """A first link, or an ordinary day with joiners, leavers, a move and a new number."""
    smarthr.sim("POST", "companies", {"name": company, "seed": 4, "size": 12})
    smarthr.sim("POST", "limits", {"per_second": 10_000, "per_hour": 1_000_000})
    for path in ("/faults", "/accounts/acme"):
        emc.sim("DELETE", path)
    store = Store(LocalFileSystem(), str(folder / "store"))
    tenant = Tenant.over_http(store, mapping_of(), smarthr.url, emc.url, company)
    if not first:
        tenant.run()
        smarthr.sim("POST", f"companies/{company}/day", DAY)
    job = tenant.plan(run_id="today")
    shutil.copytree(store.root, folder / "kept")
    before = {name: emc.export(name) for name in ("departments", "users")}
    return Scene(tenant, emc, job, folder / "kept", before)


@pytest.fixture(scope="module", params=[True, False], ids=["first link", "ordinary day"])
def set_up(request: pytest.FixtureRequest, emc_sim_process: Emc, smarthr_sim_process: Simulator) -> Iterator[Scene]:
    company = "newcomer" if request.param else "regular"
    with in_memory() as folder:
        found = scene(emc_sim_process, smarthr_sim_process, Path(folder), company, first=request.param)
        yield found
        found.tenant.close()


@pytest.fixture
def ready(set_up: Scene, emc_sim: Emc, smarthr_bare: Simulator) -> Scene:
    """The same plan in front of the same EMC, for every test."""
    set_up.reset()
    return set_up


def retry(scene: Scene) -> None:
    """Airflow repeats the task."""
    scene.tenant.load(scene.job)


def clear_from_diff(scene: Scene) -> None:
    """An operator clears the run from diff on."""
    stages.diff.make_diff(scene.job, scene.tenant.target, dt.datetime.now(dt.UTC))
    stages.validate.validate(scene.job, scene.tenant.target, FORMAT, dt.datetime.now(dt.UTC))
    scene.tenant.load(scene.job)


def clear_from_validate(scene: Scene) -> None:
    """An operator clears the run from validate on."""
    stages.validate.validate(scene.job, scene.tenant.target, FORMAT, dt.datetime.now(dt.UTC))
    scene.tenant.load(scene.job)


def next_run(scene: Scene) -> None:
    """Nobody repeats anything; the next day's run comes."""
    scene.tenant.run(run_id="tomorrow", manual=True)


def same_run_from_the_start(scene: Scene) -> None:
    """An operator clears the whole run."""
    job = scene.tenant.open(run_id="today")
    scene.tenant.read(job)
    stages.diff.make_diff(job, scene.tenant.target, dt.datetime.now(dt.UTC))
    stages.validate.validate(job, scene.tenant.target, FORMAT, dt.datetime.now(dt.UTC))
    scene.tenant.load(job)


def uninterrupted(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], Export, int]:
    """What a load does, seen from outside, and how it ends."""
    fuse = Fuse()
    with fused(monkeypatch, fuse):
        assert scene.tenant.load(scene.job) == "loaded"
    assert not scene.tenant.note()
    return fuse.seen, scene.export(), scene.tenant.generation()


@pytest.mark.parametrize("recover", [retry, next_run])
def test_l4_a_load_that_died_anywhere_ends_as_if_it_had_not(
    ready: Scene, monkeypatch: pytest.MonkeyPatch, recover: Callable[[Scene], None]
) -> None:
    """EMC has the same, it was committed once, the baseline moved once, and no note is left in the import lock."""
    lines, *wanted = uninterrupted(ready, monkeypatch)

    assert len(lines) >= 8, lines
    assert left_wrong(ready, monkeypatch, recover, range(-1, len(lines)), *wanted) == []


@pytest.mark.parametrize("recover", [clear_from_validate, clear_from_diff, same_run_from_the_start])
def test_l4_a_load_that_died_once_emc_had_it_may_be_cleared_from_anywhere(
    ready: Scene, monkeypatch: pytest.MonkeyPatch, recover: Callable[[Scene], None]
) -> None:
    """EMC has the plan, the store may not know yet: whatever an operator clears, the run ends well."""
    lines, *wanted = uninterrupted(ready, monkeypatch)
    commit = next(at for at, name in enumerate(lines) if name.endswith("commit"))

    assert left_wrong(ready, monkeypatch, recover, range(commit, len(lines)), *wanted) == []


def left_wrong(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    recover: Callable[[Scene], None],
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
            recover(scene)
        except RenkeiError as raised:
            error = f"{type(raised).__name__}: {raised}"
        found = {
            "error": error,
            "export differs": scene.export() != export,
            "generation": scene.tenant.generation(),
            "committed": scene.committed(),
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

        assert ready.export() == ready.before
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

        assert ready.export() == wanted
        assert ready.tenant.generation() == generation
        assert ready.committed() == 1


def test_e27_a_neighbour_waits_for_a_dead_load_and_then_finishes_it(
    ready: Scene, monkeypatch: pytest.MonkeyPatch, smarthr_bare: Simulator
) -> None:
    """Within the lease the neighbour keeps out; after it, it settles the dead tenant's load and does its own."""
    tenant = ready.tenant
    lines, wanted, generation = uninterrupted(ready, monkeypatch)
    commit = next(at for at, name in enumerate(lines) if name.endswith("commit"))
    ready.reset()
    with fused(monkeypatch, Fuse(commit, after=True)), pytest.raises(Died):
        tenant.load(ready.job)
    smarthr_bare.sim("POST", "companies", {"name": "beta", "seed": 9, "size": 3})
    neighbour = Tenant.over_http(
        tenant.store, mapping_of(tenant="beta", id_prefix="b-"), smarthr_bare.url, ready.emc.url
    )
    job = neighbour.plan()
    with pytest.raises(RetriableLoadError, match="acme"):
        neighbour.load(job)
    assert neighbour.generation() == 0
    neighbour.now = NOW + dt.timedelta(hours=3)

    assert neighbour.load(job) == "loaded"
    assert (tenant.generation(), neighbour.generation()) == (generation, 1)
    assert not tenant.note()
    assert {key for key in ready.export()["users"] if not key.startswith("b-")} == set(wanted["users"])
    neighbour.close()


@pytest.mark.parametrize("status", ["expired_token", "not_json"])
def test_l5_a_refused_load_does_not_shut_the_account_for_the_others(
    ready: Scene, smarthr_bare: Simulator, status: str
) -> None:
    """A load that EMC refused on opening has sent nothing: the neighbour need not wait two hours for it."""
    smarthr_bare.sim("POST", "companies", {"name": "beta", "seed": 9, "size": 3})
    neighbour = Tenant.over_http(
        ready.tenant.store, mapping_of(tenant="beta", id_prefix="b-"), smarthr_bare.url, ready.emc.url
    )
    job = neighbour.plan()
    ready.emc.fail(status, "/api/v1/imports", method="POST")
    with pytest.raises(RenkeiError):
        ready.tenant.load(ready.job)

    if status == "not_json":  # the answer was lost: whether anything was opened must be asked first
        ready.tenant.load(ready.job)
    assert neighbour.load(job) == "loaded"
    neighbour.close()


@pytest.mark.parametrize("tenant", ["acme", "beta"])
def test_l4_an_import_that_reached_emc_after_we_had_asked_for_it_blocks_nobody(ready: Scene, tenant: str) -> None:
    """The request to open it was late, its note is gone: it is aborted, whichever tenant's it was; others' are not."""
    found = ready.emc.open(None, b'"a"\r\n', f"{tenant}.{'0' * 16}.0123456789ab").json()
    with pytest.raises(RetriableLoadError):
        ready.tenant.load(ready.job)

    assert ready.emc.call("GET", f"/imports/{found['id']}").json()["state"] == "aborted"
    assert ready.tenant.load(ready.job) == "loaded"


def test_l4_a_file_drop_that_died_anywhere_is_handed_over_once(
    emc_sim: Emc, smarthr_bare: Simulator, memory_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever the writer dies: after the repetition exactly one import is complete, and it waits for its result."""
    smarthr_bare.sim("POST", "companies", {"name": "acme", "seed": 4, "size": 5})
    drop = memory_path / "drop"
    store = Store(LocalFileSystem(), str(memory_path / "store"))
    tenant = Tenant(store, mapping_of(loader="FILE_DROP"), smarthr_bare.url, DropFolder(LocalFiles(drop)))
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
    assert isinstance(tenant.target, DropFolder)
    assert not isinstance(tenant.target, EmcClient)
