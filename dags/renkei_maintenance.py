"""What Renkei does for itself: one Airflow Dag that deletes the records of runs older than RENKEI_KEEP_DAYS, daily."""

from renkei.orchestration.maintenance_dag import build_dag

dag = build_dag()
