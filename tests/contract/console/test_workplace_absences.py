"""サービス連携設定, 不在日程 and なぜこの不在はカレンダーに（い）ないのか over HTTP: who may, what is said, what a press does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow.models.connection import Connection
from airflow.utils.session import create_session

from renkei.orchestration.web import registering
from renkei.orchestration.workplace_lineworks.absence_pages import period_text
from renkei.systems.lineworks.calendar import MemberState
from renkei.systems.workplace.client import Status
from tests.contract.console.workplace_world import DAG, LINK, SHEET, WorkplaceWorld
from tests.contract.console.world import BASE
from tests.harness.workplace_lineworks import SATO, SUZUKI, day, hours

OWN = ("/services", "/absences", "/absence")


@pytest.fixture
def world(place: Path) -> WorkplaceWorld:
    return WorkplaceWorld(place)


def test_c1_c2_the_setting_is_shown_with_the_names_of_both_apis_and_no_secret(world: WorkplaceWorld) -> None:
    shown = world.shown("/services")
    assert "LINE WORKSカレンダー 使用する" in shown
    assert "午前の時間帯 （未設定）" in shown
    assert "予定名: 病気休暇 休暇" in shown
    assert "LINE WORKS Developer Consoleの認証情報 未登録" in shown
    world.write_sheet(SHEET.replace("使用する", "使用しない", 1))
    assert "LINE WORKSカレンダー 使用しない" in world.shown("/services?tab=nosuch")


def test_c10_absences_are_listed_with_their_state(world: WorkplaceWorld) -> None:
    put = world.link.workplace.put
    put("A-1", day("2026-12-05", "2026-12-07"), hours("2026-12-09T10:00", "2026-12-09T11:00"), kind="慶弔休暇")
    put("A-2", day("2026-12-05", "2026-12-01"), kind="<script>")
    put("A-3", day("2026-12-05"), status=Status.APPLIED)
    world.link.run()
    html = world.html("/absences")
    shown = world.shown("/absences")
    assert "<script>" not in html.partition("</head>")[2].replace("<script src", "")
    assert f"A-1 版 1 {SATO} 慶弔休暇 12/05～12/07 全日 、 12/09 10:00～11:00 承認 登録済み 予定 2件" in shown
    assert "終了が開始より前の期間があります → WORKPLACEで、この不在の期間を直してください" in shown
    assert "申請中 登録なし" in shown
    assert "A-1" not in world.shown("/absences?of=failed")
    assert world.sent("/absences/again", status=303) == f"/dag/{DAG}/runs/manual__1"
    assert world.hands.done == [("start", DAG, "RETRY_FAILED")]


def test_c9_held_cancellations_are_told_and_lead_to_the_question(world: WorkplaceWorld) -> None:
    for number in range(6):
        world.link.workplace.put(f"A-{number}", day(f"2026-12-0{number + 1}"))
    world.link.run()
    for number in range(6):
        world.link.workplace.put(f"A-{number}", status=Status.CANCELLED)
    world.link.run()
    assert "6件を保留し、カレンダーの予定を残しています" in world.shown("/absences")
    assert world.sent("/absences/release", status=303) == f"/dag/{DAG}/runs/manual__1"
    assert world.hands.done == [("start", DAG, "RELEASE")]
    assert "保留中" in world.sent("/absence", text="A-0")


def test_c3_why_an_absence_is_or_is_not_in_the_calendar(world: WorkplaceWorld) -> None:
    world.link.calendar.members[SUZUKI] = MemberState.NONE
    put = world.link.workplace.put
    put("A-1", day("2026-12-05"))
    put("A-2", day("2026-12-05"), user_id=SUZUKI)
    put("A-3", day("2026-12-05"), status=Status.APPLIED)
    world.link.run()
    assert "カレンダーに登録済みです（1件）" in world.sent("/absence", text="A-1")
    missing = world.sent("/absence", text="A-2")
    assert "カレンダーに登録していません。メンバー: LINE WORKSに同じユーザーIDのメンバーがいません" in missing
    assert "大文字と小文字も区別します" in missing
    assert "WORKPLACEでの状態が「申請中」です" in world.sent("/absence", text="A-3")
    assert "一覧で受信していません" in world.sent("/absence", text="A-9")
    world.write_sheet(SHEET.replace("使用する", "使用しない", 1))
    assert "カレンダー登録を使用していません" in world.sent("/absence", text="A-1")


NAME = "lineworks__acme"
KEY = "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----"


@pytest.fixture
def registered(world: WorkplaceWorld) -> None:
    extra = json.dumps({"service_account": "a@acme", "private_key": KEY, "bot_id": "2000001"})
    with create_session() as session:
        session.add(
            Connection(conn_id=NAME, conn_type="lineworks", login="client", password="very-secret", extra=extra)
        )


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("tab", ["calendar", "messengers"])
def test_c1_c2_the_credentials_stand_on_both_tabs_under_their_old_names(world: WorkplaceWorld, tab: str) -> None:
    """One form for both parts; no secret is ever shown; who may not change Connections sees no form."""
    html, shown = world.html(f"/services?tab={tab}", "omar"), world.shown(f"/services?tab={tab}", "omar")
    for name in ("Client ID（以前の名前: Server API Consumer Key）", "Service Account（以前の名前: Server List ID）"):
        assert name in shown
    assert "Private Key（以前の名前: Server List秘密キー、秘密鍵）" in shown
    assert "Private Keyを再発行すると前の鍵は使えなくなり、両方が止まります" in shown
    assert "API ID、Domain ID、管理者メールは、API 2.0では使いません" in shown
    assert "Bot ID 2000001" in shown
    assert f'action="/renkei/console/dag/{DAG}/connections/{NAME}"' in html
    assert ("very-secret" in html, "hush" in html) == (False, False)
    assert "workplace__acme 未登録 登録する" in shown
    other = world.html(f"/services?tab={tab}", "yuki")
    assert "Airflowの接続を変更する権限が必要です" in other
    assert "field.client_id" not in other
    assert "2000001" not in other or tab == "messengers"


@pytest.mark.usefixtures("registered")
def test_c1_who_writes_calendars_alone_needs_no_bot_and_keeps_what_is_not_typed(world: WorkplaceWorld) -> None:
    given = {"field.client_id": "other", "field.service_account": "a@acme", "field.bot_id": ""}
    given["connection_digest"] = registering.digest(NAME)
    to = world.sent(f"/connections/{NAME}", "omar", 303, **given)
    values = {"login": "other", "host": ""}
    assert world.hands.done[0][:4] == ("register", NAME, "lineworks", values)
    assert "jobs/1" in to  # both parts are tried at once
    sheet = SHEET + "messengers: {lineworks: 使用する}\nevents: [{event: 申請, lineworks: ○}]\n"
    world.write_sheet(sheet)
    assert "Bot IDが入力されていません" in world.sent(f"/connections/{NAME}", "omar", 400, **given)
    wrong = given | {"field.bot_id": "1", "field.private_key": "nonsense"}
    assert "秘密鍵として読めません" in world.sent(f"/connections/{NAME}", "omar", 400, **wrong)


@pytest.mark.parametrize("path", OWN)
def test_s1_people_are_named_to_those_who_may_change_the_dag_alone(world: WorkplaceWorld, path: str) -> None:
    """S1: whoever only sees the company is refused; other links' companies have no such page."""
    world.company("acme")
    assert world.browser("ken").get(f"{BASE}/dag/{DAG}{path}").status_code == 403
    assert world.browser("yuki").get(f"{BASE}/dag/smarthr_emc__acme{path}").status_code == 404
    assert world.browser("yuki").get(f"{BASE}/dag/{LINK}__beta{path}").status_code == 404


def test_s1_a_look_at_people_is_noted_without_what_was_looked_for(world: WorkplaceWorld) -> None:
    world.link.workplace.put("A-1", day("2026-12-05"))
    world.link.run()
    world.shown("/absences")
    world.sent("/absence", text="A-1")
    noted = [json.loads(world.store.read(name)) for name in world.store.files("console/audit")]
    assert [(one["by"], one["dag_id"], one["what"]) for one in noted] == [
        ("yuki", DAG, "absences"),
        ("yuki", DAG, "absence"),
    ]
    assert "A-1" not in str(noted)


def test_c10_a_period_of_ten_years_is_not_shown_as_one_day() -> None:
    assert period_text(day("2027-01-01", "2037-01-01")) == "2027/01/01～2037/01/01 全日"
    assert period_text(hours("2026-12-31T23:00", "2027-01-01T01:00")) == "2026/12/31 23:00～2027/01/01 01:00"
