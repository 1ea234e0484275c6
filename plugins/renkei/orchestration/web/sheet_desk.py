"""Sheets changed by pages: the folder of mappings, the link's own checks, and Airflow's word on which sheet is loaded."""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from airflow.models.dag import DagModel
from airflow.models.dagbag import DagPriorityParsingRequest
from airflow.models.log import Log
from airflow.models.serialized_dag import SerializedDagModel
from airflow.utils.session import create_session
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from renkei import settings
from renkei.orchestration import jobs
from renkei.orchestration.connections import open_store
from renkei.orchestration.link import LINKS, Link, split_dag_id
from renkei.orchestration.sheet_review import as_file
from renkei.orchestration.web import state
from renkei.orchestration.web.sheets import dag_file_of
from renkei.sheets.bounded import Compiler, Marker, NotCompiledError
from renkei.sheets.compiled import digest_of
from renkei.sheets.difference import SheetLine, differences
from renkei.sheets.grants import Grants, read_grants
from renkei.sheets.placed import folder_fault, suffix_of
from renkei.sheets.review import Review
from renkei.sheets.tenant_files import tenants
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.services import Refused
from renkei.web.sheet_facts import SheetForm, SheetTry
from renkei.web.tenant_sheet import TenantSheet

EVENT = "renkei_sheet_enabled"
AT_ONCE = 2  # reviews: each has a process of its own
WAITS_S = 20.0  # for a place among them
REMEMBERED = 32  # reviews
BUSY = "ほかのシートを確認しています。少し待ってから、もう一度操作してください。"
_HEAD = re.compile(r"連携設定シート: .*（`([0-9a-f]{12})`）")  # of a Dag's page (documentation.page_of)


class AirflowSheets:
    """`renkei.web.sheet_facts.Sheets`."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[Any, ...], Review] = OrderedDict()

    def of(self, dag_id: str) -> TenantSheet:
        link, tenant, dag_file = _found(dag_id)
        return TenantSheet(TenantFolder(open_store(), link.name, tenant), _mappings(link, dag_file))

    def review(self, dag_id: str, file_name: str, content: bytes, among: Set[str] | None = None) -> Review:
        """What was said of the same bytes stands for a while, unless another sheet of the folder has changed."""
        link, tenant, dag_file = _found(dag_id)
        mappings = _mappings(link, dag_file)
        grants = read_grants(settings.operator_file(dag_file)).of(tenant)
        others = None if among is None else frozenset(among)
        key = (dag_id, suffix_of(file_name), digest_of(content), grants, others, _signature(mappings))
        with self._lock:
            if found := self._known.get(key):
                return found
        neighbours = [
            file.path
            for file in tenants(mappings)
            if not file.problem and file.tenant != tenant and (others is None or file.tenant in others)
        ]
        found = self._reviewed(link, tenant, file_name, content, grants, neighbours)
        with self._lock:
            self._known[key] = found
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found

    def links(self) -> Mapping[str, str]:
        return {link.name: link.label for link in LINKS.values()}

    def folder_fault(self, link: str) -> str:
        return folder_fault(_mappings(LINKS[link], _any_dag_file(LINKS[link])))

    def marked(self, dag_id: str, review: Review) -> bytes:
        link = _link(dag_id)
        titles = link.titles() if link.titles else {}
        try:
            with _Place(self._places), Marker() as marker:
                return marker.mark(review.content, review.problems, review.warnings, titles)
        except NotCompiledError:
            raise Refused("色付きの控えを作れませんでした。しばらくしてから、もう一度操作してください。") from None

    def differences(self, dag_id: str, old: Any, new: Any) -> Sequence[SheetLine]:
        link = _link(dag_id)
        compare = link.differences() if link.differences else partial(differences, labels={})
        return compare(old, new)

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
        _hurry(dag_id)

    def tries(self, dag_id: str) -> Sequence[SheetTry]:
        view = link.console() if (link := _link(dag_id)).console else None
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

    def _reviewed(
        self, link: Link, tenant: str, file_name: str, content: bytes, grants: Grants, neighbours: Sequence[Path]
    ) -> Review:
        with (
            _Place(self._places),
            as_file(tenant, file_name, content) as file,
            Compiler(link.sheets()) as compiler,
        ):
            return link.look()(link, file, tenant, grants, neighbours, compiler)


class _Place:
    """One of the places for processes of ours beside the API server."""

    def __init__(self, places: threading.BoundedSemaphore) -> None:
        self._places = places

    def __enter__(self) -> None:
        if not self._places.acquire(timeout=WAITS_S):
            raise Refused(BUSY)

    def __exit__(self, *_: object) -> None:
        self._places.release()


def _link(dag_id: str) -> Link:
    named = split_dag_id(dag_id)
    assert named is not None
    return LINKS[named[0]]


def _found(dag_id: str) -> tuple[Link, str, str]:
    """The link, the tenant and the Dag file of a company, one that Airflow does not know yet too."""
    named = split_dag_id(dag_id)
    assert named is not None
    link, known = LINKS[named[0]], state.dags()
    dag_file = known[dag_id].dag_file if dag_id in known else ""
    return link, named[1], dag_file or _any_dag_file(link)


def _any_dag_file(link: Link) -> str:
    return dag_file_of(link, [one for one in state.dags().values() if one.link is link])


def _editor(dag_id: str) -> Any:
    view = link.console() if (link := _link(dag_id)).console else None
    return view.sheet_editor if view else None


def _mappings(link: Link, dag_file: str) -> Path:
    return settings.mappings_folder(dag_file, link.name)


def _signature(folder: Path) -> tuple[Any, ...]:
    """Another one whenever a sheet of the folder is another one."""
    try:
        return tuple(
            sorted((path.name, (found := path.stat()).st_mtime_ns, found.st_size) for path in folder.iterdir())
        )
    except OSError:
        return ()


def _hurry(dag_id: str) -> None:
    """Have the Dag's file parsed next. Without it, it is parsed in its turn."""
    for bundle, file in _files(dag_id):
        with suppress(IntegrityError), create_session() as session:  # it is to be already
            session.add(DagPriorityParsingRequest(bundle, file))


def _files(dag_id: str) -> set[tuple[str, str]]:
    """The file of a Dag; of one that is not there yet every file of its link, the first one of which has no Dag yet."""
    link, named = _link(dag_id).name, DagModel.dag_id
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
