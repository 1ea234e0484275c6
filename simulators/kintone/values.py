"""Values as clients write them, turned into what kintone keeps and tells."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from simulators.clock import TOKYO
from simulators.kintone.domain import App, Caller, Domain, Record
from simulators.kintone.errors import BAD_FORMAT, NO_NUMBER, REQUIRED, KintoneError, Text
from simulators.kintone.form import Field, unique_key

DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
CODE_ERRORS = {"USER_SELECT": "GAIA_IL26", "ORGANIZATION_SELECT": "GAIA_IL28", "GROUP_SELECT": "GAIA_IL29"}


@dataclass
class Problems:
    """What is wrong with the records of a request, by the path of CB_VA01."""

    key_form: str
    errors: dict[str, list[Text]] = field(default_factory=dict)

    def add(self, prefix: str, code: str, suffix: str, text: Text, *, bracket: bool = False) -> None:
        """`prefix` is `record` or `records[1]`."""
        name = f"[{code}]" if bracket or (self.key_form == "bracket" and prefix.startswith("records[")) else f".{code}"
        self.errors.setdefault(f"{prefix}{name}.{suffix}", []).append(text)


@dataclass
class Reader:
    """Reads the values of one request to an app."""

    domain: Domain
    app: App
    caller: Caller
    problems: Problems

    def values(
        self,
        fields: dict[str, Field],
        sent: dict[str, Any],
        prefix: str,
        kept: dict[str, Any],
        *,
        in_table: bool = False,
    ) -> dict[str, Any]:
        """What the sent cells change; codes that the form has not are ignored, as are fields that a lookup fills.

        Raises:
            KintoneError: what kintone tells of without a path: a lookup's value, an unknown user.
        """
        found: dict[str, Any] = {}
        copied: dict[str, Any] = {}
        for code, cell in sent.items():
            one = fields.get(code)
            if one is None or not one.written:
                continue
            raw = cell.get("value") if isinstance(cell, dict) else None
            if one.type == "SUBTABLE":
                found[code] = self._rows(one, raw, prefix, kept.get(code) or [])
            else:
                found[code] = self._value(one, raw, prefix, in_table=in_table)
            if one.lookup:
                copied |= self._looked_up(one, found[code], fields)
        for one in fields.values():
            if one.lookup:
                for target in one.lookup.copies:
                    found.pop(target, None)
        return found | copied

    def missing(self, fields: dict[str, Field], values: dict[str, Any], prefix: str) -> None:
        """Tell of required fields that would be empty."""
        for code, one in fields.items():
            if one.required and values.get(code) in ("", None, []):
                match one.type:
                    case "CHECK_BOX" | "MULTI_SELECT" | "FILE":
                        suffix = "values"
                    case "USER_SELECT" | "ORGANIZATION_SELECT" | "GROUP_SELECT":
                        suffix = "values.value"
                    case _:
                        suffix = "value"
                self.problems.add(prefix, code, suffix, REQUIRED)
            elif one.table:
                for index, row in enumerate(values.get(code) or ()):
                    cells = {name: cell["value"] for name, cell in row["value"].items()}
                    self.missing(one.table, cells, f"{prefix}.{code}.value[{index}].value")

    def _rows(self, one: Field, raw: Any, prefix: str, kept: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The whole table anew; a row with an id that the record has keeps the cells that were not sent."""
        known = {row["id"]: row["value"] for row in kept}
        rows = []
        for index, row in enumerate(raw if isinstance(raw, list) else []):
            row = row if isinstance(row, dict) else {}
            row_id = str(row.get("id") or "")
            old = {code: cell["value"] for code, cell in known.pop(row_id, {}).items()}
            if not old:
                row_id = str(self.app.next_row)
                self.app.next_row += 1
            sent = row.get("value") if isinstance(row.get("value"), dict) else {}
            place = f"{prefix}.{one.code}.value[{index}].value"
            cells = {code: cell.empty for code, cell in one.table.items()} | old
            cells |= self.values(one.table, sent or {}, place, old, in_table=True)
            rows.append(
                {
                    "id": row_id,
                    "value": {code: {"type": cell.type, "value": cells[code]} for code, cell in one.table.items()},
                }
            )
        return rows

    def _value(self, one: Field, raw: Any, prefix: str, *, in_table: bool) -> Any:
        def wrong(text: Text, suffix: str = "value", *, bracket: bool = False) -> None:
            self.problems.add(prefix, one.code, suffix, text, bracket=bracket)

        if raw is None or raw == "" or raw == []:
            return one.empty
        match one.type:
            case "NUMBER":
                number = normalised(raw)
                if number is None:
                    if not in_table:
                        wrong(NO_NUMBER, bracket=True)
                    return ""  # what a table keeps of it, silently
                self._range(one, number, wrong)
                return number
            case "SINGLE_LINE_TEXT" | "LINK" | "MULTI_LINE_TEXT" | "RICH_TEXT":
                if not isinstance(raw, str):
                    raw = str(raw) if isinstance(raw, int | float) else ""
                least, most = one.lengths
                try:
                    length = len(raw.encode("utf-16-le")) // 2  # (guess) counted as Java counts: an emoji is two
                except UnicodeEncodeError:
                    raise KintoneError("CB_IJ01") from None  # (guess) half of a character
                if most and length > most:
                    wrong((f"{most + 1}文字より短くなければなりません。", f"Enter less than {most + 1} characters."))
                if length < least:
                    wrong((f"{least - 1}文字より長くなければなりません。", f"Enter more than {least - 1} characters."))
                return raw
            case "DATE":
                day = date_of(raw)
                if day is None:
                    wrong(BAD_FORMAT)
                return day
            case "TIME":
                if not isinstance(raw, str) or not (found := TIME.fullmatch(raw)):
                    wrong(BAD_FORMAT)
                    return None
                return found[0]
            case "DATETIME":
                moment = moment_of(raw)
                if moment is None:
                    wrong(BAD_FORMAT)
                return moment
            case "DROP_DOWN" | "RADIO_BUTTON":
                if not isinstance(raw, str) or raw not in one.options:
                    wrong(no_option(raw))
                return raw
            case "CHECK_BOX" | "MULTI_SELECT":
                raw = raw if isinstance(raw, list) else [raw]
                for index, option in enumerate(raw):
                    if not isinstance(option, str) or option not in one.options:
                        wrong(no_option(option), f"values[{index}].value")
                return list(dict.fromkeys(str(option) for option in raw))
            case "FILE":
                first = raw[0] if isinstance(raw, list) else raw
                key = first.get("fileKey") if isinstance(first, dict) else first
                raise KintoneError("GAIA_BL01", key)  # nothing can be uploaded here
            case _:
                return self._people(one, raw, wrong)

    def _range(self, one: Field, number: str, wrong: Any) -> None:
        least, most = one.definition.get("minValue"), one.definition.get("maxValue")
        if most and Decimal(number) > Decimal(most):
            wrong((f"{most}以下である必要があります。", f"The value must be {most} or less."))
        if least and Decimal(number) < Decimal(least):
            wrong((f"{least}以上である必要があります。", f"The value must be {least} or more."))

    def _people(self, one: Field, raw: Any, wrong: Any) -> list[dict[str, str]]:
        match one.type:
            case "USER_SELECT":
                names = {code: user.name or code for code, user in self.domain.users.items()}
            case "ORGANIZATION_SELECT":
                names = self.domain.organizations
            case _:
                names = self.domain.groups
        found = []
        for each in raw if isinstance(raw, list) else [raw]:
            code = each.get("code") if isinstance(each, dict) else None
            if not isinstance(code, str):
                wrong(BAD_FORMAT, "values.value")  # (guess)
            elif code not in names:
                raise KintoneError(CODE_ERRORS[one.type], code)
            else:
                found.append({"code": code, "name": names[code]})
        return found

    def _looked_up(self, one: Field, value: Any, fields: dict[str, Field]) -> dict[str, Any]:
        """What the lookup copies from the record that has the value; all cleared for an empty one."""
        assert one.lookup
        targets = {target: fields[target] for target in one.lookup.copies if target in fields}
        if value in ("", None):
            return {target: there.empty for target, there in targets.items()}
        related = self.domain.apps.get(one.lookup.app)
        # Without the right to see it, the record is as good as not there: one code for both.
        if related is None or not self.caller.may(related.id, "view"):
            raise KintoneError("GAIA_LO04", one.code, value)
        key = related.fields.get(one.lookup.key)
        if key is None or not (key.unique or key.type == "RECORD_NUMBER"):
            raise KintoneError("GAIA_LO03", one.code)
        record = find(related, key, value)
        if record is None:
            raise KintoneError("GAIA_LO04", one.code, value)
        return {
            target: fitting(there, record.values.get(one.lookup.copies[target], there.empty))
            for target, there in targets.items()
        }


