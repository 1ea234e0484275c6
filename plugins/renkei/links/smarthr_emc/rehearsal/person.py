"""One person in full: why they are, or are not, in EMC, and how each item of theirs comes about.

It is the run itself that decides (rehearsal/run.py); here its decisions are only told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Unpack

import pandas as pd

from renkei.links.smarthr_emc.model import Operation, Reason, RecordSet
from renkei.links.smarthr_emc.rehearsal.item_trace import Converted, ItemTrace, TermValue, item_traces
from renkei.links.smarthr_emc.rehearsal.result import MissingItem, SourceRead, StopReason
from renkei.links.smarthr_emc.rehearsal.run_rows import KEYS, RunRows, simulated_rows
from renkei.links.smarthr_emc.rehearsal.simulated_run import Options, SimulatedRun, simulated_run
from renkei.links.smarthr_emc.report import crew_page
from renkei.links.smarthr_emc.sheet.expression import format_source
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Action, Mapping
from renkei.links.smarthr_emc.validate import remedy_of
from renkei.links.smarthr_emc.wording import OPERATIONS, PROBLEMS, REMEDIES, STATUSES
from renkei.storage.store import Store
from renkei.systems.emc.file_format import EmcFormat
from renkei.values.columns import is_in

__all__ = ["Converted", "ItemTrace", "PersonTrace", "TermValue", "Trace", "trace"]


@dataclass(frozen=True, slots=True)
class PersonTrace:
    """One person of the read, or of the baseline alone."""

    answer: str  # why this person is, or is not, in EMC
    crew_id: str
    user_id: str
    status: str  # 在籍状況; "" = not in SmartHR
    valid: bool
    in_baseline: bool
    operation: str  # 新規, 更新, 削除; "" = none
    reason: str  # of model.Reason
    page: str
    items: tuple[ItemTrace, ...] = ()
    problems: tuple[str, ...] = ()  # of no item that the sheet has


@dataclass(frozen=True, slots=True)
class Trace:
    """Everybody whom the question names: nobody, one, or several whom it does not tell apart."""

    who: str
    answer: str
    people: tuple[PersonTrace, ...]
    read: SourceRead | None
    stop: StopReason | None = None
    missing: tuple[MissingItem, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Dicts, lists and texts; personal values are among them."""
        return asdict(self)


def trace(
    store: Store,
    link: str,
    mapping: Mapping,
    emc_format: EmcFormat,
    now: dt.datetime,
    who: str,
    **options: Unpack[Options],
) -> Trace:
    """What the next run would do about `who`: a user id, 社員番号, crew id or mail address, exactly.

    The other arguments and errors are those of `rehearse`.
    """
    with simulated_run(store, link, mapping, emc_format, now, **options) as run:
        if not run.compared or run.job is None:
            message = run.stop.message if run.stop else ""
            return Trace(who, f"実行できないため、判断できません。{message}", (), run.read, run.stop, run.missing)
        people = tuple(people_told(simulated_rows(run, [who.strip()]), [who.strip()]))
        if not people:
            answer = _unknown(run, who.strip())
        elif len(people) == 1:
            answer = people[0].answer
        else:
            answer = f"{len(people)}人が当てはまります。従業員ID(crew_id)で指定すると1人になります。"
        return Trace(who, answer, people, run.read, run.stop, run.missing)


def people_told(run: RunRows, who: Collection[str]) -> list[PersonTrace]:
    """Each whom one of `who` names: those of the read, those whom the baseline knows by it, those who have left."""
    users, before = run.tables.users, run.tables.before
    hits = users[_matches(users, who)]
    found = [_person(run, hits.iloc[[n]]) for n in range(len(hits))]
    if before is None:
        return found
    others = before[_matches(before, who) & ~is_in(before["crew_id"], hits["crew_id"])]
    back = users[is_in(users["crew_id"], others["crew_id"])]  # known then by another id, number or address
    found += [_person(run, back.iloc[[n]]) for n in range(len(back))]
    left = others[~is_in(others["crew_id"], users["crew_id"])]
    return found + [_leaver(run, left.iloc[n]) for n in range(len(left))]


