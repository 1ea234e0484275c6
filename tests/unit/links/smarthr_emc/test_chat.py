"""The short message of a run: what it says, and that it names nobody."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renkei.channel import Event
from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc import chat, guards
from renkei.links.smarthr_emc.model import Counts, Mode, RecordSet
from renkei.links.smarthr_emc.records import RefusedRow
from renkei.links.smarthr_emc.run_report import ReportedProblem, RunReport
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Guards
from renkei.links.smarthr_emc.wording import PROBLEMS, SUBJECTS, VALUE_WARNINGS, WARNINGS
from renkei.runs.hold import Hold
from renkei.runs.outcome import Outcome
from renkei.systems.delivery import Tone

TOKYO = dt.timezone(dt.timedelta(hours=9))
PAGE = "http://airflow.example.jp/dags/smarthr_emc__acme/runs/r1"
COUNTS = {
    RecordSet.USERS: Counts(11357, 11357, 11285, 11285, 2, 11283, 74),
    RecordSet.DEPARTMENTS: Counts(120, 119, 118, 117, 3, 114, 5),
}


def report(outcome: Outcome = Outcome.OK, **changes: Any) -> RunReport:
    base = RunReport(
        outcome=outcome,
        mode=Mode.NORMAL,
        started_at=dt.datetime(2026, 4, 21, 4, 30, 1, tzinfo=TOKYO),
        ended_at=dt.datetime(2026, 4, 21, 4, 38, 59, tzinfo=TOKYO),
        smarthr_url="https://acme.smarthr.jp",
        counts=COUNTS,
        changed={RecordSet.DEPARTMENTS: False, RecordSet.USERS: True},
        links={"処理の詳細": PAGE},
    )
    return dataclasses.replace(base, **changes)


def problem(item: str, kind: str, n: int = 1, record_set: RecordSet = RecordSet.USERS) -> ReportedProblem:
    return ReportedProblem(record_set, n, f"E{n:05d}", f"crew-{n}", item, kind, "")


def failure(*problems: ReportedProblem, count: int | None = None, kinds: dict[str, int] | None = None) -> RunReport:
    found = kinds or {kind: [p.kind for p in problems].count(kind) for kind in {p.kind for p in problems}}
    return report(
        Outcome.DATA,
        problems=problems,
        problem_count=len(problems) if count is None else count,
        problem_kinds=found,
        failed_sets=frozenset(p.record_set for p in problems),
        message=f"部署・社員データに{len(problems)}件の誤りがあります。何も書き込みません。",
    )


CHANGED, SAME = {RecordSet.DEPARTMENTS: False, RecordSet.USERS: True}, dict.fromkeys(RecordSet, False)


@pytest.mark.parametrize(
    ("outcome", "changed", "event"),
    [
        pytest.param(Outcome.OK, CHANGED, Event.SUCCESS, id="something changed"),
        pytest.param(Outcome.OK, SAME, Event.UNCHANGED, id="nothing changed"),
        pytest.param(Outcome.OK, None, Event.SUCCESS, id="no record of what changed"),
        pytest.param(Outcome.CHECKED, SAME, Event.SUCCESS, id="確認のみ"),
        pytest.param(Outcome.COMPARED, None, Event.SUCCESS, id="照合"),
        pytest.param(Outcome.DIFFERS, None, Event.FAILURE, id="照合 that found something"),
        pytest.param(Outcome.HOLD, CHANGED, Event.HOLD, id="held"),
        pytest.param(Outcome.CONFIRM, CHANGED, Event.HOLD, id="files to upload"),
        *(pytest.param(o, SAME, Event.FAILURE, id=o.name) for o in Outcome if not (o.succeeded or o.waiting)),
    ],
)
def test_n1_every_end_of_a_run_is_one_event(outcome: Outcome, changed: Any, event: Event) -> None:
    """N1: the row of 通知管理 that decides who is told; the title and the colour say the same."""
    found = report(outcome, changed=changed)
    assert chat.event_of(found) is event
    told = chat.message(found, "acme")
    label = "注意" if outcome is Outcome.DIFFERS else event.label
    assert told.title == f"【{label}】SmartHR → EMC: acme {SUBJECTS[outcome]}"
    assert (told.subject, told.body) == (SUBJECTS[outcome], "")
    if outcome is Outcome.DIFFERS:
        assert (told.tone, told.lines[0]) == (Tone.WAITING, "処理結果: 注意（EMCに差異があります）")
        return
    assert told.tone is {"FAILURE": Tone.BAD, "HOLD": Tone.WAITING, "UNCHANGED": Tone.PLAIN}.get(event, Tone.GOOD)


def test_n1_a_success_in_a_few_lines() -> None:
    """N1: result, time, figures by record set, the way to the rest."""
    told = chat.message(report(), "acme")
    assert told.lines == (
        "処理結果: 成功",
        "処理日時: 2026/04/21 4:30:01～4:38:59",
        "社員: 新規 2件、更新 11283件、削除 74件",
        "部署: 変化なし（117件）",
        "詳しい内容は結果通知メールと実行画面にあります。",
    )
    assert (told.link, told.link_label) == (PAGE, "実行結果を開く")


def test_n1_errors_are_counted_by_item_and_kind() -> None:
    """N1: 「氏名: 値がありません 3件」, and no figures of a run that wrote nothing."""
    problems = [problem("full_name", "required", n) for n in (1, 2, 3)]
    told = chat.message(
        failure(*problems, problem("name", "too_long", 4, RecordSet.DEPARTMENTS), problem("user_id", "duplicate_id")),
        "acme",
    )
    assert told.lines[2:-1] == (
        "部署・社員データに5件の誤りがあります。何も書き込みません。",
        "氏名: 値がありません 3件",
        "部署名: 文字数超過 1件",
        "ユーザID: ID重複 1件",
    )


def test_n1_more_errors_than_the_report_lists_are_counted_all_the_same() -> None:
    """N1: fifty are listed, the counts are of all of them."""
    listed = [problem("full_name", "required", n) for n in range(50)]
    told = chat.message(failure(*listed, count=730, kinds={"required": 700, "phone": 30}), "acme")
    assert "値がありません 700件（氏名など）" in told.lines
    assert "電話番号の形式 30件" in told.lines


def test_n1_at_most_eight_kinds_then_the_number_of_others() -> None:
    """N1: a short message stays short."""
    found = [problem(item, "required") for item in list(USER_ITEM)[:11]]
    lines = chat.message(failure(*found), "acme").lines
    assert [line for line in lines if line.endswith("値がありません 1件")] == [
        f"{USER_ITEM[p.item].name}: 値がありません 1件" for p in found[:8]
    ]
    assert "ほか3種類" in lines


def test_n1_emc_s_reasons_by_code_with_what_to_do() -> None:
    """N1, L8: the code that EMC gave, how often, and its remedy."""
    refused = [
        RefusedRow("users", n, "氏名", code, "", f"E{n}", "c1")
        for n, code in enumerate(["TOO_LONG", "TOO_LONG", "E99_SECRET"])
    ]
    lines = chat.message(report(Outcome.LOAD, emc_problems=refused), "acme").lines
    assert "EMC: TOO_LONG 2件（EMCの上限を超えています。SmartHRで短くしてください）" in lines
    assert "EMC: その他の理由 1件" in lines


def test_n1_a_held_run_says_why_and_leads_to_the_answer() -> None:
    """N1, E36: the guards' figures, and the link to where it is answered."""
    holds = guards.hold_deletions(74, 100, 0, 10, Guards())
    links = {"処理の詳細": PAGE, "対応画面": PAGE + "/tasks/approve/required_actions"}
    told = chat.message(report(Outcome.HOLD, holds=holds, links=links), "acme")
    assert f"保留: {holds[0].text}" in told.lines
    assert told.link == links["対応画面"]


