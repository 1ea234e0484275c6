"""Makes Renkei's timetable known to Airflow, in every one of its processes: so it imports no more than that."""

from airflow.plugins_manager import AirflowPlugin

from renkei.orchestration.timetable import DailyInJapan


class RenkeiPlugin(AirflowPlugin):
    name = "renkei"
    timetables = [DailyInJapan]  # noqa: RUF012 - Airflow's own form
