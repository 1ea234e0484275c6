"""What Renkei does for itself: every 15 minutes one Airflow Dag looks for tenants that are silent, whatever their Dags do."""

from renkei.orchestration.monitor.dag import build_dag

dag = build_dag(__file__)
