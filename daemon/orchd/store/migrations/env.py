"""
What alembic asks for: the connection that :mod:`orchd.store.migrate` holds, and the tables as they shall be.
"""

from alembic import context

from orchd.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
