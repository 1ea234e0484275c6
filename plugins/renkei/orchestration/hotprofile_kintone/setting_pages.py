"""kintone連携設定 in the three steps of text 5, over the sheet in force: 読み込み, 項目マッピング, 連携テスト (K7, K8, K12, K13).

The sheet is a file: its settings are shown here, and changed as a new version of it. What asks kintone or Hot Profile is a job.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from renkei.errors import Problem
from renkei.links.hotprofile_kintone import LINK, data_sets, forms, history, places
from renkei.links.hotprofile_kintone.form_check import form_problems, may_be_key, type_name
from renkei.links.hotprofile_kintone.history import DataSetStatus
from renkei.links.hotprofile_kintone.items import ID_ITEMS
from renkei.links.hotprofile_kintone.loading import FAILED, SUCCEEDED
from renkei.links.hotprofile_kintone.model import host_of
from renkei.links.hotprofile_kintone.preview import as_text
from renkei.links.hotprofile_kintone.sheet.form import CONFLICT_WORDS
from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS, DataSet, Item, Mapping
from renkei.links.hotprofile_kintone.stages.trial import PASSED, Tested
from renkei.orchestration.hotprofile_kintone import connections
from renkei.orchestration.hotprofile_kintone.jobs import FIND, LOAD, TEST, FoundRecord, LoadedForm
from renkei.orchestration.hotprofile_kintone.login_pages import HOTPROFILE, KINTONE
from renkei.orchestration.hotprofile_kintone.login_pages import MAX_TEXT as MAX_SECRET
from renkei.orchestration.web import registering
from renkei.storage.database.database import Database
from renkei.systems.kintone.form import Field
from renkei.systems.kintone.form import Form as AppForm
from renkei.values.conversion import format_conversions, parse_conversions
from renkei.web.console import guard
from renkei.web.console.jobs import newest, start
from renkei.web.console.page import page
from renkei.web.services import OwnJob, Right

router = APIRouter()
MAX_ID = 64  # characters
EVERY = {5: "5分", 30: "30分", 60: "1時間", 180: "3時間", 360: "6時間", 720: "12時間", 1440: "24時間"}


@dataclass(frozen=True, slots=True)
class MappedItem:
    """One line of 項目マッピング."""

    item: Item
    is_key: bool
    type: str  # of the field, as kintone calls it; empty: not known
    conversion: str  # in the sheet's words
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class AppSetting:
    """One data set: its app, its lines, and whether it may be linked."""

    data_set: DataSet
    page: str  # of the app in kintone
    form: AppForm | None
    read_at: dt.datetime | None
    lines: Sequence[MappedItem]
    others: Sequence[Problem]  # of the app as a whole
    unmapped: Sequence[tuple[Field, str, bool]]  # the app's other fields: type, may it be the 更新キー
    passed: bool
    status: DataSetStatus | None

    @property
    def is_sound(self) -> bool:
        return self.form is not None and not self.others and not any(line.problems for line in self.lines)


@router.get("/dag/{dag_id}/kintone")
def setting(request: Request, access: guard.EditsDag) -> Response:
    tenant = access.tenant_of(LINK)
    mapping: Mapping | None = access.services.knowledge.mapping(access.company.dag_id)
    found: list[AppSetting] = []
    if mapping:
        database = connections.database()
        passed, statuses = data_sets.passed(database, mapping), history.data_set_statuses(database, tenant)
        found = [
            _setting(database, mapping, one, one.name in passed, statuses.get(one.name)) for one in mapping.data_sets
        ]
    return page(
        request,
        "hotprofile_kintone/setting.html",
        one=access.company,
        mapping=mapping,
        settings=found,
        missing=[label for name, label in DATA_SETS.items() if mapping and not mapping.data_set(name)],
        EVERY=EVERY,
        CONFLICT_WORDS=CONFLICT_WORDS,
        ID_ITEMS=ID_ITEMS,
        id_most=MAX_ID,
        secret_most=MAX_SECRET,
        digests={kind: registering.digest(f"{kind}__{tenant}") for kind in (KINTONE, HOTPROFILE)},
        may_test=access.may(Right.RUN),
        jobs=newest(access),
        now=access.services.now(),
    )


@router.post("/dag/{dag_id}/kintone/load")
def load(request: Request, access: guard.PostsEditsDag, of: Annotated[str, Form(max_length=20)] = "") -> Response:
    """読み込み."""
    return start(request, access, LOAD, {"data_set": _known(access, of)})


@router.post("/dag/{dag_id}/kintone/find")
def find(
    request: Request,
    access: guard.PostsEditsDag,
    of: Annotated[str, Form(max_length=20)] = "",
    source_id: Annotated[str, Form(min_length=1, max_length=MAX_ID)] = "",
) -> Response:
    """検索 of 連携テスト: what would be written, and nothing is."""
    return start(request, access, FIND, {"data_set": _known(access, of), "source_id": source_id.strip()})


@router.post("/dag/{dag_id}/kintone/test")
def write_one(
    request: Request,
    access: guard.PostsEditsDag,
    of: Annotated[str, Form(max_length=20)] = "",
    source_id: Annotated[str, Form(min_length=1, max_length=MAX_ID)] = "",
) -> Response:
    """テスト: writes that one, as a run would; so it takes the right to run, too."""
    if not access.may(Right.RUN):
        raise guard.NotAllowed
    return start(request, access, TEST, {"data_set": _known(access, of), "source_id": source_id.strip()})


def _known(access: guard.Access, of: str) -> str:
    """Raises NotFound: the sheet has no such data set."""
    access.tenant_of(LINK)
    mapping: Mapping | None = access.services.knowledge.mapping(access.company.dag_id)
    if mapping is None or mapping.data_set(of) is None:
        raise guard.NotFound
    return of


def _setting(
    database: Database, mapping: Mapping, data_set: DataSet, passed: bool, status: DataSetStatus | None
) -> AppSetting:
    host = host_of(mapping)
    form = forms.last_of(database, mapping.tenant, host, data_set.app)
    problems = form_problems(data_set, form, lambda item: item) if form else []
    lines = [
        MappedItem(
            item,
            item.item == data_set.key,
            _type_of(item, form),
            format_conversions(parse_conversions(item.conversion)) if item.conversion else "",
            [one for one in problems if one.where == item.item],
        )
        for item in data_set.items
    ]
    mapped = {item.table or item.field for item in data_set.items}
    rest = [field for code, field in form.fields.items() if code not in mapped] if form else []
    return AppSetting(
        data_set,
        places.app_page(mapping, data_set),
        form,
        forms.read_at(database, mapping.tenant, host, data_set.app),
        lines,
        [one for one in problems if not one.where],
        [(field, type_name(field), may_be_key(field)) for field in rest],
        passed,
        status,
    )


def _type_of(item: Item, form: AppForm | None) -> str:
    field = form.fields.get(item.table or item.field) if form else None
    if field and item.table:
        field = field.cell(item.field)
    return type_name(field) if field else ""


_TEMPLATE = "hotprofile_kintone/job_{}.html"
JOBS = {
    LOAD: OwnJob(
        "kintoneアプリの読み込み",
        LoadedForm,
        _TEMPLATE.format("load"),
        {"DATA_SETS": DATA_SETS, "SUCCEEDED": SUCCEEDED, "FAILED": FAILED},
    ),
    FIND: OwnJob(
        "連携テストの検索", FoundRecord, _TEMPLATE.format("find"), {"DATA_SETS": DATA_SETS, "as_text": as_text}
    ),
    TEST: OwnJob(
        "連携テスト", Tested, _TEMPLATE.format("test"), {"DATA_SETS": DATA_SETS, "PASSED": PASSED, "as_text": as_text}
    ),
}
MENU = (("kintone", "kintone連携設定"),)
