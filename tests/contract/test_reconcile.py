"""照合 against a running EMC: what people change there by hand is told, and nothing else (E3, E18, E28)."""

from __future__ import annotations

import random

import pandas as pd
import pytest

from renkei.links.smarthr_emc import ownership, reconcile
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.sheet.codec import mapping_from_json
from renkei.runs.current_baseline import current_baseline
from tests.harness.sheet import SHEET, full_mapping
from tests.harness.tenant import FORMAT, Tenant
from tests.harness.world import World, ids


def differences(tenant: Tenant) -> pd.DataFrame:
    """The tenant's baseline against EMC's export."""
    record = tenant.record("reconcile")
    where = current_baseline(record.tenant_folder)
    assert where.record is not None
    mapping = mapping_from_json(where.record.json("sheet")["mapping"])
    exported, others = {}, {}
    for record_set in RecordSet:
        exported[record_set] = tenant.target.export(record_set.value, reconcile.fields(record_set, mapping))
        owned = ownership.owned_ids(record, ownership.neighbours(record, mapping), record_set)
        others[record_set] = frozenset().union(*owned.values())
    tables = {name: where.table(name) for name in ("departments", "users", "users_target")}
    return pd.concat(
        [
            reconcile.compare_departments(
                tables["departments"], exported[RecordSet.DEPARTMENTS], mapping, others[RecordSet.DEPARTMENTS], FORMAT
            ),
            reconcile.compare_users(
                tables["users"],
                tables["users_target"],
                exported[RecordSet.USERS],
                mapping,
                others[RecordSet.USERS],
                FORMAT,
            ),
        ],
        ignore_index=True,
    )


def told(tenant: Tenant) -> list[tuple[str, str, str]]:
    """(kind, id, item) of every difference."""
    return list(differences(tenant)[["kind", "id", "item"]].itertuples(index=False, name=None))


def test_nothing_differs_after_any_day(linked: World) -> None:
    """First link, quiet day, joiners and leavers, a day of departments alone, 全件書き込み."""
    assert told(linked.tenant) == []
    linked.tenant.run(manual=False)
    assert told(linked.tenant) == []
    linked.day(joiners=2, leavers=1, moves=2)
    assert linked.tenant.run() == "loaded"
    assert told(linked.tenant) == []
    linked.smarthr.sim("POST", "companies/acme/departments", {"name": "新設部", "code": "NEW1"})
    assert linked.tenant.run() == "loaded"
    assert told(linked.tenant) == []
    assert linked.tenant.run(Mode.WRITE_ALL) == "loaded"
    assert told(linked.tenant) == []


def test_e31_a_user_deleted_by_hand_is_missing_until_the_next_run(linked: World) -> None:
    """As the line says: 次回の処理で再登録されます."""
    first, second = linked.active()[:2]
    linked.by_hand("DELETE", "users", first["emp_code"])

    table = differences(linked.tenant)
    assert table[["kind", "id", "crew_id"]].values.tolist() == [["missing", first["emp_code"], first["id"]]]
    assert linked.tenant.run() == "loaded"
    assert told(linked.tenant) == []
    assert second["emp_code"] in linked.users()


def test_e28_a_user_added_by_hand_is_extra_and_left_alone(linked: World) -> None:
    """It is told again and again; not even 全件書き込み touches it."""
    linked.somebody("manual")

    assert told(linked.tenant) == [("extra", "manual", "")]
    linked.tenant.run(Mode.WRITE_ALL)
    assert told(linked.tenant) == [("extra", "manual", "")]
    assert linked.users()["manual"]["氏名"] == "手入力"


def test_e18_a_linked_item_changed_by_hand_differs_and_another_does_not(linked: World) -> None:
    """氏名 is ours; 保有権限1 is not in the sheet, and EMC may have what it likes there."""
    user_id = ids(linked.active())[0]
    name = linked.users()[user_id]["氏名"]
    linked.by_hand("PATCH", "users", user_id, 氏名="別人", 保有権限1="管理者", 検索ワード5="手入力")

    assert differences(linked.tenant).values.tolist() == [
        ["users", "differs", user_id, linked.active()[0]["id"], "full_name", name, "別人"]
    ]
    linked.tenant.run(Mode.WRITE_ALL)
    assert told(linked.tenant) == []
    assert linked.users()[user_id]["保有権限1"] == "管理者"


