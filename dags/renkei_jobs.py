"""What the console's pages ask for and that takes long: one Airflow Dag, each job one run of it."""

from renkei.orchestration.jobs import build_dag

dag = build_dag(__file__)
