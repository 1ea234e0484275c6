"""What a result mail says for its reader: whose turn it is, what EMC has, who came and went (L8)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from renkei.links.smarthr_emc import guidance, notify, run_summary
from renkei.links.smarthr_emc.affected import Group, Person
from renkei.links.smarthr_emc.model import Counts, Mode, RecordSet
from renkei.links.smarthr_emc.records import RefusedRow
from renkei.links.smarthr_emc.report import body
from renkei.links.smarthr_emc.run_report import Answer, ConfirmedTotals, RunReport
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.runs.hold import Hold
from renkei.runs.outcome import Outcome

TOKYO = dt.timezone(dt.timedelta(hours=9))
COUNTS = dict.fromkeys(RecordSet, Counts(30, 30, 29, 29, 2, 27, 3))
OPERATORS = "運用担当者の作業（お客様の作業ではありません）: "


def report(outcome: Outcome = Outcome.OK, **changes: Any) -> RunReport:
    base = RunReport(
        outcome,
        Mode.NORMAL,
        dt.datetime(2026, 4, 21, 4, 30, 1, tzinfo=TOKYO),
        dt.datetime(2026, 4, 21, 4, 31, 1, tzinfo=TOKYO),
        "https://acme.smarthr.jp",
        counts=COUNTS,
        changed=dict.fromkeys(RecordSet, True),
        company="株式会社アクメ",
        registered=ConfirmedTotals(29, 4, dt.datetime(2026, 4, 21, 4, 31, tzinfo=TOKYO)),
        next_run=dt.datetime(2026, 4, 22, 4, 30, tzinfo=TOKYO),
        contact="EMCサポート 03-0000-0000",
        id_source="社員番号",
    )
    return dataclasses.replace(base, **changes)


def line(mail: str, start: str) -> str:
    return next((one for one in mail.splitlines() if one.startswith(start)), "")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_l8_every_mail_says_whose_when_and_what_emc_has(outcome: Outcome) -> None:
    """Company, what is registered, whose turn it is, the next run."""
    mail = body(report(outcome))
    assert line(mail, "会社名: ") == "会社名: 株式会社アクメ"
    assert "社員 29名、部署 4件" in line(mail, "EMCの現在の登録: ")
    assert line(mail, "お客様の作業: ")
    assert line(mail, "次回の自動処理: ") == "次回の自動処理: 2026/04/22 4:30"


def test_e39_the_subject_ends_with_the_company() -> None:
    """It begins with text 1's subject, so that a rule of a mailbox goes on working."""
    told = notify.full_message(report(Outcome.DATA), "acme")
    assert told.subject == "EMC-ERROR-D(Update NG) 株式会社アクメ"
    assert "株式会社アクメ" in told.title
    assert notify.operators_message(report(Outcome.DATA), "acme").title.count("acme（株式会社アクメ）") == 1


@pytest.mark.parametrize(
    "message",
    [
        "Airflowの接続「emc__acme」（EMC）がありません。Admin > Connections で登録してください。",
        "EMCのトークンが無効か、権限がありません。Airflowの接続(emc)のトークンを確認してください。",
        "保存先(RENKEI_STORE)を開けません（x）。",
        "前回データの要約が保存先にありません。何も書き込みません。保存先を復元してください。",
        "部署と社員が別々の受信のものです。混ぜて処理しません。fetch_users から再実行(Clear)してください。",
        "EMCがメンテナンス中です。終了後に再実行してください。",
        "タスク load が途中で終了しました（強制終了またはタイムアウト）。Airflowのログを確認してください。",
        "Airflowの接続「emc__acme」（EMC）のトークン(Password)の全角文字。トークンをコピーし直して、半角のまま貼り付けてください。",
        "Airflowの接続「emc__acme」（EMC）のURL(Host)が http:// です。暗号化されないため、送りませんでした。https:// に直してください。",
        "Airflowの接続「k」のPasswordが暗号化の鍵ではありません（RENKEI_STORE_KEY_CONN_ID）。44文字の鍵を登録してください。",
        "SFTPサーバーにログインできません。Loginと、Passwordまたは鍵を確認してください。",
        "Extraを読み取れません。host_key と private_key の形を確認してください。",
        "取込フォルダのファイルを読み取れません（PermissionError）。権限を確認してください。",
    ],
)
def test_l8_the_operators_work_is_never_told_as_the_customers(message: str) -> None:
    """Sentences about Airflow, Connections, the store or EMC's token stand apart, and say whose they are."""
    for told in guidance.addressed(message):
        assert told.startswith(OPERATORS) or not re.search("Airflow|Connection|保存先|トークン|Clear|再実行", told)
    mail = body(report(Outcome.SYSTEM, message=message))
    assert line(mail, "お客様の作業: ") == "お客様の作業: ありません。"
    assert "".join(guidance.addressed(message)).replace(OPERATORS, "")  # nothing of it is lost
    assert message.rpartition("。")[0].rpartition("。")[2] in mail


