"""災害時凍結 is switched: one name put into, or taken out of, the Variable, with a line in Airflow's audit log.

Several people may do so at once, and somebody may write the Variable by hand: so the new value is written only where
the one that was read still stands, in one statement, and read again otherwise. The line that says who and why is of
the same transaction. Only Airflow's API server may use its database like this.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow.models.log import Log
from airflow.models.variable import Variable
from airflow.utils.session import create_session
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from renkei.orchestration.disaster_freeze import VARIABLE, names_as_told, names_in
from renkei.runs.freeze import ALL
from renkei.web.facts import Freeze
from renkei.web.services import Refused, User

EVENTS = {True: "renkei_freeze_on", False: "renkei_freeze_off"}
ATTEMPTS = 5
PAUSES_S = (0.2, 1.0, 3.0)  # before it is tried again on a database that another process has locked
MAX_CHANGES = 500  # that are looked at
MARKED = "災害時凍結（連携の画面で設定できます）"
ELSEWHERE = (
    f"Airflowの変数「{VARIABLE}」の値は、環境変数かシークレットバックエンドで決められているため、この画面では変えられません。"
    "運用担当者が、そこで変更してください。"
)
LOCKED = "Airflowのデータベースに書き込めません。少し待ってから、もう一度操作してください。"
BUSY = "ほかの人の変更と重なりました。画面を開き直して、いまの状態を確認してください。"


@dataclass(frozen=True, slots=True)
class _Stored:
    """The Variable's row; `raw` is None where there is none."""

    raw: str | None
    names: Sequence[str]


def switch(user: User, tenant: str, dag_id: str | None, on: bool, why: str) -> None:
    """Freeze a tenant (`all`: every one), or end that.

    Raises:
        Refused: it is so already, the Variable is set elsewhere, or the database does not take it.
    """
    is_repeated = False
    for pause_s in (*PAUSES_S, None):
        try:
            return _switch(user, tenant, dag_id, on, why, is_repeated)
        except OperationalError:
            if pause_s is None:
                raise Refused(LOCKED) from None
            time.sleep(pause_s)
            is_repeated = True


def _switch(user: User, tenant: str, dag_id: str | None, on: bool, why: str, is_repeated: bool) -> None:
    """As `switch`; may raise OperationalError, where nothing was done, or nobody knows: then `is_repeated` finds it done."""
    for _ in range(ATTEMPTS):
        stored = _stored()
        if set(stored.names) != (
            names_as_told() or set()
        ):  # changed just now, or another place comes before the database
            continue
        if (tenant in stored.names) is on:
            if is_repeated:
                return
            raise Refused(_already(tenant, on))
        names = [*stored.names, tenant] if on else [name for name in stored.names if name != tenant]
        if _write(stored, ",".join(names), _line(user, tenant, dag_id, on, why)):
            return
    raise Refused(BUSY if set(_stored().names) == (names_as_told() or set()) else ELSEWHERE)


def changes() -> list[Freeze]:
    """Who switched what, the newest first."""
    wanted = select(Log.event, Log.dttm, Log.owner_display_name, Log.extra).where(Log.event.in_(EVENTS.values()))
    with create_session() as session:
        rows = list(session.execute(wanted.order_by(Log.id.desc()).limit(MAX_CHANGES)))
    found = []
    for row in rows:
        given = _given(row.extra)
        found.append(
            Freeze(
                str(given.get("tenant", "")),
                row.event == EVENTS[True],
                row.dttm,
                str(row.owner_display_name or ""),
                str(given.get("reason", "")),
            )
        )
    return found


def _given(extra: str | None) -> dict[str, Any]:
    try:
        given = json.loads(extra or "")
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _stored() -> _Stored:
    with create_session() as session:
        row = session.execute(select(Variable._val, Variable.is_encrypted).where(Variable.key == VARIABLE)).first()
    if row is None:
        return _Stored(None, ())
    kept = Variable()  # type: ignore[no-untyped-call]
    kept._val, kept.is_encrypted = row[0], row[1]
    value = kept.get_val()  # type: ignore[no-untyped-call]
    if value is None:
        raise Refused(f"Airflowの変数「{VARIABLE}」を復号できません。運用担当者が、Fernetキーを確認してください。")
    return _Stored(row[0], names_in(value))


def _write(stored: _Stored, value: str, line: Log) -> bool:
    """False where the Variable is not any more what it was."""
    new = Variable(key=VARIABLE, val=value, description=MARKED)  # type: ignore[no-untyped-call]
    try:
        with create_session() as session:
            if stored.raw is None:
                session.add(new)
            else:
                unchanged = update(Variable).where(Variable.key == VARIABLE, Variable._val == stored.raw)
                values = {"_val": new._val, "is_encrypted": new.is_encrypted}
                done: Any = session.execute(unchanged.values(values).execution_options(synchronize_session=False))
                if done.rowcount != 1:
                    return False
            session.add(line)
    except IntegrityError:  # somebody made the Variable meanwhile
        return False
    return True


def _line(user: User, tenant: str, dag_id: str | None, on: bool, why: str) -> Log:
    said = json.dumps({"tenant": tenant, "reason": why}, ensure_ascii=False)
    return Log(event=EVENTS[on], owner=user.name, owner_display_name=user.name, extra=said, dag_id=dag_id)


def _already(tenant: str, on: bool) -> str:
    whose = "全社" if tenant == ALL else tenant
    last = next((one for one in changes() if one.tenant == tenant and one.on is on), None)
    by = f"{last.by}さんが、" if last and last.by else ""
    return f"{by}先に{whose}の災害時凍結を{'設定' if on else '解除'}しました。画面を開き直して、いまの状態を確認してください。"
