"""なぜkintoneに（い）ないのか: one record's way from Hot Profile to kintone, by what the database knows of it.

Nobody is asked: what neither system nor a read has told us yet is said to be unknown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from renkei.clock import TOKYO, time_in_japan
from renkei.links.hotprofile_kintone import data_sets, forms, history, places
from renkei.links.hotprofile_kintone.digest_key import digest_key
from renkei.links.hotprofile_kintone.form_check import form_problems
from renkei.links.hotprofile_kintone.history import DataSetStatus, KnownRecord, Processed, State
from renkei.links.hotprofile_kintone.model import host_of
from renkei.links.hotprofile_kintone.preview import PreviewItem, preview
from renkei.links.hotprofile_kintone.quota import Quota
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Mapping
from renkei.links.hotprofile_kintone.tables import SENDING
from renkei.links.hotprofile_kintone.versions import Versions
from renkei.runs.steps import Step, StepResult
from renkei.storage.database.database import Database
from renkei.storage.store import Store
from renkei.systems.kintone.form import Form

MAX_FOUND = 20  # records that one key leads to


@dataclass(frozen=True, slots=True)
class Explained:
    """One record's way."""

    source_id: str
    label: str
    answer: str  # one sentence
    steps: Sequence[Step]
    page: str = ""  # in kintone
    items: Sequence[PreviewItem] = ()  # of the version that waits; they name people


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the steps are told by."""

    mapping: Mapping
    data_set: DataSet
    known: KnownRecord
    status: DataSetStatus | None
    tested: bool  # the mapping as it stands
    line: Processed | None  # of the newest run
    form: Form | None
    left: int  # of today's requests
    now: dt.datetime


def explain(
    database: Database, store: Store, mapping: Mapping, data_set: DataSet, text: str, now: dt.datetime
) -> list[Explained]:
    """Of each record that `text` is the id or the 更新キー of; of one that nobody knows, as far as that tells.

    Raises:
        StoreError: the database cannot be read, or the store's key is not that of its rows.
    """
    text = text.strip()
    form = forms.last_of(database, mapping.tenant, host_of(mapping), data_set.app)
    secret = digest_key(database, store, mapping.tenant)
    versions = Versions(store, mapping, data_set, secret, numeric_key=_is_numeric(form, data_set))
    (key,) = versions.keys([text])
    ids = history.ids_of(database, mapping.tenant, data_set.name, text, [key] if key else [])
    status = history.data_set_statuses(database, mapping.tenant).get(data_set.name)
    line = history.last_lines(database, mapping.tenant).get(data_set.name)
    left = Quota(database, host_of(mapping), data_set.app, mapping.daily_requests).left(now)
    tested = data_set.name in data_sets.passed(database, mapping)
    found = []
    for source_id in ids[:MAX_FOUND] or [text]:
        known = history.record(database, mapping.tenant, data_set.name, source_id)
        facts = _Facts(mapping, data_set, known, status, tested, line, form, left, now)
        found.append(_explained(facts, source_id, versions))
    return found


def _explained(facts: _Facts, source_id: str, versions: Versions) -> Explained:
    steps = _steps(facts)
    page = ""
    if facts.known.record_id:
        page = places.record_page(facts.mapping, facts.data_set, facts.known.record_id)
    items: Sequence[PreviewItem] = ()
    if facts.known.body:
        items = preview(facts.mapping, facts.data_set, facts.form, versions.read(source_id, facts.known.body))
    return Explained(source_id, facts.data_set.label, _answer(facts, steps), steps, page, items)


def _answer(facts: _Facts, steps: Sequence[Step]) -> str:
    known = facts.known
    stopped = next((step for step in steps if step.passed is StepResult.NO), None)
    waits = next((step for step in steps if step.passed is StepResult.NOT and step.reason), None)
    why = stopped or waits
    told = f"{why.name}: {why.reason}" if why else ""
    if known.written_at is None:
        return f"kintoneに連携していません。{told}"
    said = f"kintoneに連携済みです（{time_in_japan(known.written_at)} に書き込み）。"
    if not known.waiting:
        return said
    return f"{said}その後に更新された内容は、まだ書き込んでいません。{told}"


def _steps(facts: _Facts) -> list[Step]:
    """Up to the first that stopped it each with its finding, behind it without."""
    asked: tuple[tuple[str, Callable[[_Facts], Step]], ...] = (
        ("受信", _received),
        ("項目", _mapped),
        ("更新キー", _keyed),
        ("検査", _checked),
        ("上限", _counted),
        ("登録", _written),
    )
    steps: list[Step] = []
    for name, look in asked:
        over = bool(steps) and steps[-1].passed is not StepResult.YES
        steps.append(Step(name, StepResult.NOT) if over else look(facts))
    return steps


def _received(facts: _Facts) -> Step:
    known, status, label = facts.known, facts.status, facts.data_set.label
    if known.waiting or known.written_at:
        return Step("受信", StepResult.YES, f"Hot Profileの {known.waiting_version or known.updated_at} の内容を受信")
    if known.being_read:
        return Step("受信", StepResult.NOT, "いま受信しています。受信が終わると、連携の対象になります")
    if status is None or status.enabled_at is None:
        if not facts.data_set.enabled:
            return Step("受信", StepResult.NO, f"{label}の連携が有効になっていません", _ENABLE)
        if not facts.tested:
            return Step("受信", StepResult.NO, f"{label}の連携テストに合格していません", "連携テストを行ってください")
        return Step("受信", StepResult.NOT, f"{label}の連携は、次の実行から始まります")
    since = time_in_japan(status.enabled_at)
    if not facts.data_set.enabled:
        return Step("受信", StepResult.NO, f"{label}の連携が無効です（有効にした日時は {since}）", _ENABLE)
    if facts.line and facts.line.state is State.STOPPED:
        return Step("受信", StepResult.NO, f"{label}の連携が止まっています。{_first(facts.line.said)}", _MEND)
    until = time_in_japan(status.watermark) if status.watermark else since
    seen = "、連携ユーザーが参照できない" if facts.data_set.name == "leads" else ""
    return Step(
        "受信",
        StepResult.NO,
        f"{since} から {until} までに登録・更新されたデータの中にありません（IDまたは更新キーが違う{seen}、更新されていない）",
        "Hot Profileでこのデータを更新するか、実行方法「初期連携」で、更新された日を含めて連携してください",
    )


_ENABLE = "連携設定シートで連携を有効にしてください"
_MEND = "kintone連携設定の画面で原因を確認し、直してください。次の実行で自動で続きから連携します"
_VALUES, _KEYS = ("VALUE", "SOURCE_GONE"), ("EMPTY_KEY", "SAME_KEY", "TAKEN_KEY")


def _mapped(facts: _Facts) -> Step:
    failed = facts.known.failed
    if failed and failed.code in _VALUES:
        return Step("項目", StepResult.NO, _of_field(failed.field, failed.cause), failed.remedy)
    if facts.known.waiting and facts.form:
        problems = form_problems(facts.data_set, facts.form)
        if problems:
            return Step("項目", StepResult.NO, problems[0].found, problems[0].remedy)
    return Step("項目", StepResult.YES, f"{len(facts.data_set.items)}項目を連携")


def _keyed(facts: _Facts) -> Step:
    failed = facts.known.failed
    if failed and failed.code in _KEYS:
        return Step("更新キー", StepResult.NO, failed.cause, failed.remedy)
    return Step("更新キー", StepResult.YES, f"「{facts.data_set.key}」→「{facts.data_set.key_field}」")


def _checked(facts: _Facts) -> Step:
    failed, line = facts.known.failed, facts.line
    if failed:
        return Step("検査", StepResult.NO, _of_field(failed.field, failed.cause), failed.remedy)
    if facts.known.waiting and line and line.state is State.STOPPED:
        return Step("検査", StepResult.NO, _first(line.said), _MEND)
    return Step("検査", StepResult.YES)


def _counted(facts: _Facts) -> Step:
    if facts.known.waiting and not facts.left:
        tomorrow = facts.now.astimezone(TOKYO).date() + dt.timedelta(days=1)
        return Step(
            "上限",
            StepResult.NO,
            f"アプリ {facts.data_set.app} の本日のAPIリクエスト数が上限に達しました",
            f"操作は不要です。{tomorrow.month}/{tomorrow.day} 0:00以降に自動で再開します",
        )
    return Step("上限", StepResult.YES, f"本日の残り {facts.left:,}回")


def _written(facts: _Facts) -> Step:
    known, line = facts.known, facts.line
    if not known.waiting:
        return Step("登録", StepResult.YES, f"kintoneのレコード番号 {known.record_id}")
    if line and line.state is State.AWAY:
        return Step("登録", StepResult.NO, _first(line.said), "操作は不要です。接続できるようになると自動で再開します")
    if known.waiting == SENDING:
        return Step("登録", StepResult.NOT, "送信中か、送信の途中で中断しました。次の実行で確かめて書き込みます")
    after = "ほかのデータの後に書き込みます（初期連携）" if known.initial else "次の実行で書き込みます"
    return Step("登録", StepResult.NOT, f"順番を待っています。{after}")


def _is_numeric(form: Form | None, data_set: DataSet) -> bool:
    found = form.fields.get(data_set.key_field) if form else None
    return found is not None and found.type == "NUMBER"


def _of_field(code: str, cause: str) -> str:
    return f"フィールド「{code}」: {cause}" if code else cause


def _first(said: str) -> str:
    return said.partition("\n")[0]
