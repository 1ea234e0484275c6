"""What a customer hears when something around Renkei fails, and that the next run mends it."""

from __future__ import annotations

import datetime as dt

from renkei.orchestration.connections import open_store
from renkei.orchestration.web import state
from renkei.storage.source_grants import Grant, GrantEvent, SourceGrants
from renkei.storage.tenant_folder import TenantFolder
from tests.end_to_end.airflow_world import ADDRESS, DAG_ID, NOTHING, AirflowWorld, EndedRun
from tests.harness.oauth import KEY


def test_e39_refused_token_is_told_at_once(world: AirflowWorld) -> None:
    """A token that SmartHR refuses is not tried again; the mail is EMC-ERROR-R and says what to do."""
    world.connect("smarthr__acme", conn_type="smarthr", password="shr_sim_wrong")
    run = world.run()
    assert (run.state, run.failed()) == ("failed", ["fetch_departments", "outcome"])
    assert run.tries["fetch_departments"] == 1
    (mail,) = world.mails()
    assert mail["subject"] == "EMC-ERROR-R(Receive NG)"
    assert "新しいトークンを発行し" in mail["body"]
    assert world.state() == NOTHING


def test_s3_a_void_grant_is_told_with_the_page_to_open(world: AirflowWorld) -> None:
    """S3, 再認可が必要: EMC-ERROR-R, at once, though there is an access token too; nothing is read with that."""
    world.monkeypatch.setenv("RENKEI_STORE_KEY_CONN_ID", "store_key")
    world.connect("store_key", conn_type="generic", password=KEY)
    grants = SourceGrants(TenantFolder(open_store(), "smarthr_emc", "acme"))
    assert grants.follow(0, Grant(GrantEvent.VOID, dt.datetime.now(dt.UTC), "yuki", "結城"))
    run = world.run()
    assert (run.failed(), run.tries["fetch_departments"]) == (["fetch_departments", "outcome"], 1)
    (mail,) = world.mails()
    assert mail["subject"] == "EMC-ERROR-R(Receive NG)", mail["body"]
    assert "再認可が必要" in mail["body"]
    assert "http://airflow.example.jp/renkei/console/dag/smarthr_emc__acme/smarthr" in mail["body"]
    assert world.state() == NOTHING


def test_e39_missing_connection_is_told_by_its_name(world: AirflowWorld) -> None:
    """A Connection that nobody registered: EMC-ERROR-S with the Connection's name."""
    world.monkeypatch.delenv("AIRFLOW_CONN_SMARTHR__ACME")
    run = world.run()
    assert (run.state, run.tries["fetch_departments"]) == ("failed", 1)
    (mail,) = world.mails()
    assert mail["subject"] == "EMC-ERROR-S(Setting NG)"
    assert "Airflowの接続「smarthr__acme」（SmartHR）がありません。" in mail["body"]


def test_l1_emc_out_of_reach_leaves_all_as_it_was_and_the_next_run_heals(world: AirflowWorld, closed_port: int) -> None:
    """EMC does not answer: EMC-ERROR-L and an unmoved baseline; the day after brings everything."""
    world.link()
    world.day(joiners=2, leavers=1)
    before = world.state()
    world.connect("emc__acme", conn_type="emc", host=f"http://127.0.0.1:{closed_port}", password="emc_sim_acme")
    run = world.run(scheduled=True, retries=0)
    assert run.state == "failed"
    assert run.tasks["notify"] == "success"
    assert world.state() == before
    mail = world.mails()[-1]
    assert mail["subject"] == "EMC-ERROR-L(Load NG)"
    assert "EMCに接続できない" in mail["body"]
    world.connect_all()
    assert world.run(scheduled=True).state == "success"
    assert set(world.users()) == world.codes()


def test_l5_broken_sheet_is_mailed_to_the_addresses_that_could_be_read(world: AirflowWorld) -> None:
    """The Dag of a broken sheet fails and tells the customer where in the sheet and what to mend."""
    sheet = world.mappings / "acme.yaml"
    sheet.write_text(
        sheet.read_text(encoding="utf-8").replace("source: 社員番号", "source: 社員番", 1), encoding="utf-8"
    )
    run = world.run()
    assert run.state == "failed"
    assert (run.failed(), run.tasks["load"], run.tasks["notify"]) == (
        ["fetch_departments", "outcome"],
        "upstream_failed",
        "success",
    )
    (mail,) = world.mails()
    assert (mail["subject"], mail["to"]) == ("EMC-ERROR-S(Setting NG)", [ADDRESS])
    assert "acme.yaml users[0].source: " in mail["body"]
    assert "社員番号" in mail["body"]


def test_e39_store_that_cannot_be_written_is_mailed(world: AirflowWorld) -> None:
    """A file stands where the store's folder should be: EMC-ERROR-X, although there is no record to report from."""
    place = world.folder / "occupied"
    place.write_text("")
    world.monkeypatch.setenv("RENKEI_STORE", (place / "store").as_uri())
    run = world.run(retries=0)
    assert (run.state, run.tasks["notify"]) == ("failed", "success")
    (mail,) = world.mails()
    assert (mail["subject"], mail["to"]) == ("EMC-ERROR-X(System NG)", [ADDRESS])
    assert "保存先" in mail["body"]
    assert world.users() == {}


def test_n3_lost_mail_leaves_a_good_run_good_and_is_visible(world: AirflowWorld, closed_port: int) -> None:
    """The mail server is down: notify is red, the run is green, for EMC has everybody; pages show how it ended."""
    world.connect_mail(closed_port)
    run = world.run(retries=0)
    assert (run.state, run.failed()) == ("success", ["notify"])
    assert set(world.users()) == world.codes()
    assert shown(run) == ["EMC-OK"] * 3


def test_e2_lost_mail_leaves_a_failed_run_failed(world: AirflowWorld, closed_port: int) -> None:
    """The mail server is down and the token is refused: the run is red, and pages show why."""
    world.connect("smarthr__acme", conn_type="smarthr", password="shr_sim_wrong")
    world.connect_mail(closed_port)
    run = world.run(retries=0)
    assert (run.state, run.failed()) == ("failed", ["fetch_departments", "notify", "outcome"])
    assert shown(run) == ["EMC-ERROR-R(Receive NG)"] * 3


def shown(run: EndedRun) -> list[str]:
    """The run's subject in the list, in the history and on its own page."""
    one = state.run_of(DAG_ID, run.run_id)
    assert one is not None
    since = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    return [found.subject for found in (state.last_runs()[DAG_ID], state.runs_of(DAG_ID, since)[0], one.run)]


def test_n3_passing_fault_of_the_mail_server_delays_the_mail_alone(world: AirflowWorld) -> None:
    """The server refuses once for now: the mail comes with the next try, once."""
    world.mail.fault(kind="temporary")
    run = world.run()
    assert (run.state, run.tries["notify"]) == ("success", 2)
    assert [mail["subject"] for mail in world.mails()] == ["EMC-OK"]