@pytest.mark.parametrize(
    "hold",
    [
        *guards.hold_deletions(74, 100, 5, 10, Guards()),
        *guards.hold_relink(12, 3, 12),
        *guards.hold_restore(3, "2026-04-01T04:30:00+09:00", 2),
    ],
    ids=lambda hold: hold.kind,
)
def test_e34_the_text_of_a_guard_is_shown_whole(hold: Hold) -> None:
    """E34: figures and dates are nobody's, and are not blotted out."""
    assert f"保留: {hold.text}" in chat.message(report(Outcome.HOLD, holds=[hold]), "acme").lines


def test_n1_warnings_are_counted_by_kind() -> None:
    """N1: who they are stands in the mail."""
    told = chat.message(
        report(
            people=[("lost_contact", "E1", "c1"), ("lost_contact", "E2", "c2"), ("lost_id", "", "c3")],
            id_changes=[("c4", "E4", "E5")],
            value_warnings={"kana_half": 12},
            sheet_warnings=["acme.xlsx 連携情報!B4: …"],
        ),
        "acme",
    )
    assert told.lines[4:-1] == (
        "要対応: ユーザIDの値が無くなった社員 1名",
        "注意: 緊急連絡先が1件も無くなる社員 2名",
        "注意: ID変更 1件",
        "注意: 氏名(ヨミ)が半角カナ 12名",
        "注意: 連携設定シートの注意 1件",
    )


