"""The values of a sheet's sources, in columns (E17, E22)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow.compute as pc

from renkei.links.smarthr_emc.fetch import column_name
from renkei.links.smarthr_emc.sheet.mapping import Constant, CustomField, FieldRule, Secret, Source, SourceField, Term
from renkei.values.columns import arrow, constant, has_text, series, text, trim
from renkei.values.convert import converted


def value_of(rule: FieldRule, table: pd.DataFrame) -> pd.Series[str]:
    """The rule's value for each row: its source, converted as the sheet asks and trimmed, else "" (E17, E22).

    The only way from a rule to its values: defaults and ID付与コード come after it and are never converted.
    """
    value = evaluate(rule.source, table)
    return trim(converted(value, rule.conversions)) if rule.conversions else value


def evaluate(source: Source, table: pd.DataFrame) -> pd.Series[str]:
    """The value of `source` for each row: the first alternative that has one, trimmed, else "" (E17)."""
    match source.alternatives:
        case (((SourceField() | CustomField()) as field,),):  # as most items have it: nothing to join or to choose from
            return trim(table[column_name(field)])
    value = arrow(constant("", table))
    for alternative in source.alternatives:
        value = pc.if_else(pc.equal(value, ""), _joined(alternative, table), value)
    return trim(series(value, table.index))


def _joined(alternative: Sequence[Term], table: pd.DataFrame) -> Any:
    """The joined text, "" where none of its fields has a value: constants alone then say nothing."""
    terms = [term for term in alternative if not isinstance(term, Secret)]  # the loader alone looks them up (L7)
    fields = {term: arrow(table[column_name(term)]) for term in terms if not isinstance(term, Constant)}
    texts = [text(term.text) if isinstance(term, Constant) else fields[term] for term in terms]
    joined = pc.binary_join_element_wise(arrow(constant("", table)), *texts, text(""))
    if not fields:
        return joined
    present = functools.reduce(pc.or_, map(has_text, fields.values()))
    return pc.if_else(present, joined, "")
