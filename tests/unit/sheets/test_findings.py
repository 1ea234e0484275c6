"""What a form's reader finds: each at its place, and nothing told twice."""

from __future__ import annotations

from renkei.errors import Problem
from renkei.sheets.findings import Findings
from renkei.texts import Fault, RawCell


def number(text: str) -> int:
    if not text.strip().isdecimal():
        raise Fault("数字ではありません", "数字を記入してください")
    return int(text)


def test_l8_what_cannot_be_read_is_a_problem_at_its_cell() -> None:
    """L8: a sound cell gives its value; another gives nothing, and is told with what nobody can see in it."""
    findings = Findings()
    assert findings.read(number, RawCell("12", "B1")) == 12
    assert findings.read(number, RawCell("1\u200b2", "B2")) is None
    assert [problem.where for problem in findings.problems] == ["B2"]
    assert "U+200B" in findings.problems[0].found


def test_l7_what_is_not_to_be_quoted_is_not() -> None:
    """L7: only what the reader says itself."""
    findings = Findings()
    findings.read(number, RawCell("x\u200by", "B1"), quoted=False)
    assert findings.problems == [Problem("B1", "数字ではありません", "数字を記入してください")]


def test_e15_a_cell_may_not_only_mean_another_one() -> None:
    """E15: 同上 is refused before anything reads it, but where every text is free."""
    findings = Findings()
    assert findings.read(str, RawCell("同上", "B1")) is None
    assert findings.read(str, RawCell("同上", "B2"), ditto=None) == "同上"
    assert [problem.where for problem in findings.problems] == ["B1"]


def test_l8_what_could_not_be_read_is_not_checked_twice() -> None:
    """L8: a later check adds only what stands elsewhere; several findings of one new place all stand."""
    first, other, third = Problem("B1", "a", "b"), Problem("B1", "c", "d"), Problem("B2", "e", "f")
    findings = Findings([first])
    findings.add_elsewhere([other, third, Problem("B2", "g", "h")])
    assert findings.problems == [first, third, Problem("B2", "g", "h")]
