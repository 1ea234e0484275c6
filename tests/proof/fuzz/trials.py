"""Hostile inputs one by one, each in a forked process with a bound on time and memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.proof.fuzz import answers
from tests.proof.fuzz.bounds import Tally, trial
from tests.proof.fuzz.hostile import EITHER, SAME, Hostile
from tests.proof.fuzz.hostile_files import bombs, containers, doctypes, encodings
from tests.proof.fuzz.hostile_sheets import cells, features, slow
from tests.proof.fuzz.hostile_yaml import yaml_forms
from tests.proof.fuzz.judgement import judge
from tests.proof.fuzz.sheets import load, sound

SLICE_STEP = 3  # of the quick hostile inputs
QUICK_ANSWERS = (
    "a redirect elsewhere",
    "a redirect to no address",
    "a trillion records",
    "a total of 400 digits",
    "nothing",
)

# Its name, whether it is small enough for the slice, what makes it, and what judges it in a process of its own.
Trial = tuple[str, bool, Callable[[], object], Callable[[], tuple[bool, str]]]


def trials(kind: str, full: bool, only: str = "") -> Tally:
    """Every hostile input of a kind, or `only` one, in this process, which should have no threads when it forks."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        found = _files(Path(name)) if kind == "hostile" else _answers()
        for number, (title, quick, prepare, check) in enumerate(found):
            if title == only or (not only and (full or (quick and number % SLICE_STEP == 0))):
                prepare()
                tally += Tally.of(f'{kind} "{title}"', *trial(check))
    return tally


def _files(folder: Path) -> Iterator[Trial]:
    import email_validator  # noqa: F401  (what the reader brings with it is no memory of the file)
    import openpyxl  # noqa: F401

    sound(folder)  # read once, before anything forks
    made = (containers, bombs, doctypes, encodings, cells, features, slow, yaml_forms)
    cases = [case for make in made for case in make()]
    assert len({case.name for case in cases}) == len(cases)
    for case in cases:
        path = folder / f"acme{case.suffix}"
        yield case.name, case.quick, partial(_write, case, path), partial(_check, case, path)


def _write(case: Hostile, path: Path) -> None:
    path.write_bytes(case.build())


def _check(case: Hostile, path: Path) -> tuple[bool, str]:
    compiled = load(path, "acme")
    wrong = judge(compiled, path.name)
    if not wrong and case.expected == SAME and compiled.mapping != sound(path.parent):
        wrong = f"not the sound sheet: {ascii(compiled.problems[:1])[:200]}"
    elif not wrong and case.expected not in (SAME, EITHER):
        found = [str(problem) for problem in compiled.problems]
        if not any(case.expected in text for text in found):
            wrong = f"no problem says {case.expected}: {found[:2]}"
    return compiled.mapping is not None, wrong


def _answers() -> Iterator[Trial]:
    for title in answers.hostile(1):
        yield title, title in QUICK_ANSWERS, lambda: None, partial(_read, title)


def _read(title: str) -> tuple[bool, str]:
    other, visits = answers.serve(b"")
    port, asked = answers.serve(answers.hostile(other)[title]())
    message = answers.read_from(port)
    if visits or not asked:
        return False, "a request went elsewhere, or nowhere"
    if title == "a reset at the end of days":  # an empty list all the same
        return True, message
    return False, answers.judge_message(message)
