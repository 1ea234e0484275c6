"""Reads that do not give everybody or everything: nobody at all, wrong totals, an attribute that became empty (E33)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from renkei.errors import FetchError
from tests.harness.tenant import Run, fails
from tests.harness.world import World
from tests.proof.guards.judgement import company_of, judged, link, stopped
from tests.proof.guards.limits import under
from tests.proof.tried import Try, case

TORN = ("empty", "short_total", "wrong_total", "null_crew", "missing_id", "not_json", "forbidden", "expired_token")
# wire field → what the message must name
HIDDEN = {
    "emp_code": "社員番号",
    "last_name": "姓",
    "first_name": "名",
    "last_name_yomi": "姓(ヨミガナ)",
    "first_name_yomi": "名(ヨミガナ)",
    "departments": "部署1(コード)",
    "email": "メールアドレス",
    "tel_number": "電話番号",
    "custom_fields": "勤務形態",
    "employment_type": "雇用形態",
    "emp_status": "在籍状況",
}


@case(
    "guards",
    "torn reads: nobody at all, totals that do not fit, an attribute that nobody has any more",
    "L1 E33",
    "stopped, the attribute named, EMC and baseline as before; once mended the next run loaded, EMC as expected",
)
def torn_reads(world: World, full: bool) -> Iterator[Try]:
    company_of(world, 12)
    kept = link(world)
    ours = world.ours()
    tries: list[tuple[str, str, dict[str, Any]]] = [(kind, "", {}) for kind in TORN]
    for wire, word in HIDDEN.items():
        how = "null" if len(wire) % 2 else "omitted"
        tries.append((f"{wire} {how}", word, {"hidden_fields": [wire], "hidden_as": how}))
    for how, word, hidden in tries if full else tries[:1]:
        if hidden:
            world.smarthr.sim("PATCH", "companies/acme", hidden)
        else:
            world.smarthr.fault(kind=how, times=None)
        wrong = stopped(world, kept, FetchError, word)
        world.smarthr.sim("DELETE", "faults")
        world.smarthr.sim("PATCH", "companies/acme", {"hidden_fields": []})
        world.day(moves=1)
        expected = world.expected(world.export(), ours)
        error = fails(Run(world.tenant, "tomorrow"))
        yield how, wrong + ([f"not mended: {error!r}"] if error else world.wrong_end(expected, 2))
        world.back_to(kept)


@case(
    "guards",
    "an item that becomes empty for all, for all but one, or was empty before",
    "L1 E33 E35",
    "for all: stopped; for all but one: held; what nobody had at the baseline stops nothing",
)
def empty_for_all(world: World) -> Iterator[Try]:
    crews = company_of(world, 12)
    kept = link(world)
    for slot, (wire, word) in enumerate((("email", "メールアドレス"), ("tel_number", "電話番号")), 1):
        world.back_to(kept)
        under(world, clear_percent=10, clear_least=5)
        for crew_id in crews[1:]:
            world.patch(crew_id, **{wire: None})
        yield f"{wire}, all but one", judged(world, kept, [f"clear:contact_{slot}_address"])[1]
        world.back_to(kept, smarthr=False)
        world.patch(crews[0], **{wire: None})
        yield f"{wire}, all", stopped(world, kept, FetchError, word)
