"""A slice of the campaign `leaks`: a few runs over marked people, and the search of everything they leave."""

from __future__ import annotations

import pytest

from tests.proof.case import Case, Effort
from tests.proof.leaks import EVERYTHING, PASSWORD, Search, campaign


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    return campaign(tmp_path_factory.mktemp("leaks"), Effort.SLICE, print)


def test_l6_l7_no_secret_and_no_person_where_none_may_be(cases: list[Case]) -> None:
    """Every place of the slice holds."""
    assert cases
    assert [f"{case.case}: {line}" for case in cases for line in case.wrong] == []
    assert all(case.held for case in cases)


@pytest.mark.parametrize("kind", EVERYTHING)
def test_l6_search_sees_a_mark_however_it_is_written(kind: str) -> None:
    """Plain, as JSON, in a URL, and in base64 wherever it begins."""
    import base64
    import json
    from urllib.parse import quote

    mark, search = EVERYTHING[kind], Search()
    for text in (mark, json.dumps(mark), quote(mark), repr(mark.encode())):
        assert kind in search.kinds(f"before {text} after".encode(), EVERYTHING), text
    for start in ("", "a", "ab"):
        assert kind in search.kinds(base64.b64encode(f"{start}{mark} and more".encode()), EVERYTHING)
    assert search.kinds(b"nothing of the kind", EVERYTHING) == []
    assert search.kinds(PASSWORD["literal password"].encode(), EVERYTHING) == ["literal password"]