def _matches(users: pd.DataFrame, who: Collection[str]) -> pd.Series[bool]:
    found = is_in(users["crew_id"], who)
    for key in KEYS:
        if key in users:
            found = found | is_in(users[key], who)
    return found


def _unknown(run: SimulatedRun, who: str) -> str:
    """Nobody by that name in either read; EMC may have somebody all the same."""
    read = "今回受信したデータ" if run.read and run.read.live else "保存先の受信データ"
    text = f"SmartHRの{read}にも前回データにも、ユーザID、社員番号、従業員ID、メールアドレスが一致する人がいません。"
    name = USER_ITEM["user_id"].name
    if run.target.find("users", [who], [name]):
        return (
            text + "EMCには同じユーザIDの登録がありますが、この連携で登録したものではないため、変更も削除もしません。"
        )
    return text


def _person(run: RunRows, user: pd.DataFrame) -> PersonTrace:
    row, diff, before = user.iloc[0], run.tables.diff, run.tables.before
    mine = diff[diff["crew_id"] == row["crew_id"]]
    kept = mine[(mine["operation"] != Operation.DELETE.value) & (mine["id"] == row["user_id"])]
    deleted = mine[mine["operation"] == Operation.DELETE.value]
    decided = kept if len(kept) else deleted
    operation = decided.iloc[0]["operation"] if len(decided) else ""
    reason = decided.iloc[0]["reason"] if len(decided) else ""
    was = before is not None and bool((before.loc[before["valid"], "crew_id"] == row["crew_id"]).any())
    wrong = _wrong(run.tables.problems, row["crew_id"])
    items = tuple(item_traces(run, user, kept.iloc[0]["write_as"], wrong)) if len(kept) else ()
    named = {one.key for one in items}
    return PersonTrace(
        answer=_answer(run, row, operation, reason, wrong),
        crew_id=row["crew_id"],
        user_id=row["user_id"],
        status=STATUSES.get(row["emp_status"], row["emp_status"]),
        valid=bool(row["valid"]) and row["user_id"] != "",
        in_baseline=was,
        operation=OPERATIONS.get(operation, ""),
        reason=reason,
        page=crew_page(run.sheet.smarthr_url, row["crew_id"]),
        items=items,
        problems=tuple(text for item, texts in wrong.items() if item not in named for text in texts),
    )


def _leaver(run: RunRows, row: pd.Series[Any]) -> PersonTrace:
    """Somebody of the baseline whom SmartHR has no more; `row` is of its users table."""
    diff, text = run.tables.diff, _DELETED[Reason.GONE.value]
    mine = diff[(diff["id"] == row["user_id"]) & (row["user_id"] != "")]
    kept = mine[mine["operation"] != Operation.DELETE.value]
    deleted = len(mine) > len(kept)
    if deleted:
        text = _done(text) if run.loaded else text + _whether(run, {})
    elif run.disaster and is_in(kept["crew_id"], [row["crew_id"]]).any():
        text = "SmartHRの受信データにいなくなりましたが、災害時凍結中のため、EMCに残します。"
    elif len(kept):
        text = "SmartHRの受信データにいなくなりましたが、同じユーザIDを別の従業員が引き継ぎます。"
    else:
        text = "SmartHRの受信データにいません。前回データでも有効な社員ではなく、EMCにもありません。"
    return PersonTrace(
        answer=text,
        crew_id=row["crew_id"],
        user_id=row["user_id"],
        status="",
        valid=False,
        in_baseline=row["user_id"] != "",
        operation=OPERATIONS[Operation.DELETE.value] if deleted else "",
        reason=Reason.GONE.value if deleted else "",
        page=crew_page(run.sheet.smarthr_url, row["crew_id"]),
    )


