"""The command `renkei`: what is done with a tenant's sheet before Airflow runs it, and beside it.

Above `orchestration`, as the Dag files are: the two are the ways in.
"""
