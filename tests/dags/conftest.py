"""What every test of a Dag file has."""

from tests.harness.patience import patient_parsing as patient_parsing
