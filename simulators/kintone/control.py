"""Routes of `/_sim`: what an administrator of kintone would click, what a test has to know, all without a login."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException, Response
from pydantic import ValidationError

from simulators.kintone import form
from simulators.kintone.domain import (
    App,
    AppDefinition,
    Caller,
    Definition,
    Domain,
    Person,
    Right,
    Settings,
    Strict,
    Token,
)
from simulators.kintone.errors import KintoneError
from simulators.kintone.records import Writer, told


class Granted(Strict):
    app: int
    rights: list[Right]


class AppChange(Strict):
    """New values of an app's own settings; what is not sent stays."""

    name: str | None = None
    code: str | None = None
    guest_space: int | None = None


def build_control(domain: Domain) -> APIRouter:
    router = APIRouter(prefix="/_sim")
    administrator = Caller({}, "Administrator")

    def app_of(app_id: int) -> App:
        if app_id not in domain.apps:
            raise HTTPException(404, f"no app {app_id}")
        return domain.apps[app_id]

    def changed(app: App) -> dict[str, Any]:
        app.settle()
        app.revision += 1
        app.changed_at = domain.clock.now()
        return summary(app)

    def summary(app: App) -> dict[str, Any]:
        return {
            "id": app.id,
            "name": app.name,
            "code": app.code,
            "guest_space": app.guest_space,
            "revision": app.revision,
            "records": len(app.records),
            "fields": {code: one.definition for code, one in app.fields.items()},
        }

    @router.post("/reset", status_code=204)
    async def reset() -> Response:
        """No app, no user, no count; the machine's time. Faults are apart."""
        domain.empty()
        return Response(status_code=204)

    @router.post("/definition", status_code=204)
    async def define(definition: Definition) -> Response:
        """Add apps, users, organizations and groups; an app takes the place of one with its id."""
        try:
            domain.define(definition)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        return Response(status_code=204)

    @router.get("/apps")
    async def apps() -> list[dict[str, Any]]:
        return [summary(app) for app in domain.apps.values()]

    @router.post("/apps", status_code=201)
    async def put_app(new: AppDefinition) -> dict[str, Any]:
        try:
            return summary(domain.put(new))
        except ValueError as error:
            raise HTTPException(422, str(error)) from error

    @router.patch("/apps/{app_id}")
    async def change_app(app_id: int, change: AppChange) -> dict[str, Any]:
        app = app_of(app_id)
        for name, value in change.model_dump(exclude_unset=True).items():
            setattr(app, name, value)
        return changed(app)

    @router.delete("/apps/{app_id}", status_code=204)
    async def delete_app(app_id: int) -> Response:
        """The app is gone; its tokens stay with nothing to open."""
        app_of(app_id)
        del domain.apps[app_id]
        return Response(status_code=204)

    @router.put("/apps/{app_id}/fields/{code}")
    async def put_field(app_id: int, code: str, raw: dict[str, Any]) -> dict[str, Any]:
        """A field as given, new or in place of the one with its code; values that are there stay."""
        app = app_of(app_id)
        try:
            app.fields[code] = form.field_of(code, raw)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        return changed(app)

    @router.patch("/apps/{app_id}/fields/{code}")
    async def change_field(app_id: int, code: str, change: dict[str, Any]) -> dict[str, Any]:
        """Change parts of a field; `code` renames it, and its values go with it."""
        app = app_of(app_id)
        if code not in app.fields:
            raise HTTPException(404, f"no field {code}")
        new_code = change.pop("code", code)
        try:
            new = form.field_of(new_code, app.fields[code].definition | change)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        app.fields = {
            new_code if name == code else name: new if name == code else one for name, one in app.fields.items()
        }
        if new_code != code:
            for record in app.records.values():
                if code in record.values:
                    record.values[new_code] = record.values.pop(code)
        return changed(app)

    @router.delete("/apps/{app_id}/fields/{code}")
    async def delete_field(app_id: int, code: str) -> dict[str, Any]:
        """The field and all its values are gone."""
        app = app_of(app_id)
        if app.fields.pop(code, None) is None:
            raise HTTPException(404, f"no field {code}")
        for record in app.records.values():
            record.values.pop(code, None)
        return changed(app)

    @router.get("/apps/{app_id}/records")
    async def records(app_id: int) -> list[dict[str, Any]]:
        """Every record by ascending id as code to value, `$id` and `$revision` among them."""
        app = app_of(app_id)
        return [
            {code: cell["value"] for code, cell in told(domain, app, app.records[each], set()).items()}
            for each in app.ids
        ]

    @router.post("/apps/{app_id}/records", status_code=201)
    async def add_records(app_id: int, sent: list[dict[str, Any]]) -> list[int]:
        """Records as a person types them in: code to value, any number at once, checked as the API checks."""
        app = app_of(app_id)
        try:
            with domain.transaction():
                writer = Writer(domain, app, administrator)
                made = [
                    writer.insert({code: {"value": value} for code, value in values.items()}, f"records[{index}]")
                    for index, values in enumerate(sent)
                ]
                writer.finish()
        except KintoneError as error:
            raise HTTPException(422, error.body()) from error
        return [record.id for record in made]

    @router.patch("/apps/{app_id}/records/{record_id}")
    async def change_record(
        app_id: int, record_id: int, values: dict[str, Any], by: str = "Administrator"
    ) -> dict[str, Any]:
        """What the user `by` changes on the record's page."""
        app = app_of(app_id)
        if record_id not in app.records:
            raise HTTPException(404, f"no record {record_id}")
        record = app.records[record_id]
        try:
            with domain.transaction():
                writer = Writer(domain, app, Caller({}, by))
                writer.update(record, {code: {"value": value} for code, value in values.items()}, None, "record")
                writer.finish()
        except KintoneError as error:
            raise HTTPException(422, error.body()) from error
        return {code: cell["value"] for code, cell in told(domain, app, record, set()).items()}

    @router.delete("/apps/{app_id}/records", status_code=204)
    async def delete_records(app_id: int, record_id: int | None = None) -> Response:
        """One record, or all; numbers once given are not given again."""
        app = app_of(app_id)
        if record_id is not None and record_id not in app.records:
            raise HTTPException(404, f"no record {record_id}")
        writer = Writer(domain, app, administrator)
        for record in [app.records[each] for each in (app.ids[:] if record_id is None else [record_id])]:
            writer.delete(record)
        return Response(status_code=204)

    @router.put("/tokens/{token}", status_code=204)
    async def grant(token: str, granted: Granted) -> Response:
        """A token of an app with exactly these rights."""
        domain.tokens[token] = Token(app_of(granted.app).id, frozenset(granted.rights))
        return Response(status_code=204)

    @router.delete("/tokens/{token}", status_code=204)
    async def revoke(token: str) -> Response:
        if domain.tokens.pop(token, None) is None:
            raise HTTPException(404, "no such token")
        return Response(status_code=204)

    @router.put("/users/{code}", status_code=204)
    async def put_user(code: str, user: Person) -> Response:
        domain.users[code] = user
        return Response(status_code=204)

    @router.delete("/users/{code}", status_code=204)
    async def delete_user(code: str) -> Response:
        if domain.users.pop(code, None) is None:
            raise HTTPException(404, f"no user {code}")
        return Response(status_code=204)

    @router.get("/settings")
    async def settings() -> Settings:
        return domain.settings

    @router.post("/settings")
    async def set_settings(given: dict[str, Any]) -> Settings:
        """Those that are sent; the others stay."""
        try:
            domain.settings = Settings.model_validate(domain.settings.model_dump() | given)
        except ValidationError as error:
            raise HTTPException(422, error.errors(include_context=False, include_url=False)) from error
        return domain.settings

    @router.get("/requests")
    async def requests(since: str = "") -> dict[str, Any]:
        """`hours`: requests by app and hour in Japan, from `since` (as 2026-11-29T09) on; the most that ran at once."""
        hours: dict[int, dict[str, int]] = {}
        for (app, hour), count in sorted(domain.counts.items()):
            if hour >= since:
                hours.setdefault(app, {})[hour] = count
        return {"hours": hours, "most_at_once": domain.most_at_once}

    @router.get("/asked")
    async def asked() -> list[dict[str, Any]]:
        """The latest 200,000 requests that were counted, oldest first; those of a bulkRequest one by one."""
        return [asdict(each) for each in domain.asked]

    @router.delete("/requests", status_code=204)
    async def forget_requests() -> Response:
        domain.counts.clear()
        domain.asked = deque(maxlen=domain.asked.maxlen)
        domain.most_at_once = 0
        return Response(status_code=204)

    return router
