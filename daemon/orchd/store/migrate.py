"""
The child process that brings a store to the newest schema: ``python -m orchd.store.migrate``, the URL on stdin.
"""

import sys

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def migrate(engine: sa.Engine, *, to: str = "head") -> None:
    """
    Run the migrations up to *to* in one transaction.
    """
    config = Config()
    config.set_main_option("script_location", "orchd.store:migrations")
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def main() -> None:
    """
    Migrate the store whose URL stands on stdin.
    """
    url = sa.make_url(sys.stdin.read().strip())
    if url.get_backend_name() != "sqlite":
        _migrate_or_say_why(sa.create_engine(url))
        return

    engine = sa.create_engine(url, connect_args={"isolation_level": None})

    @sa.event.listens_for(engine, "begin")
    def start(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA wal_autocheckpoint=0")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    _migrate_or_say_why(engine)


def _migrate_or_say_why(engine: sa.Engine) -> None:
    try:
        migrate(engine)
    except sa.exc.SQLAlchemyError as error:
        sys.exit(str(getattr(error, "orig", error)).splitlines()[0])
    finally:
        engine.dispose()


if __name__ == "__main__":
    main()
