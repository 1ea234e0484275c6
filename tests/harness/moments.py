"""A run that ends at a moment which others can see: before and after each transaction, and each request."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from sqlalchemy import Connection

from renkei.errors import RenkeiError
from renkei.storage.database.database import Database
from tests.harness.fuse import Died


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die() -> None:
    """As a killed process looks from inside, for a run in this very process."""
    raise Died("killed")


@dataclass
class Moments:
    """Called at each moment, it counts them, and strikes at the `at`-th; after that nothing of the run happens any more."""

    at: int = 0
    strike: Callable[[], None] = kill
    passed: int = 0
    is_dead: bool = False

    def __call__(self) -> None:
        self.passed += 1
        if self.is_dead or self.passed == self.at:
            self.is_dead = True
            self.strike()


class Watched(requests.Session):
    """A moment before each request, and one when it is answered."""

    def __init__(self, moment: Callable[[], None]) -> None:
        super().__init__()
        self._moment = moment

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        self._moment()
        answer = super().send(request, **kwargs)
        self._moment()
        return answer


def watched(sound: Database, moment: Callable[[], None]) -> Database:
    """A moment before each transaction is kept, and one after."""

    class Watching(Database):
        @contextmanager
        def writing(self, *, brief: bool = False) -> Iterator[Connection]:
            with super().writing(brief=brief) as connection:
                yield connection
                moment()
            moment()

    return Watching(sound.engine)


def is_killed(sound: Database, run: Callable[[], None]) -> bool:
    """`run` in a process of its own; whether it was killed. One that breaks off otherwise is a fault of the test."""
    sound.engine.dispose()  # SQLite's connections are one process's
    child = os.fork()
    if not child:
        try:
            run()
            os._exit(0)
        except RenkeiError:
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the run broke off by itself"
    return os.WIFSIGNALED(status)
