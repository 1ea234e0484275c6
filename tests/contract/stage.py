"""A company, an EMC account and the tenants between them, for tests of whole runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from renkei.links.smarthr_emc.stages.job import Job
from renkei.storage.store import Store
from tests.contract.conftest import Simulator
from tests.contract.emc_client import Emc
from tests.contract.rig import Tenant, mapping_of

SIZE = 40


class Stage:
    """Company and EMC account `acme` with one tenant between them."""

    def __init__(self, emc: Emc, smarthr: Simulator, folder: Path) -> None:
        self.emc = emc
        self.smarthr = smarthr
        self.folder = folder
        self.store = Store(LocalFileSystem(), str(folder / "store"))
        self.tenants: list[Tenant] = []
        self.tenant = self.join("acme", seed=4, size=SIZE)

    def join(self, name: str, seed: int, size: int, **settings: Any) -> Tenant:
        """Another company that shares the EMC account."""
        self.smarthr.sim("POST", "companies", {"name": name, "seed": seed, "size": size})
        sheet = settings.pop("sheet", None)
        tenant = Tenant.over_http(
            self.store, mapping_of(sheet, tenant=name, **settings), self.smarthr.url, self.emc.url
        )
        self.tenants.append(tenant)
        return tenant

    def day(self, name: str = "acme", **changes: int) -> dict[str, Any]:
        found: dict[str, Any] = self.smarthr.sim("POST", f"companies/{name}/day", changes)
        return found

    def crews(self, name: str = "acme") -> dict[str, dict[str, Any]]:
        """Everybody whom SmartHR has, by crew id."""
        return {crew["id"]: crew for crew in self.smarthr.sim("GET", f"companies/{name}/crews")}

    def patch(self, crew_id: str, **values: Any) -> None:
        self.smarthr.sim("PATCH", f"companies/acme/crews/{crew_id}", values)

    def active(self, name: str = "acme") -> list[dict[str, Any]]:
        """The valid crews, by user id."""
        crews = [c for c in self.crews(name).values() if c["emp_status"] != "retired" and c["emp_code"]]
        return sorted(crews, key=lambda crew: crew["emp_code"])

    def dissolve(self) -> str:
        """A department without children goes; its people have no department then."""
        departments = self.smarthr.sim("GET", "companies/acme/departments")
        parents = {department["parent"]["id"] for department in departments if department["parent"]}
        leaf = next(department for department in departments if department["id"] not in parents)
        self.smarthr.sim("DELETE", f"companies/acme/departments/{leaf['id']}")
        return str(leaf["code"])

    def users(self) -> dict[str, dict[str, str]]:
        return self.emc.export("users")

    def state(self) -> tuple[Any, Any, int]:
        """What must not move when a run writes nothing."""
        return self.users(), self.emc.export("departments"), self.tenant.generation()

    def opened(self) -> int:
        """Imports that were opened, by anybody."""
        return int(self.emc.sim("GET", "/requests").json().get("POST /api/v1/imports", 0))


@dataclass
class FirstLink:
    """What a first link leaves behind, kept because most tests begin after it."""

    store: Path
    export: dict[str, list[dict[str, str]]]


def ids(crews: list[dict[str, Any]]) -> list[str]:
    return [crew["emp_code"] for crew in crews]


def warned(job: Job, kind: str) -> set[str]:
    """Crew ids that the run warns of."""
    return {crew_id for found, _, crew_id in job.record.json("warnings")["people"] if found == kind}
