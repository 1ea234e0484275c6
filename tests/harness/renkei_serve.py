"""The public service as its operator starts it: `renkei serve`, in a process of its own, by the environment of now."""

from __future__ import annotations

from typing import Self

from tests.harness.program import Program


class RenkeiServe(Program):
    """Without Airflow's servers; Connections come from the environment."""

    module = "renkei.commands"

    @classmethod
    def start(cls, *arguments: str) -> Self:
        return super().start("serve", "--port=0", *arguments)
