"""Read SmartHR: only what the sheet maps, as columns, proven complete (E7, E17, E33, L6)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from renkei.errors import IncompleteReadError, RefusedFetchError
from renkei.links.smarthr_emc.crew_columns import (
    CUSTOM,
    CUSTOM_VALUES,
    DEPARTMENTS,
    STATUS,
    Columns,
    Record,
    crew_columns,
    misshapen,
    part,
    refuse_absent,
    text,
    unknown_value,
)
from renkei.links.smarthr_emc.sheet.catalogue import CATALOGUE
from renkei.links.smarthr_emc.sheet.mapping import CustomField, Mapping, SourceField
from renkei.systems.smarthr.client import READS, SmartHRClient
from renkei.texts import unseen

log = logging.getLogger(__name__)

RETIRED = "retired"
EMPLOYMENT_STATUSES = frozenset({"employed", "absent", RETIRED})
Masters = dict[str, Any]


def column_name(term: SourceField | CustomField) -> str:
    """The users table's column of a source."""
    return f"カスタム項目:{term.name}" if isinstance(term, CustomField) else term.name


def source_columns(mapping: Mapping) -> dict[str, SourceField | CustomField]:
    """Every column that the sheet's user rules read, in the order of first use."""
    terms = (term for rule in mapping.users for term in rule.source.terms)
    return {column_name(term): term for term in terms if isinstance(term, SourceField | CustomField)}


def fetch_departments(
    client: SmartHRClient, mapping: Mapping, known: Sequence[str] = ()
) -> tuple[pd.DataFrame, Masters]:
    """SmartHR's departments as they are, and the master lists that users refer to.

    The table has one row per department in SmartHR's order: line (1-based), source_id, code, name,
    full_name, has_parent, parent_code; texts are "" where SmartHR has none. Masters hold the ids of
    the departments, the names of establishments by id and the templates of the custom fields that the sheet uses, by
    name; they are about the company, not about people.

    `known` are the departments of the baseline: with them a read of several pages is proven, and is not read twice.

    Raises:
        FetchError: see SmartHRClient.read_all.
        IncompleteReadError: a record is not as SmartHR documents it.
        RefusedFetchError: the sheet names a custom field that SmartHR does not have, or has twice.
    """
    records = client.read_all("departments", known=known)
    by_level = any(isinstance(t, SourceField) and t.name == "部署名(階層)" for t in mapping.departments.name.terms)
    parents = [part(record, "parent", (dict,), "部署", record["id"]) for record in records]
    columns = {
        "source_id": [record["id"] for record in records],
        "code": [text(record, "code", "部署", record["id"]) for record in records],
        "name": [text(record, "name", "部署", record["id"]) for record in records],
        "full_name": [
            text(record if by_level else {"full_name": None, **record}, "full_name", "部署", record["id"])
            for record in records
        ],
        "parent_code": [
            "" if parent is None else text(parent, "code", "部署", record["id"], "parent")
            for record, parent in zip(records, parents, strict=True)
        ],
    }
    table = _frame(columns, "部署", columns["source_id"])
    table["has_parent"] = pd.array([parent is not None for parent in parents], dtype="bool")
    return table, {DEPARTMENTS: columns["source_id"], **_fetch_masters(client, mapping)}


def _fetch_masters(client: SmartHRClient, mapping: Mapping) -> Masters:
    terms = source_columns(mapping).values()
    masters: Masters = {}
    if any(isinstance(term, SourceField) and CATALOGUE[term.name].join for term in terms):
        masters["biz_establishments"] = {
            record["id"]: _sound(text(record, "name", "事業所", record["id"]), "事業所", record["id"], "name")
            for record in client.read_all("biz_establishments")
        }
    wanted = {term.name for term in terms if isinstance(term, CustomField)}
    if wanted:
        masters["custom_fields"] = _custom_templates(client.read_all("crew_custom_field_templates"), wanted)
    return masters


