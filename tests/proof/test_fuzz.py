"""A slice of the campaign on bad input, and one property of the grammar."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from renkei.links.smarthr_emc.sheet.expression import format_source, parse_source
from renkei.texts import Fault
from tests.proof.case import Effort
from tests.proof.fuzz.campaign import campaign


def test_l1_l5_l8_bad_input_is_refused_in_words(tmp_path: Path) -> None:
    """No file and no answer of SmartHR makes a traceback, or takes time or memory without end."""
    cases = campaign(tmp_path, Effort.SLICE, print)

    assert [case.case for case in cases if not case.held] == [], [case.wrong for case in cases]


@settings(derandomize=True, max_examples=200, database=None)
@given(
    st.lists(
        st.sampled_from(("姓", "「", "」", '"', "&", " or ", "固定値", "カスタム項目:", ":", "x", "　"))
        | st.text(max_size=5)
    )
)
def test_e17_any_text_is_a_source_or_a_fault(pieces: list[str]) -> None:
    """Whatever stands in the SmartHR項目 column is refused in words, or reads back as the same source."""
    try:
        source = parse_source("".join(pieces))
    except Fault as fault:
        said = [fault.found, fault.remedy]
    else:
        said = ["a source"]
        assert parse_source(format_source(source)) == source
    assert all(said)
