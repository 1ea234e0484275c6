"""`renkei rehearse`, `person` and what asks SmartHR, as an operator types them, over both simulators and a real store."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from renkei.channel import Channel, Service
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from tests.harness.mail import Mail
from tests.harness.sheet import SHEET, full_mapping
from tests.harness.typed import Done, renkei, renkei_process
from tests.harness.world import World


@dataclasses.dataclass
class Desk:
    """An operator's terminal beside a linked tenant: its sheet, and how Airflow would find things."""

    world: World
    index: Path
    folder: Path
    smtp_port: int

    @property
    def sheet(self) -> Path:
        return self.folder / "acme.yaml"

    def write(self, **changes: Any) -> None:
        mapping = dataclasses.replace(self.world.tenant.mapping, smarthr_url=self.world.smarthr.url)
        write_yaml(dataclasses.replace(mapping, **changes), self.sheet)

    def renkei(self, *words: str | Path, **environment: str) -> Done:
        return renkei(*words, **self.environment | environment)

    @property
    def environment(self) -> dict[str, str]:
        smarthr, emc = self.world.smarthr.url, self.world.emc.url
        smtp = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@example.jp", "retry_limit": 1}
        mail = {"conn_type": "smtp", "host": "127.0.0.1", "port": self.smtp_port, "extra": smtp}
        return {
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW_CONN_SMARTHR__ACME": json.dumps({"conn_type": "smarthr", "password": "shr_sim_acme"}),
            "AIRFLOW_CONN_EMC__ACME": json.dumps({"conn_type": "emc", "host": emc, "password": "emc_sim_acme"}),
            "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(mail),
            "RENKEI_ALLOWED_HOSTS": smarthr.removeprefix("http://"),
            "RENKEI_STORE": Path(self.world.tenant.store.root).as_uri(),
            "RENKEI_INDEX": str(self.index),
            "RENKEI_MAPPINGS": str(self.folder / "mappings"),
        }

    def digest(self) -> str:
        """Of every file of the store, and of all that EMC has."""
        sha = hashlib.sha256()
        for path in sorted(Path(self.world.tenant.store.root).rglob("*")):
            sha.update(str(path).encode() + (path.read_bytes() if path.is_file() else b""))
        for file in ("departments", "users"):
            sha.update(json.dumps(self.world.emc.export(file), sort_keys=True).encode())
        return sha.hexdigest()


@pytest.fixture(scope="module")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mail]:
    with Mail.start("--folder", str(tmp_path_factory.mktemp("mail"))) as sink:
        yield sink


@pytest.fixture
def desk(linked: World, sink: Mail, index: Path, airflow_database: Path, tmp_path: Path) -> Desk:
    """After a first link, with the sheet that made it."""
    found = Desk(linked, index, tmp_path, sink.smtp_port)
    found.write()
    return found


def test_rehearse_tells_a_quiet_day_from_the_store_alone(desk: Desk) -> None:
    """E14: the sheet in force, the stored read: nothing to write; status 0; nothing is touched."""
    before = desk.digest()
    found = desk.renkei("rehearse", desk.sheet)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "変化が無いため" in found.stdout
    assert "Traceback" not in found.stderr
    assert desk.digest() == before


def test_rehearse_live_tells_the_day_that_comes(desk: Desk) -> None:
    """E3, E6: with SmartHR and EMC asked: the same counts as the run that follows; neither store nor EMC is touched."""
    desk.world.day(joiners=2, leavers=1)
    before = desk.digest()
    found = renkei_process("rehearse", desk.sheet, "--live", "--json", **desk.environment)
    assert found.returncode == 0, found.stdout + found.stderr
    told = json.loads(found.stdout)
    assert told["verdict"] == "writes"
    assert desk.digest() == before
    job = desk.world.tenant.plan()
    real = job.record.json("diff")["sets"]["users"]["counts"]
    assert told["counts"]["users"] == real
    assert (real["created"], real["deleted"]) == (2, 1)


def test_rehearse_says_what_a_changed_sheet_would_change(desk: Desk) -> None:
    """E14, E15: old → new in the sheet's words, and how many people it changes."""
    users = full_mapping({**SHEET, "検索ワード1:勤務地": "雇用形態"}).users
    desk.write(users=users)
    found = desk.renkei("rehearse", desk.sheet)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "今のシートとの違い" in found.stdout
    assert "事業所" in found.stdout
    assert "雇用形態" in found.stdout


def test_rehearse_of_errors_and_of_held_plans_ends_with_1(desk: Desk) -> None:
    """E29, E34, L8: a bad row is named with what to do; half of the people leaving is held."""
    crew = desk.world.active()[0]
    desk.world.patch(crew["id"], email="so wrong")
    wrong = desk.renkei("rehearse", desk.sheet, "--live")
    assert wrong.returncode == 1
    assert "メールアドレスの形式" in wrong.stdout
    assert crew["id"] in wrong.stdout
    desk.world.patch(crew["id"], email=crew["email"])
    desk.world.day(leavers=8)
    held = desk.renkei("rehearse", desk.sheet, "--live")
    assert held.returncode == 1
    assert "承認を待って" in held.stdout


