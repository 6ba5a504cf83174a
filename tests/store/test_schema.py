"""
The schema: what the database promises by itself, and how an older store becomes a current one.
"""

import sqlite3
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine.interfaces import ReflectedIndex

from orchd.errors import InternalError, StoreError
from orchd.store import migrations, projects, queries, upgrade
from orchd.store.database import Connection, Database
from orchd.store.migrate import migrate
from orchd.store.schema import HEAD, metadata
from store.making import add_run


def plain(index: ReflectedIndex) -> str:
    """
    Say an index in text, its condition too.
    """
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return f"{index['name']} {index['unique']} {index['column_names']} {options}"


def described(conn: Connection) -> dict[str, object]:
    """
    Say everything that the database knows of its own tables, in an order that means nothing.
    """
    look = sa.inspect(conn)
    tables = {
        name: {
            "columns": sorted(str(sorted(column.items(), key=str)) for column in look.get_columns(name)),
            "indexes": sorted(plain(index) for index in look.get_indexes(name)),
            "unique": sorted(str(sorted(unique.items())) for unique in look.get_unique_constraints(name)),
            "checks": sorted(str(sorted(check.items(), key=str)) for check in look.get_check_constraints(name)),
            "keys": sorted(str(sorted(key.items(), key=str)) for key in look.get_foreign_keys(name)),
            "primary": str(look.get_pk_constraint(name)),
        }
        for name in look.get_table_names()
    }
    if conn.dialect.name == "sqlite":
        kinds = conn.exec_driver_sql("SELECT name, wr, strict FROM pragma_table_list WHERE type = 'table'")
        tables["kinds"] = {name: str(rest) for name, *rest in kinds if not name.startswith("sqlite_stat")}
    return tables


def execute(url: str, state_dir: Path, *statements: str) -> None:
    """
    Execute *statements* in the database behind *url*, past the store.
    """
    place = sa.URL.create("sqlite", database=str(state_dir / "orchd.sqlite3")) if url == "sqlite" else url
    engine = sa.create_engine(place)
    with engine.begin() as conn:
        for statement in statements:
            conn.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture
