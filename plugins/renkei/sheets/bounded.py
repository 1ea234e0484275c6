"""Sheets compiled in a process of its own, within limits: whatever one of them holds, it costs no other tenant (L5).

`Compiler` is the side that asks; `WorkbookMarker` asks another child for a marked copy of a workbook. The child is given bytes and gives back what they say; it has no secret, opens no
file, and ends with the one who asked.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import pkgutil
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, Generic, Self

from renkei.errors import Problem
from renkei.sheets.compiled import Compiled, MappingT, SheetKind, digest_of

CPU_S = 10  # of one sheet, which usually takes a hundredth of a second
MAX_MEMORY = 1 << 29  # bytes of address space; a workbook at the limits of `excel/` takes a tenth
START_S = 60.0  # on a busy machine; a child that fails is seen at once
WALL_S = 600.0  # on a busy machine 10 seconds of a processor take their time
_PLUGINS = str(Path(__file__).parents[2])
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "PYTHONHOME",
    "PYTHONUSERBASE",
    "LD_LIBRARY_PATH",
    "RENKEI_SPREAD_MINUTES",
)  # no secret (L7)
_FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)  # the machine's doing, not the sheet's
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
WRITE_ANEW = "新しい連携設定シートのひな形に、記入した内容だけを値として貼り付けて、保存し直してください"


class NotCompiledError(Exception):
    """The time was up, or the child could not work: nothing is known of the sheet."""


def environment() -> dict[str, str]:
    """What a child process of ours needs to find Python and this package."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    path = [_PLUGINS, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return passed_on | {"PYTHONPATH": os.pathsep.join(filter(None, path))}


class ChildProcess:
    """A process that calls one function again and again; started when first needed, and anew when it died of a call."""

    def __init__(self, function: str, cpu_s: int = CPU_S, start_s: float = START_S) -> None:
        """`function` ("module:name") gives back two values, of which the first is no text."""
        self._function, self._cpu_s, self._start_s = function, cpu_s, start_s
        self._child: tuple[subprocess.Popen[bytes], Connection] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def ask(self, only_first: bool, *given: Any, patience_s: float = WALL_S) -> tuple[Any, Any]:
        """What the function gives back within `patience_s`; a text and None where it took too much of either.

        With `only_first` the second value stays away (None).

        Raises:
            NotCompiledError: there is no answer yet; what was given may be sound.
        """
        for _ in range(2):  # the second time it is its own fault
            try:
                connection = self._started()
                connection.send((only_first, *given))
                if not connection.poll(min(patience_s, WALL_S)):
                    self._stop()
                    raise NotCompiledError(f"no answer after {patience_s:.0f} s")
                answer, more = connection.recv()
            except (EOFError, OSError):
                status = self._stop()
                if status == -signal.SIGXCPU:
                    return f"読み取りに時間がかかりすぎます({self._cpu_s}秒で終わりません)", None
                if status in _FROM_OUTSIDE:
                    raise NotCompiledError("the child was killed") from None
                continue
            if isinstance(answer, str):
                self._stop()
                return answer, None
            return answer, more
        return "ファイルの中身を読み取れません", None

    def _started(self) -> Connection:
        if self._child is None:
            ours, theirs = Pipe()
            fd = theirs.fileno()
            # What it prints would go where the caller's output goes; what is wrong with it shows in its answers.
            quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
            command = [sys.executable, "-m", __spec__.name, str(fd), str(self._cpu_s), self._function]
            try:
                process = subprocess.Popen(command, env=environment(), pass_fds=(fd,), **quiet)
            except OSError as error:
                raise NotCompiledError("the child could not be started") from error
            finally:
                theirs.close()
            self._child = process, ours
            ready = False
            with contextlib.suppress(EOFError, OSError):
                ready = ours.poll(self._start_s) and ours.recv() == "ready"
            if not ready:
                self._stop()
                raise NotCompiledError("the child did not start")
        return self._child[1]

    def _stop(self) -> int:
        """Ends the child, if there is one; how it ended."""
        if self._child is None:
            return 0
        (process, connection), self._child = self._child, None
        connection.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(0.2)  # it may have been about to end by itself, and how is what we want to know
        process.kill()
        return process.wait()


