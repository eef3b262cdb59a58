"""The statements that make a new catalog's tables, found out once by a process: each test has a catalog of its own, and
SQLAlchemy would look for each table and write each statement anew, nine tenths of what a new catalog takes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, event

from pipelines.catalog import revisions


def keep_catalog_tables() -> None:
    """From here on, the tables of further catalogs of a kind of database are made by the statements of the first."""
    create = revisions._create_tables
    kept: dict[str, list[tuple[str, Any]]] = {}

    def create_again(connection: Connection) -> None:
        kind = connection.dialect.name
        if kind not in kept:
            kept[kind] = _statements_of(connection, create)
            return
        for statement, parameters in kept[kind]:
            connection.exec_driver_sql(statement, parameters)

    setattr(revisions, "_create_tables", create_again)  # noqa: B010 - a function is not assigned to


def _statements_of(connection: Connection, create: Any) -> list[tuple[str, Any]]:
    """What is written while the tables are made."""
    statements: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        if statement.split(maxsplit=1)[0] in ("CREATE", "INSERT"):
            statements.append((statement, parameters or None))

    event.listen(connection, "before_cursor_execute", note)
    create(connection)
    event.remove(connection, "before_cursor_execute", note)
    return statements
