"""Worlds for the campaigns: between SmartHR and an EMC whose client waits for nobody; and copies of any, made once."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Generic, Protocol, TypeVar
from unittest import mock

from renkei.storage.database.database import Database
from renkei.systems import retrying
from renkei.systems.emc import client as emc_client
from tests.harness.emc import Emc
from tests.harness.program import Program
from tests.harness.smarthr import SmartHR
from tests.harness.world import World

SIZE = 12


@contextmanager
def client_with(**values: Any) -> Iterator[None]:
    """The client's constants, for a while."""
    before = {name: getattr(emc_client, name) for name in values}
    for name, value in values.items():
        setattr(emc_client, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(emc_client, name, value)


# The client does what it does, only its clock runs faster.
HURRIED = SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, 0.01)), monotonic=time.monotonic)


@contextmanager
def worlds(folder: Path) -> Iterator[Callable[..., World]]:
    """SmartHR and EMC as programs of their own; the function makes a fresh company and account between them."""
    with ExitStack() as stack:
        smarthr = stack.enter_context(SmartHR.start())
        folder.mkdir(parents=True, exist_ok=True)
        emc = stack.enter_context(Emc.start("--database", str(folder / "emc.sqlite")))

        def world(name: str, size: int = SIZE) -> World:
            shutil.rmtree(folder / name, ignore_errors=True)
            smarthr.clear()
            emc.clear()
            found = World(smarthr, emc, folder / name, size)
            stack.callback(found.close)
            return found

        stack.enter_context(client_with(time=HURRIED, APPLYING_LIMIT_S=0.3))
        stack.enter_context(mock.patch.object(retrying, "time", HURRIED))
        yield world


class OneTenant(Protocol):
    """A dataclass: all that it is lies in its fields, its folder and its simulators."""

    folder: Path
    database: Database


W = TypeVar("W", bound=OneTenant)


def nothing(world: object) -> None:
    """Has happened."""


class Copies(Generic[W]):
    """Worlds that begin alike. Each beginning is made once; then its folder is copied, and its simulators put back to it."""

    def __init__(self, folder: Path, systems: tuple[Program, ...], begin: Callable[[Path], W]) -> None:
        self.folder, self.systems, self.begin = folder, systems, begin
        self._first: dict[str, W] = {}
        self._numbers = itertools.count(1)
        self._last: W | None = None

    def next(self, happened: Callable[[W], object] = nothing) -> W:
        """One just begun, in which that has happened."""
        name = happened.__name__
        first = self._first.get(name) or self._made(name, happened)
        if self._last:
            self._last.database.engine.dispose()  # hundreds of open ones take an interpreter minutes to end
        folder = self.folder / str(next(self._numbers))
        shutil.copytree(first.folder, folder)
        for system in self.systems:
            system.put_back(name)
        self._last = dataclasses.replace(first, folder=folder)  # type: ignore[type-var]
        return self._last

    def _made(self, name: str, happened: Callable[[W], object]) -> W:
        folder = self.folder / name
        folder.mkdir(parents=True)
        self._first[name] = world = self.begin(folder)
        happened(world)
        world.database.engine.dispose()  # now all of it is in its file
        for system in self.systems:
            system.copy(name)
        return world
