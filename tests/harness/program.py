"""A program in a process of its own, and what it is asked through its control routes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import requests

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """A running program: started here, or by somebody else and known by its address alone."""

    module = ""  # to run; it prints READY and where it listens

    def __init__(self, *ready: str, process: subprocess.Popen[str] | None = None) -> None:
        self.ready, self.process = ready, process
        self.url = ready[-1]

    @classmethod
    def start(cls, *arguments: str) -> Self:
        """On a free port; back once it is ready."""
        command = [sys.executable, "-m", cls.module, *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("READY "):
            process.kill()
            raise AssertionError(f"{cls.module} is not ready; it printed {line!r}")
        return cls(*line.split()[1:], process=process)

    def stop(self, *, kill: bool = False) -> int:
        """Ask the process to end, or kill it; its exit code."""
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()  # one that does not end when asked is not left behind
            self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def copy(self, name: str) -> None:
        """What it holds now, faults apart, to `put_back` as often as wanted; of a simulator that has `copies`."""
        self.sim("POST", f"copies/{name}")

    def put_back(self, name: str) -> None:
        """Without any fault."""
        self.sim("DELETE", "faults")
        self.sim("PUT", f"copies/{name}")

    def sim(self, method: str, path: str, body: Any = None) -> Any:
        """A control call that must succeed; its JSON, None where the answer is empty."""
        response = requests.request(method, f"{self.url}/_sim/{path}", json=body, timeout=30)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None
