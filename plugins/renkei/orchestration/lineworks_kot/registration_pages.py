"""LINE WORKSのAPI登録 in text 4's two stages: the agreement, the app's credentials, the Bot Secret (P2, P3, P4).

What is entered goes into the Connection as the user who presses, and is never shown again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from renkei import settings
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.credentials import blank_fault
from renkei.links.lineworks_kot.registration import (
    AGREED,
    DONE,
    FIRST_DONE,
    note_registration,
    read_registration,
    was_called_back,
)
from renkei.orchestration.lineworks_kot.company import database, mapping_of
from renkei.orchestration.lineworks_kot.jobs import TRY
from renkei.orchestration.lineworks_kot.lineworks import connection_of
from renkei.orchestration.web import registering
from renkei.systems.lineworks.auth import PEM, bot_fault
from renkei.texts import Fault
from renkei.web.console import guard
from renkei.web.console.jobs import newest, start
from renkei.web.console.page import go_to, page

router = APIRouter()
MAX_FIELD, MAX_KEY = 300, 10_000  # characters
LABELS = {
    "client_id": "Client ID",
    "client_secret": "Client Secret",
    "service_account": "Service Account",
    "private_key": "Private Key",
    "bot_id": "Bot ID",
    "bot_secret": "Bot Secret",
}
Text = Annotated[str, Form(max_length=MAX_FIELD)]


@router.get("/dag/{dag_id}/lineworks")
def registration(request: Request, access: guard.EditsDag) -> Response:
    return _page(request, access)


@router.post("/dag/{dag_id}/lineworks/agree")
def agree(request: Request, access: guard.PostsEditsDag, agreed: Text = "") -> Response:
    """「使用する」: who agreed, and when (P2)."""
    if not agreed:
        return _page(
            request,
            access,
            [Fault(f"「{AGREED}」にチェックが入っていません", "お読みのうえ、チェックを入れてください")],
        )
    values = {"agreed_at": access.services.now(), "agreed_by": access.user.name}
    note_registration(database(), access.tenant_of(LINK), **values)
    return go_to(request, "dag", access.company.dag_id, "lineworks")


@router.post("/dag/{dag_id}/lineworks/first")
async def first(
    request: Request,
    access: guard.PostsEditsDag,
    client_id: Text = "",
    client_secret: Text = "",
    service_account: Text = "",
    bot_id: Text = "",
    private_key: Annotated[str, Form(max_length=MAX_KEY)] = "",
    connection_digest: Text = "",
) -> Response:
    """第一段階: what was entered is kept as the user, and then tried."""
    given = {
        "client_id": client_id,
        "client_secret": client_secret,
        "service_account": service_account,
        "private_key": private_key.replace("\r\n", "\n"),
        "bot_id": bot_id,
    }
    tenant = access.tenant_of(LINK)
    if faults := first_faults(given):
        return await run_in_threadpool(_page, request, access, faults, given)
    if not (await run_in_threadpool(read_registration, database(), tenant)).agreed_at:
        fault = Fault("利用規約への同意がまだです", f"「{AGREED}」にチェックを入れて登録してください")
        return await run_in_threadpool(_page, request, access, [fault], given)
    extra = {name: given[name] for name in ("service_account", "private_key", "bot_id")}
    values = {"login": given["client_id"], "password": given["client_secret"]}
    await access.services.actions.register(
        request, connection_of(tenant), "lineworks", values, extra, connection_digest
    )
    await run_in_threadpool(note_registration, database(), tenant, first_at=None, second_at=None)
    return await run_in_threadpool(start, request, access, TRY, {"by": access.user.name})


@router.post("/dag/{dag_id}/lineworks/second")
async def second(
    request: Request, access: guard.PostsEditsDag, bot_secret: Text = "", connection_digest: Text = ""
) -> Response:
    """ボットシークレット: whether it is right, the first signed message says."""
    tenant = access.tenant_of(LINK)
    faults = [*_missing({"bot_secret": bot_secret})]
    if not faults and not (await run_in_threadpool(read_registration, database(), tenant)).first_at:
        faults = [Fault("第一段階のAPI登録がまだです", "先に、Client IDなどを登録してください")]
    if faults:
        return await run_in_threadpool(_page, request, access, faults)
    extra = {"bot_secret": bot_secret}
    await access.services.actions.register(request, connection_of(tenant), "lineworks", {}, extra, connection_digest)
    values = {"second_at": access.services.now(), "second_by": access.user.name}
    await run_in_threadpool(note_registration, database(), tenant, None, **values)
    return go_to(request, "dag", access.company.dag_id, "lineworks")


def first_faults(given: Mapping[str, str]) -> list[Fault]:
    """Everything that is wrong with the first stage's fields, each by its name (P4); no value is quoted."""
    key = given["private_key"]
    faults = [*_missing({name: value for name, value in given.items() if name != "private_key"})]
    if not key.strip():
        faults.append(
            Fault("Private Keyが空白です", "Developer Consoleの「Private Key」のファイルの内容を貼り付けてください")
        )
    elif not (found := PEM.fullmatch(key.strip())) or not re.fullmatch(r"[A-Za-z0-9+/=\n]+", found[2].strip("\n")):
        remedy = "BEGIN の行から END の行までを、空白を加えずにそのまま貼り付けてください"
        faults.append(Fault("Private Keyが秘密鍵の形ではありません", remedy))
    if given["bot_id"] and not blank_fault("", given["bot_id"]) and (wrong := bot_fault(given["bot_id"])):
        faults.append(Fault(wrong, "Developer Consoleの「Bot」に表示される数字を入力してください"))
    return faults


def _missing(given: Mapping[str, str]) -> list[Fault]:
    found = []
    for name, value in given.items():
        label = LABELS[name]
        if not value:
            found.append(Fault(f"{label}が空白です", f"Developer Consoleの{label}をコピーして入力してください"))
        elif fault := blank_fault(label, value):
            found.append(fault)
        elif not value.isascii():
            found.append(
                Fault(f"{label}に全角の文字があります", f"Developer Consoleの{label}をコピーして入力してください")
            )
    return found


def _page(
    request: Request, access: guard.Access, faults: Sequence[Fault] = (), given: Mapping[str, str] | None = None
) -> Response:
    """Of what was given wrongly, only what is no secret comes back."""
    tenant, kept = access.tenant_of(LINK), read_registration(database(), access.company.tenant)
    return page(
        request,
        "lineworks_kot/registration.html",
        400 if faults else 200,
        one=access.company,
        mapping=mapping_of(access),
        kept=kept,
        said=DONE if kept.second_at else FIRST_DONE if kept.first_at else "",
        called_back=bool(kept.second_at)
        and was_called_back(database(), tenant, kept.second_at or access.services.now()),
        faults=faults,
        given={
            name: value for name, value in (given or {}).items() if name in ("client_id", "service_account", "bot_id")
        },
        connection=connection_of(tenant),
        digest=registering.digest(connection_of(tenant)),
        callback=f"{where}/renkei/lineworks/{tenant}/callback" if (where := settings.public_url()) else "",
        AGREED=AGREED,
        jobs=newest(access),
        now=access.services.now(),
    )
