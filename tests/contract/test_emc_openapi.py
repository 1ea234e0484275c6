"""The import contract against the simulator, by a tester of OpenAPI documents: what nobody thought of asking."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings

from tests.harness.emc import ROOT, Emc

CONFIG = schemathesis.Config.from_dict({"headers": {"Authorization": "Bearer emc_sim_acme"}})
CONTRACT = schemathesis.openapi.from_path(str(ROOT / "include/contracts/emc_import.openapi.yaml"), config=CONFIG)


@CONTRACT.parametrize()
@settings(max_examples=8, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_e37_every_call_is_answered_as_the_contract_says(case: Any, emc_sim_process: Emc) -> None:
    """Valid calls are taken and invalid ones refused, each with a status, a type and a body that the contract has."""
    case.call_and_validate(base_url=f"{emc_sim_process.url}/api/v1")
