"""What Airflow has of LINE WORKS → KING OF TIME."""
