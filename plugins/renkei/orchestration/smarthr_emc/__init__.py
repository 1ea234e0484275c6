"""What Airflow needs of SmartHR → Emergency Call: tasks, form, approval, Connections, pages."""
