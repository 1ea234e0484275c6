"""A company, an EMC account and the tenant between them, that can be put back to any moment, and what is right there."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from fsspec.implementations.local import LocalFileSystem

from renkei.storage.store import Store
from tests.harness.emc import Emc
from tests.harness.expected import FILES, Export, differences, written_by_sheet
from tests.harness.sheet import full_mapping
from tests.harness.smarthr import SmartHR
from tests.harness.tenant import LINK, Tenant


@dataclass
class Kept:
    """A moment to come back to: SmartHR, EMC and the store."""

    script: int
    store: Path
    emc: Export


class World:
    """Company and EMC account `acme` with one tenant between them."""

    def __init__(self, smarthr: SmartHR, emc: Emc, folder: Path, size: int = 40, seed: int = 4) -> None:
        self.smarthr, self.emc, self.folder = smarthr, emc, folder
        self.script: list[tuple[str, str, Any]] = []
        self.store = Store(LocalFileSystem(), str(folder / "store"))
        self.tenants: list[Tenant] = []
        self.tenant = self.join("acme", seed, size)

    def join(self, name: str, seed: int, size: int, **settings: Any) -> Tenant:
        """A company that gets a tenant of its own in the EMC account."""
        self.company("POST", "companies", {"name": name, "seed": seed, "size": size})
        mapping = full_mapping(settings.pop("sheet", None), tenant=name, **settings)
        self.tenants.append(Tenant.over_http(self.store, mapping, self.smarthr.url, self.emc.url))
        return self.tenants[-1]

    def close(self) -> None:
        for tenant in self.tenants:
            tenant.close()

    # --- SmartHR

    def company(self, method: str, path: str, body: Any = None) -> Any:
        """Something happens in SmartHR."""
        self.script.append((method, path, body))
        return self.smarthr.sim(method, path, body)

    def day(self, name: str = "acme", **changes: int) -> dict[str, Any]:
        """A day passes; the crew ids touched, by kind."""
        found: dict[str, Any] = self.company("POST", f"companies/{name}/day", changes)
        return found

    def crews(self, name: str = "acme") -> dict[str, dict[str, Any]]:
        """Everybody whom SmartHR has, by crew id."""
        return {crew["id"]: crew for crew in self.smarthr.sim("GET", f"companies/{name}/crews")}

    def active(self, name: str = "acme") -> list[dict[str, Any]]:
        """The valid crews that have a number (E7), by user id."""
        crews = [c for c in self.crews(name).values() if c["emp_status"] != "retired" and c["emp_code"]]
        return sorted(crews, key=lambda crew: crew["emp_code"])

    def codes(self) -> set[str]:
        """社員番号 of everybody who is valid."""
        return {crew["emp_code"] for crew in self.active()}

    def patch(self, crew_id: str, **values: Any) -> None:
        self.company("PATCH", f"companies/acme/crews/{crew_id}", values)

    def departments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.smarthr.sim("GET", "companies/acme/departments")
        return found

    def found_department(self, code: str, parent_id: str | None = None) -> str:
        body = {"name": f"新設{code}", "code": code, "parent_id": parent_id}
        return str(self.company("POST", "companies/acme/departments", body)["id"])

    def dissolve(self) -> str:
        """A department without children goes; its people have no department then."""
        departments = self.departments()
        parents = {department["parent"]["id"] for department in departments if department["parent"]}
        leaf = next(department for department in departments if department["id"] not in parents)
        self.company("DELETE", f"companies/acme/departments/{leaf['id']}")
        return str(leaf["code"])

    # --- EMC

    def users(self) -> dict[str, dict[str, str]]:
        return self.emc.export("users")

    def export(self) -> Export:
        found = {file: self.emc.export(file) for file in FILES}
        for file, id_name in FILES.items():
            for values in found[file].values():
                del values[id_name]
        return found

    def by_hand(self, method: str, file: str, record_id: str = "", **values: str) -> Any:
        """Somebody works on EMC's screen."""
        path = f"accounts/acme/{file}" + (f"/{record_id}" if record_id else "")
        return self.emc.sim(method, path, values if method in ("POST", "PATCH") else None)

    def somebody(self, user_id: str, **values: str) -> None:
        """A user typed in on EMC's screen."""
        typed = {"ユーザID": user_id, "氏名": "手入力", "氏名(ヨミ)": "テニュウリョク"}
        self.by_hand("POST", "users", **typed | values)

    def imports(self) -> Counter[str]:
        """How many imports EMC has in each state."""
        return Counter(self.emc.sim("GET", "accounts/acme")["imports"])

    def sent(self) -> list[str]:
        """The tenant's requests to EMC, in order."""
        return self.tenant.sessions[0].seen

    def opened(self) -> int:
        """Imports that were opened, by anybody."""
        return int(self.emc.sim("GET", "requests").get("POST /api/v1/imports", 0))

    def rest(self, seconds: float) -> None:
        """Requests that are still under way have arrived, and what they began has ended."""
        time.sleep(seconds)
        deadline = time.monotonic() + 10
        while self.imports()["applying"] and time.monotonic() < deadline:
            time.sleep(0.05)

    # --- the store

    def baselines(self) -> dict[str, bytes]:
        """Every baseline file with its content: unmoved is unchanged."""
        found = (self.folder / "store" / LINK / "tenants/acme/baselines").glob("*.json")
        return {path.name: path.read_bytes() for path in found}

    def state(self) -> tuple[Any, ...]:
        """What must not move when a run writes nothing."""
        return self.export(), self.baselines()

    # --- time

    def keep(self, name: str) -> Kept:
        kept, store = self.folder / f"kept-{name}", Path(self.store.root)
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(store, kept) if store.exists() else kept.mkdir()
        return Kept(len(self.script), kept, self.export())

    def back_to(self, kept: Kept, *, smarthr: bool = True) -> None:
        """As it was; `smarthr=False` when nothing happened there since."""
        self.emc.sim("DELETE", "faults")
        self.emc.sim("DELETE", "accounts/acme")
        for file, id_name in FILES.items():
            if rows := [{id_name: key, **values} for key, values in kept.emc[file].items()]:
                self.emc.sim("POST", f"accounts/acme/{file}", rows)
        shutil.rmtree(self.store.root, ignore_errors=True)
        shutil.copytree(kept.store, self.store.root)
        if smarthr and len(self.script) != kept.script:
            self.script = self.script[: kept.script]
            for method, path, body in self.script:
                self.smarthr.sim(method, path, body)

    # --- what is right

    def ours(self) -> dict[str, set[str]]:
        """The ids that SmartHR's present state makes ours."""
        return {
            "departments": {department["code"] for department in self.departments()},
            "users": self.codes(),
        }

    def expected(self, had: Export, ours: dict[str, set[str]]) -> Export:
        """What EMC must hold once SmartHR's present state is linked: `had` before, `ours` of it being ours."""
        places = {p["id"]: p["name"] for p in self.smarthr.get("biz_establishments").json()}
        users = {key: values for key, values in had["users"].items() if key not in ours["users"]}
        for crew in self.active():
            kept = had["users"].get(crew["emp_code"], {"パスワード強制変更": "T"})
            users[crew["emp_code"]] = {k: v for k, v in (kept | written_by_sheet(crew, places)).items() if v}
        departments = {key: values for key, values in had["departments"].items() if key not in ours["departments"]}
        for one in self.departments():
            parent = (one["parent"] or {}).get("code")
            values = {"部署名": one["name"], "部署名(ヨミ)": "ブショ"} | ({"親部署ID": parent} if parent else {})
            departments[one["code"]] = values
        return {"departments": departments, "users": users}

    def wrong_end(self, expected: Export, generation: int) -> list[str]:
        """What is not as it must be once a run has succeeded."""
        wrong = differences(self.export(), expected)
        if self.tenant.generation() != generation:
            wrong.append(f"baseline is generation {self.tenant.generation()}, not {generation}")
        wrong += self.wrong_baseline()
        if self.tenant.note():
            wrong.append("the account's note was left behind")
        imports = self.imports()
        if imports["open"] or imports["applying"]:
            wrong.append("an import was left open in EMC")
        return wrong

    def wrong_baseline(self) -> list[str]:
        """The people of the newest baseline are SmartHR's."""
        newest = json.loads(max(self.baselines().items())[1])
        users = pd.read_parquet(Path(self.store.root) / LINK / "tenants/acme/runs" / newest["run"] / "users.parquet")
        found = set(users.loc[users["valid"], "user_id"]) - {""}
        return [] if found == self.codes() else ["the baseline does not hold SmartHR's people"]


def ids(crews: list[dict[str, Any]]) -> list[str]:
    return [crew["emp_code"] for crew in crews]
