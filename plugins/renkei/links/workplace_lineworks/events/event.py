"""A workflow event as it is pushed at us: our own contract, not WORKPLACE's (include/contracts/workplace.openapi.yaml)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from renkei.errors import RenkeiError

MAX_RECIPIENTS = 500
Kind = Literal["requested", "approved", "rejected", "returned", "withdrawn", "completed", "referenced", "commented"]
Id = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[0-9A-Za-z._:-]+$")]
UserId = Annotated[str, Field(min_length=1, max_length=100)]
EARLIEST, LATEST = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2000, 2100))
Moment = Annotated[
    AwareDatetime, Field(ge=EARLIEST, lt=LATEST)
]  # what is near the ends of all time cannot be reckoned with


class BadEventError(RenkeiError):
    """It is no event of our contract; the text names fields, and quotes nothing (L6)."""


class _Model(BaseModel):
    # Fields that we do not know are passed over: the contract may grow.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Document(_Model):
    """What the event is about."""

    id: Id
    number: str = Field("", max_length=100)  # 文書番号
    title: str = Field("", max_length=10_000, repr=False)  # a message shows its beginning
    url: str = Field("", max_length=1000, repr=False)


class WorkflowEvent(_Model):
    """One event. `sequence` counts the events of its document from 1; without it they count as they arrive."""

    id: Id
    kind: Kind
    occurred_at: Moment
    document: Document
    recipients: tuple[UserId, ...] = Field(min_length=1, max_length=MAX_RECIPIENTS, repr=False)
    sequence: int | None = Field(None, ge=1, le=10**9)


def event_of(body: bytes) -> WorkflowEvent:
    """The event that a body is.

    Raises:
        BadEventError: it is none.
    """
    try:
        return WorkflowEvent.model_validate_json(body)
    except ValidationError as error:
        raise BadEventError(_said(error)) from None


def events_of(body: bytes) -> list[WorkflowEvent]:
    """The events that a file has: one, or a list of them.

    Raises:
        BadEventError: one of them is none.
    """
    try:
        return _EVENTS.validate_json(body) if body.lstrip()[:1] == b"[" else [event_of(body)]
    except ValidationError as error:
        raise BadEventError(_said(error)) from None


_EVENTS = TypeAdapter(list[WorkflowEvent])


def _said(error: ValidationError) -> str:
    found = error.errors(include_input=False, include_url=False, include_context=False)[:5]
    faults = [f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['type']}" for one in found]
    return f"通知の形が正しくありません（{'、'.join(faults)}）。"
