"""
The run store: one SQLite file or one Postgres database, and the only package that knows SQL.
"""
