"""The values of a sheet's sources, in columns (E17, E22)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from renkei.links.smarthr_emc.fetch import column_name
from renkei.links.smarthr_emc.sheet.mapping import Constant, CustomField, FieldRule, Secret, Source, SourceField, Term
from renkei.values.columns import constant, trim
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
    value = constant("", table)
    for alternative in source.alternatives:
        joined, present = _join(alternative, table)
        value = value.mask((value == "") & present, joined)
    return trim(value)


def _join(alternative: Sequence[Term], table: pd.DataFrame) -> tuple[pd.Series[str], pd.Series[bool]]:
    """The joined text, and where the alternative has a value at all."""
    joined = constant("", table)
    present = joined != ""
    has_field = False
    for term in alternative:
        if isinstance(term, Constant):
            joined = joined + term.text
        elif not isinstance(term, Secret):  # secrets are looked up by the loader alone (L7)
            cells = table[column_name(term)]
            joined = joined + cells
            present = present | (cells != "")
            has_field = True
    return joined, present if has_field else joined != ""
