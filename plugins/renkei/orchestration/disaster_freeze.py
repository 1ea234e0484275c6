"""災害時凍結: the Airflow Variable that says of whom nothing is removed; set by hand, or on the console's page."""

from __future__ import annotations

from airflow.sdk import Variable
from airflow.sdk.exceptions import AirflowRuntimeError

from renkei.errors import StoreError

VARIABLE = "renkei_disaster_freeze"  # tenants, separated by commas


def frozen_tenants() -> set[str]:
    """The tenants that the Variable names, or `all`.

    Raises:
        StoreError: Airflow does not answer; whether to delete is not a thing to guess (L1).
    """
    try:
        value = Variable.get(VARIABLE, default="")
    except AirflowRuntimeError as error:
        raise StoreError(f"Airflowの変数「{VARIABLE}」（災害時凍結）を読み取れません。") from error
    return set(names_in(str(value)))


def names_in(text: str) -> list[str]:
    """The names in a value of the Variable, as they stand there."""
    return [name for part in text.split(",") if (name := part.strip().lower())]
