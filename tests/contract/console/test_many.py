"""Many sheets at once: a zip, its findings sheet by sheet, and what is sound put into force (S1, S2, S6)."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from typing import Any

import openpyxl
import pytest
from httpx import Response

from renkei.links.smarthr_emc.sheet.yaml_form import to_yaml
from renkei.orchestration import jobs as task
from renkei.orchestration.web import sheet_desk
from renkei.storage import once
from renkei.storage.versions import Origin
from renkei.web.console import many
from renkei.web.services import Right
from tests.builders import mapping
from tests.conftest import ROOT
from tests.contract.console.world import BASE, NOW, ConsoleWorld, body, dag, text_of

DAG_FILE = str(ROOT / "dags/renkei_jobs.py")
HERE = "/many/smarthr_emc/1"


@pytest.fixture
def world(empty: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> ConsoleWorld:
    """acme and beta; omar may edit all, yuki may add companies and edit acme."""
    monkeypatch.setattr(task, "utcnow", lambda: NOW)
    monkeypatch.setattr(sheet_desk.AirflowSheets, "loaded", lambda *_: "")
    empty.company("acme", "株式会社アクメ")
    empty.company("beta", "ベータ商事")
    empty.door.create.add("yuki")
    return empty


def sheet(tenant: str, name: str, **settings: str) -> bytes:
    found = mapping(settings={"会社名": name, **settings})
    return to_yaml(dataclasses.replace(found, tenant=tenant, emc_account=tenant)).encode()


def packed(**files: bytes) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as new:
        for tenant, content in files.items():
            new.writestr(f"{tenant}.yaml", content)
    return found.getvalue()


def upload(world: ConsoleWorld, content: bytes, user: str = "omar", **form: str) -> Response:
    data = {"token": world.token(user), "link": "smarthr_emc"} | form
    return world.browser(user).post(f"{BASE}/many", data=data, files={"file": ("sheets.zip", content)})


def work(world: ConsoleWorld, content: bytes, user: str = "omar") -> dict[str, Any]:
    """Upload, and what the task does."""
    answer = upload(world, content, user)
    assert (answer.status_code, answer.headers.get("location")) == (303, BASE + HERE), text_of(answer.text)
    assert "順番を待っています" in body(world, HERE, user)
    (run,) = re.findall(
        r"job__1__\w+", str(world.store.read("smarthr_emc/tenants/operator/jobs/00000001/request.json"))
    )
    return task.run_job("smarthr_emc__operator/1", run, DAG_FILE)


def enable(world: ConsoleWorld, user: str = "omar", **form: str) -> Response:
    data = {"token": world.token(user), "reason": "一括の登録", "once": once.new(NOW)} | form
    return world.browser(user).post(f"{BASE}{HERE}/enable", data=data)


def in_force(world: ConsoleWorld, tenant: str) -> bytes:
    return (world.sheets / f"{tenant}.yaml").read_bytes()


def test_s2_what_is_sound_is_put_into_force_and_the_rest_is_told(world: ConsoleWorld) -> None:
    """S2, S6: a new company, a changed one, one as it is, a broken one; nothing before 有効にする."""
    before = in_force(world, "acme")
    files = {
        "acme": sheet("acme", "アクメ改"), "beta": in_force(world, "beta"), "gamma": sheet("gamma", "ガンマ"),
        "delta": sheet("delta", "デルタ").replace(b"https://", b"ftp://"),
    }  # fmt: skip
    work(world, packed(**files))
    assert world.store.files("smarthr_emc/tenants/operator/jobs/uploads") == []
    shown = text_of(body(world, HERE))
    assert "使用中 1 有効にできる 2 誤り 1 全4件" in shown
    assert "SmartHR URLの形が正しくありません" in shown
    assert in_force(world, "acme") == before
    assert enable(world, reason=" ").status_code == 200
    assert in_force(world, "acme") == before
    shown = text_of(enable(world).text)
    assert "終わりました" in shown
    assert "使用中 3 有効にできる 0 誤り 1" in shown
    assert (in_force(world, "acme"), in_force(world, "gamma")) == (files["acme"], files["gamma"])
    assert not (world.sheets / "delta.yaml").exists()
    kept = world.services.sheets.of(dag("gamma"))
    assert [(number, one.origin, one.by) for number, one in kept.versions.listed(9)] == [(1, Origin.UPLOAD, "omar")]
    moved = kept.notice(NOW).moved
    assert moved is not None
    assert moved.move.why == "一括の登録"
    moves = len(list(kept.versions.moves()))
    enable(world)
    assert len(list(kept.versions.moves())) == moves, "pressed again, nothing more is done"
    form = once.new(NOW)
    assert [enable(world, once=form).status_code for _ in range(2)] == [200, 303], "a reload"


def test_s6_many_are_enabled_a_few_in_each_request(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """S6: the page goes on by itself, and by a button without scripts; who stops in between loses nothing."""
    monkeypatch.setattr(many, "ENABLED_S", 0.0)
    work(world, packed(**{name: sheet(name, name) for name in ("c1", "c2", "c3")}))
    shown = enable(world).text
    assert 'name="after" value="1"' in shown
    assert 'hx-trigger="load, submit"' in shown
    assert "順に有効にしています。1 / 3" in text_of(shown)
    assert sorted(one.stem for one in world.sheets.iterdir()) == ["acme", "beta", "c1"]
    assert "有効にできる 2" in text_of(body(world, HERE))
    enable(world, after="1")
    assert "終わりました" in text_of(enable(world, after="2").text)
    assert sorted(one.stem for one in world.sheets.iterdir()) == ["acme", "beta", "c1", "c2", "c3"]


def test_s2_a_sheet_that_was_changed_meanwhile_is_left(world: ConsoleWorld) -> None:
    """S2: compare-and-swap by the file that the job saw."""
    work(world, packed(acme=sheet("acme", "アクメ改")))
    by_hand = sheet("acme", "手")
    (world.sheets / "acme.yaml").write_bytes(by_hand)
    assert "検査の後にシートが変更されました" in text_of(body(world, HERE))
    enable(world)
    assert in_force(world, "acme") == by_hand


def test_e27_companies_of_one_zip_are_compared_with_each_other(world: ConsoleWorld) -> None:
    """E27: two new ones of one account with one code."""
    lines = "tenants:\n  c1: {emc_accounts: [group]}\n  c2: {emc_accounts: [group]}\n"
    (world.sheets.parent / "operator.yaml").write_text(lines)
    files = {
        name: to_yaml(
            dataclasses.replace(mapping(settings={"会社名": name, "EMCアカウント": "group"}), tenant=name)
        ).encode()
        for name in ("c1", "c2")
    }
    work(world, packed(**files))
    assert "同じEMCアカウント「group」の「c2」と同じです" in text_of(body(world, HERE))


def test_s1_another_company_is_neither_shown_nor_changed(world: ConsoleWorld) -> None:
    """S1: who may add companies, but not edit beta, hears that the name cannot be had; a result is for who asked."""
    before = in_force(world, "beta")
    work(world, packed(acme=sheet("acme", "アクメ改"), beta=sheet("beta", "乗っ取り")), "yuki")
    shown = text_of(body(world, HERE, "yuki"))
    assert "この会社のIDは使えません" in shown
    assert "ベータ商事" not in shown
    assert world.browser("omar").get(BASE + HERE).status_code == 404
    world.door.rights["yuki"]["acme"] = {Right.SEE}
    assert "有効にできません この会社を変更する権限がありません" in text_of(body(world, HERE, "yuki"))
    acme = in_force(world, "acme")
    enable(world, "yuki")
    assert (in_force(world, "acme"), in_force(world, "beta")) == (acme, before)


def test_s1_many_sheets_are_for_those_who_may_edit_all(world: ConsoleWorld) -> None:
    """S1: and what cannot be a zip is refused, before its body or by the job."""
    assert "まとめて取り込む" not in body(world, "/", "ken")
    assert world.browser("ken").get(f"{BASE}/many").status_code == 403
    assert upload(world, b"x", "ken").status_code == 403
    assert upload(world, b"").status_code == 400
    assert upload(world, b"x", link="nosuch").status_code == 400
    assert upload(world, b"x" * 50_100_000).status_code == 413
    for path in (HERE, "/many/nosuch/1", "/many/smarthr_emc/x"):
        assert world.browser("omar").get(BASE + path).status_code == 404, path
    assert upload(world, b"no zip at all").status_code == 303
    (run,) = re.findall(
        r"job__1__\w+", str(world.store.read("smarthr_emc/tenants/operator/jobs/00000001/request.json"))
    )
    with pytest.raises(Exception, match="zipファイルではありません"):
        task.run_job("smarthr_emc__operator/1", run, DAG_FILE)
    assert "zipファイルではありません" in text_of(body(world, HERE))


def test_s4_the_list_is_taken_along(world: ConsoleWorld) -> None:
    """S4, S1: with states, of the companies that one may see."""
    world.ran("acme")
    answer = world.browser("ken").get(f"{BASE}/companies.csv")
    titles, row = answer.text.removeprefix("\ufeff").strip().splitlines()
    assert titles.startswith("会社,会社のID,連携,状態")
    assert row.startswith("株式会社アクメ,acme,SmartHR → EMC,正常,")
    assert "EMC-OK" in row
    book = world.browser("omar").get(f"{BASE}/companies.xlsx")
    rows = list(openpyxl.load_workbook(io.BytesIO(book.content)).active.iter_rows(values_only=True))
    assert {row[0] for row in rows} == {"会社", "株式会社アクメ", "ベータ商事"}
    assert world.browser("omar").get(f"{BASE}/companies.pdf").status_code in (400, 404)