def test_e13_departments_changed_by_hand_are_told(linked: World) -> None:
    """Renamed, deleted, added; 全件書き込み gives the name back."""
    renamed, gone = list(linked.emc.export("departments"))[:2]
    linked.by_hand("PATCH", "departments", renamed, 部署名="改名部")
    linked.by_hand("DELETE", "departments", gone)
    linked.by_hand("POST", "departments", **{"部署ID": "manual", "部署名": "手", "部署名(ヨミ)": "テ"})

    assert told(linked.tenant) == [("missing", gone, ""), ("differs", renamed, "name"), ("extra", "manual", "")]
    linked.tenant.run(Mode.WRITE_ALL)
    assert told(linked.tenant) == [("extra", "manual", "")]


@pytest.mark.parametrize("prefix", ["", "b"])
def test_e28_the_people_of_another_tenant_are_not_extra(linked: World, prefix: str) -> None:
    """Two companies in one account; each is told of its own people alone, and of what is nobody's."""
    linked.smarthr.sim("DELETE", "companies/acme")  # its people stay in EMC; ids of two companies may be the same
    beta = linked.join("beta", seed=9, size=12, id_prefix=prefix, emc_account="acme")
    if not prefix:
        for crew_id, crew in linked.crews("beta").items():
            linked.smarthr.sim("PATCH", f"companies/beta/crews/{crew_id}", {"emp_code": f"B{crew['emp_code']}"})
        for number, one in enumerate(linked.smarthr.sim("GET", "companies/beta/departments")):
            linked.smarthr.sim("PATCH", f"companies/beta/departments/{one['id']}", {"code": f"B{number}"})
    assert beta.run() == "loaded"
    linked.somebody("b-manual")

    assert told(linked.tenant) == [("extra", "b-manual", "")]  # without ID付与コード it may be anybody's
    assert told(beta) == [("extra", "b-manual", "")]


@pytest.mark.parametrize("seed", range(2))
def test_e18_what_differs_is_exactly_what_write_all_would_undo(world: World, seed: int) -> None:
    """Many items of many people are changed by hand; the cells that the load then changes are those that were told."""
    sheet = {
        **SHEET,
        "保有権限1": ("役職1", "SET", "SKIP", "SKIP", "SKIP"),
        "検索ワード3": ("役職1", "SET", "SKIP", "SKIP", "SET"),
        "検索ワード4": ("役職1", "SET", "SKIP", "SET", "DEFAULT:なし"),
    }
    world.tenant.mapping = full_mapping(sheet)
    world.tenant.run()
    world.tenant.run(Mode.WRITE_ALL)  # a default of the update is written by an update, not by the create
    rng = random.Random(seed)
    texts = ["氏名", "氏名(ヨミ)", "保有権限1", "保有権限2", *(f"検索ワード{n}" for n in range(1, 6))]
    for user_id in world.users():
        values = {item: f"手{rng.randrange(3)}" for item in rng.sample(texts, rng.randrange(4))}
        if rng.random() < 0.3:
            values |= {"緊急連絡1 媒体": "メールアドレス", "緊急連絡1 アドレス": "hand@example.jp"}
        if rng.random() < 0.3:
            values |= {"緊急連絡2 媒体": "", "緊急連絡2 アドレス": ""}
        world.by_hand("PATCH", "users", user_id, **values)
    before, found = world.users(), differences(world.tenant)
    assert world.tenant.run(Mode.WRITE_ALL) == "loaded"
    after = world.users()

    undone = {
        (user_id, item, before[user_id].get(item, ""), after[user_id].get(item, ""))
        for user_id in before
        for item in before[user_id].keys() | after[user_id].keys()
        if before[user_id].get(item, "") != after[user_id].get(item, "")
    }
    names = {key: item.name for key, item in reconcile.USER_ITEM.items()}
    assert {(row.id, names[row.item], row.found, row.expected) for row in found.itertuples()} == undone
    assert set(found["kind"]) == {"differs"}
    assert len(undone) > 30
    assert told(world.tenant) == []
