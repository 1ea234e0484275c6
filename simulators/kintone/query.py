"""kintone's query language: conditions, order, limit and offset over the records of an app."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from simulators.clock import TOKYO
from simulators.kintone.domain import App, Caller, Domain, Record
from simulators.kintone.errors import SYNTAX, KintoneError, parameter
from simulators.kintone.form import Field, unique_key
from simulators.kintone.records import system_value
from simulators.kintone.values import date_of, moment_of, normalised

Test = Callable[[Record], bool]

TOKEN = re.compile(
    r"""[ \t\r\n　]*(?:(?P<text>"(?:[^"\\\t\r\n]|\\.)*")|(?P<sign><=|>=|!=|=|<|>|\(|\)|,)|(?P<word>[^\s"\\=<>!(),　]+))"""
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
EQUAL = frozenset({"=", "!=", "in", "not in"})
ORDERED = frozenset({"=", "!=", ">", "<", ">=", "<="})
LIKE = frozenset({"like", "not like"})
MEMBER = frozenset({"in", "not in"})
EMPTY = frozenset({"is empty", "is not empty"})
OPERATORS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("SINGLE_LINE_TEXT", "LINK"), EQUAL | LIKE),
    **dict.fromkeys(("NUMBER", "CALC", "RECORD_NUMBER", "__ID__"), ORDERED | MEMBER),
    **dict.fromkeys(("MULTI_LINE_TEXT", "RICH_TEXT", "FILE"), LIKE | EMPTY),
    **dict.fromkeys(("DATE", "TIME", "DATETIME", "CREATED_TIME", "UPDATED_TIME"), ORDERED),
    **dict.fromkeys(("DROP_DOWN", "RADIO_BUTTON", "CHECK_BOX", "MULTI_SELECT"), MEMBER),
    **dict.fromkeys(("USER_SELECT", "ORGANIZATION_SELECT", "GROUP_SELECT", "CREATOR", "MODIFIER"), MEMBER),
}
NUMBERS = frozenset({"NUMBER", "CALC", "RECORD_NUMBER", "__ID__"})
ID = Field("$id", "__ID__", {})


@dataclass
class Query:
    """A parsed query. `after_id` and `one_of` narrow what has to be looked at; `test` decides."""

    test: Test = lambda record: True
    order: list[tuple[Field, bool]] = field(default_factory=list)  # with: descending
    limit: int = 100
    offset: int = 0
    limited: bool = False
    after_id: int = 0
    one_of: tuple[str, list[str]] | None = None  # of a field without duplicates


class Parser:
    """Reads one query for one app.

    Raises:
        KintoneError: as kintone says it.
    """

    def __init__(self, text: str, domain: Domain, app: App, caller: Caller) -> None:
        self.domain, self.app, self.caller = domain, app, caller
        self.tokens: list[tuple[str, str]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None:
                raise self.syntax()
            self.tokens.append((found.lastgroup or "", found[found.lastgroup or 0]))
            at = found.end()
        self.at = 0
        self.query = Query()
        self._depth = 0  # of brackets
        self._any_of = False  # an "or" outside of brackets: no condition narrows the whole

    @staticmethod
    def syntax() -> KintoneError:
        return parameter("query", SYNTAX)

    def parse(self) -> Query:
        query = self.query
        if self.tokens and self._word() not in ("order", "limit", "offset"):
            query.test = self._either()
        if self._any_of:
            query.after_id, query.one_of = 0, None
        if self._word() == "order":
            self._next()
            if self._next()[1].lower() != "by":
                raise self.syntax()
            self._order()
        for name in ("limit", "offset"):
            if self._word() == name:
                self._next()
                number = self._next()[1]
                if not number.isdecimal():
                    raise self.syntax()
                query.limited = True
                setattr(query, name, int(number))
        if self.at < len(self.tokens):
            raise self.syntax()
        if query.limit > 500:
            raise KintoneError("GAIA_QU01")
        if query.limit < 1:
            raise parameter("query", SYNTAX)
        if query.offset > 10_000:
            raise KintoneError("GAIA_QU02")
        return query

    def _word(self) -> str:
        """The word that comes next, in small letters; empty at the end and before anything else."""
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "word":
            return self.tokens[self.at][1].lower()
        return ""

    def _sign(self, sign: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at] == ("sign", sign)

    def _next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise self.syntax()
        self.at += 1
        return self.tokens[self.at - 1]

    def _either(self) -> Test:
        tests = [self._both()]
        while self._word() == "or":
            self._any_of = self._any_of or not self._depth
            self._next()
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)

    def _both(self) -> Test:
        tests = [self._condition()]
        while self._word() == "and":
            self._next()
            tests.append(self._condition())
        return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)

    def _condition(self) -> Test:
        if self._sign("("):
            self._next()
            self._depth += 1
            test = self._either()
            self._depth -= 1
            if self._next() != ("sign", ")"):
                raise self.syntax()
            return test
        kind, code = self._next()
        if kind != "word":
            raise self.syntax()
        operator = self._operator()
        operands = self._operands(operator)
        one, table = self._field(code)
        if table and operator in ("=", "!="):
            raise KintoneError("GAIA_IQ07", code, operator)
        if operator not in OPERATORS.get(one.type, frozenset()):
            raise KintoneError("GAIA_IQ03", code, operator)
        return self._test(one, table, operator, operands)

    def _operator(self) -> str:
        kind, text = self._next()
        if kind == "sign" and text in ("=", "!=", ">", "<", ">=", "<="):
            return text
        match text.lower():
            case "in" | "like":
                return text.lower()
            case "not" if self._word() in ("in", "like"):
                return f"not {self._next()[1].lower()}"
            case "is":
                word = self._next()[1].lower()
                if word == "empty":
                    return "is empty"
                if word == "not" and self._next()[1].lower() == "empty":
                    return "is not empty"
        raise self.syntax()

    def _operands(self, operator: str) -> list[str]:
        if operator in EMPTY:
            return []
        if operator not in MEMBER:
            return [self._operand()]
        if self._next() != ("sign", "("):
            raise self.syntax()
        found = [self._operand()]
        while self._sign(","):
            self._next()
            found.append(self._operand())
        if self._next() != ("sign", ")"):
            raise self.syntax()
        return found

    def _operand(self) -> str:
        kind, text = self._next()
        if kind == "text":
            return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text[1:-1])
        if kind != "word":
            raise self.syntax()
        if self._sign("("):
            return self._function(text.upper())
        if normalised(text) is None:
            raise self.syntax()
        return text

    def _function(self, name: str) -> str:
        self._next()
        if self._next() != ("sign", ")"):
            raise self.syntax()
        now = self.domain.clock.now()
        today = now.astimezone(TOKYO).replace(hour=0, minute=0, second=0)
        days = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}
        if name == "LOGINUSER":
            return self.caller.name
        if name == "NOW":
            return now.strftime("%Y-%m-%dT%H:%M:%SZ")
        if name in days:
            return (today + timedelta(days[name])).isoformat()
        raise self.syntax()

    def _field(self, code: str) -> tuple[Field, str]:
        """The field with that code, and the code of the table that it is in."""
        if code == "$id":
            return ID, ""
        if code in self.app.fields:
            return self.app.fields[code], ""
        for table, one in self.app.fields.items():
            if code in one.table:
                return one.table[code], table
        raise KintoneError("GAIA_IQ11", code)

    def _test(self, one: Field, table: str, operator: str, operands: list[str]) -> Test:
        value = self._reader(one)
        if operator in EMPTY:
            return lambda record: (not str(value(record) or "").strip()) == (operator == "is empty")
        if operator in LIKE:
            word = operands[0].lower()
            return lambda record: (word in str(value(record) or "").lower()) == (operator == "like")
        wanted = [self._comparable(one, operand) for operand in operands]
        if one.type in NUMBERS and any(operand and each == "" for operand, each in zip(operands, wanted, strict=True)):
            raise self.syntax()  # (guess) no number
        if one is ID and not self._depth and operator in (">", ">=") and isinstance(wanted[0], Decimal):
            self.query.after_id = max(self.query.after_id, int(wanted[0]) - (operator == ">="))
        if (
            one.code in self.app.unique
            and not table
            and not self._depth
            and operator in ("in", "=")
            and "" not in wanted
        ):
            self.query.one_of = one.code, [str(each) for each in operands]
        if operator in MEMBER or operator in ("=", "!="):
            those, yes = set(wanted), operator in ("in", "=")
            if table:
                return lambda record: bool(those & set(self._cells(record, table, one))) == yes
            return lambda record: bool(those & self._members(one, value(record))) == yes
        least = wanted[0]
        compare: dict[str, Callable[[Any, Any], bool]] = {
            ">": lambda a, b: a > b,
            "<": lambda a, b: a < b,
            ">=": lambda a, b: a >= b,
            "<=": lambda a, b: a <= b,
        }
        ordered = compare[operator]

        def test(record: Record) -> bool:
            found = self._comparable(one, value(record))
            return found != "" and ordered(found, least)

        return test

    def _reader(self, one: Field) -> Callable[[Record], Any]:
        if one is ID:
            return lambda record: str(record.id)
        match one.type:
            case "RECORD_NUMBER":
                return lambda record: str(record.id)
            case "CREATED_TIME":
                return lambda record: record.created_at.strftime("%Y-%m-%dT%H:%M:00Z")
            case "UPDATED_TIME":
                return lambda record: record.updated_at.strftime("%Y-%m-%dT%H:%M:00Z")
            case "CREATOR" | "MODIFIER":
                return lambda record: [system_value(self.domain, self.app, record, one.type)]
        return lambda record: record.values.get(one.code, one.empty)

    def _cells(self, record: Record, table: str, one: Field) -> Iterable[Any]:
        for row in record.values.get(table) or ():
            yield from self._members(one, row["value"][one.code]["value"])

    def _members(self, one: Field, value: Any) -> set[Any]:
        """What `in` compares: one value, or each of a list; nothing is an empty text."""
        if isinstance(value, list):
            found = {each["code"] if isinstance(each, dict) else each for each in value}
            return found or {""}
        return {self._comparable(one, value)}

    def _comparable(self, one: Field, value: Any) -> Any:
        if value in (None, ""):
            return ""
        if one.type in NUMBERS:
            text = str(value).removeprefix(f"{self.app.code}-") if one.type == "RECORD_NUMBER" else value
            number = normalised(text)
            return Decimal(number) if number is not None else ""
        if one.type == "DATE":
            return date_of(str(value)[:10]) or ""
        if one.type in ("DATETIME", "CREATED_TIME", "UPDATED_TIME"):
            text = str(value)
            if len(text) == 10:
                return datetime.fromisoformat(f"{text}T00:00:00+09:00").astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00Z")
            return moment_of(text) or ""
        return value

    def _order(self) -> None:
        while True:
            kind, code = self._next()
            if kind != "word":
                raise self.syntax()
            one, _ = self._field(code)
            descending = False
            if self._word() in ("asc", "desc"):
                descending = self._next()[1].lower() == "desc"
            self.query.order.append((one, descending))
            if not self._sign(","):
                return
            self._next()

    def sort_key(self, one: Field) -> Callable[[Record], Any]:
        value = self._reader(one)

        def key(record: Record) -> Any:
            found = self._comparable(one, value(record))
            return (found != "", found if found != "" else 0) if one.type in NUMBERS else str(found)

        return key


def select(
    text: str, domain: Domain, app: App, caller: Caller, *, all_of_them: bool = True
) -> tuple[list[Record], Query]:
    """The records that the conditions take, in order, with the query: limit and offset are still to be applied.

    Without `all_of_them` a list by ascending id ends where limit and offset are reached.
    """
    parser = Parser(text, domain, app, caller)
    query = parser.parse()
    if query.one_of:
        code, values = query.one_of
        one = app.fields[code]
        keys = {unique_key(one, normalised(value) if one.type == "NUMBER" else value) for value in values}
        found = sorted(app.unique[code][key] for key in keys if key in app.unique[code])
        ids = found[bisect_right(found, query.after_id) :]
    else:
        ids = app.ids[bisect_left(app.ids, query.after_id + 1) :] if query.after_id else app.ids
    records = app.records
    by_id = [(one.code, descending) for one, descending in query.order[:1]]
    if by_id == [("$id", False)]:
        # The way to read everything, page after page: each looks at no more records than it needs.
        chosen = (records[each] for each in ids if query.test(records[each]))
        return list(chosen if all_of_them else islice(chosen, query.offset + query.limit)), query
    sorted_ = [records[each] for each in reversed(ids) if query.test(records[each])]
    for one, descending in reversed(query.order):
        sorted_.sort(key=parser.sort_key(one), reverse=descending)
    return sorted_, query