def test_l8_a_fault_of_the_sheet_stays_the_customers() -> None:
    """Whatever its cells quote."""
    message = "連携設定シートに誤りがあります。\nacme.xlsx ユーザデータ!D7: 「Airflow」というSmartHR項目はありません → 項目名を選んでください"
    assert guidance.addressed(message) == message.splitlines()
    assert "連携設定シート" in line(body(report(Outcome.SETTING, message=message)), "お客様の作業: ")


def test_l8_what_is_asked_of_the_customer_behind_the_operators_work_stays_theirs() -> None:
    """SmartHR and the sheet are the customer's, wherever in a message they stand."""
    message = "Airflowの接続「smarthr__acme」を確認してください。連携設定シートのSmartHR URLを直してください。"
    assert guidance.addressed(message)[0] == "連携設定シートのSmartHR URLを直してください。"


def test_e14_a_quiet_day_says_that_nothing_was_written() -> None:
    """Text 1's 更新件数 counts everybody who stays; what was written is told apart."""
    quiet = report(changed=dict.fromkeys(RecordSet, False))
    assert line(body(quiet), "EMCへ書き込んだ件数: ").startswith(
        "EMCへ書き込んだ件数: 社員 0件、部署 0件（変化が無いため"
    )
    half = report(changed={RecordSet.DEPARTMENTS: False, RecordSet.USERS: True})
    assert line(body(half), "EMCへ書き込んだ件数: ") == "EMCへ書き込んだ件数: 社員 32件、部署 0件"


def test_e31_before_the_first_link_no_next_run_is_promised() -> None:
    """The clock alone starts no first link."""
    mail = body(report(Outcome.SETTING, registered=None))
    assert "まだありません" in line(mail, "EMCの現在の登録: ")
    assert "初回連携を運用担当者が手動で行った後" in line(mail, "次回の自動処理: ")
    assert "まだありません" not in body(report(Outcome.SETTING, registered=None, linked=False))


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.HOLD, "承認するとEMCから削除されます"),
        (Outcome.OK, "EMCから削除しました"),
        (Outcome.CHECKED, "このまま登録すると"),
    ],
)
def test_e8_a_vanished_id_is_told_as_a_fault_with_its_remedy(outcome: Outcome, said: str) -> None:
    """Before the deletion where the run is held, at once where it is not; which SmartHR item is to be filled in."""
    mail = body(report(outcome, people=[("lost_id", "E9", "c9")]))
    told = line(mail, "要対応: ")
    assert said in told
    assert "SmartHRで「社員番号」を入力し直し" in told
    assert "  E9  https://acme.smarthr.jp/crews/c9" in mail
    assert mail.count("要対応: ") == 1


def test_e36_a_hold_lists_people_deadline_and_whom_to_call() -> None:
    """By user id, department and reason."""
    people = tuple(Person(f"E{n}", f"c{n}", "D1 営業部", "退職済") for n in range(50))
    mail = body(
        report(
            Outcome.HOLD,
            holds=[Hold("delete_users", "社員の削除が60件あります。", 60, 100)],
            groups=[Group("EMCから削除される社員", 60, people)],
            deadline=dt.datetime(2026, 4, 22, 4, 15, tzinfo=TOKYO),
        )
    )
    assert "  E49  D1 営業部  退職済  https://acme.smarthr.jp/crews/c49" in mail
    assert "ほか10名" in mail
    assert "2026/04/22 4:15 までに" in line(mail, "お客様の作業: ")
    assert "EMCサポート 03-0000-0000" in line(mail, "お客様の作業: ")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer("tanto", "誤った操作"), "承認しないと回答した人: tanto（理由: 誤った操作）"),
        (Answer("tanto", ""), "承認しないと回答した人: tanto（理由は書かれていません）"),
        (Answer("", ""), "期限（2026/04/22 4:15）までに、承認するかどうかの回答がありませんでした"),
    ],
)
def test_e36_a_refusal_says_by_whom_or_that_nobody_answered(answer: Answer, said: str) -> None:
    """Refused and unanswered are two things."""
    deadline = dt.datetime(2026, 4, 22, 4, 15, tzinfo=TOKYO)
    assert said in body(report(Outcome.REFUSED, answer=answer, deadline=deadline))


