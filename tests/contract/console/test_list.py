"""連携一覧: every company in one state, at once, however many there are."""

from __future__ import annotations

import datetime as dt
import re
import time
from urllib.parse import quote

from renkei.clock import DAILY_AT, TOKYO
from renkei.notifications.monitor.silence import Notes, Results, Schedule
from renkei.orchestration.link import LINKS
from renkei.orchestration.monitor.scan import write_notes, write_results
from tests.contract.console.world import BAD, NOW, OK, TICK, ConsoleWorld, body, dag, text_of
from tests.harness.airflow_rows import add_dags, add_history, diff_said


def test_the_list_shows_every_company_in_one_state_the_most_urgent_first(empty: ConsoleWorld) -> None:
    world = empty
    world.door.rights["omar"] |= {name: world.door.rights["omar"]["acme"] for name in "abcdefghi"}
    world.company("a", "正常の会社")
    world.ran("a")
    world.company("b", "失敗の会社")
    world.ran("b", state="failed", subject=BAD)
    world.company("c", "保留の会社")
    world.ran("c", state="running", subject="", asks="approve")
    world.company("d", "沈黙の会社")
    world.ran("d", days_ago=1)
    world.company("e", sheet="users: [broken")
    world.company("f", "未連携の会社", paused=True)
    world.company("g", "開始前の会社", 連携開始日="2027-01-01")
    world.company("h", "停止の会社", paused=True)
    world.ran("h")
    world.company("i", "解除の会社", 連携状態="連携解除")
    shown = re.findall(r'scope="row"><a href="[^"]+">([^<]+)</a>.*?</span>([^<]+)</span>', body(world, "/"), re.DOTALL)
    assert shown == [
        ("失敗の会社", "停止（エラー）"),
        ("保留の会社", "要対応（保留）"),
        ("沈黙の会社", "結果なし"),
        ("e", "設定エラー"),
        ("未連携の会社", "未連携"),
        ("開始前の会社", "開始前"),
        ("停止の会社", "一時停止"),
        ("解除の会社", "連携解除"),
        ("正常の会社", "正常"),
    ]
    only = body(world, "/?state=silent")
    assert "沈黙の会社" in only
    assert "失敗の会社" not in only
    assert "「会社」正常: 1社" in text_of(body(world, "/?q=会社&state=well"))


def test_n3_no_result_is_what_the_watch_says_it_is(empty: ConsoleWorld) -> None:
    """N3: by the watch's own function and notes: a company that it has just met is not late."""
    world, link = empty, LINKS["smarthr_emc"]
    world.company("acme", "株式会社アクメ")
    world.ran("acme", days_ago=1)
    assert "結果なし 1" in text_of(body(world, "/"))
    write_notes(link, world.store, Notes({"acme": Schedule(DAILY_AT, NOW)}, {}))
    world.services.knowledge.changed()
    assert "結果なし 0" in text_of(body(world, "/"))
    write_notes(link, world.store, Notes({"acme": Schedule(DAILY_AT)}, {}))
    world.services.knowledge.changed()
    assert "結果なし 1" in text_of(body(world, "/"))
    told = {"acme": TICK + (NOW - TICK) / 2}  # to somebody, though Airflow says no more
    for results, silent in (
        (Results(told), 0),
        (Results({}, ["acme"]), 1),
        (Results({}, ["other"]), 0),  # its first link has failed, and nothing came after it
    ):
        write_results(link, world.store, results)
        world.services.knowledge.changed()
        assert f"結果なし {silent}" in text_of(body(world, "/"))


def test_a_test_of_the_channels_is_no_run_of_the_link(world: ConsoleWorld) -> None:
    """通知テスト that failed leaves the company's state as it is."""
    test = {"run_type": "manual", "conf": {"mode": "notify_test"}}
    world.ran("acme", run_id="manual__test", state="failed", subject="", **test)
    assert "正常 1" in text_of(body(world, "/", "yuki"))


def test_e43_a_side_run_is_no_last_result(world: ConsoleWorld) -> None:
    """E43, E44: an evening that foresees a failure, and 照合, leave state and squares as they are; the run is listed."""
    for number, (mark, state, subject) in enumerate((("reconcile", "success", ""), ("check", "failed", "EMC-ERROR-D"))):
        at = TICK + dt.timedelta(minutes=number)
        world.ran("acme", run_id=f"scheduled__{at.isoformat()}__{mark}", state=state, subject=subject)
    page = body(world, "/", "yuki")
    assert "正常 1" in text_of(page)
    assert 'class="bad"' not in page
    assert "事前確認" in text_of(body(world, f"/dag/{dag('acme')}/runs", "yuki"))


