"""Routes of `/_sim`: what members, approvers and administrators do, and what a test has to know."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Response
from pydantic import ValidationError

from simulators.workplace.company import Absence, Application, Change, Company, Settings, Status, Strict


class New(Application):
    """An application, as far as it has come; `id`: a test's own."""

    status: Status = "APPLIED"
    id: str = ""


class Member(Strict):
    name: str


def build_control(company: Company) -> APIRouter:
    router = APIRouter(prefix="/_sim")

    def absence_of(number: str) -> Absence:
        if number not in company.absences:
            raise HTTPException(404, f"no absence {number}")
        return company.absences[number]

    @router.post("/reset", status_code=204)
    async def reset() -> Response:
        company.empty()
        return Response(status_code=204)

    @router.get("/absences")
    async def absences() -> list[dict[str, Any]]:
        return [one.as_json() for one in company.absences.values()]

    @router.post("/absences")
    async def apply(given: list[New]) -> list[str]:
        """New ones, in order; their ids."""
        return [
            company.apply(Application(**one.model_dump(exclude={"status", "id"})), one.status, one.id).id
            for one in given
        ]

    @router.patch("/absences/{number}")
    async def change(number: str, given: Change) -> dict[str, Any]:
        try:
            return company.change(absence_of(number), given).as_json()
        except ValidationError as error:
            raise HTTPException(422, error.errors(include_context=False, include_url=False)) from error

    @router.delete("/absences/{number}", status_code=204)
    async def delete(number: str) -> Response:
        """Gone for good, as if it had never been applied for."""
        company.delete(absence_of(number))
        return Response(status_code=204)

    @router.put("/members/{user_id}", status_code=204)
    async def put_member(user_id: str, member: Member) -> Response:
        company.members[user_id] = member.name
        return Response(status_code=204)

    @router.post("/settings")
    async def set_settings(given: dict[str, Any]) -> Settings:
        try:
            company.settings = Settings.model_validate(company.settings.model_dump() | given)
        except ValidationError as error:
            raise HTTPException(422, error.errors(include_context=False, include_url=False)) from error
        return company.settings

    @router.get("/requests")
    async def requests() -> dict[str, int]:
        """How many of the API were answered, by status."""
        return dict(company.counts)

    return router