def problem_rows(count: int, kind: str, item: str = "full_name") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "record_set": "users",
            "line": range(1, count + 1),
            "id": [f"E{n}" for n in range(count)],
            "crew_id": [f"c{n}" for n in range(count)],
            "item": item,
            "kind": kind,
            "detail": "",
            "source": "",
        }
    )


@pytest.mark.parametrize(("kind", "valid"), [("other_tenant", 1000), ("required", 180)])
def test_l8_errors_of_one_cause_are_told_as_one(kind: str, valid: int) -> None:
    """A renamed sheet, a line of the sheet that fails for everybody: three rows and one sentence, not 171."""
    table = pd.concat([problem_rows(171, kind), problem_rows(2, "too_long", "full_name_yomi")], ignore_index=True)
    found = notify.problems(table, {RecordSet.USERS: valid})
    mail = body(report(Outcome.DATA, **found))
    assert mail.count("[line:") == 3 + 2
    assert "ほか168件も同じ原因です" in mail
    assert "- ほか" not in mail.replace("- ほか168件も", "")


def test_e29_airflow_tells_the_first_errors_of_each_kind() -> None:
    """A few at the end of many thousand of another kind too; departments as departments."""
    few = problem_rows(2, "too_long", "full_name_yomi").assign(line=[7001, 7002], crew_id="")
    departments = problem_rows(1, "required", "name").assign(record_set="departments")
    lines = run_summary.errors(pd.concat([problem_rows(7000, "required"), few, departments], ignore_index=True))
    assert len(lines) == 3
    assert "SmartHRの従業員 c0 line:1、c1 line:2、c2 line:3 ほか6997件 → " in lines[0]
    assert "SmartHRの従業員 (IDなし) line:7001、(IDなし) line:7002 → " in lines[1]
    assert "SmartHRの部署 c0 line:1 → " in lines[2]
    kinds = [problem_rows(1, "required").assign(item=item) for item in list(USER_ITEM)[:12]]
    assert run_summary.errors(pd.concat(kinds))[-1] == "ほか2種類 2件"


def test_e29_airflow_tells_what_emc_refused_without_its_words() -> None:
    """People by crew id, departments by the id that was sent, and only names of items that are ours (L6)."""
    refused = RefusedRow("users", 7, "氏名", "TOO_LONG", "山田", "E1", "c1")
    lines = run_summary.emc_errors(
        [
            refused,
            replace(refused, item="氏名（山田 太郎）"),
            replace(refused, file="departments", item="部署名", id="X1", crew_id=""),
        ]
    )
    assert [line.partition(" → ")[0] for line in lines] == [
        "EMC TOO_LONG 氏名: 従業員 c1 line:7",
        "EMC TOO_LONG : 従業員 c1 line:7",
        "EMC TOO_LONG 部署名: 部署 X1 line:7",
    ]


def test_e29_errors_of_some_people_stay_rows_of_their_own() -> None:
    """Up to fifty, and the rest counted by kind."""
    found = notify.problems(problem_rows(60, "required"), {RecordSet.USERS: 1000})
    mail = body(report(Outcome.DATA, **found))
    assert mail.count("[line:") == 50
    assert "- ほか10件: " in mail


def test_l8_no_id_writes_a_line_of_its_own_into_the_mail() -> None:
    """Whatever SmartHR holds in the item that the user id is made of."""
    forged = "E1\n処理結果: 成功\u202e"
    people = [("no_id", forged, "c1"), ("lost_id", forged, "c2")]
    mail = body(
        report(
            people=people,
            id_changes=[("c3", forged, forged)],
            groups=[Group("削除した社員", 1, (Person(forged, "c4"),))],
        )
    )
    assert [one for one in mail.splitlines() if one.startswith("処理結果")] == ["処理結果: 成功"]
    assert "\u202e" not in mail
