"""Read SmartHR: only what the sheet maps, as columns, proven complete (E7, E17, E33, L6)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingType
from typing import TYPE_CHECKING, Any

from renkei.errors import IncompleteReadError, RefusedFetchError
from renkei.links.smarthr_emc.sheet.catalogue import CATALOGUE, CatalogueItem
from renkei.links.smarthr_emc.sheet.mapping import CustomField, Mapping, SourceField
from renkei.systems.smarthr.client import READS, SmartHRClient

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

RETIRED = "retired"
EMPLOYMENT_STATUSES = frozenset({"employed", "absent", RETIRED})
Record = dict[str, Any]
Masters = dict[str, Any]


def column_name(term: SourceField | CustomField) -> str:
    """The users table's column of a source."""
    return f"カスタム項目:{term.name}" if isinstance(term, CustomField) else term.name


def source_columns(mapping: Mapping) -> dict[str, SourceField | CustomField]:
    """Every column that the sheet's user rules read, in the order of first use."""
    terms = (term for rule in mapping.users for term in rule.source.terms)
    return {column_name(term): term for term in terms if isinstance(term, SourceField | CustomField)}


def fetch_departments(client: SmartHRClient, mapping: Mapping) -> tuple[pd.DataFrame, Masters]:
    """SmartHR's departments as they are, and the master lists that users refer to.

    The table has one row per department in SmartHR's order: line (1-based), source_id, code, name,
    full_name, has_parent, parent_code; texts are "" where SmartHR has none. Masters hold the names of
    establishments by id and the templates of the custom fields that the sheet uses, by name; they
    are about the company, not about people.

    Raises:
        FetchError: see SmartHRClient.read_all.
        RefusedFetchError: the sheet names a custom field that SmartHR does not have, or has twice.
    """
    import pandas as pd

    records = client.read_all("departments", known=())
    parents = [_shaped(record.get("parent"), dict, "部署", record["id"], "parent") or {} for record in records]
    columns = {
        "source_id": [record["id"] for record in records],
        "code": [_text(record.get("code")) for record in records],
        "name": [_text(record.get("name")) for record in records],
        "full_name": [_text(record.get("full_name")) for record in records],
        "parent_code": [_text(parent.get("code")) for parent in parents],
    }
    table = _frame(columns, "部署")
    table["has_parent"] = pd.array([bool(parent) for parent in parents], dtype="bool")
    return table, _fetch_masters(client, mapping)


def _fetch_masters(client: SmartHRClient, mapping: Mapping) -> Masters:
    terms = source_columns(mapping).values()
    masters: Masters = {}
    if any(isinstance(term, SourceField) and CATALOGUE[term.name].join for term in terms):
        masters["biz_establishments"] = {
            record["id"]: _sound(_text(record.get("name")), "事業所", record["id"], "name")
            for record in client.read_all("biz_establishments")
        }
    wanted = {term.name for term in terms if isinstance(term, CustomField)}
    if wanted:
        masters["custom_fields"] = _custom_templates(client.read_all("crew_custom_field_templates"), wanted)
    return masters


def _custom_templates(templates: Sequence[Record], wanted: set[str]) -> dict[str, Any]:
    """Template id and enum labels by custom field name."""
    found: dict[str, Any] = {}
    for template in templates:
        name = _text(template.get("name")).strip()
        if name not in wanted:
            continue
        if name in found:
            raise RefusedFetchError(
                f"SmartHRに「{name}」という名前のカスタム項目が2つ以上あります。どちらか一方の名前を変えてください。"
            )
        labels: dict[str, str] = {}
        elements = _shaped(template.get("elements"), list, "カスタム項目", template["id"], "elements") or ()
        for element in elements:
            if not isinstance(element, dict):
                raise _misshapen("カスタム項目", template["id"], "elements")
            # A value is the element's physical name if it has one, else its id; never the shown name.
            shown, key, physical = (
                _sound(_text(element.get(part)), "カスタム項目", template["id"], "elements")
                for part in ("name", "id", "physical_name")
            )
            labels |= {physical or key: shown, key: shown}
        found[name] = {"id": template["id"], "labels": labels}
    missing = sorted(wanted - set(found))
    if missing:
        names = "、".join(f"「{name}」" for name in missing)
        raise RefusedFetchError(
            f"連携設定シートのカスタム項目{names}がSmartHRにありません（名前の違い、またはトークンの参照権限）。"
            "シートの項目名を確認してください。"
        )
    return found


