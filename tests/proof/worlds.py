"""Worlds for the campaigns, whose EMC client waits for nobody."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from renkei.systems import retrying
from renkei.systems.emc import client as emc_client
from tests.harness.emc import Emc
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
