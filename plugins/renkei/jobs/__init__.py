"""Jobs: work that a page asks for and that takes too long, or too much memory, for the API server. No Airflow in here.

A job is asked for by a page, done by a task of the Dag `renkei_jobs`, and looked at by a page again. What passes between
them is a folder of records in the store (`records`), which is personal and goes after `KEPT`. What kinds of jobs there
are, a link says.
"""
