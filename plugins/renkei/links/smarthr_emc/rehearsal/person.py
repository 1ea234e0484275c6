"""One person in full: why they are, or are not, in EMC, and how each item of theirs comes about.

It is the run itself that decides (rehearsal/play.py); here its decisions are only told.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from renkei.links.smarthr_emc.columns import is_in
from renkei.links.smarthr_emc.disaster import received
from renkei.links.smarthr_emc.model import Mode, Operation, Reason, RecordSet
from renkei.links.smarthr_emc.rehearsal.item_trace import Converted, ItemTrace, TermValue, item_traces
from renkei.links.smarthr_emc.rehearsal.play import Play, Progress, played
from renkei.links.smarthr_emc.rehearsal.result import Missing, SourceRead, Stop
from renkei.links.smarthr_emc.rehearsal.samples import OPERATIONS
from renkei.links.smarthr_emc.report import KIND_NAMES, crew_page
from renkei.links.smarthr_emc.sheet.expression import format_source
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Action, Mapping
from renkei.links.smarthr_emc.validate import REMEDIES

if TYPE_CHECKING:
    import pandas as pd

    from renkei.links.smarthr_emc.load import Target
    from renkei.storage.store import Store
    from renkei.systems.emc.file_format import EmcFormat
    from renkei.systems.smarthr.client import SmartHRClient

__all__ = ["Converted", "ItemTrace", "PersonTrace", "TermValue", "Trace", "trace"]

KEYS = ("user_id", "crew_id", "社員番号", "メールアドレス")
STATUSES = {"employed": "在職中", "absent": "休職中", "retired": "退職済"}


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
    stop: Stop | None = None
    missing: tuple[Missing, ...] = ()

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
    *,
    source: SmartHRClient | None = None,
    target: Target | None = None,
    mode: Mode = Mode.NORMAL,
    disaster: bool = False,
    progress: Progress | None = None,
) -> Trace:
    """What the next run would do about `who`: a user id, 社員番号, crew id or mail address, exactly.

    The other arguments and errors are those of `rehearse`.
    """
    with played(
        store,
        link,
        mapping,
        emc_format,
        now,
        source=source,
        target=target,
        mode=mode,
        disaster=disaster,
        progress=progress,
    ) as play:
        if not play.compared or play.job is None:
            message = play.stop.message if play.stop else ""
            return Trace(who, f"実行できないため、判断できません。{message}", (), play.read, play.stop, play.missing)
        people = tuple(_told(play, who.strip()))
        if not people:
            answer = _unknown(play, who.strip())
        elif len(people) == 1:
            answer = people[0].answer
        else:
            answer = f"{len(people)}人が当てはまります。従業員ID(crew_id)で指定すると1人になります。"
        return Trace(who, answer, people, play.read, play.stop, play.missing)


def _told(play: Play, who: str) -> list[PersonTrace]:
    users, diff = play.record.table("users"), play.record.table("users_diff")
    users = users[received(users)]
    before = play.where.table("users")
    hits = users[_matches(users, who)]
    found = [_person(play, hits.iloc[[n]], diff, before) for n in range(len(hits))]
    if before is None:
        return found
    others = before[_matches(before, who) & ~is_in(before["crew_id"], hits["crew_id"])]
    back = users[is_in(users["crew_id"], others["crew_id"])]  # known then by another id, number or address
    found += [_person(play, back.iloc[[n]], diff, before) for n in range(len(back))]
    left = others[~is_in(others["crew_id"], users["crew_id"])]
    return found + [_leaver(play, left.iloc[n], diff) for n in range(len(left))]


def _matches(users: pd.DataFrame, who: str) -> pd.Series[bool]:
    found = users["crew_id"] == who
    for key in KEYS:
        if key in users and who:
            found = found | (users[key] == who)
    return found


def _unknown(play: Play, who: str) -> str:
    """Nobody by that name in either read; EMC may have somebody all the same."""
    read = "今回受信したデータ" if play.read and play.read.live else "保存先の受信データ"
    text = f"SmartHRの{read}にも前回データにも、ユーザID、社員番号、従業員ID、メールアドレスが一致する人がいません。"
    name = USER_ITEM["user_id"].name
    if play.target.find("users", [who], [name]):
        return (
            text + "EMCには同じユーザIDの登録がありますが、この連携で登録したものではないため、変更も削除もしません。"
        )
    return text


def _person(play: Play, user: pd.DataFrame, diff: pd.DataFrame, before: pd.DataFrame | None) -> PersonTrace:
    assert play.job is not None
    row = user.iloc[0]
    mine = diff[diff["crew_id"] == row["crew_id"]]
    kept = mine[(mine["operation"] != Operation.DELETE.value) & (mine["id"] == row["user_id"])]
    deleted = mine[mine["operation"] == Operation.DELETE.value]
    decided = kept if len(kept) else deleted
    operation = decided.iloc[0]["operation"] if len(decided) else ""
    reason = decided.iloc[0]["reason"] if len(decided) else ""
    was = before is not None and bool((before.loc[before["valid"], "crew_id"] == row["crew_id"]).any())
    problems = play.record.table("problems") if play.record.json_or_none("warnings") else None
    wrong = _wrong(problems, row["crew_id"])
    items: tuple[ItemTrace, ...] = ()
    if len(kept):
        items = tuple(item_traces(play, user, kept.iloc[0]["write_as"], wrong))
    named = {one.key for one in items}
    return PersonTrace(
        answer=_answer(play, row, operation, reason, wrong, problems),
        crew_id=row["crew_id"],
        user_id=row["user_id"],
        status=STATUSES.get(row["emp_status"], row["emp_status"]),
        valid=bool(row["valid"]) and row["user_id"] != "",
        in_baseline=was,
        operation=OPERATIONS.get(operation, ""),
        reason=reason,
        page=crew_page(play.sheet.smarthr_url, row["crew_id"]),
        items=items,
        problems=tuple(text for item, texts in wrong.items() if item not in named for text in texts),
    )


def _leaver(play: Play, row: pd.Series[Any], diff: pd.DataFrame) -> PersonTrace:
    """Somebody of the baseline whom SmartHR has no more; `row` is of its users table."""
    mine = diff[(diff["operation"] == Operation.DELETE.value) & (diff["id"] == row["user_id"])]
    deleted = bool(len(mine)) and row["user_id"] != ""
    text = "SmartHRの受信データにいなくなったため、EMCから削除します。" + _whether(play, {}, None)
    if not deleted and is_in(diff["id"], [row["user_id"]]).any():
        text = "SmartHRの受信データにいなくなりましたが、同じユーザIDを別の従業員が引き継ぎます。"
    elif not deleted:
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
        page=crew_page(play.sheet.smarthr_url, row["crew_id"]),
    )


_CREATED = {
    Reason.ADOPTED.value: "この連携では新規ですが、EMCに既に登録があるため、更新として取り込みます。",
    Reason.ID_CHANGE.value: "ユーザIDが変わったため、新しいユーザIDで新規登録し、前のユーザIDは削除します。",
    Reason.REPLACED.value: "再連携のため、EMCから削除して新規登録し直します。",
}
_KEPT = {
    Reason.RECREATED.value: "前回登録しましたがEMCに無くなっているため、新規登録し直します。",
    Reason.TAKEN_OVER.value: "同じユーザIDを別の従業員から引き継ぎ、更新します。",
}
_DELETED = {
    Reason.RETIRED.value: "在籍状況が退職済のため、EMCから削除します。",
    Reason.LOST_ID.value: "ユーザIDの元になる値が無くなったため、EMCから削除します。",
    Reason.GONE.value: "SmartHRの受信データにいなくなったため、EMCから削除します。",
}


def _answer(
    play: Play,
    row: pd.Series[Any],
    operation: str,
    reason: str,
    wrong: dict[str, list[str]],
    problems: pd.DataFrame | None,
) -> str:
    """Why this person is, or is not, in EMC after the run."""
    match operation:
        case Operation.CREATE.value:
            text = _CREATED.get(reason, "有効な社員で、前回データに無いため、EMCに新規登録します。")
        case Operation.UPDATE.value:
            text = _KEPT.get(reason, "有効な社員で、前回データにもあるため、EMCで更新します。")
        case Operation.DELETE.value:
            text = _DELETED.get(reason, "EMCから削除します。")
        case _:
            return _left_out(play, row, wrong, problems)
    return text + _whether(play, wrong, problems)


def _left_out(play: Play, row: pd.Series[Any], wrong: dict[str, list[str]], problems: pd.DataFrame | None) -> str:
    rule = play.sheet.rule("user_id")
    assert rule is not None  # the sheet cannot be read without it
    if not row["valid"]:
        return "在籍状況が退職済のため、EMCに登録しません。"
    if row["user_id"]:
        return "同じユーザIDの社員がほかにもいるため、登録できません。" + _whether(play, wrong, problems)
    source = format_source(rule.source)
    if rule.on_create.when_blank.action is Action.REJECT and "user_id" in wrong:
        return f"ユーザIDの元になる「{source}」に値が無く、連携設定シートが「エラー」のため、全員の登録が止まります。"
    return f"ユーザIDの元になる「{source}」に値が無いため、EMCに登録しません。"


def _whether(play: Play, wrong: dict[str, list[str]], problems: pd.DataFrame | None) -> str:
    """What keeps the run from doing so."""
    if play.stop is not None:
        return f"ただし、実行は途中で止まります: {play.stop.message}"
    if play.failed and wrong:
        return f"ただし、この人に誤りが{sum(map(len, wrong.values()))}件あるため、誤りを直すまで誰も登録されません。"
    if play.failed:
        count = "" if problems is None else f"{len(problems)}件"
        return f"ただし、ほかの社員または部署に誤りが{count}あるため、誤りを直すまで誰も登録されません。"
    if not play.sets[RecordSet.USERS.value]["changed"]:
        return "ただし、社員データは前回から変化が無いため、今回は何も書き込みません(EMCは前回登録したままです)。"
    hold = play.record.json_or_none("hold")
    if hold and hold["holds"]:
        return "ただし、登録前に運用担当者の承認を待ちます: " + " ".join(one["text"] for one in hold["holds"])
    return ""


def _wrong(problems: pd.DataFrame | None, crew_id: str) -> dict[str, list[str]]:
    """The problems of one crew in words, by item."""
    found: dict[str, list[str]] = {}
    if problems is None:
        return found
    rows = problems[(problems["record_set"] == RecordSet.USERS.value) & (problems["crew_id"] == crew_id)]
    for item, kind, detail in rows[["item", "kind", "detail"]].itertuples(index=False, name=None):
        name = USER_ITEM[item].name if item in USER_ITEM else item
        remedy = REMEDIES.get(kind, "").format(item=name)
        text = KIND_NAMES.get(kind, kind) + (f"({detail})" if detail else "")
        found.setdefault(item, []).append(f"{text} → {remedy}" if remedy else text)
    return found
