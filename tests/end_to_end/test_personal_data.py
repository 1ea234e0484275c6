"""Nothing about people reaches Airflow: not its database, not its files, not what tasks print (L6, L7)."""

from __future__ import annotations

import itertools

import pytest

from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.stages.job import Job
from simulators.smarthr.people import GIVEN, SURNAMES
from tests.conftest import HOME
from tests.end_to_end.airflow_world import ADDRESS, APPROVE, DAG_ID, AirflowWorld
from tests.end_to_end.personal_data import found_in_files, found_in_text, own_words, personal

SECRETS = {ADDRESS, "shr_sim_acme", "emc_sim_acme"}
MAIL_IS_ID = {"ユーザID": ("メールアドレス", "登録", "登録しない", "更新しない", "エラー")}


def test_l6_no_person_in_airflow_after_runs_of_every_kind(
    world: AirflowWorld, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """First link, approved hold with ID変更, rejected rows and an unforeseen fault; the user id is a mail address."""
    world.write_sheet(MAIL_IS_ID)
    assert world.run().state == "success"

    crews = [crew for crew in world.crews().values() if crew["emp_status"] != "retired"]
    world.day(leavers=5, joiners=2)
    left = {crew["id"] for crew in world.crews().values()}
    stays = [crew for crew in crews if crew["id"] in left]
    world.patch(stays[0]["id"], email="kaimei@acme.example.jp")
    world.patch(stays[1]["id"], email=None)
    assert world.run(person=lambda question: question.answer(APPROVE, "確認済み")).state == "success"

    world.patch(stays[2]["id"], email=stays[3]["email"])
    world.patch(stays[4]["id"], tel_number="電話は総務へ")
    world.day(blank_names=1)
    rejected = world.run()
    assert (rejected.state, rejected.failed()) == ("failed", ["outcome", "validate"])

    def trip(job: Job) -> None:
        raise ValueError(f"cannot convert {stays[5]['last_name']} {stays[5]['email']}")

    world.monkeypatch.setattr(stages.snapshot, "take_snapshot", trip)
    unforeseen = world.run(retries=0)
    assert (unforeseen.state, unforeseen.failed()) == ("failed", ["outcome", "snapshot"])
    assert "予期しないエラーが発生しました（ValueError、test_personal_data.py:" in world.mails()[-1]["body"]

    printed = "".join(capfd.readouterr()) + caplog.text
    assert "fetch users" in printed  # the tasks' own lines are in it
    assert found_in_text(world.seen | SECRETS | {"電話は総務へ"}, printed) == []
    assert found_in_files(world.seen | SECRETS | {"電話は総務へ"}, HOME) == []


def test_l6_search_finds_what_airflow_does_keep(world: AirflowWorld) -> None:
    """The search above would see a value: in the database as text, as JSON, and among the people of a company."""
    run = world.run("CHECK_ONLY")
    wanted = {DAG_ID, run.run_id, "通常", "処理結果"}
    assert found_in_files(wanted, HOME) == sorted(wanted)
    assert len(world.seen) > 200
    crew = next(crew for crew in world.crews().values() if crew["email"] and crew["last_name"] in world.seen)
    assert {crew["email"], f"{crew['last_name']}　{crew['first_name']}"} <= world.seen


def test_l6_a_word_of_a_sample_sheet_is_nobody() -> None:
    """Whatever other tests let Airflow read, the search names nobody for it, and still looks for almost everybody."""
    given = itertools.cycle((*GIVEN["male"], *GIVEN["female"]))
    people = list(zip(SURNAMES * 2, given, strict=False))  # every name at least once
    values = [
        personal({"last_name": last, "first_name": first, "last_name_yomi": last_yomi, "first_name_yomi": first_yomi})
        for (last, last_yomi), (first, first_yomi) in people
    ]
    assert found_in_text(set().union(*values), own_words()) == []
    assert sum(len(found) > 7 for found in values) > len(people) / 2