def _custom_templates(templates: Sequence[Record], wanted: set[str]) -> dict[str, Any]:
    """Template id, type and enum labels by custom field name."""
    label = "カスタム項目"
    found: dict[str, Any] = {}
    for template in templates:
        name = text(template, "name", label, template["id"]).strip()
        if name not in wanted:
            continue
        if name in found:
            raise RefusedFetchError(
                f"SmartHRに「{name}」という名前のカスタム項目が2つ以上あります。どちらか一方の名前を変えてください。"
            )
        kind = text(template, "type", label, template["id"])
        if kind not in CUSTOM_VALUES:
            raise RefusedFetchError(
                f"SmartHRのカスタム項目「{name}」は、Renkeiの知らない種類の項目です。連携設定シートから外すか、"
                "運用担当者にRenkeiの更新を依頼してください。何も書き込んでいません。"
            )
        labels: dict[str, str] = {}
        for element in part(template, "elements", (list,), label, template["id"]) or ():
            if type(element) is not dict:
                raise misshapen(label, template["id"], "elements")
            # A value is the element's physical name if it has one, else its id; never the shown name.
            shown, key, physical = (
                _sound(text({"physical_name": None, **element}, one, label, template["id"]), label, template["id"], one)
                for one in ("name", "id", "physical_name")
            )
            own = {physical or key: shown, key: shown}
            # Of two elements with one key nobody can say which a crew has.
            if not key or not shown or any(labels.get(one, shown) != shown for one in own):
                raise misshapen(label, template["id"], "elements")
            labels |= own
        found[name] = {"id": template["id"], "type": kind, "labels": labels}
    missing = sorted(wanted - set(found))
    if missing:
        names = "、".join(f"「{name}」" + (f"（{unseen(name)}があります）" if unseen(name) else "") for name in missing)
        raise RefusedFetchError(
            f"連携設定シートのカスタム項目{names}が、SmartHRから受け取った{len(templates)}個のカスタム項目にありません。"
            "SmartHRの従業員項目の名前と一字一句同じかを確認し、違えば連携設定シートを直してください。"
            "同じであれば、アクセストークンにその項目の参照権限を付けてください（SmartHRの管理者）。"
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
        IncompleteReadError: no crew at all, one that is not as SmartHR documents it, an attribute that the token may
            not see, or a value that this version does not know.
    """
    columns = source_columns(mapping)
    fields = {"id", STATUS}
    for term in columns.values():
        fields.update((CUSTOM,) if isinstance(term, CustomField) else CATALOGUE[term.name].fields)
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


def _users_table(crews: Sequence[Record], columns: Columns, masters: Masters) -> pd.DataFrame:
    counting = [crew for crew in crews if crew.get(STATUS) != RETIRED]
    refuse_absent(counting, columns)
    for crew in counting:
        status = text(crew, STATUS, "従業員", crew["id"], "在籍状況")
        if not status:
            raise misshapen("従業員", crew["id"], "在籍状況")
        if status not in EMPLOYMENT_STATUSES:
            raise unknown_value(crew["id"], "在籍状況", status)
    ids = [crew["id"] for crew in crews]
    table = {"crew_id": ids, "emp_status": [crew[STATUS] for crew in crews]}
    for name, cells in crew_columns(counting, columns, masters).items():
        cell = iter(cells)
        table[name] = ["" if crew[STATUS] == RETIRED else next(cell) for crew in crews]
    return _frame(table, "従業員", ids)


def _frame(columns: dict[str, list[str]], label: str, ids: Sequence[str]) -> pd.DataFrame:
    """Texts as a table with `line` before them; `ids` name the records."""
    try:
        table = pd.DataFrame(columns, dtype="str")
    except UnicodeEncodeError:
        at, item = next((n, name) for n in range(len(ids)) for name, values in columns.items() if _is_broken(values[n]))
        raise RefusedFetchError(
            f"SmartHRの{label}（{ids[at]}）の「{item}」に、文字として読み取れない値（文字の片割れ）があります。"
            "SmartHRで、その値をすべて消してから入力し直してください。"
        ) from None
    table.insert(0, "line", range(1, len(table) + 1))
    return table


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _sound(value: str, label: str, record_id: str, field: str) -> str:
    """The text, which can be written; SmartHR's JSON may hold half a character."""
    if _is_broken(value):
        raise misshapen(label, record_id, field)
    return value