def old_dir(url: str, tmp_path: Path) -> Path:
    """
    State folder of a store from before the first migration.
    """
    execute(url, tmp_path, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    return tmp_path


def test_head_is_the_newest_migration() -> None:
    """
    The constant by which a current store is known names the last of the migrations.
    """
    versions = resources.files(migrations) / "versions"
    named = [entry.name for entry in versions.iterdir() if entry.name.startswith("v")]

    assert max(named)[1:5] == HEAD


def test_a_migrated_store_is_what_a_fresh_one_is(url: str, old_dir: Path, request: pytest.FixtureRequest) -> None:
    """
    The migrations lead to the very tables that a fresh store is made with.
    """
    fresh_url = url if url == "sqlite" else request.getfixturevalue("postgres").new_database()
    fresh_dir = old_dir / "fresh"
    fresh_dir.mkdir()
    fresh = Database.open(fresh_url, state_dir=fresh_dir)
    migrated = Database.open(url, state_dir=old_dir)
    with fresh.reading() as one, migrated.reading() as other:
        assert described(one) == described(other)
        assert compare_metadata(MigrationContext.configure(other), metadata) == []
        assert upgrade.revision(other, where="") == HEAD
    fresh.close()
    migrated.close()


def test_an_older_file_is_copied_before_it_is_changed(tmp_path: Path) -> None:
    """
    Before a SQLite store is migrated, what it was stands beside it.
    """
    execute("sqlite", tmp_path, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    Database.open("sqlite", state_dir=tmp_path).close()
    with sqlite3.connect(tmp_path / f"orchd.sqlite3.before-{HEAD}") as copy:
        tables = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    copy.close()

    assert tables == [("alembic_version",)]


def test_a_failed_migration_leaves_the_store_as_it_was(url: str, old_dir: Path) -> None:
    """
    A step that cannot be made is said in one sentence, and none of it stays.
    """
    execute(url, old_dir, "CREATE TABLE flow_run (number BIGINT)")
    with pytest.raises(StoreError, match=r"could not be brought to schema 0003, and is as it was: .*flow_run"):
        Database.open(url, state_dir=old_dir)

    execute(url, old_dir, "INSERT INTO flow_run VALUES (1)", "CREATE TABLE project (id BIGINT)")


def test_a_store_of_the_first_schema_keeps_what_it_holds(url: str, old_dir: Path) -> None:
    """
    Rows from before projects and parents are there afterwards, and say nothing of either.
    """
    place = sa.URL.create("sqlite", database=str(old_dir / "orchd.sqlite3")) if url == "sqlite" else sa.make_url(url)
    engine = sa.create_engine(place)
    migrate(engine, to="0001")
    engine.dispose()
    execute(
        url,
        old_dir,
        "INSERT INTO project (id, name) VALUES (1, 'Iris Project')",
        "INSERT INTO flow (id, project_id, name) VALUES (1, 1, 'iris')",
        "INSERT INTO flow_run (number, id, name, flow, source_hash, wanted_at_us, state, trigger, created_at_us)"
        " VALUES (1, 'r', 'calm-otter', 'iris', '', 0, 'scheduled', 'manual', 0)",
    )
    database = Database.open(url, state_dir=old_dir)
    with database.reading() as conn:
        project = conn.execute(sa.select(metadata.tables["project"])).one()
        labels = conn.execute(sa.select(metadata.tables["flow"].c.labels)).scalar_one()
        run = queries.find_run(conn, "calm-otter")
        registered = projects.registered_flows(conn)
    database.close()

    assert (project.name, project.created_at_us, labels, run.parent_run_id) == ("Iris Project", 0, "[]", None)
    assert registered == {}


def test_a_store_of_the_second_schema_lets_nobody_in(url: str, old_dir: Path) -> None:
    """
    Nobody has a way in over TCP that was not asked for, and what was there is there.
    """
    place = sa.URL.create("sqlite", database=str(old_dir / "orchd.sqlite3")) if url == "sqlite" else sa.make_url(url)
    engine = sa.create_engine(place)
    migrate(engine, to="0002")
    engine.dispose()
    execute(
        url,
        old_dir,
        "INSERT INTO flow_run (number, id, name, flow, source_hash, wanted_at_us, state, trigger, created_at_us)"
        " VALUES (1, 'r', 'calm-otter', 'iris', '', 0, 'scheduled', 'manual', 0)",
    )
    database = Database.open(url, state_dir=old_dir)
    with database.reading() as conn:
        known = conn.execute(sa.select(metadata.tables["access"])).all()
        run = queries.find_run(conn, "calm-otter")
    database.close()

    assert (known, run.flow) == ([], "iris")


def test_a_newer_store_is_refused(url: str, own_store: Database, tmp_path: Path) -> None:
    """
    A store of a newer orchd is left alone, in one sentence.
    """
    own_store.close()
    execute(url, tmp_path, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"is of a newer orchd \(schema 9999, this one knows 0003\): install that one"):
        Database.open(url, state_dir=tmp_path)


def test_a_database_of_something_else_is_refused(url: str, tmp_path: Path) -> None:
    """
    Tables are never put beside those of another program.
    """
    execute(url, tmp_path, "CREATE TABLE customers (id BIGINT)")
    with pytest.raises(StoreError, match="holds tables of something else: give orchd a database of its own"):
        Database.open(url, state_dir=tmp_path)


def test_a_current_store_is_opened_without_alembic(url: str, own_store: Database, tmp_path: Path) -> None:
    """
    The daemon of a current store does not carry the migrations' library, nor psycopg without need.
    """
    own_store.close()
    code = (
        "import sys, pathlib; from orchd.store import database, queries;"
        "database.Database.open(sys.argv[1], state_dir=pathlib.Path(sys.argv[2])).close();"
        "print(sorted({'alembic', 'psycopg'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, url, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ("[]" if url == "sqlite" else "['psycopg']")


def test_a_reopened_store_holds_what_was_stored(url: str, own_store: Database, tmp_path: Path) -> None:
    """
    Closing and opening again loses nothing.
    """
    with own_store.writing() as conn:
        run = add_run(conn)
    own_store.close()
    again = Database.open(url, state_dir=tmp_path)
    with again.reading() as conn:
        assert queries.find_run(conn, run.id) == run
    again.close()


@pytest.mark.parametrize("wrong", ["", "mysql://host/db", "sqlite:///file", "postgres"])
def test_an_unknown_store_is_refused(wrong: str, tmp_path: Path) -> None:
    """
    The sentence says what to write instead.
    """
    with pytest.raises(StoreError, match="is not known: write 'sqlite' or 'postgresql"):
        Database.open(wrong, state_dir=tmp_path)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("flow_run", {"state": "success"}),
        ("flow_run", {"state": "running", "ended_at_us": 5}),
        ("flow_run", {"state": "asleep"}),
        ("task_run", {"state": "failed"}),
        ("task_run", {"state": "running", "ended_at_us": 5}),
        ("task_run", {"state": "pending", "run_number": 77}),
    ],
)
def test_the_database_refuses_what_cannot_be(store: Database, table: str, values: dict[str, object]) -> None:
    """
    Final without an end, an end without final, an unknown state, a task without its run: no code can store them.
    """
    usual: dict[str, object] = {"run_number": 1, "slug": "a", "map_index": -1}
    if table == "flow_run":
        usual = dict.fromkeys("id name flow source_hash trigger".split(), "x") | {"wanted_at_us": 0, "created_at_us": 0}
    with store.writing() as conn:
        add_run(conn)
    with pytest.raises(InternalError, match="promise"), store.writing() as conn:
        conn.execute(metadata.tables[table].insert().values(**usual | values))