def find(app: App, key: Field, value: Any) -> Record | None:
    """The record with that value in a field without duplicates, or with that record number."""
    if key.type == "RECORD_NUMBER":
        number = str(value).removeprefix(f"{app.code}-")
        return app.records.get(int(number)) if number.isdecimal() else None
    text = normalised(value) if key.type == "NUMBER" else str(value)
    found = app.unique[key.code].get(unique_key(key, text)) if text is not None else None
    return app.records[found] if found is not None else None


def fitting(target: Field, value: Any) -> Any:
    """A copied value as the field that it is copied to keeps it."""
    if value in (None, "", []):
        return target.empty
    if target.type in ("SINGLE_LINE_TEXT", "MULTI_LINE_TEXT", "RICH_TEXT") and not isinstance(value, str):
        return str(value)
    return value


def no_option(value: Any) -> Text:
    return f'"{value}"は選択肢にありません。', f'The value, "{value}", is not in options.'


def normalised(raw: Any) -> str | None:
    """A number as kintone keeps it, 15 for 1.5e1; None for what is none."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return None
    text = str(raw).strip()
    if not NUMBER.fullmatch(text):
        return None
    try:
        found = format(Decimal(text), "f")
    except InvalidOperation:
        return None
    if found.lstrip("+-").strip("0.") == "":
        return "0"
    return found.removeprefix("+")


def date_of(raw: Any) -> str | None:
    """YYYY-MM-DD; month and day may be left out."""
    found = DATE.fullmatch(raw) if isinstance(raw, str) else None
    if not found:
        return None
    try:
        return date(int(found[1]), int(found[2] or 1), int(found[3] or 1)).isoformat()
    except ValueError:
        return None


def moment_of(raw: Any) -> str | None:
    """A moment with its zone, in UTC and without its seconds."""
    if not isinstance(raw, str) or not DATETIME.fullmatch(raw):
        return None
    try:
        return datetime.fromisoformat(raw).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00Z")
    except (ValueError, OverflowError):
        return None


def default(one: Field, now: datetime) -> Any:
    """What a new record has in a field that was not sent."""
    if one.definition.get("defaultNowValue"):
        local = now.astimezone(TOKYO)
        match one.type:
            case "DATE":
                return local.date().isoformat()
            case "TIME":
                return local.strftime("%H:%M")
            case "DATETIME":
                return now.strftime("%Y-%m-%dT%H:%M:00Z")
    given = one.definition.get("defaultValue")
    return given or one.empty
