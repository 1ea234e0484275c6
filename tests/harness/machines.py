"""Machines on networks of their own, as Linux' network namespaces; nothing of this machine's own network takes part.

Each machine is on the networks that it names, as `<network>0`, and knows its own addresses and itself. The cables end at a
switch, a namespace too; all of them are gone when `with` ends, or when the next test begins if this one was killed.
"""

from __future__ import annotations

import ctypes
import functools
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

NEWNET = 0x40000000
HERE = Path("/proc/thread-self/ns/net")
NAMED = Path("/run/netns")
WAIT_S = 30


@functools.cache
def why_not() -> str:
    """Why there can be no machines here; nothing if there can."""
    try:
        with Machines({"probe": ["lan"]}) as machines, machines.on("probe"):
            return ""
    except FileNotFoundError:
        return "`ip` is missing: apt-get install -y iproute2"
    except (OSError, subprocess.SubprocessError) as error:
        return f"`ip netns` cannot be used here: {getattr(error, 'stderr', None) or error}"


class Machines:
    """Machines by their names and networks: `Machines({"receiver": ["inner", "outer"]})`, with 250 on a network at most."""

    def __init__(self, networks: Mapping[str, Sequence[str]]) -> None:
        self._networks = networks
        self._nets = sorted({net for nets in networks.values() for net in nets})
        self._prefix = f"renkei-{os.getpid()}-{secrets.token_hex(3)}-"
        self._made: list[str] = []

    def __enter__(self) -> Self:
        _sweep()
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._made:
            _delete(name)

    def address(self, machine: str, net: str) -> str:
        return f"10.213.{self._nets.index(net)}.{list(self._networks).index(machine) + 1}"

    def range(self, net: str) -> str:
        """All addresses of a network."""
        return f"10.213.{self._nets.index(net)}.0/24"

    def cut(self, machine: str, net: str) -> None:
        """Pull the cable out at the switch: what is sent is lost, and neither side is told."""
        self._ip("switch", "link", "set", self._port(machine, net), "down")

    def join(self, machine: str, net: str) -> None:
        """Put it back."""
        self._ip("switch", "link", "set", self._port(machine, net), "up")

    @contextmanager
    def on(self, machine: str) -> Iterator[None]:
        """This thread is on the machine, with the sockets that it opens and the processes and threads that it starts."""
        before = os.open(HERE, os.O_RDONLY)
        try:
            self._enter(os.open(NAMED / f"{self._prefix}{machine}", os.O_RDONLY))
            try:
                yield
            finally:
                self._enter(os.dup(before))
        finally:
            os.close(before)

    @staticmethod
    def _enter(namespace: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        failed = libc.setns(namespace, NEWNET)
        error = ctypes.get_errno()
        os.close(namespace)
        if failed:
            raise OSError(error, os.strerror(error))

    def _build(self) -> None:
        for name in ("switch", *self._networks):
            self._run("netns", "add", self._prefix + name)
            self._made.append(self._prefix + name)
            self._ip(name, "link", "set", "lo", "up")
        for net in self._nets:
            self._ip("switch", "link", "add", net, "type", "bridge")
            self._ip("switch", "link", "set", net, "up")
        for machine, nets in self._networks.items():
            for net in nets:
                port, card = self._port(machine, net), f"{net}0"
                switch = ("type", "veth", "peer", "name", port, "netns", f"{self._prefix}switch")
                self._ip(machine, "link", "add", card, *switch)
                self._ip(machine, "address", "add", f"{self.address(machine, net)}/24", "dev", card)
                self._ip(machine, "link", "set", card, "up")
                self._ip("switch", "link", "set", port, "master", net, "up")

    def _port(self, machine: str, net: str) -> str:
        return f"port{list(self._networks).index(machine)}{net[:8]}"

    def _ip(self, machine: str, *arguments: str) -> None:
        self._run("-n", self._prefix + machine, *arguments)

    @staticmethod
    def _run(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=WAIT_S)


def _delete(name: str) -> None:
    """With its last process the namespace goes, and its cables with it."""
    subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=WAIT_S, check=False)


def _sweep() -> None:
    """Delete what tests left that were killed."""
    for left in NAMED.glob("renkei-*-*-*"):
        if not Path(f"/proc/{left.name.split('-')[1]}").exists():
            _delete(left.name)