def fetch_users(
    client: SmartHRClient,
    mapping: Mapping,
    masters: Masters,
    known_crew_ids: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
    retired_crew_ids: Sequence[str] = (),
) -> pd.DataFrame:
    """Every crew once, in SmartHR's order: line, crew_id, emp_status and a text column per source.

    `known_crew_ids` are the people of the baseline: those that the read lacks are asked for by id, so
    that a crew skipped by shifting pages is never taken for one that left. With them, and the crews
    that changed last, the read is proven to lack nobody; whoever else is in it costs a second read.
    `retired_crew_ids` are its 退職済 crews: they prove the read too, but nobody asks where they are.
    Nothing but id and status is kept of 退職済 crews.

    Raises:
        FetchError: see SmartHRClient.read_all.
        IncompleteReadError: no crew at all, or a crew without a known 在籍状況.
    """
    columns = source_columns(mapping)
    fields = {"id", "emp_status"}
    for term in columns.values():
        fields.update(("custom_fields",) if isinstance(term, CustomField) else CATALOGUE[term.name].fields)
    seen = {*known_crew_ids, *retired_crew_ids}
    if seen:  # on a first link everybody is new: the second read knows them
        seen |= client.newest()
    for _ in range(READS):
        crews = client.read_all("crews", {"fields": ",".join(sorted(fields))}, progress, seen)
        if not crews:
            raise IncompleteReadError(
                "SmartHRから従業員が1件も返りませんでした。0件は正しい受信とみなしません。"
                "アクセストークンの参照権限と、SmartHR URLの会社を確認してください。"
            )
        _refuse_partial_attributes(crews, fields)
        received = {crew["id"] for crew in crews}
        missing = [crew_id for crew_id in known_crew_ids if crew_id not in received]
        skipped = client.present(missing)
        if not skipped:
            return _users_table(crews, columns, masters)
        log.warning("read lacks %d crews that SmartHR still has; reading again", len(skipped))
        seen |= received
    raise IncompleteReadError(
        "SmartHRの従業員一覧に、在籍しているはずの従業員が含まれていません（取得中の変更）。"
        "何も書き込んでいません。時間をおいて再実行してください。"
    )


def _refuse_partial_attributes(crews: Sequence[Record], fields: set[str]) -> None:
    """An attribute is there for everybody or, where the token may not see it, for nobody (E33)."""
    for field in sorted(fields):
        having = sum(field in crew for crew in crews)
        if 0 < having < len(crews):
            raise IncompleteReadError(
                f"SmartHRの従業員の項目「{field}」が一部の従業員（{len(crews) - having}人）にだけありません。"
                "完全なデータではないため何も書き込みません。時間をおいて再実行してください。"
            )


def _users_table(
    crews: Sequence[Record], columns: MappingType[str, SourceField | CustomField], masters: Masters
) -> pd.DataFrame:
    statuses = [crew.get("emp_status") for crew in crews]
    for crew, status in zip(crews, statuses, strict=True):
        if not isinstance(status, str) or status not in EMPLOYMENT_STATUSES:
            raise IncompleteReadError(
                f"SmartHRの従業員（{crew['id']}）の在籍状況が読み取れません。アクセストークンの「在籍状況」の参照権限を確認してください。"
            )
    kept = [crew if status != RETIRED else {} for crew, status in zip(crews, statuses, strict=True)]
    table = {"crew_id": [crew["id"] for crew in crews], "emp_status": statuses}
    for name, term in columns.items():
        table[name] = (
            _custom_column(kept, masters["custom_fields"][term.name])
            if isinstance(term, CustomField)
            else _column(kept, CATALOGUE[term.name], masters)
        )
    return _frame(table, "従業員")


