"""What a rehearsal says is what the next real run does; neither the store nor EMC notices it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from renkei.errors import LinkStateError, RecordError
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.people.explain import Explanation
from renkei.links.smarthr_emc.people.live import explain_now
from renkei.links.smarthr_emc.rehearsal import Rehearsal, rehearse
from renkei.links.smarthr_emc.rehearsal.person import Trace, trace
from renkei.links.smarthr_emc.rehearsal.words import read_in_words
from renkei.links.smarthr_emc.sheet.mapping import Guards, LinkState
from renkei.links.smarthr_emc.stages.job import Job
from renkei.storage.import_lock import ImportLock, PendingImport
from renkei.storage.tenant_folder import AccountFolder
from renkei.systems.emc.client import import_key
from renkei.systems.smarthr.client import SmartHRClient
from tests.harness.sheet import SHEET, full_mapping
from tests.harness.tenant import FORMAT, LINK, NOW, Recording
from tests.harness.world import World, ids

READS = {"POST /api/v1/users/search", "POST /api/v1/departments/search"}


def digest(root: str) -> str:
    """Every file below `root`: its name, its bytes and when it was written."""
    sha = hashlib.sha256()
    for path in sorted(Path(root).rglob("*")):
        sha.update(f"{path} {path.stat().st_mtime_ns}".encode())
        sha.update(path.read_bytes() if path.is_file() else b"")
    return sha.hexdigest()


def asked(world: World, live: bool, emc: bool) -> dict[str, Any]:
    return {
        "source": world.tenant.client() if live else None,
        "target": world.tenant.target if emc else None,
    }


def rehearsed(world: World, *, live: bool = True, emc: bool = True, **more: Any) -> Rehearsal:
    """A rehearsal of the tenant's sheet that leaves store and EMC as they were (L1)."""
    world.emc.sim("DELETE", "requests")
    before, had = digest(world.store.root), world.state()
    found = rehearse(world.store, LINK, world.tenant.mapping, FORMAT, NOW, **asked(world, live, emc), **more)
    assert digest(world.store.root) == before
    assert world.state() == had
    requests = world.emc.sim("GET", "requests")
    written = {name for name in requests if not name.startswith("GET ")} - READS
    assert not written
    return found


def traced(world: World, who: str, *, live: bool = True, emc: bool = True, **more: Any) -> Trace:
    before, had = digest(world.store.root), world.state()
    found = trace(world.store, LINK, world.tenant.mapping, FORMAT, NOW, who, **asked(world, live, emc), **more)
    assert digest(world.store.root) == before
    assert world.state() == had
    return found


def agrees(found: Rehearsal, job: Job) -> None:
    """Counts, changes, holds, warnings and ID変更 are those of the run."""
    sets = job.record.json("diff")["sets"]
    assert found.counts == {name: one["counts"] for name, one in sets.items()}
    assert found.changed == {name: one["changed"] for name, one in sets.items()}
    assert [asdict(hold) for hold in found.holds] == job.record.json("hold")["holds"]
    warnings = job.record.json("warnings")
    people = sorted((group.kind, one.id, one.crew_id) for group in found.warnings for one in group.people)
    assert people == sorted(map(tuple, warnings["people"]))
    assert [(one.crew_id, one.old, one.new) for one in found.id_changes] == [tuple(r) for r in warnings["id_changes"]]


def changes(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]], item: str) -> tuple[int, int]:
    """Of the people who stayed in EMC: how many have another value now, and how many lost theirs."""
    pairs = [(before[i].get(item) or "", after[i].get(item) or "") for i in before.keys() & after.keys()]
    return sum(a != b and b != "" for a, b in pairs), sum(a != b and b == "" for a, b in pairs)


