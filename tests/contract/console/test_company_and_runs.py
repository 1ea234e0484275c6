"""What stands on the pages of a company, of its history and of a run."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import time
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import pandas as pd
import pytest
from openpyxl import load_workbook
from starlette.testclient import TestClient

from renkei.errors import StoreError
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.records import Plan, PlanWarnings, RunSheet, RunStart, SnapshotSummary, ValueWarnings
from renkei.runs.outcome import Summary
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.runs import RunRecord
from renkei.web import downloads
from renkei.web.console import runs
from tests.builders import mapping
from tests.contract.console.world import BAD, BASE, NOW, OK, RUN_ID, TICK, ConsoleWorld, body, dag, text_of


def test_a_company_page_says_what_to_do_next(world: ConsoleWorld) -> None:
    shown = text_of(body(world, f"/dag/{dag('beta')}"))
    assert (
        "停止（エラー） 次にすること 直近の処理が失敗しました。誤りと対処を確認し、直してから実行してください。 誤りと対処を見る"
        in shown
    )
    assert "SmartHR → EMC ・ beta" in shown
    world.baseline("acme")
    shown = text_of(body(world, f"/dag/{dag('acme')}"))
    assert "EMCの社員 30 EMCの部署 4 EMCが確認 11/30(月) 4:30 次回の処理 12/1(火) 4:30" in shown
    assert "結果通知メール メール 有効" in shown


def test_a_broken_sheet_shows_every_problem_with_its_place(empty: ConsoleWorld) -> None:
    empty.company("acme", sheet="users: [broken")
    shown = text_of(body(empty, f"/dag/{dag('acme')}"))
    assert "設定エラー 次にすること 連携設定シートに誤りが1件あります" in shown
    assert "acme.yaml" in shown


def test_a_sheet_that_is_gone_is_said_to_be(world: ConsoleWorld) -> None:
    (world.sheets / "acme.yaml").unlink()
    world.services.knowledge.changed()
    shown = text_of(body(world, f"/dag/{dag('acme')}"))
    assert "連携設定シートがありません。シートを元の場所に戻してください。" in shown


def test_a_store_out_of_reach_costs_what_it_knows_alone(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's own rows are shown all the same; what cannot be told is said."""
    monkeypatch.setenv("RENKEI_STORE_KEY_CONN_ID", "nosuch")
    world.services.knowledge.changed()
    assert "保存先を読み取れないため" in body(world, "/")
    shown = body(world, f"/dag/{dag('acme')}")
    assert "Airflowの接続「nosuch」" in shown
    assert "EMC-OK" in shown
    assert "Airflowの接続「nosuch」" in body(world, f"/dag/{dag('acme')}/runs/{quote(RUN_ID, safe='')}")


def test_e29_a_run_page_shows_every_error_and_people_only_to_those_who_may_edit(world: ConsoleWorld) -> None:
    """L6: a viewer reads line, item and remedy, and nothing that names anybody."""
    record, run_id = world.record("beta"), f"/dag/{dag('beta')}/runs/" + quote(RUN_ID, safe="")
    record.write(Summary([f"{BAD} beta", "処理結果: 失敗"]))
    rows = {"record_set": "users", "line": range(1, 61), "id": [f"taro{n}" for n in range(60)], "crew_id": "c-1",
            "item": "full_name", "kind": "required", "detail": "山田", "source": "SmartHRの「姓」"}  # fmt: skip
    record.write_table("problems", pd.DataFrame(rows))
    told = {
        "channel": "総務",
        "service": "SLACK_WEBHOOK",
        "event": "FAILURE",
        "verdict": "REFUSED",
        "reason": "no_service",
    }
    record.write_json("told", {"key": told | {"status": 404, "message_id": "", "at": NOW.isoformat()}})
    shown = body(world, run_id)
    assert "社員 60行目 taro59 氏名 値がありません（山田） SmartHRの「姓」を入力してください" in text_of(shown)
    assert "総務 失敗 拒否 11/30(月) 10:00 no_service" in text_of(shown)
    assert "処理結果: 失敗" in shown
    assert "機能は処理を中断、もしくは異常終了しました。" in shown, "the mail's text"
    world.door.rights["ken"]["beta"] = world.door.rights["ken"]["acme"]
    viewed = body(world, run_id, "ken")
    assert "社員 60行目 氏名 値がありません SmartHRの「姓」を入力してください" in text_of(viewed)
    assert not re.search("taro|山田|c-1|機能は処理を中断", viewed)