def test_l6_faults_of_a_sheet_are_named_by_cell_and_not_quoted() -> None:
    """L6, L7: a cell may hold an address or a password; the mail and the Dag's page quote it."""
    error = MappingError(
        [
            Problem("acme.xlsx 連携情報!B4", "「yamada@acme」はメールアドレスではありません", "直してください"),
            Problem("acme.xlsx ユーザデータ!D7", "「固定値「Passw0rd!」", "「秘密:」を使ってください"),
        ]
    )
    lines = chat.message(report(Outcome.SETTING, message=str(error)), "acme").lines
    assert lines[2:-1] == (
        "連携設定シートに誤りがあります。",
        "acme.xlsx 連携情報!B4",
        "acme.xlsx ユーザデータ!D7",
    )


def test_n1_a_long_failure_is_cut() -> None:
    """N1: the beginning of it, at most 300 characters."""
    lines = chat.message(report(Outcome.SYSTEM, message="予期しない" * 500), "acme").lines
    assert lines[2] == "予期しない" * 60 + "…"


def test_n1_a_long_failure_is_cut_between_sentences() -> None:
    """N1: whoever reads it has whole sentences, and no half of a word."""
    said = "EMCが応答しません。" * 22 + "接続EMC_PRODUCTION_SERVICE_CONNECTION" * 10
    lines = chat.message(report(Outcome.SYSTEM, message=said), "acme").lines
    assert lines[2] == "EMCが応答しません。" * 22 + "…"


def test_n1_what_was_not_counted_is_not_shown() -> None:
    """N1: a run whose record is out of reach still has a message."""
    told = chat.message(report(Outcome.SYSTEM, counts=None, changed=None, message="保存先に接続できません。"), "acme")
    assert told.lines[2:-1] == ("保存先に接続できません。",)


# --- L6: nobody is named, whatever the report holds

IDS = st.one_of(
    st.integers(10**5, 10**6).map("ZQ{}".format),
    st.uuids().map(str),
    st.sampled_from(["taro.yamada", "hanako+x"]).map("{}@acme.example.jp".format),
    st.sampled_from(["山田太郎", "サトウハナコ", "髙橋一郎"]),
)
CREW_IDS = st.uuids().map(str) | st.integers(10**6, 10**7).map("crew-{}".format)
USERS_, DEPARTMENTS_ = [(RecordSet.USERS, i) for i in USER_ITEM], [(RecordSet.DEPARTMENTS, i) for i in DEPARTMENT_ITEM]


