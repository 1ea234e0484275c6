"""What is to be said of the companies' sheets: by the folder of mappings and the links' own checks, without Airflow's database."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence, Set
from functools import partial
from pathlib import Path
from typing import Any

from renkei import settings
from renkei.orchestration.connections import open_store
from renkei.orchestration.link import LINKS, Link, split_dag_id
from renkei.orchestration.sheet_review import review_content
from renkei.sheets.bounded import NotCompiledError, WorkbookMarker
from renkei.sheets.compiled import digest_of
from renkei.sheets.difference import SheetLine, differences
from renkei.sheets.grants import Grants, read_grants
from renkei.sheets.placed import folder_fault, suffix_of
from renkei.sheets.review import Review
from renkei.sheets.tenant_files import tenants
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.services import Refused
from renkei.web.tenant_sheet import TenantSheet

AT_ONCE = 2  # reviews: each has a process of its own
WAITS_S = 20.0  # for a place among them
REMEMBERED, REMEMBERED_BYTES = 32, 64_000_000  # reviews, and the files that they hold
BUSY = "ほかのシートを確認しています。少し待ってから、もう一度操作してください。"


class SheetReviews:
    """The part of `renkei.web.sheet_facts.Sheets` that needs no Airflow but its Connections."""

    def __init__(self, dag_file: str = "") -> None:
        """`dag_file` is where default paths are beside of; a subclass may know each Dag's own."""
        self._dag_file = dag_file
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[Any, ...], Review] = OrderedDict()

    def dag_file(self, link: Link, dag_id: str = "") -> str:
        """The file of a company's Dag, or any of the link's."""
        return self._dag_file

    def of(self, dag_id: str) -> TenantSheet:
        link, tenant = split(dag_id)
        folder = TenantFolder(open_store(), link.name, tenant)
        return TenantSheet(folder, mappings(link, self.dag_file(link, dag_id)))

    def review(self, dag_id: str, file_name: str, content: bytes, among: Set[str] | None = None) -> Review:
        """What was said of the same bytes stands for a while, unless another sheet of the folder has changed."""
        link, tenant = split(dag_id)
        dag_file = self.dag_file(link, dag_id)
        folder = mappings(link, dag_file)
        grants = read_grants(settings.operator_file(dag_file)).of(tenant)
        others = None if among is None else frozenset(among)
        key = (dag_id, suffix_of(file_name), digest_of(content), grants, others, _signature(folder))
        with self._lock:
            if found := self._known.get(key):
                return found
        neighbours = [
            file.path
            for file in tenants(folder)
            if not file.problem and file.tenant != tenant and (others is None or file.tenant in others)
        ]
        found = self._reviewed(link, tenant, file_name, content, grants, neighbours)
        if not found.is_read:
            return found
        with self._lock:
            self._known[key] = found
            while len(self._known) > REMEMBERED or (len(self._known) > 1 and self._size() > REMEMBERED_BYTES):
                self._known.popitem(last=False)
        return found

    def _size(self) -> int:
        return sum(len(one.content) for one in self._known.values())

    def links(self) -> Mapping[str, str]:
        return {link.name: link.label for link in LINKS.values()}

    def folder_fault(self, link: str) -> str:
        return folder_fault(mappings(LINKS[link], self.dag_file(LINKS[link])))

    def marked(self, dag_id: str, review: Review) -> bytes:
        link, _ = split(dag_id)
        titles = link.titles() if link.titles else {}
        try:
            with _Place(self._places), WorkbookMarker() as marker:
                return marker.mark(review.content, review.problems, review.warnings, titles)
        except NotCompiledError:
            raise Refused("色付きの控えを作れませんでした。しばらくしてから、もう一度操作してください。") from None

    def differences(self, dag_id: str, old: Any, new: Any) -> Sequence[SheetLine]:
        link, _ = split(dag_id)
        compare = link.differences() if link.differences else partial(differences, labels={})
        return compare(old, new)

    def _reviewed(
        self, link: Link, tenant: str, file_name: str, content: bytes, grants: Grants, neighbours: Sequence[Path]
    ) -> Review:
        with _Place(self._places):
            return review_content(link, tenant, file_name, content, grants, neighbours)


class _Place:
    """One of the places for processes of ours beside the server."""

    def __init__(self, places: threading.BoundedSemaphore) -> None:
        self._places = places

    def __enter__(self) -> None:
        if not self._places.acquire(timeout=WAITS_S):
            raise Refused(BUSY)

    def __exit__(self, *_: object) -> None:
        self._places.release()


def split(dag_id: str) -> tuple[Link, str]:
    """The link and the tenant of a company."""
    named = split_dag_id(dag_id)
    assert named is not None
    return LINKS[named[0]], named[1]


def mappings(link: Link, dag_file: str) -> Path:
    return settings.mappings_folder(dag_file, link.name)


def _signature(folder: Path) -> tuple[Any, ...]:
    """Another one whenever a sheet of the folder is another one."""
    try:
        return tuple(
            sorted((path.name, (found := path.stat()).st_mtime_ns, found.st_size) for path in folder.iterdir())
        )
    except OSError:
        return ()