def test_e29_ten_thousand_errors_are_paged_and_taken_as_files(world: ConsoleWorld) -> None:
    """E29: every error and 注意 in a CSV that runs nothing and in a workbook, for those who may edit; each taking is noted."""
    record, run = world.record("beta"), f"/dag/{dag('beta')}/runs/" + quote(RUN_ID, safe="")
    rows = {"record_set": "users", "line": range(1, 10_001), "id": [f"=taro{n}" for n in range(1, 10_001)],
            "crew_id": "c-1", "item": "full_name", "kind": "required", "detail": "", "source": "SmartHRの「姓」"}  # fmt: skip
    record.write_table("problems", pd.DataFrame(rows))
    doubtful = {
        "line": [7],
        "id": ["taro7"],
        "crew_id": "c-7",
        "item": "full_name",
        "kind": "variant",
        "detail": "「髙」",
    }
    record.write_table("hygiene", pd.DataFrame(doubtful))
    record.write(PlanWarnings([("no_contact", "taro8", "c-8")], hygiene=ValueWarnings({"variant": 1})))
    assert "1～100 / 10,000件" in text_of(body(world, run))
    last = text_of(body(world, f"{run}?page=100"))
    assert "9,901～10,000 / 10,000件" in last
    assert "社員 10000行目 =taro10000 氏名 値がありません" in last
    assert "9,901～10,000 / 10,000件" in text_of(body(world, f"{run}?page=1000"))
    began = time.process_time()
    taken = world.browser("omar").get(f"{BASE}{run}/findings.csv")
    assert taken.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E8%AA%A4")
    lines = list(csv.reader(io.StringIO(taken.content.decode("utf-8-sig"))))
    assert (len(lines), lines[0][:3], lines[1][:3]) == (
        10_003,
        ["区分", "場所", "ID"],
        ["誤り", "社員 1行目", "'=taro1"],
    )
    assert lines[-2][:3] == ["注意", "", "taro8"]
    assert (lines[-1][1], lines[-1][4], lines[-1][6]) == ("社員 7行目", "氏名", "「髙」")
    book = world.browser("omar").get(f"{BASE}{run}/findings.xlsx")
    assert time.process_time() - began < 20
    sheet = load_workbook(io.BytesIO(book.content), read_only=True).worksheets[0]
    cells = list(sheet.iter_rows(values_only=True))
    assert (len(cells), cells[1][2]) == (2_002, "=taro1")
    assert "2,000件までを載せています" in str(cells[-1][0])
    noted = [json.loads(world.store.read(name)) for name in world.store.files("console/audit")]
    assert [(one["by"], one["dag_id"], one["what"]) for one in noted] == [("omar", dag("beta"), "findings")] * 2
    world.door.rights["ken"]["beta"] = world.door.rights["ken"]["acme"]
    assert "findings" not in body(world, run, "ken")
    assert "taro" not in body(world, f"{run}/findings.csv", "ken", 403)
    body(world, f"{run}/findings.exe", status=400)
    body(world, f"/dag/{dag('beta')}/runs/nosuch/findings.csv", status=404)


