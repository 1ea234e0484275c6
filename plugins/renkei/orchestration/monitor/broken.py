"""Sheets that cannot be used are seen at once, not at the next 処理時刻 (L5): the operator is told, the Dag turns red."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import TriggerDagRun

from renkei.channel import OPERATOR, Channel, Event
from renkei.orchestration.link import LINKS, dag_id
from renkei.orchestration.monitor.once import Notices
from renkei.orchestration.monitor.operator_channels import airflow_page
from renkei.orchestration.stage import BROKEN
from renkei.sheets.compiled import Compiled
from renkei.systems.delivery import Message, Tone, key_of

log = logging.getLogger(__name__)

MAX_LINES = 20
Start = Callable[[str, str], None]  # a run of this Dag under this run id, if there is none yet


def tell_broken(
    notices: Notices, sheets: Mapping[str, Compiled[Any]], operator: Sequence[Channel], start: Start
) -> None:
    """Tell the operator, once, of each sheet that is broken as it is now, and let its Dag tell the tenant.

    What is wrong stands in the tenant's mail and on its Dag's page: a problem may quote a person (L6).
    """
    broken = {_key(sheet): name for name, sheet in sorted(sheets.items()) if _is_broken(sheet)}
    for key, name in broken.items():
        log.warning("the sheet of tenant=%s cannot be used", name)
        try:
            start(dag_id(notices.link.name, name), f"broken_sheet__{key[:16]}")
        except Exception as error:  # the others are told all the same (L5)
            log.warning("no run of tenant=%s could be started: %s", name, type(error).__name__)
    if broken:
        names = list(broken.values())
        lines = [f"{name}: {len(sheets[name].problems)}件" for name in names[:MAX_LINES]]
        if len(names) > MAX_LINES:
            lines.append(f"ほか{len(names) - MAX_LINES}社")
        message = Message(
            title=f"【警告】{notices.link.label}: {len(names)}社の連携設定シートに誤りがあります",
            lines=(
                *lines,
                "直すまで、この会社の処理は失敗します（EMCのデータはそのままです）。直すところは、その会社のDagのページと"
                "結果通知メールにあります。`renkei check` でも確認できます。",
            ),
            link=airflow_page("/dags?tags=" + BROKEN),
            link_label="誤りのある会社を見る",
            tone=Tone.BAD,
        )
        notices.tell_once(OPERATOR, operator, message, list(broken), Event.FAILURE)


def start_in(context: Any) -> Start:
    """Starts runs by way of the task of this context; one for each run id, and none of a Dag that is switched off."""

    def start(of: str, run_id: str) -> None:
        dag = context["ti"].get_dag(of)
        if dag.is_paused or BROKEN not in dag.tags:  # not read by Airflow yet: the next look starts it
            return
        if context["ti"].get_dr_count(dag_id=of, run_ids=[run_id]):
            return
        # Should the sheet be mended by then, nothing that nobody asked for is loaded.
        conf = {"mode": LINKS[of.partition("__")[0]].form().looking.value}
        task_runner.SUPERVISOR_COMMS.send(TriggerDagRun(dag_id=of, run_id=run_id, conf=conf))

    return start


def _is_broken(sheet: Compiled[Any]) -> bool:
    return sheet.mapping is None and bool(sheet.problems) and not sheet.pending


def _key(sheet: Compiled[Any]) -> str:
    """One per tenant and state of its sheet."""
    return key_of(sheet.tenant, sheet.digest, *map(str, sheet.problems))
