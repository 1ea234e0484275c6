"""What a company's own people did, and the operator has to go on with: told once, at the watch's next look (S2, S3, S5).

They upload a sheet or connect their source system on the お客様ページ, whose service has no database of Airflow's; and they
may take back what they allowed, in the source system itself.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from renkei.channel import OPERATOR, Channel, Event
from renkei.errors import RenkeiError
from renkei.orchestration.link import dag_id
from renkei.orchestration.monitor.once import Notices
from renkei.orchestration.monitor.operator_channels import console_page
from renkei.sheets.compiled import Compiled
from renkei.sheets.placed import is_yaml, suffix_of
from renkei.sheets.review import Review
from renkei.storage import customer_acts
from renkei.storage.customer_acts import CustomerAct, CustomerActKind
from renkei.storage.source_grants import SourceGrants, void_tenants
from renkei.storage.versions import Version, Versions
from renkei.systems.delivery import Message, Tone, key_of
from renkei.web.tenant_sheet import note_review

log = logging.getLogger(__name__)

MAX_TOLD = 20  # told at a look; the others are the next one's
MAX_READ = 500  # of them: what left nothing holds up nobody else's
CLOCKS = dt.timedelta(minutes=5)  # by which two machines' may differ
LASTS_S = 60.0  # for how long sheets are looked through at a look
UNDONE = dt.timedelta(hours=1)  # what left nothing by then was not done
UNHEARD = dt.timedelta(days=30)  # kept for an operator without a channel
HEARD_AS = (Event.HOLD, Event.FAILURE)  # the first that a channel of the operator's hears of
UNREAD = "お客様の操作がありましたが、内容を読み取れませんでした。画面で確認してください。"
ReviewSheet = Callable[[str, str, bytes], Review]  # tenant, file name, content
CompiledSheets = Mapping[str, Compiled[Any]]


def tell_customers(
    notices: Notices, operator: Sequence[Channel], sheets: CompiledSheets, review_sheet: ReviewSheet
) -> None:
    """Tell the operator of one link's companies. A crash between message and note tells twice, never not at all.

    A sheet waits for the operator, so it is 保留; where none of the channels hears of 保留, it is told as 失敗.
    """
    link, store = notices.link.name, notices.store
    noted = customer_acts.noted(store, link, MAX_READ)
    told = notices.told_before(OPERATOR)
    event = next((event for event in HEARD_AS if any(one.wants(event) for one in operator)), None)
    said: dict[str, tuple[str, str]] = {}  # by the note's name: the line, and the address of its page
    until = time.monotonic() + LASTS_S
    for name, act in noted.items():
        if name in told or notices.now - act.at > UNHEARD:
            customer_acts.forget(store, link, name)
        elif event and len(said) < MAX_TOLD and time.monotonic() < until:
            if line := _line_or_fault(notices, act, sheets, review_sheet):
                said[name] = line
            elif notices.now - act.at > UNDONE:
                customer_acts.forget(store, link, name)
    if said and event:
        has_sheet = any(noted[name].act is CustomerActKind.SHEET for name in said)
        message = _message(notices.link.label, list(said.values()), has_sheet)
        notices.tell_once(OPERATOR, operator, message, list(said), event)
        if over := said.keys() & notices.told_before(OPERATOR).keys():
            for name in over:
                customer_acts.forget(store, link, name)
            notices.forget(OPERATOR, over)


def tell_void(notices: Notices, operator: Sequence[Channel], sheets: CompiledSheets) -> None:
    """Tell the operator once of each grant that was revoked or has ended: until a person allows it anew nothing is read."""
    told, new = notices.told_before(OPERATOR), {}
    for tenant in sorted(void_tenants(notices.store, notices.link.name)):
        number, _ = SourceGrants(notices.folder(tenant)).newest()
        if (key := key_of("void", tenant, str(number))) not in told:
            new[key] = tenant
    if new:
        source, names = notices.link.source, list(new.values())
        lines = [f"{_company(sheets, one)}: {_page(notices, one)}" for one in names[:MAX_TOLD]]
        more = [f"ほか{len(names) - MAX_TOLD}社"] if len(names) > MAX_TOLD else []
        message = Message(
            title=f"【失敗】{notices.link.label}: {source}の再認可が必要です（{len(names)}社）",
            lines=(
                *lines,
                *more,
                f"{source}の許可が取り消されたか、期限が切れました。もう一度「連携する」まで、この会社の処理は失敗します"
                f"（{notices.link.target}のデータはそのままです）。お客様に、お客様ページか{source}での操作を依頼してください。",
            ),
            link=console_page(),
            link_label="連携一覧を開く",
            tone=Tone.BAD,
        )
        notices.tell_once(OPERATOR, operator, message, list(new), Event.FAILURE)


def _line_or_fault(
    notices: Notices, act: CustomerAct, sheets: CompiledSheets, review_sheet: ReviewSheet
) -> tuple[str, str] | None:
    """As `_line`; what cannot be read is a fault of the watch for an hour, then it is told as it is."""
    try:
        return _line(notices, act, sheets, review_sheet)
    except RenkeiError as error:  # the others are told all the same (L5)
        if notices.now - act.at > UNDONE:
            return f"{_company(sheets, act.tenant)}: {UNREAD}", _page(notices, act.tenant)
        fault = f"{act.tenant}: お客様の操作を確かめられませんでした（{type(error).__name__}）。"
        if fault not in notices.faults:
            notices.faults.append(fault)
        return None


def _line(
    notices: Notices, act: CustomerAct, sheets: CompiledSheets, review_sheet: ReviewSheet
) -> tuple[str, str] | None:
    """What was done, and the page of it; None where it left nothing."""
    company = _company(sheets, act.tenant)
    if act.act is CustomerActKind.CONNECTION:
        _, grant = SourceGrants(notices.folder(act.tenant)).newest()
        if grant is None or not grant.is_valid or grant.by != act.by or (grant.allowed_at or grant.at) < act.at:
            return None
        return f"{company}: {notices.link.source}と連携しました。", _page(notices, act.tenant)
    versions = Versions(notices.folder(act.tenant))
    found = _uploaded(versions, act)
    if found is None:
        return None
    number, version = found
    review = review_sheet(act.tenant, version.file_name, versions.content(version))
    note_review(versions, number, review)
    errors, doubts = len(review.problems) + len(review.misplaced), len(review.warnings) + len(review.beside)
    # Not by its name, which may be a person's (L6): the page has it.
    kind = "YAML" if is_yaml(suffix_of(version.file_name)) else "Excel"
    counts = f"誤り{errors}件、注意{doubts}件" if errors or doubts else "誤りも注意もありません"
    line = f"{company}: 連携設定シート（{kind}、版{number}）をアップロードしました。{counts}。"
    return line, _page(notices, act.tenant, "sheets", str(number))


def _uploaded(versions: Versions, act: CustomerAct) -> tuple[int, Version] | None:
    """The version that the act made."""
    for number in versions.numbers():
        version = versions.read(number)
        if act.at - version.at > CLOCKS:
            return None
        if (version.digest, version.by, version.at) == (act.digest, act.by, act.at):
            return number, version
    return None


def _message(label: str, said: Sequence[tuple[str, str]], has_sheet: bool) -> Message:
    alone = len(said) == 1
    shown = [text + (f" {address}" if address and not alone else "") for text, address in said]
    return Message(
        title=f"【確認】{label}: お客様の操作があります（{len(said)}件）",
        lines=(*shown, *(["シートは、画面で確かめて「有効にする」まで使いません。"] if has_sheet else [])),
        link=said[0][1] if alone else console_page(),
        link_label="画面を開く" if alone else "連携一覧を開く",
    )


def _company(sheets: CompiledSheets, tenant: str) -> str:
    found = sheets.get(tenant)
    return f"{found.company_name}（{tenant}）" if found and found.company_name else tenant


def _page(notices: Notices, tenant: str, *parts: str) -> str:
    return console_page("dag", dag_id(notices.link.name, tenant), *parts)
