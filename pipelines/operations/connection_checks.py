"""`headrace check`: one finding for each thing that must work before a sync can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

from connectors.contract import Finding
from connectors.errors import SourceError
from connectors.registry import connect
from connectors.settings import Connection
from pipelines.catalog import Catalog
from pipelines.catalog.spending import Spent
from pipelines.embedding.base import PROBE
from pipelines.errors import HeadraceError, SettingsError
from pipelines.index.contract import IndexInfo
from pipelines.operations.collected_warnings import CollectedWarnings, collecting_warnings
from pipelines.operations.costs import check_budget
from pipelines.operations.failed_objects import check_failed
from pipelines.operations.out_of_reach import check_reach
from pipelines.operations.place_checks import check_places
from pipelines.operations.unencrypted_urls import warn_of_unencrypted
from pipelines.operations.unit_patterns import check_patterns
from pipelines.operations.unknown_connections import count_unknown, describe_unknown
from pipelines.services import Services
from pipelines.settings import Settings

_AT_ONCE = 8
"""Connections that are asked at the same time."""
IDF_LEAKS = (
    "with this Qdrant server, scores can tell which words stand in documents that the asker may not see; "
    "use Qdrant 1.19 or newer"
)


def check_all(settings: Settings) -> list[Finding]:
    """Findings on settings, catalog, embedding, index and every connection. Never raises for what it checks."""
    findings = [_check_settings(settings), *warn_of_unencrypted(settings)]
    with (
        Services(settings) as services,
        collecting_warnings() as warnings,
        ThreadPoolExecutor(_AT_ONCE) as threads,
    ):
        asked = [
            threads.submit(_check_connection, f"connections[{place}]", _with_store(services, connection), warnings)
            for place, connection in enumerate(settings.connections)
        ]
        unusable = _open_catalog(services)
        findings += unusable or _check_catalog(services)
        findings += _check_backends(services)
        known = {one.subject for one in unusable}
        findings += (one for one in check_places(services) if one.subject not in known)
        for told, connection in zip(asked, settings.connections, strict=True):
            found, requests = told.result()
            findings += found
            findings += () if unusable else _check_ledger(services.catalog, connection, requests)
    return findings


def _check_settings(settings: Settings) -> Finding:
    if settings.connections:
        return Finding("settings", True, f"{len(settings.connections)} connections")
    advice = "`headrace init` writes a file with some, and docs/sources has what to write for each source"
    return Finding("connections", False, f"there are none, and nothing to read: {advice}")


def _open_catalog(services: Services) -> list[Finding]:
    """Why it cannot be opened; nothing if it is open."""
    try:
        services.catalog.units.all()
    except SettingsError as error:
        return [Finding(path, False, reason) for path, reason in error.problems]
    except HeadraceError as error:
        return [Finding("catalog", False, str(error))]
    return []


def _with_store(services: Services, connection: Connection) -> Connection:
    try:
        return services.with_store(connection)
    except HeadraceError:  # of the catalog, whose own line says so
        return connection


def _check_catalog(services: Services) -> Iterator[Finding]:
    """What Headrace itself holds, whatever the sources say now."""
    yield _check("catalog", lambda: f"{len(services.catalog.units.all())} units known")
    for connection in services.settings.connections:
        yield from check_reach(services, connection)
        yield from check_failed(services.catalog, connection.id)
        yield from check_budget(services, connection)
    for unknown, count in count_unknown(services).items():
        yield Finding(unknown, True, describe_unknown(unknown, count))


def _check_backends(services: Services) -> Iterator[Finding]:
    """What it asks besides."""
    yield _check("embedding", lambda: _try_embedding(services))
    yield _check("index", lambda: describe_index(services.reader.info()))
    if services.page_reader:
        yield _check("partition", services.page_reader.api.try_out)


def _try_embedding(services: Services) -> str:
    embedder = services.embedder
    for _ in embedder.embed([PROBE], purpose="query"):
        pass
    return f"{embedder.model}, {embedder.dimensions} dimensions"


def describe_index(info: IndexInfo) -> str:
    """One line on what the index holds, and on what its answers tell too much."""
    leak = f"; {IDF_LEAKS}" if info.idf_leaks else ""
    return f"{info.collection}: {info.documents} documents, {info.points} points{leak}"


def _check_connection(path: str, connection: Connection, warnings: CollectedWarnings) -> tuple[list[Finding], int]:
    """What its source says, and how many requests that took; `path` is the connection's in the settings."""
    requests = 0
    try:
        with closing(connect(connection)) as connector:
            found = [replace(finding, subject=f"{connection.id}: {finding.subject}") for finding in connector.check()]
            requests = connector.requests
    except SourceError as error:
        found = [Finding(connection.id, False, str(error))]
    else:
        found += check_patterns(path, connection)
    return [*found, *warnings.take(connection.id, found)], requests


def _check_ledger(catalog: Catalog, connection: Connection, requests: int) -> Iterator[Finding]:
    """What the catalog has of a connection's rights, and whether it takes what asking the source has cost."""
    try:
        catalog.spending.add(connection.id, Spent(source_requests=requests))
    except HeadraceError as error:
        yield Finding(f"{connection.id}: costs", False, str(error))
    yield check_memberships(catalog, connection)


def check_memberships(catalog: Catalog, connection: Connection) -> Finding:
    """How old the memberships are, and which groups cannot be read."""
    subject, read_at = f"{connection.id}: memberships", catalog.connections.get(connection.id).memberships_at
    unreadable = catalog.memberships.unreadable(connection.id)
    if read_at is None and not unreadable:
        return Finding(subject, True, "not read yet; the first sync reads them")
    too_old = catalog.memberships.is_too_old
    late = ": too long ago, and nobody belongs to a group that was not read since" if too_old(read_at) else ""
    said = [f"last read {_ago(read_at)}{late}"]
    for group in unreadable:
        effect = "nobody belongs to it" if too_old(group.read_at) else "whoever belonged to it then still does"
        said.append(f"{group.group} cannot be read ({group.reason}), last read {_ago(group.read_at)}: {effect}")
    return Finding(subject, not unreadable and not too_old(read_at), "; ".join(said))


def _ago(moment: datetime | None) -> str:
    return f"{max((datetime.now(UTC) - moment).total_seconds() / 60, 0):.0f} minutes ago" if moment else "never"


def _check(subject: str, read: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, read())
    except HeadraceError as error:
        return Finding(subject, False, str(error))
    except OSError as error:
        return Finding(subject, False, f"{error.filename} cannot be used: {error.strerror}")
