"""The result mail, line by line."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei import errors
from renkei.links.smarthr_emc.model import Counts, Mode, RecordSet
from renkei.links.smarthr_emc.notify import collect
from renkei.links.smarthr_emc.report import PEOPLE_SHOWN, PROBLEMS_SHOWN, body
from renkei.links.smarthr_emc.run_report import ReportedProblem, RunReport
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, USER_ITEM
from renkei.links.smarthr_emc.wording import REMEDIES, SUBJECTS, VALUE_WARNINGS
from renkei.runs.hold import Hold
from renkei.runs.outcome import Outcome, outcome_of
from renkei.storage.runs import RunRecord
from renkei.storage.store import MissingKeyError, Store
from renkei.storage.tenant_folder import TenantFolder

SAMPLES = Path(__file__).parents[3] / "samples/mail"  # text 1, 通知メール イメージ
TOKYO = dt.timezone(dt.timedelta(hours=9))
# Text 1's figures do not add up (E11); they are an illustration.
COUNTS = {
    RecordSet.USERS: Counts(11357, 11357, 11285, 11285, 2, 11285, 70),
    RecordSet.DEPARTMENTS: Counts(120, 119, 118, 117, 3, 114, 6),
}
NAME = ReportedProblem(RecordSet.USERS, 1, "E001", "crew-1", "full_name", "required", "")


def report(outcome: Outcome = Outcome.OK, **changes: Any) -> RunReport:
    base = RunReport(
        outcome=outcome,
        mode=Mode.NORMAL,
        started_at=dt.datetime(2016, 4, 21, 4, 30, 1, tzinfo=TOKYO),
        ended_at=dt.datetime(2022, 4, 1, 4, 38, 59, tzinfo=TOKYO),
        smarthr_url="https://acme.smarthr.jp",
        counts=COUNTS,
        changed={RecordSet.DEPARTMENTS: False, RecordSet.USERS: True},
    )
    return dataclasses.replace(base, **changes)


def failure(*problems: ReportedProblem, **changes: Any) -> RunReport:
    shown = {
        "started_at": dt.datetime(2022, 4, 22, 4, 30, 1, tzinfo=TOKYO),
        "ended_at": dt.datetime(2022, 4, 22, 4, 30, 17, tzinfo=TOKYO),
        "changed": dict.fromkeys(RecordSet, True),
        "problems": problems,
        "problem_count": len(problems),
        "failed_sets": frozenset(problem.record_set for problem in problems),
        "problem_kinds": {kind: [p.kind for p in problems].count(kind) for kind in {p.kind for p in problems}},
    }
    return report(Outcome.DATA, **{**shown, **changes})


def text_one(mail: str) -> list[str]:
    """The mail up to 処理終了日時, without the indented lines that follow a problem (E29)."""
    lines = mail.splitlines()
    end = next(n for n, line in enumerate(lines) if line.startswith("処理終了日時"))
    return [line for line in lines[: end + 1] if not line.startswith("  ")]


@pytest.mark.parametrize(("name", "sample"), [("success", report()), ("failure", failure(NAME))])
def test_e39_sample_mails_of_the_guide(name: str, sample: RunReport) -> None:
    """Exactly text 1's lines, in its order; everything of ours comes after, or below its problem."""
    assert text_one(body(sample)) == (SAMPLES / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def test_e39_success_begins_with_the_sample_word_for_word() -> None:
    """Without problems nothing at all stands between text 1's lines."""
    assert body(report()).startswith((SAMPLES / "success.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("error", "subject"),
    [
        (errors.RecordError("x"), "EMC-ERROR-D(Update NG)"),
        (errors.FetchError("x"), "EMC-ERROR-R(Receive NG)"),
        (errors.RetriableFetchError("x"), "EMC-ERROR-R(Receive NG)"),
        (errors.IncompleteReadError("x"), "EMC-ERROR-R(Receive NG)"),
        (errors.RefusedFetchError("x"), "EMC-ERROR-R(Receive NG)"),
        (errors.LoadError("x"), "EMC-ERROR-L(Load NG)"),
        (errors.RetriableLoadError("x"), "EMC-ERROR-L(Load NG)"),
        (errors.RejectedLoadError("x"), "EMC-ERROR-L(Load NG)"),
        (errors.SettingError("x"), "EMC-ERROR-S(Setting NG)"),
        (errors.MappingError([]), "EMC-ERROR-S(Setting NG)"),
        (errors.ConnectionError_("x"), "EMC-ERROR-S(Setting NG)"),
        (errors.LinkStateError("x"), "EMC-ERROR-S(Setting NG)"),
        (errors.BaselineError("x"), "EMC-ERROR-B(Baseline NG)"),
        (errors.HoldError("x"), "EMC-ERROR-G(Guard NG)"),
        (errors.StoreError("x"), "EMC-ERROR-X(System NG)"),
        (MissingKeyError("x"), "EMC-ERROR-X(System NG)"),
        (errors.RenkeiError("x"), "EMC-ERROR-X(System NG)"),
        (ValueError("x"), "EMC-ERROR-X(System NG)"),
        (KeyboardInterrupt(), "EMC-ERROR-X(System NG)"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_e39_subject_of_each_error(error: BaseException, subject: str) -> None:
    """Who must act can be seen in the subject."""
    assert SUBJECTS[outcome_of(error)] == subject


def test_e39_subjects_of_runs_that_did_not_fail() -> None:
    """Text 1's own for success; holds are no errors."""
    assert [SUBJECTS[o] for o in Outcome if o.succeeded] == [
        "EMC-OK",
        "EMC-OK(Check Only)",
        "EMC-OK(Compare)",
        "EMC-NOTICE(Compare)",
    ]
    assert [SUBJECTS[o] for o in Outcome if o.waiting] == ["EMC-HOLD", "EMC-HOLD(Confirm)"]
    assert len({SUBJECTS[o] for o in Outcome}) == len(Outcome)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (dt.datetime(2026, 1, 2, 4, 5, 6, tzinfo=TOKYO), "(2026/01/02 4:05:06)"),
        (dt.datetime(2026, 1, 2, 0, 0, 0, tzinfo=TOKYO), "(2026/01/02 0:00:00)"),
        (dt.datetime(2026, 1, 2, 14, 0, 9, tzinfo=TOKYO), "(2026/01/02 14:00:09)"),
        (dt.datetime(2026, 1, 1, 19, 30, 1, tzinfo=dt.UTC), "(2026/01/02 4:30:01)"),
    ],
)
def test_e39_times_are_tokyo_with_a_plain_hour(moment: dt.datetime, shown: str) -> None:
    """`YYYY/MM/DD H:MM:SS`, whatever zone the machine keeps."""
    lines = body(report(started_at=moment, ended_at=moment)).splitlines()
    assert lines[1] == f"処理開始日時: {shown}"
    assert f"処理終了日時: {shown}" in lines


@pytest.mark.parametrize("outcome", [o for o in Outcome if not o.succeeded and not o.waiting])
def test_e39_failed_runs_show_no_counts(outcome: Outcome) -> None:
    """The seven lines are there and empty; no figures of departments either."""
    mail = body(report(outcome, message="だめでした。"))
    assert [line for line in mail.splitlines() if line.startswith("社員データ") and "件数" in line] == [
        "社員データ前回 全件数:",
        "社員データ前回 有効件数:",
        "社員データ受信 全件数:",
        "社員データ受信 有効件数:",
        "社員データ 新規件数:",
        "社員データ 更新件数:",
        "社員データ 削除件数:",
    ]
    assert "11357" not in mail
    assert "部署データ前回" not in mail
    assert mail.startswith("処理結果: 失敗\n")
    assert "- 機能は処理を中断、もしくは異常終了しました。" in mail


def test_e39_zero_is_a_count() -> None:
    """A first run had nobody before."""
    counts = dict.fromkeys(RecordSet, Counts(0, 0, 5, 5, 5, 0, 0))
    assert "社員データ前回 全件数: 0\n" in body(report(counts=counts))
    assert "社員データ 削除件数: 0\n" in body(report(counts=counts))


def test_e39_department_counts_come_after_the_guides_part() -> None:
    """The same seven lines for 部署."""
    added = body(report()).split("処理終了日時", 1)[1]
    assert "部署データ前回 全件数: 120\n部署データ前回 有効件数: 119\n部署データ受信 全件数: 118" in added
    assert "部署データ 新規件数: 3\n部署データ 更新件数: 114\n部署データ 削除件数: 6" in added


@pytest.mark.parametrize(
    ("departments", "users", "expected"),
    [
        (True, True, ["- 前回処理とデータに変化あり[部署 ][社員 ],登録処理を行います[部署 ][社員 ]"]),
        (
            True,
            False,
            ["- 前回処理とデータに変化あり[部署 ],登録処理を行います[部署 ]", "- 前回処理とデータに変化なし[社員 ]"],
        ),
        (False, False, ["- 前回処理とデータに変化なし[部署 ][社員 ]"]),
    ],
)
def test_e14_change_lines(departments: bool, users: bool, expected: list[str]) -> None:
    """変化あり and 変化なし are said of whole data sets."""
    changed = {RecordSet.DEPARTMENTS: departments, RecordSet.USERS: users}
    assert [line for line in body(report(changed=changed)).splitlines() if "前回処理と" in line] == expected


def test_e29_a_problem_is_followed_by_who_and_what_to_do() -> None:
    """User id, the link to the crew's page, what is wrong and the remedy."""
    lines = body(failure(NAME)).splitlines()
    below = lines[lines.index("- 受信社員情報ファイル、氏名の設定値が異常です。[line:1]") + 1]
    assert "E001" in below
    assert "https://acme.smarthr.jp/crews/crew-1" in below
    assert "SmartHRで「氏名」の元になる項目を入力してください" in below


def test_e29_department_problems_name_their_file_and_their_id() -> None:
    """部署情報 in the sentence, 部署データ in the line that ends the list."""
    mail = body(failure(ReportedProblem(RecordSet.DEPARTMENTS, 7, "D07", "d7", "parent_id", "unknown_parent", "")))
    assert "- 受信部署情報ファイル、親部署IDの設定値が異常です。[line:7]" in mail
    assert "D07" in mail
    assert "- 部署データ加工処理に失敗しました(必須項目チェック、コード設定)" in mail
    assert "社員データ加工処理" not in mail


@pytest.mark.parametrize("kind", REMEDIES)
@pytest.mark.parametrize(
    ("record_set", "items"), [(RecordSet.USERS, USER_ITEM), (RecordSet.DEPARTMENTS, DEPARTMENT_ITEM)]
)
def test_e29_every_kind_can_be_told_of_every_item(kind: str, record_set: RecordSet, items: dict[str, Any]) -> None:
    """No problem is ever without its words."""
    problems = [ReportedProblem(record_set, 1, "", "c1", item, kind, "詳細") for item in items]
    mail = body(failure(*problems[:PROBLEMS_SHOWN]))
    assert "(なし)" in mail
    assert "{" not in mail


def test_e29_past_fifty_problems_the_rest_is_counted_by_kind() -> None:
    """Fifty are told in full; of the others the kinds and their numbers."""
    shown = [dataclasses.replace(NAME, line=n) for n in range(1, 50)] + [dataclasses.replace(NAME, kind="mail")]
    kinds = {"required": 60, "mail": 1, "too_long": 4}
    mail = body(failure(*shown, problem_count=65, problem_kinds=kinds))
    assert mail.count("の設定値が異常です。[line:") == 50
    assert "- ほか15件: 値がありません 11件、文字数超過 4件" in mail


def test_e29_exactly_fifty_problems_leave_no_rest() -> None:
    """The limit itself is still told in full."""
    mail = body(failure(*[dataclasses.replace(NAME, line=n) for n in range(1, 51)]))
    assert mail.count("[line:") == 50
    assert "ほか" not in mail


def test_e29_both_files_are_told_to_have_failed_however_long_the_list_is(tmp_path: Path) -> None:
    """Sixty department problems come first; the one of 社員 is counted, and its file is named."""
    record = RunRecord(TenantFolder(Store(LocalFileSystem(), str(tmp_path)), "smarthr_emc", "acme"), "r1")
    record.write_table(
        "problems",
        pd.DataFrame(
            {
                "record_set": ["departments"] * 60 + ["users"],
                "line": [*range(1, 61), 1],
                "id": "X",
                "crew_id": "d1",
                "item": ["name"] * 60 + ["full_name"],
                "kind": ["required"] * 60 + ["encoding"],
                "detail": "",
            }
        ),
    )
    moment = dt.datetime(2026, 4, 1, tzinfo=TOKYO)
    found = collect(record, "https://acme.smarthr.jp", Outcome.DATA, "", moment, moment)
    assert (len(found.problems), found.problem_count) == (PROBLEMS_SHOWN, 61)
    lines = body(found).splitlines()
    assert "- ほか11件: 値がありません 10件、EMCで扱えない文字 1件" in lines
    assert "- 部署データ加工処理に失敗しました(必須項目チェック、コード設定)" in lines
    assert "- 社員データ加工処理に失敗しました(必須項目チェック、コード設定)" in lines


@pytest.mark.parametrize("outcome", [Outcome.DATA, Outcome.LOAD, Outcome.BASELINE])
def test_e30_a_failed_mail_does_not_say_that_anybody_was_changed(outcome: Outcome) -> None:
    """Nothing was written: no one was deleted, adopted or added, and nobody's id was changed."""
    mail = body(
        report(
            outcome,
            message="EMCが取込を拒否しました。",
            people=[("lost_id", "1", "c1"), ("adopted", "2", "c2"), ("recreated", "3", "c3")],
            id_changes=[("c4", "4", "104")],
        )
    )
    for claim in ("削除した社員", "取り込んだ社員", "登録し直した社員", "4 → 104"):
        assert claim not in mail


def test_e8_warnings_name_people_by_user_id_and_link() -> None:
    """Lost ids, left-out crews and lost contacts are listed, with their numbers."""
    mail = body(report(people=[("lost_id", "E9", "c9"), ("no_id", "", "c8"), ("lost_contact", "E7", "c7")]))
    added = mail.split("処理終了日時", 1)[1]
    for part in ("E9  https://acme.smarthr.jp/crews/c9", "(IDなし)  https://acme.smarthr.jp/crews/c8", "E7  https"):
        assert part in added
    assert added.count("1名") == 3


VALUE_WARNED = {
    "value_warnings": {"variant": PEOPLE_SHOWN + 3, "shared_contact": 5},
    "warned_of": [
        *(("variant", f"E{n}", f"c{n}", "氏名: 「髙」(U+9AD9)") for n in range(PEOPLE_SHOWN)),
        ("shared_contact", "X1", "x1", "緊急連絡1 アドレス: 5名で共有"),
    ],
}


def test_e22_doubtful_values_are_told_with_the_person_and_what_to_do() -> None:
    """E22, L8: per kind the number of people, the remedy, and the first of them with item and SmartHR page."""
    added = body(report(**VALUE_WARNED)).split("処理終了日時", 1)[1]
    assert f"注意: {VALUE_WARNINGS['variant'].title}: {PEOPLE_SHOWN + 3}名。{VALUE_WARNINGS['variant'].remedy}" in added
    assert "「標準字体」" in VALUE_WARNINGS["variant"].remedy
    assert "  E0  https://acme.smarthr.jp/crews/c0  氏名: 「髙」(U+9AD9)\n" in added
    assert added.count("「髙」") == PEOPLE_SHOWN
    assert added.count("ほか3名（全件は運用担当者が処理記録で確認できます）") == 1
    assert "5名。" in added
    assert "  X1  https://acme.smarthr.jp/crews/x1  緊急連絡1 アドレス: 5名で共有\n" in added


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.CHECKED, Outcome.HOLD, Outcome.DATA, Outcome.LOAD])
def test_e22_doubtful_values_are_told_only_if_they_are_or_will_be_written(outcome: Outcome) -> None:
    """E22: not in the mail of a failed run, which wrote nothing; a sound run says nothing of them."""
    assert ("異体字" in body(report(outcome, **VALUE_WARNED))) == (outcome.succeeded or outcome.waiting)
    assert "異体字" not in body(report(outcome))


def test_e12_id_changes_are_listed_apart() -> None:
    """Old and new id with the crew's page; past a number the rest is counted."""
    changes = [(f"c{n}", f"old{n}", f"new{n}") for n in range(PEOPLE_SHOWN + 2)]
    added = body(report(id_changes=changes)).split("処理終了日時", 1)[1]
    assert f"ID変更（同じ従業員のユーザIDが変わったもの）: {len(changes)}件" in added
    assert "  old0 → new0  https://acme.smarthr.jp/crews/c0" in added
    assert added.count(" → new") == PEOPLE_SHOWN
    assert "ほか2名" in added


def test_e36_a_held_run_says_why_and_shows_its_figures() -> None:
    """Neither success nor failure; the counts are those that wait."""
    mail = body(report(Outcome.HOLD, holds=[Hold("delete_users", "社員の削除が70件あります。", 70, 100)]))
    assert mail.startswith("処理結果: 保留\n")
    assert "- 保留: 社員の削除が70件あります。" in mail
    assert "社員データ 削除件数: 70" in mail
    assert "正常に終了" not in mail
    assert "異常終了" not in mail


def test_e3_a_check_only_run_says_that_nothing_was_written() -> None:
    """確認のみ must not be taken for a load."""
    mail = body(report(Outcome.CHECKED))
    assert mail.startswith("処理結果: 成功\n")
    assert "確認のみの実行です。EMCへの登録処理と前回データの更新は行っていません。" in mail


def test_l8_a_failed_read_says_what_happened() -> None:
    """Before anything was received there is no file that was moved; the message stands in the details."""
    mail = body(
        report(
            Outcome.RECEIVE,
            received=False,
            counts=None,
            changed=None,
            message="SmartHRが応答しません。\n再実行してください。",
        )
    )
    assert "フォルダへのファイル移動" not in mail
    assert (
        "- SmartHRが応答しません。\n- 運用担当者の作業（お客様の作業ではありません）: 再実行してください。\n- 機能は"
        in mail
    )


def test_e39_notes_and_links_come_last() -> None:
    """Warnings about the sheet, clashing prefixes, and where to look."""
    mail = body(
        report(sheet_warnings=["連絡先が1つだけです"], clashing_tenants=["beta"], links={"処理記録": "https://x/run"})
    )
    added = mail.split("処理終了日時", 1)[1]
    assert added.index("注意: 連絡先が1つだけです") < added.index("beta") < added.index("処理記録: https://x/run")


NEXT = dt.datetime(2022, 4, 23, 4, 30, tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("found", "subject", "asked"),
    [
        (
            failure(NAME, ahead=True, next_run=NEXT, company="アクメ"),
            "EMC-CHECK(NG) 事前確認（書き込みなし）: 次回（2022/04/23 4:30）の処理は失敗する見込みです",
            "お客様の作業: 上の各行の社員・部署を、その行の案内のとおりに、2022/04/23 4:30 までに直してください。"
            "直した内容で、次回の処理を行います。",
        ),
        (
            report(Outcome.CHECKED, holds=[Hold("k", "多数の削除", 9, 9)], ahead=True, next_run=NEXT, company="アクメ"),
            "EMC-CHECK(HOLD) 事前確認（書き込みなし）: 次回（2022/04/23 4:30）の処理は保留になる見込みです",
            "誤りの場合は、2022/04/23 4:30 までにSmartHRを直してください。",
        ),
        (
            report(Outcome.SYSTEM, message="止まりました。", ahead=True, next_run=NEXT, company="アクメ"),
            "EMC-CHECK(NG) 事前確認（書き込みなし）: 次回（2022/04/23 4:30）の処理を確かめられませんでした",
            "運用担当者の作業: 2022/04/23 4:30 までに原因を確認し、対応します。",
        ),
    ],
    ids=["fails", "held", "unknown"],
)
def test_e43_the_evening_says_what_would_come_and_until_when_it_can_be_mended(
    found: RunReport, subject: str, asked: str
) -> None:
    """E43: never that the run of that day has failed or was held, nor that something was written."""
    text = body(found)
    assert found.subject == subject
    assert text.splitlines()[0] == f"処理結果: {subject.partition(' ')[2]}"
    assert "- EMCへの登録処理と前回データの更新は行っていません。" in text
    assert asked in text
    for other in ("異常終了", "正常に終了", "運用担当者へ再度の取り込み", "「通常」を実行します"):
        assert other not in text
