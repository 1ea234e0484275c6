"""LINE WORKS → KING OF TIME: one Airflow Dag per 連携設定シート in include/mappings/lineworks_kot/.

    check → accounts → reconcile → notify → outcome

Punches are no run's work: renkei_pump works off what the bot was told. For more than about 500 tenants, `make shards` puts
copies of this file beside it; they share the tenants. (Airflow only opens files that hold both words, Airflow and Dag.)
"""

from renkei.orchestration.dag_builder import build_dags

globals().update(build_dags(__file__))
