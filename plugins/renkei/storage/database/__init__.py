"""Rows that change one by one: SQLAlchemy Core on SQLite or PostgreSQL, its tables made by Alembic (docs/decisions/0016).

A link describes its tables on `METADATA`, each named `<link>_…`; `migrations/versions` makes them.
"""
