"""What Airflow gets of Hot Profile → kintone."""
