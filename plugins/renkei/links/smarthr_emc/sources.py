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
    alternatives = [_joined(alternative, table) for alternative in source.alternatives]
    value = functools.reduce(
        lambda value, other: pc.if_else(pc.equal(value, ""), other, value), alternatives or [arrow(constant("", table))]
    )
    return trim(series(value, table.index))


def _joined(alternative: Sequence[Term], table: pd.DataFrame) -> Any:
    """The joined text, "" where none of its fields has a value: constants alone then say nothing."""
    terms = [term for term in alternative if not isinstance(term, Secret)]  # the loader alone looks them up (L7)
    fields = {term: arrow(table[column_name(term)]) for term in terms if not isinstance(term, Constant)}
    if not fields:
        return arrow(constant("".join(term.text for term in terms if isinstance(term, Constant)), table))
    texts = [text(term.text) if isinstance(term, Constant) else fields[term] for term in terms]
    joined = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, text(""))
    present = functools.reduce(pc.or_, map(has_text, fields.values()))
    return pc.if_else(present, joined, "")
