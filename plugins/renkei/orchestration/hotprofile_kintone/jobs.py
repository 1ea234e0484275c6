"""What takes too long for a page, because it asks kintone or Hot Profile: 読み込み, 検索 and テスト of kintone連携設定, and
the estimate of 初期連携."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from renkei.clock import utcnow
from renkei.errors import ConnectionError_, RenkeiError, SettingError
from renkei.links.hotprofile_kintone import data_sets, forecast, forms, history
from renkei.links.hotprofile_kintone.forecast import Estimate
from renkei.links.hotprofile_kintone.form_check import form_problems
from renkei.links.hotprofile_kintone.history import State
from renkei.links.hotprofile_kintone.items import values_of
from renkei.links.hotprofile_kintone.loading import at_fault
from renkei.links.hotprofile_kintone.model import Job, Mode, RunStart, host_of
from renkei.links.hotprofile_kintone.preview import PreviewItem, preview
from renkei.links.hotprofile_kintone.quota import Quota
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet
from renkei.links.hotprofile_kintone.sheet.mapping import Mapping as SheetMapping
from renkei.links.hotprofile_kintone.stages.check import check
from renkei.links.hotprofile_kintone.stages.trial import Tested, try_one
from renkei.orchestration.hotprofile_kintone import connections
from renkei.orchestration.hotprofile_kintone.tasks import apps_of
from renkei.orchestration.tenant import Tenant
from renkei.storage.records import Moment
from renkei.storage.runs import RunRecord, run_key
from renkei.systems.hotprofile.payloads import Window
from renkei.systems.kintone.errors import KintoneAwayError, KintoneSettingError, QuotaSpentError

Progress = Callable[[str, int, int], None]
LOAD, FIND, TEST, ESTIMATE = "load_form", "find_one", "write_one", "estimate_initial"


@dataclass(frozen=True, slots=True)
class LoadedForm:
    """How 読み込み of an app ended."""

    data_set: str
    app: str
    fields: int = 0
    problems: int = 0  # of the mapping against the form
    fault: str = ""  # why it failed
    look_at: tuple[str, ...] = ()  # of サブドメイン, アプリID, ログイン情報


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record of Hot Profile, and what kintone would get; it names people, and stays in the store (L6)."""

    data_set: str
    source_id: str
    updated_at: str  # empty: Hot Profile has no such record
    items: list[PreviewItem]
    sheet: str  # digest of the sheet that it was looked at with


@dataclass(frozen=True, slots=True)
class InitialEstimate:
    """What 初期連携 of all that was updated since a day would take."""

    since: dt.date
    at: Moment
    lines: list[Estimate]


def load_form(tenant: Tenant, asked: Mapping[str, str], progress: Progress) -> LoadedForm:
    """One request of the day's."""
    mapping, data_set = _asked(tenant, asked)
    progress("kintoneのアプリを読み込んでいます", 0, 0)
    database, host = connections.database(), host_of(mapping)
    quota = Quota(database, host, data_set.app, mapping.daily_requests)
    try:
        client = connections.kintone_client(mapping, lambda count: quota.reserve(count, utcnow()))
        form = client.form(data_set.app)
    except (KintoneSettingError, KintoneAwayError, QuotaSpentError, ConnectionError_) as error:
        return LoadedForm(data_set.name, data_set.app, fault=str(error), look_at=at_fault(error))
    forms.keep_of(database, tenant.name, host, data_set.app, form, utcnow())
    return LoadedForm(data_set.name, data_set.app, len(form.fields), len(form_problems(data_set, form)))


def find_one(tenant: Tenant, asked: Mapping[str, str], progress: Progress) -> FoundRecord:
    mapping, data_set = _asked(tenant, asked)
    source_id = asked["source_id"]
    progress("Hot Profileを検索しています", 0, 0)
    entries = connections.hotprofile_client(tenant.name).by_id(data_set.name, [source_id])
    entry = next((one for one in entries if str(one["id"]) == source_id), None)
    if entry is None:
        return FoundRecord(data_set.name, source_id, "", [], tenant.sheet.digest)
    form = forms.last_of(connections.database(), tenant.name, host_of(mapping), data_set.app)
    values = values_of(entry, data_set.name, [item.item for item in data_set.items])
    items = preview(mapping, data_set, form, values)
    return FoundRecord(data_set.name, source_id, str(entry["updated_at"]), items, tenant.sheet.digest)


def estimate_initial(tenant: Tenant, asked: Mapping[str, str], progress: Progress) -> InitialEstimate:
    """Two requests of Hot Profile's for each data set, and none of kintone's."""
    mapping: SheetMapping = tenant.mapping
    since, now = dt.date.fromisoformat(asked["since"]), utcnow()
    source, database, host = connections.hotprofile_client(tenant.name), connections.database(), host_of(mapping)
    records, used = {}, {}
    for number, one in enumerate(mapping.enabled):
        progress("Hot Profileの件数を調べています", number, len(mapping.enabled))
        span = data_sets.window(Mode.ESTIMATE, data_sets.Progress(), source.now(), since)
        records[one.name] = 0 if span.is_empty else source.total(one.name, Window(span.since, span.until))
        used[one.app] = Quota(database, host, one.app, mapping.daily_requests).used(now)
    return InitialEstimate(since, now, forecast.estimate(mapping, records, used, now))


def write_one(tenant: Tenant, asked: Mapping[str, str], progress: Progress) -> Tested:
    """As the 実行方法 1件テスト does it; the mapping has passed then, as it stands."""
    mapping, data_set = _asked(tenant, asked)
    now, name = utcnow(), run_key("console-test", uuid.uuid4().hex)
    start = RunStart("", Mode.TEST_ONE, now, mapping, tenant.sheet.digest, None, data_set.name, asked["source_id"])
    record = RunRecord(tenant.folder(), name)
    record.create(start)
    job = Job(connections.database(), record, start)
    progress("kintoneに1件書き込んでいます", 0, 0)
    check(job, lambda one: apps_of(job, one)(one.app), utcnow)
    try:
        return try_one(job, data_set, apps_of(job, data_set), connections.hotprofile_client(tenant.name), utcnow)
    except RenkeiError as error:
        history.note(job, data_set, state=State.STOPPED.value, said=str(error), ended_at=utcnow())
        raise


def _asked(tenant: Tenant, asked: Mapping[str, str]) -> tuple[SheetMapping, DataSet]:
    """Raises MappingError, SheetPendingError, SettingError: the sheet cannot be used, or has this no more."""
    mapping: SheetMapping = tenant.mapping
    data_set = mapping.data_set(asked["data_set"])
    if data_set is None:
        raise SettingError("連携設定シートにこの対象がありません。画面を開き直してください。")
    return mapping, data_set


JOBS = {LOAD: load_form, FIND: find_one, TEST: write_one, ESTIMATE: estimate_initial}
