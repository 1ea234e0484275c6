"""Hot Profile → kintone between the two simulators, with what people and systems get wrong: named with its remedy, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from renkei.links.hotprofile_kintone import history
from renkei.links.hotprofile_kintone.history import Processed, State
from renkei.links.hotprofile_kintone.model import Job, Mode
from renkei.links.hotprofile_kintone.sheet.mapping import Item
from renkei.systems import retrying
from renkei.systems.hotprofile import client as hotprofile_client
from renkei.systems.kintone import client as kintone_client
from tests.harness.hotprofile import HotProfile
from tests.harness.kintone import Kintone
from tests.proof.kintone.world import SalesWorld, begun
from tests.proof.worlds import HURRIED


@pytest.fixture(scope="module")
def systems() -> Iterator[tuple[HotProfile, Kintone]]:
    with HotProfile.start() as source, Kintone.start() as app:
        yield source, app


@pytest.fixture
def world(systems: tuple[HotProfile, Kintone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SalesWorld:
    """A linked tenant; kintone's app of companies has a date and a table, too."""
    for module in (hotprofile_client, kintone_client, retrying):
        monkeypatch.setattr(module, "time", HURRIED)
    world = begun(tmp_path, systems)
    rows = {"type": "SUBTABLE", "fields": {"tag": {"type": "SINGLE_LINE_TEXT"}}}
    for code, field in (("on", {"type": "DATE"}), ("rows", rows)):
        world.app.sim("PUT", f"apps/1/fields/{code}", field)
    companies, leads = world.mapping.data_sets
    more = (Item("カスタム項目:契約日", "on"), Item("カスタム項目:タグ", "tag", table="rows"))
    world.mapping = replace(world.mapping, data_sets=(replace(companies, items=(*companies.items, *more)), leads))
    world.pass_test()
    return world


def company(number: int, name: str = "", on: str = "2026-04-01", tags: tuple[str, ...] = ()) -> dict[str, Any]:
    items = [{"label": "契約日", "value": on}, {"label": "タグ", "value": [*tags]}]
    return {"id": number, "name": name or f"会社{number}", "note": "", "items": items}


def changed(world: SalesWorld, values: dict[str, Any]) -> None:
    world.source.change("clients", values.pop("id"), values)


def ran(world: SalesWorld, mode: Mode = Mode.NORMAL) -> dict[str, Processed]:
    job = world.job(mode)
    world.go(job=job)
    return history.lines(job)


def test_k9_k18_each_bad_value_is_named_and_all_others_arrive(world: SalesWorld) -> None:
    """Emoji and other 4-byte characters, a character too many, 0000-00-00; rows of a table that kintone has without ids."""
    world.source.add(
        "clients",
        company(1, "😀𠮷野家", tags=("甲", "乙")),
        company(2, "あ" * 10),
        company(3, "あ" * 11),
        company(4, on="0000-00-00"),
        company(5, "😀" * 6),  # six characters, or twelve: kintone decides
        company(6, tags=("丙",)),
    )
    world.wait(minutes=5)
    line = ran(world)["companies"]
    records = {one["id"]: one for one in world.app.records(1)}
    found = {one.source_id: one for one in history.failed_records(world.database, "acme")}
    assert {*records} | {*found} == {"1", "2", "3", "4", "5", "6"}
    assert records["1"]["name"] == "😀𠮷野家"
    assert records["2"]["name"] == "あ" * 10
    assert (found["3"].field, found["3"].cause) == (
        "name",
        "会社名: 11文字あり、kintoneのフィールドの最大文字数10を超えています",
    )
    assert found["4"].field == "on"
    assert "暦に無い日" in found["4"].cause
    assert all(one.remedy for one in found.values())
    assert (line.added, line.failed) == (len(records), len(found))

    rows = [row["value"]["tag"]["value"] for row in records["1"]["rows"]]
    assert rows == ["甲", "乙"]
    world.wait(minutes=30)
    changed(world, company(1, "😀𠮷野家", tags=("丁",)))
    changed(world, company(3, "あ" * 10))
    world.wait(minutes=5)
    ran(world)
    records = {one["id"]: one for one in world.app.records(1)}
    assert [row["value"]["tag"]["value"] for row in records["1"]["rows"]] == ["丁"]
    assert records["3"]["name"] == "あ" * 10
    assert "3" not in world.failed()


def test_k11_k17_an_app_that_was_deleted_in_mid_run_is_named_and_what_waits_goes_to_its_successor(
    world: SalesWorld,
) -> None:
    """One data set stops, the other goes on; no request more is spent on the one that is gone."""
    world.source.add("clients", company(1))
    world.source.add("leads", *({"id": number, "name": f"人{number}", "client_id": 1} for number in range(1, 251)))
    world.wait(minutes=5)
    world.app.fault("calls", after=4, calls=[{"method": "DELETE", "path": "apps/2"}])
    lines = ran(world)
    world.app.sim("DELETE", "faults")
    assert lines["companies"].state is State.DONE
    assert lines["leads"].state is State.STOPPED
    assert "アプリがありません（削除されたか、アプリIDが違います）" in lines["leads"].said
    again = ran(world)
    assert again["leads"].state is State.STOPPED
    assert again["leads"].held == lines["leads"].held > 0

    companies, leads = world.mapping.data_sets
    world.app.app(3, {"id": {"type": "SINGLE_LINE_TEXT", "unique": True}, "name": {"type": "SINGLE_LINE_TEXT"}})
    only = tuple(item for item in leads.items if item.field != "company")
    world.mapping = replace(world.mapping, data_sets=(companies, replace(leads, app="3", items=only)))
    world.tokens = "app1,app3"
    world.pass_test()
    assert ran(world)["leads"].held == 0
    initial(world)
    assert {one["id"] for one in world.app.records(3)} == {str(number) for number in range(1, 251)}


def test_k11_a_token_that_is_revoked_in_mid_run_stops_its_data_set_and_loses_nobody(world: SalesWorld) -> None:
    world.source.add("clients", *(company(number) for number in range(1, 251)))
    world.wait(minutes=5)
    world.app.fault("calls", after=4, calls=[{"method": "DELETE", "path": "tokens/app1"}])
    lines = ran(world)
    world.app.sim("DELETE", "faults")
    assert lines["companies"].state is State.STOPPED
    assert "APIトークン" in lines["companies"].said
    assert lines["companies"].held > 0
    assert world.failed() == {}, "it is no record's fault"
    world.app.sim("PUT", "tokens/app1", {"app": 1, "rights": ["view", "add", "edit"]})
    assert ran(world)["companies"].held == 0
    assert {one["id"] for one in world.app.records(1)} == {str(number) for number in range(1, 251)}


def test_k8_what_waits_by_an_older_sheet_is_written_by_the_new_one(world: SalesWorld) -> None:
    """Held by the quota while an item was added: it is read again, and arrives with that item."""
    companies, leads = world.mapping.data_sets
    full = world.mapping
    world.mapping = replace(full, data_sets=(replace(companies, items=companies.items[:2]), leads))
    world.pass_test()
    world.source.add("clients", *(company(number) for number in range(1, 251)))
    world.wait(minutes=5)
    world.quota = 4
    held = ran(world)["companies"].held
    assert held > 0
    world.mapping, world.quota = full, 5_000
    world.pass_test()
    assert ran(world)["companies"].held == 0
    records = world.app.records(1)
    assert len(records) == 250
    assert sum(one["on"] == "2026-04-01" for one in records) >= held


def initial(world: SalesWorld) -> None:
    job: Job = world.job(Mode.INITIAL, since=world.clock.date())
    world.go(job=job)