class Compiler(ChildProcess, Generic[MappingT]):
    """A child that compiles one sheet after the other."""

    def __init__(self, kind: SheetKind[MappingT], cpu_s: int = CPU_S, start_s: float = START_S) -> None:
        super().__init__(kind.compiles, cpu_s, start_s)

    def compile(
        self,
        name: str,
        content: bytes,
        tenant: str,
        allowed_hosts: Collection[str] = (),
        patience_s: float = WALL_S,
        *,
        only_compiled: bool = False,
    ) -> tuple[Compiled[MappingT], Any]:
        """As `SheetKind.compiles`, within `patience_s`; a sheet that takes too much of either is one with that problem.

        With `only_compiled` the rest, which is some ten times as much to hand over, stays away (None).

        Raises:
            NotCompiledError: there is no answer yet; the sheet may be sound.
        """
        given = (name, content, tenant, tuple(allowed_hosts))
        answer, checked = self.ask(only_compiled, *given, patience_s=patience_s)
        if isinstance(answer, str):
            return _refused(name, content, tenant, answer), None
        compiled: Compiled[MappingT] = answer
        return compiled, checked


class WorkbookMarker(ChildProcess):
    """A child that marks copies of workbooks (`workbook/marked.mark`), which are no less dangerous to write than to read."""

    def __init__(self) -> None:
        super().__init__("renkei.sheets.workbook.marked:mark_alone")

    def mark(
        self,
        content: bytes,
        problems: Sequence[Problem],
        warnings: Sequence[Problem],
        titles: Mapping[str, Sequence[str]],
    ) -> bytes:
        """The copy; the list of findings alone where the workbook takes too much.

        Raises:
            NotCompiledError: the machine has no process for it.
        """
        given = (tuple(problems), tuple(warnings), dict(titles))
        answer, _ = self.ask(True, content, *given)
        if isinstance(answer, str):
            answer, _ = self.ask(True, b"", *given)
        if isinstance(answer, str):
            raise NotCompiledError(answer)
        found: bytes = answer
        return found


def _refused(name: str, content: bytes, tenant: str, found: str) -> Compiled[Any]:
    return Compiled(tenant, digest_of(content), None, (Problem(name, found, WRITE_ANEW),))


# -- the child ----------------------------------------------------------------------------------------------------------


def serve(connection: Connection, cpu_s: int, function: Callable[..., tuple[Any, Any]]) -> None:
    """Answers until the other side is gone."""
    while True:
        try:
            only_first, *request = connection.recv()
        except (EOFError, OSError):
            return
        _allow(cpu_s)
        answer, more = _answer(function, *request)
        connection.send((answer, None if only_first else more))


def _answer(function: Callable[..., tuple[Any, Any]], *request: Any) -> tuple[Any, Any]:
    try:
        return function(*request)
    except MemoryError:
        return "中身が多すぎて読み取れません", None
    except Exception as error:  # a fault of ours is one tenant's, too (L5)
        return f"予期しないエラーで読み取れません({type(error).__name__})", None


def _allow(cpu_s: int) -> None:
    """This process may use `cpu_s` more of a processor, then the kernel ends it (SIGXCPU), whatever it is doing."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime) + cpu_s, hard))


def _confine() -> None:
    """Nothing is left of this process when it crashes, or when its parent ends in the middle of a sheet."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    with contextlib.suppress(ValueError, OSError):  # one that is lower already
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, hard))


def main() -> None:
    fd, cpu_s, named = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    connection = Connection(fd)
    function = pkgutil.resolve_name(named)  # before the clock of the first sheet runs
    _confine()
    connection.send("ready")
    serve(connection, cpu_s, function)


if __name__ == "__main__":
    main()
