"""Looks at each data set before anything is read: is it tested, and does its app's form fit the mapping (K7, K8, K11, K12)?

What is wrong with one data set stops that one alone; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from renkei.errors import SettingError
from renkei.links.hotprofile_kintone import data_sets, forms, history
from renkei.links.hotprofile_kintone.form_check import form_problems
from renkei.links.hotprofile_kintone.history import State
from renkei.links.hotprofile_kintone.model import Job, Now
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet
from renkei.links.hotprofile_kintone.stages.finish import end_line
from renkei.links.hotprofile_kintone.versions import sheet_digest
from renkei.systems.kintone.errors import KintoneAwayError, QuotaSpentError
from renkei.systems.kintone.form import Form

UNTESTED = "連携テストに合格していません。実行方法「1件テスト」で、この{0}の1件を連携して確認してください（項目定義を変えた後は、もう一度）。"


class App(Protocol):
    """One kintone app, as far as its form goes."""

    def form(self, app: str) -> Form: ...


def refuse_another_sheet(job: Job, digest: str) -> None:
    """A run that is cleared does what it was asked with its own sheet: rows of today it would write as of then.

    Raises:
        SettingError: the sheet, whose digest is `digest` now, has been changed since the run began.
    """
    if job.start.sheet_digest != digest:
        raise SettingError(
            "連携設定シートが、この実行の開始後に変わりました。古いシートでは連携しません。新しく実行（Trigger）してください。"
        )


def check(job: Job, app_of: Callable[[DataSet], App], now: Now) -> dict[str, str]:
    """How each data set stands now; the reasons are in the history's lines."""
    for data_set in job.mapping.data_sets:
        if not data_set.enabled and job.mode.writes:
            data_sets.pause(job, data_set, now())
    begun = [one for one in job.data_sets if not _is_passed_over(job, one)]
    history.begin(job, begun)
    return {one.name: _check(job, one, app_of, now).value for one in begun}


def _is_passed_over(job: Job, data_set: DataSet) -> bool:
    """The Dag must be on for 連携テスト to run: until then its own runs have nothing to say of what nobody has tested."""
    progress = data_sets.progress_of(job, data_set)
    is_new = progress.enabled_at is None and not progress.tested
    return is_new and job.mode.writes and job.start.run_id.startswith("scheduled__")


def _check(job: Job, data_set: DataSet, app_of: Callable[[DataSet], App], now: Now) -> State:
    state, said = State.RUNNING, ""
    progress = data_sets.progress_of(job, data_set)
    if progress.enabled_at is None and progress.tested != tested_digest(job, data_set) and job.mode.writes:
        state, said = State.STOPPED, UNTESTED.format(data_set.label)
    else:
        try:
            form = app_of(data_set).form(data_set.app)
            forms.keep(job, data_set, form, now())
            if problems := form_problems(data_set, form):
                state, said = State.STOPPED, "\n".join(map(str, problems))
        except SettingError as error:
            state, said = State.STOPPED, str(error)
        except (KintoneAwayError, QuotaSpentError) as error:  # what changed is read all the same, and waits
            state = State.AWAY if isinstance(error, KintoneAwayError) else State.HELD
            said = str(error)
            if forms.last(job, data_set) is None:
                state, said = (
                    State.STOPPED,
                    f"{said}\nアプリをまだ一度も読み込めていないため、この{data_set.label}の連携を始められません。",
                )
    if state is State.STOPPED and job.mode.writes:
        end_line(job, data_set, state, said, now)  # what waits goes on waiting, and is counted
    else:
        history.note(job, data_set, state=state.value, said=said)
    return state


def tested_digest(job: Job, data_set: DataSet) -> str:
    return sheet_digest(job.mapping, data_set).hex()
