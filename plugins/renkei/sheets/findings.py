"""What is found in a form while it is read, from its first cell to its last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from renkei.errors import Problem
from renkei.texts import Fault, RawCell, is_ditto

_T = TypeVar("_T")

DITTO = Fault("「同上」「〃」などは使えません", "行を移すと意味が変わります。同じ内容をそのまま記入してください")


class Findings:
    """What is wrong with a form (`problems`) and what is only doubtful about it (`warnings`), as it is found."""

    def __init__(self, problems: Iterable[Problem] = (), warnings: Iterable[Problem] = ()) -> None:
        self.problems = [*problems]
        self.warnings = [*warnings]

    def problem(self, where: str, found: str, remedy: str) -> None:
        self.problems.append(Problem(where, found, remedy))

    def warning(self, where: str, found: str, remedy: str) -> None:
        self.warnings.append(Problem(where, found, remedy))

    def add_elsewhere(self, problems: Iterable[Problem]) -> None:
        """Adds those of places where nothing is wrong yet: what could not be read is not checked twice."""
        known = {problem.where for problem in self.problems}
        self.problems += [problem for problem in problems if problem.where not in known]

    def read(
        self, reader: Callable[[str], _T], cell: RawCell, *, quoted: bool = True, ditto: Fault | None = DITTO
    ) -> _T | None:
        """What the cell's text says; None where that is a problem. A cell may not only mean another one (同上).

        Not `quoted`: nothing of the text is told that `reader` does not tell itself (L7).
        """
        try:
            if ditto is not None and is_ditto(cell.text):
                raise ditto
            return reader(cell.text)
        except Fault as fault:
            self.problems.append(fault.at(cell.where, cell.text if quoted else ""))
            return None
