"""What works off the messages that were pushed at us: one Airflow Dag for all tenants, or as many as RENKEI_PUMPS says."""

from renkei.orchestration.pump_dag import build_dags

globals().update(build_dags(__file__))