def _frame(columns: dict[str, list[str]], label: str) -> pd.DataFrame:
    """Texts as a table; the first column is the record's id, `line` is put before it."""
    import pandas as pd

    try:
        table = pd.DataFrame(columns, dtype="str")
    except UnicodeEncodeError:
        ids = next(iter(columns.values()))
        broken = next(ids[n] for n in range(len(ids)) if any(_is_broken(values[n]) for values in columns.values()))
        raise RefusedFetchError(
            f"SmartHRの{label}（{broken}）に文字として読み取れない値があります。SmartHRで入力し直してください。"
        ) from None
    table.insert(0, "line", range(1, len(table) + 1))
    return table


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _column(crews: Sequence[Record], item: CatalogueItem, masters: Masters) -> list[str]:
    values: list[Any] = list(crews)
    for step in item.column:
        kind = list if isinstance(step, int) else dict
        values = [
            _step(_shaped(value, kind, "従業員", crew.get("id", ""), item.fields[0]), step)
            for crew, value in zip(crews, values, strict=True)
        ]
    if item.join:
        names = masters[item.join]
        # Whether crews carry the establishment's id or the establishment itself is the server's choice.
        return [
            _text(value.get("name")) if isinstance(value, dict) else names.get(_text(value), "") for value in values
        ]
    for crew, value in zip(crews, values, strict=True):
        if isinstance(value, dict | list):
            raise _misshapen("従業員", crew["id"], item.fields[0])
    if item.labels:
        return [item.labels.get(value, _text(value)) if isinstance(value, str) else "" for value in values]
    return [_text(value) for value in values]


def _step(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and len(value) > step else None
    return value.get(step) if isinstance(value, dict) else None


def _custom_column(crews: Sequence[Record], template: MappingType[str, Any]) -> list[str]:
    labels: MappingType[str, str] = template["labels"]
    cells = []
    for crew in crews:
        value = next(
            (
                field.get("value")
                for field in _shaped(crew.get("custom_fields"), list, "従業員", crew.get("id", ""), "custom_fields")
                or ()
                if _custom_template(field, crew["id"]).get("id") == template["id"]
            ),
            None,
        )
        cells.append(labels.get(_text(value), _text(value)))
    return cells


def _custom_template(field: Any, crew_id: str) -> MappingType[str, Any]:
    custom = _shaped(field, dict, "従業員", crew_id, "custom_fields") or {}
    return _shaped(custom.get("template"), dict, "従業員", crew_id, "custom_fields") or {}


def _shaped(value: Any, kind: type, label: str, record_id: str, field: str) -> Any:
    """The value, which may be null, but nothing else than `kind`: what is blank by mistake would be cleared (L1).

    Raises:
        IncompleteReadError: names the record and the attribute.
    """
    if value is None or isinstance(value, kind):
        return value
    raise _misshapen(label, record_id, field)


def _misshapen(label: str, record_id: str, field: str) -> IncompleteReadError:
    return IncompleteReadError(
        f"SmartHRの{label}（{record_id}）の項目「{field}」がAPIの形式ではありません。"
        "何も書き込んでいません。時間をおいて再実行し、続く場合はSmartHRにお問い合わせください。"
    )


def _sound(text: str, label: str, record_id: str, field: str) -> str:
    """The text, which can be written; SmartHR's JSON may hold half a character."""
    if _is_broken(text):
        raise _misshapen(label, record_id, field)
    return text


def _text(value: Any) -> str:
    """A JSON value as text; null and anything that is no plain value are blank."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(value)