_CREATED = {
    Reason.ADOPTED.value: "この連携では新規ですが、EMCに既に登録があるため、更新として取り込みます。",
    Reason.ID_CHANGE.value: "ユーザIDが変わったため、新しいユーザIDで新規登録し、前のユーザIDは削除します。",
    Reason.REPLACED.value: "再連携のため、EMCから削除して新規登録し直します。",
}
_KEPT = {
    Reason.RECREATED.value: "前回登録しましたがEMCに無くなっているため、新規登録し直します。",
    Reason.TAKEN_OVER.value: "同じ氏名の別の従業員から登録し直された人とみなし、更新します。",
    Reason.HANDED_OVER.value: "同じユーザIDを別の人から引き継ぐため、前の人の登録を残さず登録し直します。",
}
_DELETED = {
    Reason.RETIRED.value: "在籍状況が退職済のため、EMCから削除します。",
    Reason.LOST_ID.value: "ユーザIDの元になる値が無くなったため、EMCから削除します。",
    Reason.GONE.value: "SmartHRの受信データにいなくなったため、EMCから削除します。",
}


def _answer(run: RunRows, row: pd.Series[Any], operation: str, reason: str, wrong: dict[str, list[str]]) -> str:
    """Why this person is, or is not, in EMC after the run."""
    match operation:
        case Operation.CREATE.value:
            text = _CREATED.get(reason, "有効な社員で、前回データに無いため、EMCに新規登録します。")
        case Operation.UPDATE.value:
            text = _KEPT.get(reason, "有効な社員で、前回データにもあるため、EMCで更新します。")
        case Operation.DELETE.value:
            text = _DELETED.get(reason, "EMCから削除します。")
        case _:
            return _left_out(run, row, wrong)
    return _done(text) if run.loaded else text + _whether(run, wrong)


def _done(text: str) -> str:
    """…します as …しました."""
    return text.removesuffix("ます。") + "ました。"


def _left_out(run: RunRows, row: pd.Series[Any], wrong: dict[str, list[str]]) -> str:
    rule = run.sheet.rule("user_id")
    assert rule is not None  # the sheet cannot be read without it
    if not row["valid"]:
        return "在籍状況が退職済のため、EMCに登録しません。"
    if row["user_id"]:
        return "同じユーザIDの社員がほかにもいるため、登録できません。" + _whether(run, wrong)
    source = format_source(rule.source)
    if rule.on_create.when_blank.action is Action.REJECT and "user_id" in wrong:
        return f"ユーザIDの元になる「{source}」に値が無く、連携設定シートが「エラー」のため、全員の登録が止まります。"
    return f"ユーザIDの元になる「{source}」に値が無いため、EMCに登録しません。"


def _whether(run: RunRows, wrong: dict[str, list[str]]) -> str:
    """What keeps the run from doing so."""
    if run.but:
        return run.but
    if run.stop is not None:
        return f"ただし、実行は途中で止まります: {run.stop.message}"
    if run.failed and wrong:
        return f"ただし、この人に誤りが{sum(map(len, wrong.values()))}件あるため、誤りを直すまで誰も登録されません。"
    if run.failed:
        count = "" if run.tables.problems is None else f"{run.tables.problem_count}件"
        return f"ただし、ほかの社員または部署に誤りが{count}あるため、誤りを直すまで誰も登録されません。"
    if not run.changed:
        return "ただし、社員データは前回から変化が無いため、今回は何も書き込みません(EMCは前回登録したままです)。"
    if run.holds:
        return "ただし、登録前に運用担当者の承認を待ちます: " + " ".join(one.text for one in run.holds)
    return ""


def _wrong(problems: pd.DataFrame | None, crew_id: str) -> dict[str, list[str]]:
    """The problems of one crew in words, by item."""
    found: dict[str, list[str]] = {}
    if problems is None:
        return found
    rows = problems[(problems["record_set"] == RecordSet.USERS.value) & (problems["crew_id"] == crew_id)]
    for item, kind, detail, source in rows[["item", "kind", "detail", "source"]].itertuples(index=False, name=None):
        name = USER_ITEM[item].name if item in USER_ITEM else item
        remedy = remedy_of(kind, name, source) if kind in REMEDIES else ""
        text = PROBLEMS.get(kind, kind) + (f"({detail})" if detail else "")
        found.setdefault(item, []).append(f"{text} → {remedy}" if remedy else text)
    return found
