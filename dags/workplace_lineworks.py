"""WORKPLACE → LINE WORKS: one Airflow Dag per 連携設定シート in include/mappings/workplace_lineworks/.

    fetch_absences → plan → approve → write_calendar → notify → outcome

For more than about 500 tenants, `make shards` puts copies of this file beside it; they share the tenants. (Airflow only
opens files that hold both words, Airflow and Dag.)
"""

from renkei.orchestration.dag_builder import build_dags

globals().update(build_dags(__file__))