@st.composite
def reports(draw: st.DrawFn) -> tuple[RunReport, list[str]]:
    """A report with people's ids wherever one can stand, and those ids."""
    ids, crews = draw(st.lists(IDS, min_size=4, max_size=12)), draw(st.lists(CREW_IDS, min_size=4, max_size=4))

    def an_id() -> str:
        return draw(st.sampled_from(ids))

    def a_crew() -> str:
        return draw(st.sampled_from(crews))

    problems = []
    for n in range(draw(st.integers(0, 12))):
        record_set, item = draw(st.sampled_from(USERS_ + DEPARTMENTS_))
        problems.append(
            ReportedProblem(
                record_set, n, an_id(), a_crew(), item, draw(st.sampled_from([*PROBLEMS, "new_kind"])), an_id()
            )
        )
    kinds = {p.kind: 100 for p in problems}
    emc = [
        RefusedRow("users", n, "氏名", draw(st.sampled_from(["TOO_LONG", "OTHER"])), "", an_id(), a_crew())
        for n in range(draw(st.integers(0, 5)))
    ]
    message = draw(
        st.sampled_from(
            [
                "",
                f"SmartHRの従業員（{a_crew()}）の在籍状況が読み取れません。",
                f"SmartHRの従業員（{a_crew()}）の項目「custom_fields」がAPIの形式ではありません。\n何も書き込んでいません。",
                f"acme.xlsx 連携情報!B4: 「{an_id()}」は使えません → 直してください\n次の行",
                "結果通知先 taro.yamada@acme.example.jp に送れません。電話 090-1234-5678、https://acme.smarthr.jp/crews/x 参照",
                f"ID {draw(st.uuids())} が不正です。",
            ]
        )
    )
    shown = report(
        draw(st.sampled_from(Outcome)),
        problems=problems,
        problem_count=draw(st.sampled_from([len(problems), len(problems) + 100])),
        problem_kinds=kinds,
        failed_sets=frozenset(p.record_set for p in problems),
        emc_problems=emc,
        message=message,
        holds=guards.hold_deletions(74, 100, 5, 10, Guards()),
        approved_by=an_id(),
        people=[(kind, an_id(), a_crew()) for kind in draw(st.lists(st.sampled_from(list(WARNINGS)), max_size=9))],
        value_warnings={kind: 3 for kind in draw(st.lists(st.sampled_from(list(VALUE_WARNINGS)), max_size=9))},
        warned_of=[("variant", an_id(), a_crew(), f"氏名: {an_id()}")],
        id_changes=[(a_crew(), an_id(), an_id())],
        sheet_warnings=[f"acme.xlsx 連携情報!B4: {an_id()} → 直してください"],
        clashing_tenants=[an_id()],
        differences=[
            "照合結果: EMCと前回データに2件の差異があります。EMCには何も書き込んでいません。",
            f"- 社員 ユーザID: {an_id()}／EMCにありません／次回の処理で再登録されます",
        ],
    )
    texts = [*ids, *crews, "taro.yamada@acme.example.jp", "090-1234-5678", "acme.smarthr.jp"]
    return shown, texts


@settings(max_examples=400)
@given(found=reports())
def test_l6_no_message_names_anybody(found: tuple[RunReport, list[str]]) -> None:
    """L6: user ids, names, mail addresses, telephone numbers and SmartHR ids stay out of chat, of the link too."""
    shown, people = found
    told = chat.message(shown, "acme")
    text = "\n".join([told.text(), told.subject, told.body])
    assert [one for one in people if one in text] == []
    assert len(told.lines) <= 60


def test_e43_what_would_fail_is_a_failure_and_what_would_be_held_a_hold() -> None:
    """E43: who wants to hear of those hears of them the evening before; the title says that it is about tomorrow."""
    assert chat.event_of(dataclasses.replace(failure(problem("full_name", "required", 1)), ahead=True)) is Event.FAILURE
    assert chat.event_of(report(Outcome.CHECKED, holds=[Hold("k", "t", 1, 1)], ahead=True)) is Event.HOLD
    assert chat.event_of(report(Outcome.CHECKED, holds=[Hold("k", "t", 1, 1)])) is Event.SUCCESS
    told = chat.message(dataclasses.replace(failure(problem("full_name", "required", 1)), ahead=True), "acme")
    assert told.title.startswith("【事前確認】SmartHR → EMC: acme EMC-CHECK(NG) 事前確認（書き込みなし）: 次回の処理は")
    assert "EMCへの登録処理は行っていません。次回の処理までに直すと、直した内容で処理します。" in told.lines