def test_person_tells_why_somebody_is_in_emc(desk: Desk) -> None:
    """L8: by 社員番号, crew id or mail; source, cell and value of each item; the password never."""
    crew = next(one for one in desk.world.active() if one["email"])
    for who in (crew["emp_code"], crew["id"], crew["email"]):
        found = desk.renkei("person", desk.sheet, who)
        assert found.returncode == 0, found.stdout + found.stderr
        assert crew["last_name"] in found.stdout
        assert "値がある場合" in found.stdout
    nobody = desk.renkei("person", desk.sheet, "nobody@example.com")
    assert nobody.returncode == 1
    assert "いません" in nobody.stdout


def test_check_live_names_a_custom_field_that_smarthr_lacks(desk: Desk) -> None:
    """E17: the cell and the nearest name that there is."""
    desk.write(users=full_mapping({**SHEET, "検索ワード2:勤務形態": "カスタム項目:勤務形体"}).users)
    assert desk.renkei("check", desk.sheet).returncode == 0
    found = desk.renkei("check", desk.sheet, "--live")
    assert found.returncode == 1
    assert "勤務形体" in found.stdout
    assert "「勤務形態」" in found.stdout


def test_check_and_rehearsal_try_what_only_the_load_and_the_mail_need(desk: Desk) -> None:
    """L8: the operator is told of all of it at once, before any run; nothing is sent or written."""
    secret = {"パスワード": ("秘密:first_password__acme", "SET", "REJECT", "SKIP", "SKIP")}
    channel = Channel("総務", Service.SLACK_WEBHOOK, "slack_webhook__acme")
    desk.write(users=full_mapping(SHEET | secret).users, channels=(channel,))
    before, nowhere = desk.digest(), json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": 1})
    for words in (("check", desk.sheet), ("rehearse", desk.sheet)):
        found = desk.renkei(*words, "--live", AIRFLOW_CONN_SMTP_DEFAULT=nowhere)
        assert found.returncode == 1, found.stdout + found.stderr
        for name in ("first_password__acme", "slack_webhook__acme", "smtp_default"):
            assert f"Airflowの接続「{name}」" in found.stdout
        assert "emc__acme" not in found.stdout  # which is there
    assert desk.digest() == before


def test_template_lists_the_tenants_own_items(desk: Desk) -> None:
    """SmartHR項目一覧 has this SmartHR's custom fields."""
    path = desk.folder / "new.xlsx"
    made = desk.renkei("template", "acme", "-o", path, "--smarthr-url", desk.world.smarthr.url)
    assert made.returncode == 0, made.stderr
    cells = {cell.value for row in openpyxl.load_workbook(path)["SmartHR項目一覧"].iter_rows() for cell in row}
    assert any("勤務形態" in str(value) for value in cells)


def test_a_refused_token_is_said_in_words(desk: Desk) -> None:
    """E33, L8: the run would stop; status 1, what to do, no traceback."""
    desk.world.smarthr.sim("POST", "faults", [{"kind": "expired_token", "path": "/crews", "page": 1, "times": None}])
    try:
        found = desk.renkei("rehearse", desk.sheet, "--live")
    finally:
        desk.world.smarthr.sim("DELETE", "faults")
    assert found.returncode == 1
    assert "トークン" in found.stdout + found.stderr
    assert "Traceback" not in found.stderr


def test_person_finds_who_left_by_name_and_who_was_renumbered_by_the_old_id(desk: Desk) -> None:
    """E8, E12: what the record of runs knows, and the next run for the same person; nothing is written."""
    before = {crew["id"]: crew for crew in desk.world.active()}
    touched = desk.world.day(leavers=1, renumbered=1)
    desk.world.tenant.run()
    desk.world.day(moves=1)
    desk.world.tenant.run()
    (left,), (renumbered,) = touched["leavers"], touched["renumbered"]
    had = desk.digest()
    for who in (before[left]["last_name"] + before[left]["first_name"], before[left]["emp_code"], left):
        found = desk.renkei("person", desk.sheet, who)
        assert found.returncode == 0, found.stdout + found.stderr
        assert "EMCから削除しました（SmartHRに居ない）" in found.stdout
        assert "EMCに登録されていません" in found.stdout
    found = renkei_process("person", desk.sheet, before[renumbered]["emp_code"], "--json", **desk.environment)
    told = json.loads(found.stdout)
    (person,) = told["recorded"]["people"]
    assert (person["person"]["crew_id"], person["registered"]) == (renumbered, True)
    assert person["events"][0]["was"] == before[renumbered]["emp_code"]
    assert [one["crew_id"] for one in told["people"]] == [renumbered]
    assert desk.digest() == had
