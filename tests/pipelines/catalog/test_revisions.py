"""The catalog's revisions: a version table of its own, forwards and backwards, and what a newer program has left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, Table, create_engine, inspect, select, text
from sqlalchemy.engine import make_url

from pipelines.catalog.database import migrate_database, open_database
from pipelines.catalog.revisions import HEAD, VERSION_TABLE, Migration, read_revision
from pipelines.errors import CatalogMismatch, UsageError
from pipelines.settings import Settings

DAGSTERS = "29b539ebc72a"


@pytest.fixture(scope="module")
def is_empty() -> bool:
    return True


@pytest.fixture
def engine(catalog_settings: Settings) -> Iterator[Engine]:
    """The same database, past the catalog."""
    address = make_url(catalog_settings.catalog.url.get_secret_value())
    if address.get_backend_name() == "sqlite":
        address = address.set(database=str(catalog_settings.directory / "catalog.db"))
    else:
        address = address.set(drivername="postgresql+psycopg")
    engine = create_engine(address)
    yield engine
    engine.dispose()


def open_again(settings: Settings) -> None:
    open_database(settings.catalog.url.get_secret_value(), settings.directory).dispose()


def migrate_to(settings: Settings, target: str) -> Migration:
    return migrate_database(settings.catalog.url.get_secret_value(), settings.directory, target)


def revisions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", "pipelines:catalog/migrations")
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def leave_in_former_table(engine: Engine, *found: str) -> None:
    """As a program left it that kept its revision in the table which Dagster uses too."""
    with engine.begin() as connection:
        if inspect(connection).has_table(VERSION_TABLE):
            connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
        for revision in found:
            connection.execute(text("INSERT INTO alembic_version VALUES (:one)"), {"one": revision})


def former_table(engine: Engine) -> list[str] | None:
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return sorted(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def add_unit(engine: Engine) -> None:
    columns, values = "connection, unit, source, name, url, paused, gone", "'c', 'u', 's', 'n', '', false, false"
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO units ({columns}) VALUES ({values})"))


def units(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        table = Table("units", MetaData(), autoload_with=connection)
        return list(connection.execute(select(table.c.unit)).scalars())


def shape(engine: Engine) -> dict[str, tuple[set[str], set[str | None]]]:
    """Columns and indexes of each table."""
    seen = inspect(engine)
    return {
        table: ({one["name"] for one in seen.get_columns(table)}, {one["name"] for one in seen.get_indexes(table)})
        for table in seen.get_table_names()
    }


def definition(engine: Engine) -> dict[str, list[Any]]:
    """All that the database says of each table."""
    seen = inspect(engine)
    return {
        table: [
            [{**column, "type": str(column["type"])} for column in sorted(seen.get_columns(table), key=by_name)],
            seen.get_pk_constraint(table),
            [{**index, "dialect_options": str_values(index)} for index in sorted(seen.get_indexes(table), key=by_name)],
            sorted(seen.get_unique_constraints(table), key=by_name),
            seen.get_foreign_keys(table),
            seen.get_check_constraints(table),
        ]
        for table in seen.get_table_names()
    }


def str_values(index: Any) -> dict[str, str]:
    """A condition is an object of SQLAlchemy's, which is equal to no other."""
    return {name: str(value) for name, value in index.get("dialect_options", {}).items()}


def by_name(one: Any) -> str:
    return str(one["name"])


def test_a_new_catalog_is_what_the_migrations_make(
    catalog_settings: Settings, engine: Engine, new_postgres_database: Callable[[], str], tmp_path: Path
) -> None:
    open_again(catalog_settings)
    url = "sqlite:///other.db" if engine.dialect.name == "sqlite" else new_postgres_database()
    for revision in revisions():
        migrate_database(url, tmp_path, revision)
    other = create_engine(url.replace("///", f"///{tmp_path}/").replace("postgresql:", "postgresql+psycopg:"))
    assert definition(engine) == definition(other)
    other.dispose()


def test_the_newest_revision_is_the_one_that_is_opened() -> None:
    assert revisions()[-1] == HEAD


def test_a_catalog_beside_dagsters_tables_leaves_their_revision_alone(
    catalog_settings: Settings, engine: Engine
) -> None:
    leave_in_former_table(engine, DAGSTERS)
    open_again(catalog_settings)
    assert (read_revision(engine), former_table(engine)) == (HEAD, [DAGSTERS])


@pytest.mark.each_value
@pytest.mark.parametrize("beside", [(), (DAGSTERS,)])
@pytest.mark.parametrize("revision", ["0003", HEAD])
def test_a_catalog_moves_out_of_the_table_that_it_shared(
    catalog_settings: Settings, engine: Engine, revision: str, beside: tuple[str, ...]
) -> None:
    migrate_to(catalog_settings, revision)
    add_unit(engine)
    leave_in_former_table(engine, revision, *beside)
    for _ in range(2):
        open_again(catalog_settings)
        assert (read_revision(engine), former_table(engine)) == (HEAD, list(beside) or None)
    assert units(engine) == ["u"]


def test_a_database_of_something_else_keeps_its_revision(catalog_settings: Settings, engine: Engine) -> None:
    leave_in_former_table(engine, "0001")
    open_again(catalog_settings)
    assert (read_revision(engine), former_table(engine)) == (HEAD, ["0001"])


@pytest.mark.one_case
def test_every_migration_goes_back_to_what_was_before(catalog_settings: Settings, engine: Engine) -> None:
    steps = revisions()
    shapes = {}
    for revision in steps:
        migrate_to(catalog_settings, revision)
        shapes[revision] = shape(engine)
    add_unit(engine)
    for revision in steps[-2::-1]:
        migrate_to(catalog_settings, revision)
        assert shape(engine) == shapes[revision]
    assert migrate_to(catalog_settings, HEAD) == Migration(steps[0], HEAD)
    assert (shape(engine), units(engine)) == (shapes[HEAD], ["u"])


def test_an_older_program_names_both_revisions(catalog_settings: Settings, engine: Engine) -> None:
    open_again(catalog_settings)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(CatalogMismatch, match=rf"9999.*{HEAD}.*headrace migrate --to {HEAD}"):
        open_again(catalog_settings)
    with pytest.raises(CatalogMismatch):
        migrate_to(catalog_settings, "0001")


def test_a_revision_that_does_not_exist_is_named_with_those_that_do(catalog_settings: Settings) -> None:
    with pytest.raises(UsageError, match=f"'12'.*0001.*{HEAD}"):
        migrate_to(catalog_settings, "12")


def test_vectors_of_before_stay_and_take_less_of_the_file(catalog_settings: Settings, engine: Engine) -> None:
    before = [{"key": bytes([one]) * 16, "vector": bytes([one]) * 1536, "text": None, "model": 1} for one in range(200)]
    migrate_to(catalog_settings, "0034")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO embeddings VALUES (:key, :vector, :text, :model)"), before)
    pages = pages_of(engine, "embeddings")
    open_again(catalog_settings)
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT key, vector, text, model FROM embeddings ORDER BY key")).mappings().all()
    assert [dict(row) for row in kept] == before
    assert pages is None or 2 * (pages_of(engine, "embeddings") or 0) < pages


def pages_of(engine: Engine, table: str) -> int | None:
    """How many pages of the file a table takes, its key's included; None where there is no such file."""
    if engine.dialect.name != "sqlite":
        return None
    statement = text("SELECT count(*) FROM dbstat WHERE name IN (:own, :key)")
    with engine.connect() as connection:
        names = {"own": table, "key": f"sqlite_autoindex_{table}_1"}
        return int(connection.execute(statement, names).scalar_one())
