"""Single objects that could not be read, chunked or embedded: they stop nothing, and are told of wherever one looks."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.contract import Finding
from pipelines.catalog import Catalog, open_catalog
from pipelines.settings import Settings


def describe_failed(catalog: Catalog, connection: str) -> str:
    """How many objects of a connection have failed, the first of them and why; empty where none has."""
    found = catalog.documents.count_failed(connection)
    if found is None:
        return ""
    what = "1 object has failed" if found.count == 1 else f"{found.count} objects have failed, the first of them"
    return f"{what}: {found.document_id}: {found.reason}"


def check_failed(catalog: Catalog, connection: str) -> list[Finding]:
    """A warning, and no failure: the connection's other objects are up to date."""
    said = describe_failed(catalog, connection)
    return [Finding(f"{connection}: objects", True, f"warning: {said}; `headrace status` names all")] if said else []


def read_failed(settings: Settings, connections: Iterable[str]) -> dict[str, str]:
    """What `describe_failed` says of each of these connections that has any."""
    with open_catalog(settings) as catalog:
        said = {connection: describe_failed(catalog, connection) for connection in connections}
    return {connection: one for connection, one in said.items() if one}