def figures_agree(found: Rehearsal, before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> None:
    """The changed and cleared values of each item are those that EMC shows afterwards."""
    for one in found.users:
        if one.key not in ("user_id", "password"):
            name = one.item.partition(":")[0]
            assert (one.changed, one.cleared) == changes(before, after, name), one.item
            added = sum(bool(after[i].get(name)) for i in after.keys() - before.keys())
            assert one.created == added, one.item


@pytest.mark.parametrize("emc", [True, False])
def test_who_stopped_before_emc_answered_does_not_say_that_it_was_compared(linked: World, emc: bool) -> None:
    """EMC away: what was received is said, and that the comparison did not come to its end; without a stop, with what."""
    compared = "EMCの現在の登録内容と比べました。" if emc else "EMCは前回確定した内容のままとみなしました。"
    well = rehearsed(linked, emc=emc)
    assert compared in read_in_words(well.read, emc_asked=well.emc_asked, stopped=well.stop is not None)
    if not emc:
        return
    linked.emc.sim("POST", "faults", [{"path": "/api/v1/users/search", "kind": "maintenance_503", "times": 100}])
    found = rehearse(linked.store, LINK, linked.tenant.mapping, FORMAT, NOW, **asked(linked, True, True))
    linked.emc.sim("DELETE", "faults")
    assert found.stop is not None
    assert "メンテナンス中" in found.stop.message
    said = read_in_words(found.read, emc_asked=found.emc_asked, stopped=found.stop is not None)
    assert said == "SmartHRを今受信しました。EMCの登録内容と比べ終わる前に止まりました。"


def test_e6_e12_an_ordinary_day(linked: World) -> None:
    """E6, E8, E12: joiners, leavers, a retired one, one renumbered, one without a number, movers: all as told."""
    linked.day(joiners=3, leavers=1, retirements=1, renumbered=1, lost_codes=1, moves=4)
    found = rehearsed(linked, shown=None)
    assert found.verdict == "writes"
    before, job = linked.users(), linked.tenant.plan(manual=False)
    assert linked.tenant.load(job) == "loaded"

    agrees(found, job)
    figures_agree(found, before, linked.users())
    assert found.sheet == ()
    assert found.effect is None
    assert {"lost_id", "gone", "created", "id_change", "ordinary"} <= {one.kind for one in found.samples}
    assert len(found.samples) == 10
    assert len({one.crew_id for one in found.samples}) == 10
    assert rehearsed(linked).verdict == "unchanged"


def test_e14_a_changed_item_with_a_live_read(linked: World) -> None:
    """E14: another source for one item, which no earlier read had: old → new in words, and what that alone changes."""
    linked.tenant.mapping = full_mapping(SHEET | {"検索ワード1:勤務地": "雇用形態"})
    linked.day(moves=2)
    found = rehearsed(linked)
    before, job = linked.users(), linked.tenant.plan()
    linked.tenant.load(job)

    agrees(found, job)
    figures_agree(found, before, linked.users())
    assert [str(line) for line in found.sheet] == ["ユーザデータ 検索ワード1:勤務地(SmartHR項目): 事業所 → 雇用形態"]
    changed = sum(changes(before, linked.users(), "検索ワード1"))
    assert changed > 2
    assert found.effect is not None
    assert found.effect.items == {"検索ワード1:勤務地": changed}  # the moves are not the sheet's doing
    assert found.effect.people == changed
    assert found.effect.unsure == ()


def test_e14_e42_a_changed_item_that_the_stored_read_has(linked: World) -> None:
    """E14, E42: without SmartHR and EMC, from what the last run read: the same figures as the run."""
    linked.tenant.mapping = full_mapping(SHEET | {"検索ワード1:勤務地": "部署1(コード)"})
    found = rehearsed(linked, live=False, emc=False)
    before, job = linked.users(), linked.tenant.plan()
    linked.tenant.load(job)

    assert found.missing == ()
    assert found.read is not None
    assert not found.read.live
    agrees(found, job)
    figures_agree(found, before, linked.users())
    assert found.effect is not None
    assert found.effect.items == {"検索ワード1:勤務地": sum(changes(before, linked.users(), "検索ワード1"))}


def test_e3_what_the_stored_read_lacks_is_named_and_the_rest_rehearsed(linked: World) -> None:
    """E3: an item that the old sheet did not read is unknown until a live read; the others are told."""
    linked.tenant.mapping = full_mapping(
        SHEET
        | {"検索ワード1:勤務地": "職種", "緊急連絡2 アドレス": "緊急連絡先(電話番号)", "検索ワード2:勤務形態": "事業所"}
    )
    found = rehearsed(linked, live=False)
    assert [(one.source, one.items) for one in found.missing] == [
        ("緊急連絡先(電話番号)", ("緊急連絡2 アドレス",)),
        ("職種", ("検索ワード1:勤務地",)),
    ]
    unknown = {one.item for one in found.users if one.unknown}
    assert unknown == {"検索ワード1:勤務地", "緊急連絡2 媒体", "緊急連絡2 アドレス"}
    told = next(one for one in found.users if one.key == "search_word_2")
    assert told.changed > 0
    assert found.effect is not None
    assert set(found.effect.unsure) == unknown

    linked.tenant.mapping = full_mapping(SHEET | {"ユーザID": "SmartHRアカウントID"})
    with pytest.raises(LinkStateError, match="SmartHRアカウントID"):
        rehearsed(linked, live=False)


def test_e25_e32_a_changed_prefix(linked: World) -> None:
    """E25, E32: 通常 would be refused with the run's own words; 再連携 tells what it would delete and add."""
    linked.tenant.change(id_prefix="new-")
    found = rehearsed(linked, live=False)
    assert found.verdict == "stopped"
    assert found.stop is not None
    assert "再連携" in found.stop.message
    assert found.stop.subject == "EMC-ERROR-S(Setting NG)"
    assert [str(line) for line in found.sheet] == ["連携情報 ID付与コード: (なし) → new-"]

    found, people = rehearsed(linked, live=False, mode=Mode.RELINK, shown=None), len(linked.active())
    job = linked.tenant.plan(Mode.RELINK)
    agrees(found, job)
    assert found.verdict == "held"
    assert found.counts["users"]["deleted"] == found.counts["users"]["created"] == people
    assert found.effect is not None
    assert (found.effect.renamed, found.effect.people) == (people, people)
    assert found.effect.departments > 0
    stages.approve.decide(job, True, "tanaka", "", NOW)
    linked.tenant.load(job)
    full_name = next(one for one in found.users if one.key == "full_name")
    assert full_name.created == len(linked.users())


def test_e31_a_first_link(world: World) -> None:
    """E31: without a baseline everything is new, or adopted where EMC has it; a stored read there is not yet."""
    with pytest.raises(LinkStateError, match="受信データがありません"):
        rehearsed(world, live=False)
    known = ids(world.active())[:3]
    for user_id in known:
        world.somebody(user_id)
    found = rehearsed(world)
    before, job = world.users(), world.tenant.plan()
    stages.approve.decide(job, True, "運用", "確認した", NOW)
    world.tenant.load(job)

    agrees(found, job)
    figures_agree(found, before, world.users())
    assert found.first_link
    assert [group.count for group in found.warnings if group.kind == "adopted"] == [3]
    assert found.sheet == ()


def test_e29_an_error_row(linked: World) -> None:
    """E29, L2: every problem of the run, grouped, with the people; figures and samples are told all the same."""
    linked.day(blank_names=2, joiners=1)
    found = rehearsed(linked)
    with pytest.raises(RecordError):
        linked.tenant.run(run_id="bad")

    problems = linked.tenant.record("bad").table("problems")
    assert found.verdict == "errors"
    assert found.problem_count == len(problems) == 2
    (group,) = found.problems
    assert (group.item, group.kind, group.count) == ("氏名", "required", 2)
    assert sorted(one.crew_id for one in group.people) == sorted(problems["crew_id"])
    assert next(one for one in found.users if one.key == "full_name").refused == 2
    assert {"problems", "ordinary"} <= {one.kind for one in found.samples}
    assert found.samples[-1].problems == ()
    assert not found.holds_known


def test_e29_yesterdays_failed_read_is_rehearsed_with_the_mended_sheet(linked: World) -> None:
    """E29: the newest read counts, although its run failed: a デフォルト lets it through."""
    linked.day(blank_names=1)
    linked.tenant.now = NOW + dt.timedelta(days=1)
    with pytest.raises(RecordError):
        linked.tenant.run(run_id="bad")
    assert rehearsed(linked, live=False).verdict == "errors"
    mended = ("姓", "SET", "DEFAULT:未登録", "SET", "DEFAULT:未登録")
    linked.tenant.mapping = full_mapping(SHEET | {"氏名": mended, "氏名(ヨミ)": mended})

    found = rehearsed(linked, live=False)
    assert found.verdict == "writes"
    assert found.problem_count == 0
    assert next(one for one in found.users if one.key == "full_name").defaulted == 1


def test_e34_e35_e42_guards_that_would_hold(linked: World) -> None:
    """E34, E42: the same guards with the same figures as the run."""
    linked.day(leavers=8)
    found = rehearsed(linked)
    job = linked.tenant.plan()
    agrees(found, job)
    assert found.verdict == "held"
    assert [hold.kind for hold in found.holds] == ["delete_users"]

    linked.tenant.change(guards=dataclasses.replace(Guards(), delete_users_percent=90.0))
    assert rehearsed(linked).verdict == "writes"


def test_l4_an_unsettled_load_stays_unsettled(linked: World) -> None:
    """L4: with EMC's answer the rehearsal goes on as the run would; without it, it says why it cannot."""
    lock = ImportLock(AccountFolder(linked.store, LINK, "acme"))
    pending = PendingImport("acme", "x", import_key("acme", "0" * 64), "0" * 64, 1, NOW.isoformat())
    assert lock.acquire(pending)
    assert rehearsed(linked).verdict == "unchanged"
    found = rehearsed(linked, emc=False)
    assert found.stop is not None
    assert "まだ確認できていません" in found.stop.message
    assert lock.pending() == pending


def test_l3_a_load_that_nobody_heard_of_is_what_the_rehearsal_compares_with(linked: World) -> None:
    """L3, L4: EMC committed, and the process died before the baseline moved: the next run starts from the truth."""
    linked.day(joiners=2)
    assert linked.tenant.run(run_id="dead") == "loaded"
    done = linked.tenant.record("dead")
    load, plan = done.json("load"), done.json("plan")
    linked.store.delete(f"{LINK}/tenants/acme/baselines/00000002.json")
    pending = PendingImport("acme", done.run, load["import_key"], plan["digest"], 1, NOW.isoformat())
    assert ImportLock(AccountFolder(linked.store, LINK, "acme")).acquire(pending)

    found = rehearsed(linked)
    assert found.verdict == "unchanged"
    assert found.counts["users"]["previous_valid"] == len(linked.active())
    full_name = next(one for one in rehearsed(linked, mode=Mode.WRITE_ALL).users if one.key == "full_name")
    assert (full_name.same, full_name.created) == (len(linked.active()), 0)
    assert linked.tenant.generation() == 1
    job = linked.tenant.plan()
    agrees(found, job)


def test_e27_an_id_of_another_tenant_is_an_error(linked: World) -> None:
    """E27: the second company of the account hears of the clash before its first link, and what a prefix does to it."""
    first, linked.tenant = linked.tenant, linked.join("beta", seed=8, size=5)
    session = Recording("shr_sim_beta")
    linked.tenant.sessions.append(session)
    more = {"source": SmartHRClient(session, linked.smarthr.url, 1000), "target": first.target}
    found = rehearse(linked.store, LINK, linked.tenant.mapping, FORMAT, NOW, **more)
    assert found.verdict == "errors"
    assert {group.kind for group in found.problems} == {"other_tenant"}
    assert found.clashing_tenants == ("acme",)
    linked.tenant.change(id_prefix="b-")
    assert rehearse(linked.store, LINK, linked.tenant.mapping, FORMAT, NOW, **more).verdict == "writes"


def test_e14_what_somebody_changed_in_emc_by_hand_is_seen(linked: World) -> None:
    """E14: asked, EMC says what it has now; 全件書き込み would put it right."""
    user_id = ids(linked.active())[0]
    linked.by_hand("PATCH", "users", user_id, 氏名="別人")
    full_name = [one for one in rehearsed(linked, mode=Mode.WRITE_ALL).users if one.key == "full_name"]
    assert [one.changed for one in full_name] == [1]
    offline = rehearsed(linked, mode=Mode.WRITE_ALL, live=False, emc=False)
    assert [one.changed for one in offline.users if one.key == "full_name"] == [0]


@pytest.mark.parametrize("key", ["emp_code", "id", "email"])
def test_e5_one_person_by_any_key(linked: World, key: str) -> None:
    """E5: 社員番号, crew id and mail address name the same person; every item is explained, no password shown."""
    one = linked.active()[0]
    linked.day(moves=1)
    found = traced(linked, one[key])
    (person,) = found.people
    assert (person.crew_id, person.user_id, person.operation, person.in_baseline) == (
        one["id"],
        one["emp_code"],
        "更新",
        True,
    )
    items = {item.key: item for item in person.items}
    name = f"{one['last_name']}　{one['first_name']}"
    assert (items["full_name"].value, items["full_name"].sent, items["full_name"].emc) == (name, name, name)
    assert (items["full_name"].cell, items["full_name"].word) == ("更新処理: 値がある場合", "更新")
    password = items["password"]
    assert (password.value, password.sent, password.emc) == ("(非表示)", None, None)
    assert "値は表示しません" not in password.note
    assert [term.value for term in password.terms] == ["(非表示)"]


def test_e8_why_somebody_is_not_in_emc(linked: World) -> None:
    """E7, E8, E9: retired, gone, without an id, never heard of: one sentence each."""
    before = {crew["id"]: crew["emp_code"] for crew in linked.active()}
    touched = linked.day(leavers=1, retirements=1, lost_codes=1)
    for kind, text in (("leavers", "いなくなった"), ("retirements", "退職済"), ("lost_codes", "値が無くなった")):
        (crew_id,) = touched[kind]
        for who in (crew_id, before[crew_id]):
            found = traced(linked, who)
            assert text in found.answer, kind
            assert "削除" in found.answer
            assert [one.crew_id for one in found.people] == [crew_id]
    linked.somebody("kanrisha")
    assert "EMCには同じユーザIDの登録があります" in traced(linked, "kanrisha").answer
    assert "一致する人がいません" in traced(linked, "nobody").answer


def test_l2_somebody_elses_error_is_the_reason(linked: World) -> None:
    """L2: a joiner is not in EMC because another one's name is blank; the other because of their own."""
    touched = linked.day(blank_names=1, joiners=1)
    assert "ほかの社員または部署に誤りが1件" in traced(linked, touched["joiners"][0]).answer
    own = traced(linked, touched["blank_names"][0])
    assert "この人に誤りが1件" in own.answer
    (item,) = [item for item in own.people[0].items if item.problems]
    assert item.item == "氏名"
    assert item.word == "エラー"


def test_e6_several_people_are_listed(linked: World) -> None:
    """E10: two with one mail address are both shown, and the answer says how to name one of them."""
    first, second = linked.active()[:2]
    linked.patch(second["id"], email=first["email"])
    found = traced(linked, first["email"])
    assert {one.crew_id for one in found.people} == {first["id"], second["id"]}
    assert "2人" in found.answer


def test_s4_e42_why_somebody_is_in_emc_by_smarthr_as_it_is_now(linked: World) -> None:
    """S4, E42, L1: told as the record tells it, of what the next run does; by name too. Nothing is written anywhere."""
    leaver, mover = linked.active()[0], linked.active()[1]
    linked.company("DELETE", f"companies/acme/crews/{leaver['id']}")
    linked.patch(mover["id"], last_name="小鳥遊")
    before, had = digest(linked.store.root), linked.state()

    def told(who: str) -> Explanation:
        return explain_now(linked.store, LINK, linked.tenant.mapping, FORMAT, NOW, who, **asked(linked, True, True))

    gone, moved = told(leaver["emp_code"]), told("小鳥遊")
    assert digest(linked.store.root) == before
    assert linked.state() == had
    assert gone.answer.startswith("EMCに登録されています")
    assert "SmartHRの受信データにいなくなったため、EMCから削除します。" in gone.answer
    (one,) = moved.people
    assert one.person.crew_id == mover["id"]
    assert [step.passed.value for step in one.steps] == ["✓", "✓", "✓", "✓", "✓", "✓", "–", "✓"]
    assert "次の実行で登録します" in one.steps[6].reason
    assert moved.at == NOW.isoformat()
    assert "当てはまる人がいません" in told("nobody").answer


def test_l8_what_would_keep_somebody_from_emc_is_told_of_the_next_run(linked: World) -> None:
    """L8: a hold, an error of another's row, a run that would not even begin."""
    linked.tenant.mapping = dataclasses.replace(
        linked.tenant.mapping, guards=Guards(delete_users_percent=1, delete_users_least=1)
    )
    linked.day(leavers=3)
    who = linked.active()[0]["emp_code"]

    def step(name: str) -> tuple[str, str]:
        found = explain_now(linked.store, LINK, linked.tenant.mapping, FORMAT, NOW, who, **asked(linked, True, True))
        (one,) = found.people
        return next((each.passed.value, each.reason) for each in one.steps if each.name == name)

    sign, reason = step("保留")
    assert (sign, "登録の前に承認を待ちます" in reason) == ("✕", True)
    linked.patch(linked.active()[1]["id"], last_name="", first_name="")
    assert "ほかの社員または部署に誤りが" in step("検査")[1]
    stopped = dataclasses.replace(linked.tenant.mapping, state=LinkState.FROZEN)
    found = explain_now(linked.store, LINK, stopped, FORMAT, NOW, who, **asked(linked, True, True))
    assert found.answer.startswith("実行できないため、判断できません。連携解除中")
