"""What a Dag knows of its tenant when it is parsed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from renkei import settings
from renkei.channel import Channel, result_mail
from renkei.errors import MappingError, SheetPendingError
from renkei.orchestration import connections
from renkei.orchestration.form import RunRequest
from renkei.orchestration.link import Link, dag_id
from renkei.sheets.compiled import Compiled
from renkei.sheets.grants import NOTHING, Grants, read_grants
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants
from renkei.storage.tenant_folder import TenantFolder


@dataclass(frozen=True, slots=True)
class Tenant:
    """One company of one link: its sheet, and what the operator grants it."""

    link: Link
    name: str
    sheet: Compiled[Any]
    sheet_file: str
    dag_file: str  # beside which everything lies that no setting puts elsewhere
    grants: Grants = NOTHING

    @property
    def dag_id(self) -> str:
        return dag_id(self.link.name, self.name)

    def folder(self) -> TenantFolder:
        """Where the store keeps what is this tenant's.

        Raises:
            StoreError: it cannot be opened.
        """
        return TenantFolder(connections.open_store(), self.link.name, self.name)

    @property
    def mapping(self) -> Any:
        """What the sheet says, as its link reads it.

        Raises:
            MappingError: it cannot be used.
            SheetPendingError: it is not read yet.
        """
        self._refuse_pending()
        if self.sheet.mapping is None:
            raise MappingError(self.sheet.problems)
        return self.sheet.mapping

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Where results are told: 結果通知先メールアドレス, then the sheet's 通知 (of a broken sheet, what is sound of it).

        Raises:
            SheetPendingError: it is not read yet.
        """
        self._refuse_pending()
        return (*result_mail(self.sheet.result_addresses), *self.sheet.channels)

    def _refuse_pending(self) -> None:
        if self.sheet.pending:
            raise SheetPendingError("\n".join(map(str, self.sheet.problems)))

    def run_request(self, context: Any) -> RunRequest:
        """What this run was asked to do; raises as `Form.run_request`."""
        return self.link.form().run_request(context)

    def is_test(self, context: Any) -> bool:
        return self.link.form().is_test(context)


def find_tenant(link: Link, name: str, dag_file: str, patience_s: float) -> Tenant:
    """A tenant by its sheet as it is now; an empty one where the file is gone, a pending one after `patience_s`."""
    grants = read_grants(settings.operator_file(dag_file)).of(name)
    try:
        files = [file for file in tenants(settings.mappings_folder(dag_file, link.name)) if file.tenant == name]
    except OSError:
        files = []
    if not files:
        return Tenant(link, name, Compiled(name, "", None), "", dag_file, grants)
    (sheet,) = load_all(link.sheets(), files[:1], settings.index_folder(), settings.allowed_hosts(), patience_s)
    return Tenant(link, name, link.check_grants()(sheet, grants, files[0].name), files[0].name, dag_file, grants)
