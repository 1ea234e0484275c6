"""Sheets changed by pages: what is said of them, and Airflow's word on which sheet is loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from airflow.models.dag import DagModel
from airflow.models.dagbag import DagPriorityParsingRequest
from airflow.models.log import Log
from airflow.models.serialized_dag import SerializedDagModel
from airflow.utils.session import create_session
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from renkei.channel import Channel
from renkei.orchestration import jobs
from renkei.orchestration.link import Link
from renkei.orchestration.sheet_reviews import SheetReviews, split
from renkei.orchestration.web import state
from renkei.orchestration.web.sheets import dag_file_of
from renkei.sheets.placed import suffix_of
from renkei.sheets.review import Review
from renkei.web.services import Refused
from renkei.web.sheet_facts import SheetForm, SheetTry

EVENT = "renkei_sheet_enabled"
_HEAD = re.compile(r"連携設定シート: .*（`([0-9a-f]{12})`）")  # of a Dag's page (documentation.page_of)


class AirflowSheets(SheetReviews):
    """`renkei.web.sheet_facts.Sheets`."""

    def dag_file(self, link: Link, dag_id: str = "") -> str:
        """Of a company that Airflow does not know yet, too."""
        known = state.dags()
        found = known[dag_id].dag_file if dag_id in known else ""
        return found or dag_file_of(link, [one for one in known.values() if one.link is link])

    def loaded(self, dag_id: str) -> str:
        with create_session() as session:
            row = SerializedDagModel.get(dag_id, session=session)
            data: Any = row.data if row else None
        text = (data or {}).get("dag", {}).get("doc_md") or ""
        found = _HEAD.search(text) if isinstance(text, str) else None
        return found[1] if found else ""

    def enabled(self, dag_id: str, user_name: str, said: Mapping[str, Any]) -> None:
        extra = json.dumps(dict(said), ensure_ascii=False)
        line = Log(event=EVENT, owner=user_name, owner_display_name=user_name, extra=extra, dag_id=dag_id)
        with create_session() as session:
            session.add(line)
        _request_parse(dag_id)

    def tries(self, dag_id: str) -> Sequence[SheetTry]:
        view = link.console() if (link := split(dag_id)[0]).console else None
        return view.sheet_tries if view else ()

    def form(self, dag_id: str, mapping: Any) -> SheetForm | None:
        editor = _editor(dag_id)
        return editor.form(mapping) if editor and mapping is not None else None

    def formed(self, dag_id: str, file_name: str, review: Review, given: Mapping[str, str]) -> bytes:
        editor = _editor(dag_id)
        if editor is None:
            raise Refused("この連携のシートは、画面では編集できません。ファイルをアップロードしてください。")
        found: bytes = editor.formed(review, given, suffix_of(file_name))
        return found

    def with_channels(self, dag_id: str, file_name: str, review: Review, channels: Sequence[Channel]) -> bytes:
        said: tuple[Channel, ...] = tuple(channels)
        mapping: Any = review.mapping
        if hasattr(mapping, "channels"):  # of a link whose sheet keeps them in its mapping
            mapping = replace(mapping, channels=said)
        return self.formed(dag_id, file_name, replace(review, mapping=mapping, channels=said), {})


def _editor(dag_id: str) -> Any:
    view = link.console() if (link := split(dag_id)[0]).console else None
    return view.sheet_editor if view else None


def _request_parse(dag_id: str) -> None:
    """Have the Dag's file parsed next. Without it, it is parsed in its turn."""
    for bundle, file in _files(dag_id):
        with suppress(IntegrityError), create_session() as session:  # it is to be already
            session.add(DagPriorityParsingRequest(bundle, file))


def _files(dag_id: str) -> set[tuple[str, str]]:
    """The file of a Dag; of one that is not there yet every file of its link, the first one of which has no Dag yet."""
    link, named = split(dag_id)[0].name, DagModel.dag_id
    wanted = select(named, DagModel.bundle_name, DagModel.relative_fileloc).where(
        named.startswith(f"{link}__", autoescape=True) | (named == jobs.DAG_ID)
    )
    with create_session() as session:
        found = {one: (bundle, file) for one, bundle, file in session.execute(wanted) if bundle and file}
    ours = found.pop(jobs.DAG_ID, None)
    if dag_id in found:
        return {found[dag_id]}
    if not found and ours:
        return {(ours[0], str(Path(ours[1]).with_name(f"{link}.py")))}
    return set(found.values())
