"""Routes of `/_sim`: what salespeople, an administrator and データクレンジング do, and what a test has to know."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Response
from pydantic import AwareDatetime, Field, NonNegativeInt, ValidationError

from simulators.hotprofile import invent
from simulators.hotprofile.instance import Instance, Kind, Row, Settings, Strict, User, Values
from simulators.hotprofile.reading import told


class Seed(Strict):
    """All records anew, invented from `seed`; updated evenly between the two moments, or all at the latter."""

    clients: NonNegativeInt = 0
    leads: NonNegativeInt = 0
    seed: int = 1
    departments_each: int = Field(2, ge=0, le=9)
    first_id: int = Field(1, ge=1)
    updated_from: AwareDatetime | None = None
    updated_to: AwareDatetime | None = None


class Written(Strict):
    """When a change was made (now, unless said), and how many seconds later readers see it."""

    at: AwareDatetime | None = None
    visible_after_s: float = Field(0.0, ge=0)


class NewRecords(Written):
    """Records with the given values, the others invented; `id` among the values, or the next free one."""

    records: list[Values]


class Change(Written):
    values: Values


class Many(Written):
    """The given records, or `count` of them from `first_id` on, get the values at one second, or `spread_s` apart."""

    ids: list[int] | None = None
    first_id: int = 1
    count: NonNegativeInt = 0
    values: Values = Field(default_factory=dict)
    spread_s: float = Field(0.0, ge=0)


class Cleansing(Strict):
    """What データクレンジング does to a company: a new id, the old one in a custom item (guess: where)."""

    new_id: int | None = None
    label: str = "旧会社ID"


class NewUser(Strict):
    name: str
    key: str | None = None


def build_control(instance: Instance) -> APIRouter:
    router = APIRouter(prefix="/_sim")

    def now() -> int:
        return int(instance.clock.seconds())

    def row_of(kind: Kind, number: int) -> Row:
        instance.settle()
        if number not in instance.tables[kind].rows:
            raise HTTPException(404, f"no {kind} {number}")
        return instance.tables[kind].rows[number]

    def checked(kind: Kind, values: Values) -> Values:
        known = invent.company(1, 1) if kind == "clients" else invent.lead(1, 1, 1, "", None)
        if unknown := sorted(values.keys() - known.keys()):
            raise HTTPException(422, f"{kind} have no {', '.join(unknown)}")
        return values

    def change(kind: Kind, number: int, values: Values, when: Written, at: int | None = None) -> None:
        old = row_of(kind, number)
        at = at if at is not None else int(when.at.timestamp()) if when.at else now()
        merged = dict(instance.tables[kind].values(number)) | values
        instance.write(kind, number, Row(merged, old.created, at, old.seen_by), when.visible_after_s)

    @router.post("/reset", status_code=204)
    async def reset() -> Response:
        """One user `tantou` with the key `hp_sim_key`, no record, the machine's time. Faults are apart."""
        instance.empty()
        return Response(status_code=204)

    @router.post("/seed")
    async def seed(new: Seed) -> dict[str, int]:
        last = int(new.updated_to.timestamp()) if new.updated_to else now()
        first = int(new.updated_from.timestamp()) if new.updated_from else last
        instance.departments_each = new.departments_each
        instance.invent(new.seed, new.first_id, new.clients, new.leads, first, last)
        return {kind: len(table.ids) for kind, table in instance.tables.items()}

    @router.patch("/departments/{number:int}")
    async def rename_department(number: int, name: str, touch: bool = True) -> int:
        """A department's new name on all its leads; without `touch` their updated_at stays. How many leads it has."""
        leads = instance.tables["leads"]
        mine = [each for each in leads.ids if leads.values(each)["organization_id"] == number]
        instance.renamed[number] = name
        for each in mine:
            values = {"organization_name": name, "organization_hierarchy": [name]}
            change("leads", each, values, Written(visible_after_s=0), None if touch else leads.rows[each].updated)
        return len(mine)

    @router.get("/{kind}")
    async def listed(kind: Kind, first: int = 0, limit: int = 1000) -> list[Values]:
        """Records from id `first` on, whoever may see them; late changes that are not seen yet are not in it."""
        instance.settle()
        table = instance.tables[kind]
        return [told(table, each) for each in table.ids if each >= first][:limit]

    @router.post("/{kind}", status_code=201)
    async def add(kind: Kind, new: NewRecords) -> list[int]:
        instance.settle()
        made = []
        at = int(new.at.timestamp()) if new.at else now()
        for given in new.records:
            values = dict(given)
            number = int(values.pop("id", 0)) or instance.free_id(kind)
            table = instance.tables[kind]
            seen_by = values.pop("seen_by", None)
            row = Row(dict(table.invented(number)) | checked(kind, values), at, at)
            row.seen_by = None if seen_by is None else frozenset(seen_by)
            instance.write(kind, number, row, new.visible_after_s)
            made.append(number)
        return made

    @router.post("/{kind}/many")
    async def change_many(kind: Kind, many: Many) -> int:
        """How many were changed."""
        ids = many.ids
        if ids is None:
            ids = [each for each in instance.tables[kind].ids if each >= many.first_id][: many.count]
        values = checked(kind, many.values)
        began = int(many.at.timestamp()) if many.at else now()
        for index, number in enumerate(ids):
            change(kind, number, values, many, began + int(index * many.spread_s))
        return len(ids)

    @router.patch("/{kind}/{number:int}")
    async def change_one(kind: Kind, number: int, given: Change) -> Values:
        """The record as readers see it now."""
        values = dict(given.values)
        if "seen_by" in values:
            seen_by = values.pop("seen_by")
            row_of(kind, number).seen_by = None if seen_by is None else frozenset(seen_by)
            instance.tables[kind].touch()
            if not values:  # who may see a record is no change of the record
                return told(instance.tables[kind], number)
        change(kind, number, checked(kind, values), given)
        return told(instance.tables[kind], number)

    @router.delete("/{kind}/{number:int}", status_code=204)
    async def remove(kind: Kind, number: int) -> Response:
        row_of(kind, number)
        instance.tables[kind].drop(number)
        return Response(status_code=204)

    @router.post("/clients/{number:int}/cleanse")
    async def cleanse(number: int, given: Cleansing) -> dict[str, int]:
        """The company under a new id, updated now; its leads go with it, as changes of their own."""
        old = row_of("clients", number)
        table = instance.tables["clients"]
        new_id = given.new_id or instance.free_id("clients")
        values = dict(table.values(number))
        values["items"] = [*values["items"], {"label": given.label, "value": str(number)}]
        leads = instance.leads_of(number)
        table.drop(number)
        table.put(new_id, Row(values, old.created, now()))
        for lead in leads:
            change("leads", lead, {"client_id": new_id}, Written(visible_after_s=0))
        return {"id": new_id}

    @router.put("/users/{code}", status_code=204)
    async def put_user(code: str, user: NewUser) -> Response:
        """A user, and the key that is theirs."""
        known = instance.users.get(code)
        instance.users[code] = User(known.id if known else len(instance.users) + 1, code, user.name)
        if user.key:
            instance.keys[user.key] = code
        return Response(status_code=204)

    @router.delete("/users/{code}", status_code=204)
    async def delete_user(code: str) -> Response:
        """The user is gone; their key is refused."""
        if instance.users.pop(code, None) is None:
            raise HTTPException(404, f"no user {code}")
        return Response(status_code=204)

    return router


def build_settings(instance: Instance) -> APIRouter:
    """Settings and counters."""
    router = APIRouter(prefix="/_sim")

    @router.get("/settings")
    async def settings() -> Settings:
        return instance.settings

    @router.post("/settings")
    async def set_settings(given: Values) -> Settings:
        """Those that are sent; the others stay. What was spent is forgotten."""
        try:
            instance.settings = Settings.model_validate(instance.settings.model_dump() | given)
        except ValidationError as error:
            raise HTTPException(422, error.errors(include_context=False, include_url=False)) from error
        instance.spent.clear()
        return instance.settings

    @router.get("/requests")
    async def requests() -> dict[str, Any]:
        """`counts` by path and status; `asked`: the latest 100,000 searches, oldest first."""
        return {"counts": dict(instance.counts), "asked": list(instance.asked)}

    @router.delete("/requests", status_code=204)
    async def forget() -> Response:
        instance.counts.clear()
        instance.asked.clear()
        instance.spent.clear()
        return Response(status_code=204)

    return router
