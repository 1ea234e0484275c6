"""Which records of a batch a lookup cannot take: asked of the app that it copies from, instead of tried one by one (K19, K21).

kintone refuses a hundred records for one of them with GAIA_LO04 and says neither which it is nor why. A question for the
hundred values costs one request; a hundred bad ones found by halves would cost two hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from renkei.systems.kintone.errors import KintoneSettingError, QuotaSpentError, RecordRefusedError, Refusal
from renkei.systems.kintone.form import Field, Form, same_number
from renkei.systems.kintone.payloads import Record


class Parent(Protocol):
    """The app that a lookup copies from."""

    def find(self, app: str, field: str, values: Sequence[str], fields: Sequence[str] = ()) -> list[Record]: ...


def missing_in_lookups(records: Sequence[Record], form: Form, parent_of: Callable[[str], Parent]) -> dict[int, Refusal]:
    """Of each of `records` (by its place) whose lookup has a value that its app lacks, what is wrong with it.

    `parent_of` gives an app by its id. One whose requests are used up is not asked.

    Raises:
        KintoneSettingError: an app cannot be seen: no record with that lookup can be written until its token is there.
    """
    found: dict[int, Refusal] = {}
    for lookup in (field for field in form.fields.values() if field.is_lookup):
        values = {place: _value(record, lookup) for place, record in enumerate(records)}
        wanted = sorted({value for value in values.values() if value})
        known = _known(lookup, wanted, parent_of) if wanted else None
        if known is not None:
            found |= {place: _missing(lookup) for place, value in values.items() if value and not known(value)}
    return found


def _value(record: Record, lookup: Field) -> str:
    return str(record.get(lookup.code, {}).get("value") or "")


def _known(lookup: Field, values: Sequence[str], parent_of: Callable[[str], Parent]) -> Callable[[str], bool] | None:
    """Tells whether the app has a value; None where nothing can be said."""
    app, key = lookup.lookup_app, lookup.lookup_key
    try:
        cells: list[dict[str, Any]] = [record[key] for record in parent_of(app).find(app, key, values, [key])]
    except (QuotaSpentError, RecordRefusedError):
        return None
    except KintoneSettingError as error:
        if error.code == "CB_VA01":  # the question: some value is none that may be asked for
            return None
        raise KintoneSettingError(
            f"ルックアップ「{lookup.code}」のコピー元のアプリ（アプリID {app}）を閲覧できません。"
            "コピー元のアプリで、レコードの閲覧を許可したAPIトークンを作り、Airflowの接続(kintone)に加えてください。",
            error.code,
        ) from error
    if any(cell.get("type") == "RECORD_NUMBER" for cell in cells):  # written with the app's code or without
        return None
    texts = {str(cell["value"]) for cell in cells}
    if not any(cell.get("type") == "NUMBER" for cell in cells):
        return texts.__contains__
    numbers = {same_number(text) for text in texts}
    return lambda value: same_number(value) in numbers


def _missing(lookup: Field) -> Refusal:
    return Refusal(
        None,
        lookup.code,
        "GAIA_LO04",
        f"ルックアップの値がコピー元のアプリ（アプリID {lookup.lookup_app}）にありません",
        "コピー元のアプリにその値を登録してください。登録した後、次の日の連携でもう一度書き込みます",
    )