@pytest.mark.parametrize(
    "fault", [StoreError("山田太郎"), ValueError("山田太郎")], ids=lambda fault: type(fault).__name__
)
def test_e29_a_file_that_breaks_off_says_so(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    """Its 200 is sent by then. L6: the log has what kind of fault it is, which may quote anybody."""

    def findings(*_: object) -> Iterator[Sequence[str]]:
        yield ["区分", "場所"]
        yield ["誤り", "社員 1行目"]
        raise fault

    monkeypatch.setattr(world.services.knowledge, "findings", findings)
    path = f"{BASE}/dag/{dag('acme')}/runs/{quote(RUN_ID, safe='')}/findings.csv"
    with caplog.at_level(logging.ERROR):
        taken = world.browser("omar").get(path)
    lines = list(csv.reader(io.StringIO(taken.content.decode("utf-8-sig"))))
    assert (taken.status_code, lines[1]) == (200, ["誤り", "社員 1行目"])
    assert lines[2:] == [[runs.BROKEN_OFF]]
    assert type(fault).__name__ in caplog.text
    assert "山田" not in taken.text + caplog.text


def test_l6_an_answer_that_breaks_off_arrives_as_none(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is told, so that it closes the connection; what was wrong is in no log of its own."""

    def broken(*_: object) -> Iterator[bytes]:
        yield b"half"
        raise ValueError("山田太郎")

    monkeypatch.setattr(downloads, "csv_parts", broken)
    browser = TestClient(world.app, cookies={"_token": "omar"})
    with pytest.raises(RuntimeError) as found:
        browser.get(f"{BASE}/dag/{dag('acme')}/runs/{quote(RUN_ID, safe='')}/findings.csv")
    assert "山田" not in str(found.value)
    assert (found.value.__cause__, found.value.__context__) == (None, None)


def test_the_history_tells_what_happened_between_the_runs(world: ConsoleWorld) -> None:
    """Another sheet, 災害時凍結, who answered a question, and the generations that can be gone back to."""
    folder = world.record("acme").tenant_folder
    for number, (digest, frozen) in enumerate((("1" * 64, False), ("2" * 64, True), ("2" * 64, False)), start=1):
        name = f"day{number}.0123456789ab"
        said = {("fetch_departments", "run"): name}
        world.ran("acme", days_ago=4 - number, run_id=f"day{number}", said=said, answered="yuki" if number == 3 else "")
        record = RunRecord(folder, name)
        record.write(RunStart(f"day{number}", Mode.NORMAL, False, TICK.isoformat(), digest, frozen))
        record.write(RunSheet(mapping()))
        record.write(SnapshotSummary("read", {}))
        record.write(Plan("p", number - 1, True, True, 30 + number, 4))
        Baselines(folder).promote(Baseline(number, name, "p", f"k{number}", TICK.isoformat(), 30 + number, 4))
    shown = text_of(body(world, f"/dag/{dag('acme')}/runs"))
    assert "シートが変わりました（識別値 222222222222）" in shown
    assert "災害時凍結中になりました" in shown
    assert "災害時凍結が解除されました" in shown
    assert "回答: 承認して登録する（yukiさん）" in shown
    assert (
        "復元できる世代 世代 登録 社員 部署 第2世代 11/30(月) 4:30 32 4 第1世代 11/30(月) 4:30 31 4 EMCを以前の"
        in shown
    )
    assert "災害時凍結が解除されました" in text_of(body(world, f"/dag/{dag('acme')}"))
    world.store.write(f"{folder.baselines}/00000002.json", b"{")
    assert "前回データの記録（第2世代）が壊れています" in text_of(body(world, f"/dag/{dag('acme')}/runs"))


def test_a_run_without_a_record_says_why_there_may_be_none(world: ConsoleWorld) -> None:
    shown = text_of(body(world, f"/dag/{dag('acme')}/runs/{quote(RUN_ID, safe='')}"))
    assert "この実行の記録はありません。記録の保存期間（400日）を過ぎたか" in shown
    body(world, f"/dag/{dag('acme')}/runs/nosuch", status=404)


def test_a_run_that_waits_leads_to_its_question(world: ConsoleWorld) -> None:
    """A plan on the page of its link, for those who may see names; what has none, on Airflow's."""
    world.ran("acme", run_id="manual__held", state="running", subject="", asks="approve", run_type="manual", by="yuki")
    shown = body(world, f"/dag/{dag('acme')}")
    assert "要対応（保留）" in shown
    assert f'href="{BASE}/dag/{dag("acme")}/approval/manual__held"' in shown
    airflows = 'data-airflow-page href="/dags/{}/runs/manual__held/tasks/{}/required_actions"'
    assert airflows.format(dag("acme"), "approve") in body(world, f"/dag/{dag('acme')}", "ken")
    assert "回答を待っています" in body(world, f"/dag/{dag('acme')}/runs/manual__held")
    world.ran("beta", run_id="manual__held", state="running", subject="", asks="confirm", run_type="manual", by="yuki")
    assert airflows.format(dag("beta"), "confirm") in body(world, f"/dag/{dag('beta')}")


def test_the_history_draws_each_day_once(world: ConsoleWorld) -> None:
    for day in range(1, 40):
        world.ran("acme", days_ago=day, state="failed" if day == 3 else "success", subject=BAD if day == 3 else OK)
    shown = body(world, f"/dag/{dag('acme')}/runs")
    assert shown.count('<rect class="updated"') == 29  # of 30 days one failed
    assert len(re.findall(r'<text class="bad"[^>]*>✕', shown)) == 1
    assert "有効 30、新規 2、更新 28、削除 1" in shown
    assert body(world, f"/dag/{dag('acme')}/runs?days=90").count('<rect class="updated"') == 39
    assert body(world, f"/dag/{dag('acme')}/runs?days=zwei") == shown
    world.company("gamma", "ガンマ")
    world.door.rights["omar"]["gamma"] = world.door.rights["omar"]["acme"]
    assert "30日以内の実行はありません" in body(world, f"/dag/{dag('gamma')}/runs")


def test_a_tenant_is_found_without_its_links_name(world: ConsoleWorld) -> None:
    answer = world.browser("yuki").get(f"{BASE}/t/acme")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/dag/{dag('acme')}")
