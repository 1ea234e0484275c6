"""The EMC import contract as a document, and against the simulator's routes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from simulators.emc.api import build_router
from simulators.emc.fileformat import DEFAULT_FORMAT
from simulators.emc.imports import Imports
from simulators.emc.store import Store
from tests.contract.emc_client import CONTRACT, resolved


def test_contract_has_exactly_the_routes_of_the_simulator(tmp_path: Path) -> None:
    """Paths and methods below /api/v1 are the same in both."""
    store = Store(tmp_path / "emc.sqlite", DEFAULT_FORMAT)
    served = {
        (re.sub(r"\{.*?\}", "{}", route.path.removeprefix("/api/v1")), method.lower())  # type: ignore[attr-defined]
        for route in build_router(store, Imports(store)).routes
        for method in route.methods  # type: ignore[attr-defined]
    }
    written = {
        (re.sub(r"\{.*?\}", "{}", path), method)
        for path, methods in CONTRACT["paths"].items()
        for method in methods
        if method != "parameters"
    }
    assert served == written


def test_contract_is_sound() -> None:
    """Schemas are schemas, references lead somewhere, and every example fits its schema."""
    assert CONTRACT["openapi"].startswith("3.1")
    for schema in CONTRACT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    checked = 0

    def walk(node: Any) -> None:
        nonlocal checked
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict):
            if "$ref" in node:
                resolved(node)
            if isinstance(node.get("schema"), dict):
                validator = Draft202012Validator({**node["schema"], "components": CONTRACT["components"]})
                examples = [resolved(example)["value"] for example in node.get("examples", {}).values()]
                for example in examples + ([node["example"]] if "example" in node else []):
                    validator.validate(example)
                    checked += 1
            for child in node.values():
                walk(child)

    walk(CONTRACT)
    assert checked > 15
