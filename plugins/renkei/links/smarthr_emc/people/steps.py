"""The way of one person from SmartHR to EMC, step by step: where it ended, the one reason, and what to do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from renkei.clock import time_in_japan
from renkei.links.smarthr_emc.people.ending import Ending, EndState
from renkei.links.smarthr_emc.people.index import WHY
from renkei.links.smarthr_emc.records import RefusedRow
from renkei.links.smarthr_emc.rehearsal.person import PersonTrace
from renkei.links.smarthr_emc.rehearsal.run_rows import RunRows
from renkei.links.smarthr_emc.sheet.expression import format_source
from renkei.links.smarthr_emc.wording import EMC_REMEDIES
from renkei.runs.steps import Step, StepResult

ARROW = " → "  # between what is wrong and what to do


@dataclass(frozen=True, slots=True)
class LastConfirmed:
    """What EMC confirmed last, and what 照合 has found since."""

    user_id: str  # "" = they are not in it
    at: str  # ISO 8601; "" = EMC has confirmed nothing yet
    generation: int
    missing_at: str = ""  # ISO 8601: a 照合 since then did not find them


def steps_of(
    person: PersonTrace,
    rows: RunRows,
    at: str,
    ending: Ending,
    refused: Collection[RefusedRow],
    registered: LastConfirmed,
) -> tuple[Step, ...]:
    """受信 → 在籍 → ユーザID → 差分 → 検査 → 保留 → 登録 → EMC; `at` is the time of the read."""
    return (
        _received(person, at),
        _employed(person),
        _named(person, rows),
        _compared(person, ending),
        _checked(person, rows, ending),
        _held(rows, ending),
        _loaded(person, ending, refused),
        _in_emc(registered),
    )


def _received(person: PersonTrace, at: str) -> Step:
    when = time_in_japan(at)
    if person.status:
        return Step("受信", StepResult.YES, f"{when} の受信にいます。")
    return Step(
        "受信",
        StepResult.NO,
        f"{when} の受信にいません。",
        "SmartHRにいるはずの人なら、SmartHRの登録と、アクセストークンの参照範囲を確認してください。",
    )


def _employed(person: PersonTrace) -> Step:
    if not person.status:
        return Step("在籍", StepResult.NOT, "受信していません。")
    if person.status == "退職済":
        return Step("在籍", StepResult.NO, "退職済です。", "退職していない場合は、SmartHRの在籍状況を直してください。")
    return Step("在籍", StepResult.YES, f"{person.status}です。")


def _named(person: PersonTrace, rows: RunRows) -> Step:
    name = "ユーザID"
    if person.status in ("", "退職済"):
        return Step(name, StepResult.NOT, "対象ではないため、見ていません。")
    rule = rows.sheet.rule("user_id")
    source = format_source(rule.source) if rule else ""
    if not person.valid:
        return Step(
            name, StepResult.NO, f"「{source}」に値がありません。", f"SmartHRで「{source}」を入力してください。"
        )
    if not person.operation and len(rows.tables.diff):
        return Step(
            name,
            StepResult.NO,
            WHY["duplicate"] + "ため、登録できません。",
            f"どちらか一方の「{source}」を直してください。",
        )
    return Step(name, StepResult.YES, f"{person.user_id} です。")


def _compared(person: PersonTrace, ending: Ending) -> Step:
    if ending.state is EndState.UNCOMPARED:
        return Step("差分", StepResult.NOT, ending.text)
    if not person.operation:
        return Step("差分", StepResult.NOT, "登録の対象ではありません。")
    why = WHY.get(person.reason, "")
    return Step("差分", StepResult.YES, person.operation + (f"（{why}）" if why else "") + "です。")


def _checked(person: PersonTrace, rows: RunRows, ending: Ending) -> Step:
    if ending.state is EndState.WOULD_STOP:
        return Step("検査", StepResult.NOT, ending.text)
    if ending.state in (EndState.UNCOMPARED, EndState.UNCHECKED):
        return Step("検査", StepResult.NOT, "検査の前に止まったか、まだ実行中です。")
    mine = [*(text for item in person.items for text in item.problems), *person.problems]
    if mine:
        text, _, remedy = mine[0].partition(ARROW)
        more = f"（ほか{len(mine) - 1}件）" if mine[1:] else ""
        return Step("検査", StepResult.NO, f"{text}{more}", remedy)
    if rows.tables.problem_count:
        return Step(
            "検査",
            StepResult.NO,
            f"ほかの社員または部署に誤りが{rows.tables.problem_count:,}件あるため、全員の登録が止まっています。",
            "結果メールか実行履歴の「誤り」にある人の値を直してください。",
        )
    return Step("検査", StepResult.YES, "誤りはありません。")


def _held(rows: RunRows, ending: Ending) -> Step:
    texts = " ".join(hold.text for hold in rows.holds)
    if ending.state is EndState.HELD:
        return Step(
            "保留", StepResult.NO, f"承認を待っています: {texts}", "承認の画面で、登録するかどうかを選んでください。"
        )
    if ending.state is EndState.DENIED:
        return Step(
            "保留", StepResult.NO, f"承認されませんでした: {texts}", "理由を確かめ、もう一度手動で実行してください。"
        )
    if ending.state is EndState.WOULD_HOLD:
        return Step(
            "保留",
            StepResult.NO,
            f"登録の前に承認を待ちます: {texts}",
            "実行すると承認の画面に出ます。内容を確かめて選んでください。",
        )
    if ending.state in (EndState.UNCOMPARED, EndState.UNCHECKED, EndState.ERRORS, EndState.WOULD_STOP):
        return Step("保留", StepResult.NOT, "検査を通っていません。")
    if ending.state is EndState.CHECKED and rows.holds:
        return Step("保留", StepResult.NOT, f"確認のみの実行のため、承認は求めていません: {texts}")
    return Step("保留", StepResult.YES, f"承認されました: {texts}" if rows.holds else "保留はありません。")


def _loaded(person: PersonTrace, ending: Ending, refused: Collection[RefusedRow]) -> Step:
    name, when = "登録", f"{time_in_japan(ending.at)} に" if ending.at else ""
    match ending.state:
        case EndState.LOADED:
            return Step(name, StepResult.YES, f"{when}EMCに反映しました。")
        case EndState.UNCHANGED:
            return Step(
                name, StepResult.YES, "前回から変化が無いため、書き込んでいません（EMCは前回登録したままです）。"
            )
        case EndState.CHECKED:
            return Step(
                name, StepResult.NOT, "確認のみの実行のため、書き込んでいません。", "「通常」で実行してください。"
            )
        case EndState.REFUSED:
            mine = next((row for row in refused if row.crew_id == person.crew_id and row.crew_id), None)
            if mine is None:
                return Step(
                    name,
                    StepResult.NO,
                    "EMCが、ほかの行の誤りのため、取込を受け付けませんでした。",
                    "実行履歴の「誤り」を確認してください。",
                )
            remedy = EMC_REMEDIES.get(mine.code, "運用担当者が対応します")
            return Step(name, StepResult.NO, f"EMCがこの人の行を受け付けませんでした（{mine.code}）。", remedy)
        case EndState.CONFIRM:
            return Step(
                name, StepResult.NOT, "EMCの取込の結果が、まだ確認されていません。", "取込の結果を答えてください。"
            )
        case EndState.UNLOADED:
            return Step(
                name,
                StepResult.NOT,
                "登録の前に止まったか、まだ実行中です。",
                "実行履歴で、この実行の状態を確認してください。",
            )
        case EndState.WOULD_LOAD:
            return Step(
                name,
                StepResult.NOT,
                "まだ登録していません。次の実行で登録します。",
                "「通常」で実行するか、次回の処理を待ってください。",
            )
    return Step(name, StepResult.NOT, "登録していません。")


def _in_emc(registered: LastConfirmed) -> Step:
    when = f"{time_in_japan(registered.at)}（第{registered.generation}世代）" if registered.at else ""
    if registered.missing_at:
        found = f"{time_in_japan(registered.missing_at)} の照合では、EMCにいませんでした。"
        return Step("EMC", StepResult.NO, found, "次の実行が登録し直します。")
    if registered.user_id:
        return Step("EMC", StepResult.YES, f"{when}に、ユーザID {registered.user_id} でEMCが確認しました。")
    return Step("EMC", StepResult.NO, f"{when}の時点で登録されていません。" if when else "まだ何も登録していません。")
