"""What every YAML form has in common: bounds, and shapes that are told of where they stand (L5, L8)."""

from __future__ import annotations

import pytest
import yaml

from renkei.errors import Problem
from renkei.sheets.findings import Findings
from renkei.sheets.yaml_tree import Limits, Node, compose
from renkei.texts import Fault

LIMITS = Limits(deep="not so deep", several="one of them", events=20, scalar=8)


@pytest.mark.parametrize(
    ("text", "found", "remedy"),
    [
        ("[" * 13 + "]" * 13, "入れ子が深すぎます", "not so deep"),
        ("[" * 19, "入れ子が深すぎます", "not so deep"),
        ("a: 1\n---\na: 2", "文書が2つ以上あります(---)", "one of them"),
        ("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]", "記入が多すぎます", ""),
        ("a: &b 1", "1行目に参照(&、*)があります", ""),
        ("a: 1\nb: [&b []]", "2行目に参照(&、*)があります", ""),
        ("a: 1\nb: 123456789", "2行目の文字が多すぎます(9文字)", "1つの値は8文字以内"),
    ],
)
def test_l5_what_is_no_form_is_refused_before_it_is_read(text: str, found: str, remedy: str) -> None:
    with pytest.raises(Fault) as raised:
        compose(text, LIMITS)
    assert raised.value.found == found
    assert remedy in raised.value.remedy


def test_what_is_no_yaml_is_the_callers_to_word() -> None:
    with pytest.raises(yaml.YAMLError):
        compose("a: [", LIMITS)
    assert compose("", LIMITS) is None


def test_every_scalar_is_a_text() -> None:
    """What YAML would make a time, a number, a truth or an alias of something."""
    node = Node(compose("{a: 04:30, b: 0012, c: [yes, ~, '~']}", LIMITS), "f.yaml", "", Findings())
    assert node.plain() == {"a": "04:30", "b": "0012", "c": ["yes", None, "~"]}


def test_l8_a_wrong_shape_is_told_where_it_stands() -> None:
    """And reads as nothing."""
    findings = Findings()
    keys = Node(compose("{a: [x], b: y, a: z, c: 1}", LIMITS), "f.yaml", "", findings).mapping(("a", "b"))
    assert keys["a"].cell().text == ""
    assert list(keys["b"].items()) == []
    assert keys["b"].mapping(("k",)) == {}
    assert [(problem.where, problem.found) for problem in findings.problems] == [
        ("f.yaml a", "キー「a」が2回記入されています"),
        ("f.yaml c", "「c」というキーはありません"),
        ("f.yaml a", "文字ではありません"),
        ("f.yaml b", "一覧ではありません"),
        ("f.yaml b", "「キー: 値」の並びではありません"),
    ]
    assert all(isinstance(problem, Problem) and problem.remedy for problem in findings.problems)
