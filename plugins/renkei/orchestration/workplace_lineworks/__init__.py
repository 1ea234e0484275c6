"""What Airflow has of WORKPLACE → LINE WORKS."""
