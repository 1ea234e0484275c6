"""Load the plan into EMC, once and only as held or let through; hear what became of a file drop (E38)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Literal

import pandas as pd

from renkei.errors import HoldError, RecordError, SettingError
from renkei.links.smarthr_emc import disaster, load, ownership, plan
from renkei.links.smarthr_emc.fetch import column_name
from renkei.links.smarthr_emc.load import Target
from renkei.links.smarthr_emc.model import Mode, Operation, RecordSet
from renkei.links.smarthr_emc.records import Comparison, Plan
from renkei.links.smarthr_emc.sheet.mapping import CustomField, FieldRule, Secret, SourceField
from renkei.links.smarthr_emc.stages.approve import is_held
from renkei.links.smarthr_emc.stages.job import Job
from renkei.links.smarthr_emc.validate import other_tenants_ids, refused_passwords
from renkei.runs.current_baseline import current_baseline
from renkei.runs.hold import Approval
from renkei.systems.emc.encode import ImportFile, encode
from renkei.systems.emc.file_format import EmcFormat
from renkei.systems.emc.payloads import Import
from renkei.values.columns import positions


def end_without_load(job: Job) -> Literal["compared", "differs", "checked", "unchanged"] | None:
    """What the run comes to where it writes nothing; None where there is something to load."""
    if job.mode is Mode.RECONCILE:
        return job.record.read(Comparison).end
    if not job.mode.writes:
        return "checked"
    return None if job.record.read(Plan).writes else "unchanged"


def apply(
    job: Job,
    target: Target,
    emc_format: EmcFormat,
    secret: Callable[[str], str],
    now: dt.datetime,
    *,
    disaster_now: bool = False,
) -> Literal["compared", "differs", "checked", "unchanged", "already", "waiting", "loaded"]:
    """Load the plan into EMC and move the baseline, as far as this run may.

    Raises:
        HoldError: a held plan that nobody approved, or one that removes something although 災害時凍結 began.
        SettingError: the plan was checked for files of another format.
    """
    if end := end_without_load(job):
        return end
    head = job.record.read(Plan)
    if head.emc_format not in ("", emc_format.digest):  # "" = planned by a version that did not keep it
        raise SettingError(
            "EMC取込ファイルの形式定義が、検査(validate)の後に変わりました。EMCには何も書き込んでいません。"
            "手動実行で再度取り込んでください。"
        )
    if is_held(job):
        approval = job.record.read_or_none(Approval)
        if approval is None or not approval.approved or approval.digest != head.digest:
            raise HoldError("この計画は承認されていません。EMCには何も書き込んでいません。")
    if disaster_now:
        _refuse_removals(job, head)
    ownership.register(job.record, job.mapping)
    found = load.apply(
        job.record,
        head,
        job.import_lock(),
        target,
        lambda: _encoded(job, head, emc_format, secret),
        lambda: _refuse_foreign_ids(job),
        now,
    )
    if found is None:
        return "already"
    return "waiting" if found.state == "applying" else "loaded"


def _refuse_removals(job: Job, head: Plan) -> None:
    departments = job.record.table("departments_plan") if head.departments else None
    users = job.record.table("users_plan") if head.users else None
    if disaster.removes_something(departments, users, current_baseline(job.record.tenant_folder).table("users_target")):
        raise HoldError(
            "処理の途中で災害時凍結が設定されました。削除または消去を含むため、EMCには何も書き込んでいません。"
            "手動実行で再度取り込んでください（凍結中は削除と消去を除いて登録します）。"
        )


def _encoded(
    job: Job, head: Plan, emc_format: EmcFormat, secret: Callable[[str], str]
) -> tuple[ImportFile | None, ImportFile | None]:
    departments = users = None
    if head.departments:
        departments = encode(job.record.table("departments_plan"), emc_format.department_columns, emc_format)
    if head.users:
        rows = job.record.table("users_plan")
        passwords = _first_passwords(job, rows, emc_format, secret)
        if passwords is not None:
            rows["password"] = passwords.reindex(rows.index)
        users = encode(rows, emc_format.user_columns, emc_format)
    return departments, users


def check_passwords(job: Job, emc_format: EmcFormat, secret: Callable[[str], str]) -> None:
    """Make the first passwords and forget them, so that nobody approves a plan that EMC refuses for one (L8).

    Raises:
        SettingError: EMC would.
    """
    if job.record.read(Plan).users:
        _first_passwords(job, job.record.table("users_plan", ["operation", "user_id"]), emc_format, secret)


def _first_passwords(
    job: Job, rows: pd.DataFrame, emc_format: EmcFormat, secret: Callable[[str], str]
) -> pd.Series[str] | None:
    """Of those rows of the plan that add somebody; None where nobody gets one."""
    rule = job.mapping.rule("password")
    created = rows[rows["operation"] == Operation.CREATE.value]
    if rule is None or not len(created):
        return None
    # Sources are looked up by user id: rows of the plan hold EMC's items, not SmartHR's.
    read = [column_name(term) for term in rule.source.terms if isinstance(term, SourceField | CustomField)]
    people = job.record.table("users", list(dict.fromkeys(["line", "valid", "user_id", *read])))
    people = people[disaster.received(people) & people["valid"]]
    people = people.iloc[positions(created["user_id"], people["user_id"])].set_index(created.index)
    passwords = plan.password_column(people, rule, secret)
    _refuse_passwords(passwords, rule, emc_format)
    return passwords


def _refuse_passwords(passwords: pd.Series[str], rule: FieldRule, emc_format: EmcFormat) -> None:
    """What validate could not see: the passwords made with a text kept in Airflow (L7)."""
    count = int(refused_passwords(passwords, emc_format).sum())
    if count:
        names = "、".join(f"「{term.name}」" for term in rule.source.terms if isinstance(term, Secret))
        limit = emc_format.length_of("password")
        raise SettingError(
            f"連携設定シートのパスワードの「秘密:」で作る初期パスワードを、EMCは受け付けません（新規登録の{count}名）。"
            f"Airflowの接続{names}のPasswordを、半角の英数字と記号だけ{f'（全体で{limit}文字以内）' if limit else ''}にしてください。"
            "EMCには何も書き込んでいません。直した後、失敗したタスクを Clear してください。"
        )


def _refuse_foreign_ids(job: Job) -> None:
    neighbours = ownership.neighbours(job.record, job.mapping)
    for record_set in RecordSet:
        owned = ownership.owned_ids(job.record, neighbours, record_set)
        if not owned:
            continue
        problems = other_tenants_ids(job.record.table(f"{record_set.value}_diff"), owned, record_set)
        if len(problems):
            job.record.write_table("problems", problems)
            raise RecordError(f"同じEMCの別テナントのIDが{len(problems)}件含まれています。何も書き込みません。")


def confirm(job: Job, target: Target, now: dt.datetime) -> Import | None:
    """What became of a file drop, once somebody knows; None while nobody does (E38)."""
    pending = job.import_lock().pending()
    if pending is None or pending.run != job.record.run:
        return None
    found = target.find_import(pending.import_key)
    if found is None or found.state == "applying":
        return None
    return load.finish(job.record, pending, job.import_lock(), target, found, now)