def test_e43_the_next_run_of_the_list_is_the_daily_one(empty: ConsoleWorld) -> None:
    """E43: in the evening Airflow's next run is 事前確認; what the company waits for comes in the morning."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import update

    empty.company("acme", "株式会社アクメ", 事前確認時刻="18:00")
    evening = dt.datetime.combine(NOW.astimezone(TOKYO).date(), dt.time(18, 0, 15), TOKYO)
    with create_session() as session:
        session.execute(update(DagModel).values(next_dagrun_create_after=evening))
    (company,) = empty.services.knowledge.companies().values()
    assert company.next_run == evening + dt.timedelta(hours=10, minutes=29, seconds=45)


def test_fifty_companies_stand_on_a_page(empty: ConsoleWorld) -> None:
    world = empty
    names = [f"t{number:03}" for number in range(120)]
    world.door.rights["omar"] = {name: world.door.rights["omar"]["acme"] for name in names}
    add_dags(*map(dag, names))
    first, last = body(world, "/"), body(world, "/?page=3")
    assert "1～50 / 120社" in text_of(first)
    assert "101～120 / 120社" in text_of(last)
    assert body(world, "/?page=99") == last
    assert body(world, "/?page=-1") == body(world, "/?page=zwei") == first


def test_a_list_of_many_asks_no_more_often_than_one_of_few(empty: ConsoleWorld) -> None:
    """A thousand companies cost longer answers, not more questions: none is asked for each company."""
    from airflow.settings import engine
    from sqlalchemy import event

    asked: list[str] = []

    def note(*args: object) -> None:
        asked.append(str(args[2]))

    def questions(names: list[str]) -> list[str]:
        empty.door.rights["omar"] |= {name: empty.door.rights["omar"]["acme"] for name in names}
        for name in names:
            add_dags(dag(name))
            for day in range(3):
                empty.ran(name, days_ago=day)
        asked.clear()
        body(empty, "/")
        return list(asked)

    event.listen(engine, "before_cursor_execute", note)
    try:
        few, many = questions(["a"]), questions([f"t{number}" for number in range(30)])
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(many) == len(few) <= 8, many
    assert not [one for one in many if re.search(r"JOIN xcom|FROM xcom.*dag_run\b(?!_id)", one)]


def test_a_thousand_companies_with_a_month_of_runs_are_listed_at_once(empty: ConsoleWorld) -> None:
    """0.2 s on an idle machine; by the time that this process worked, for others may be busy."""
    names = [f"t{number:04}" for number in range(1000)]
    empty.door.rights["omar"] = {name: empty.door.rights["omar"]["acme"] for name in names}
    add_dags(*map(dag, names))
    said = {"diff": diff_said(100, 1, 98, 1), "notify": {"subject": OK, "told": {}}}
    add_history([dag(name) for name in names], 30, TICK, said)
    body(empty, "/")  # templates are compiled, models mapped
    empty.services.knowledge.changed()
    began = time.process_time()
    shown = body(empty, "/?page=20")
    took = time.process_time() - began
    assert "951～1,000 / 1,000社" in text_of(shown)
    assert shown.count('<rect class="good"') == 50 * 14
    assert took < 1.5


def test_an_empty_list_says_what_to_do(empty: ConsoleWorld) -> None:
    assert "連携がありません" in body(empty, "/")
    empty.company("acme", "株式会社アクメ")
    assert "該当する会社はありません" in body(empty, "/?q=nosuch")


def test_names_are_text_and_no_markup(empty: ConsoleWorld) -> None:
    """L5: what a sheet or an address says is shown as it is."""
    evil = "<script>alert(1)</script>"
    empty.company("acme", f"{evil}\"'&")
    empty.ran("acme", by=evil, run_type="manual", run_id="manual__1", subject=evil)
    for path in (
        "/",
        f"/?q={quote(evil)}",
        f"/dag/{dag('acme')}",
        f"/dag/{dag('acme')}/runs",
        f"/dag/{dag('acme')}/runs/manual__1",
    ):
        shown = body(empty, path)
        assert "<script>alert" not in shown, path
        assert "&lt;script&gt;" in shown, path
