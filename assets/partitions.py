"""Units as partitions: `<connection>/<unit id>`, in one set per source that grows as units are found."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from connectors.model import Unit
from connectors.registry import sources
from connectors.settings import Connection
from pipelines.errors import UsageError
from pipelines.settings import Settings

PARTITIONS = {source: dg.DynamicPartitionsDefinition(name=f"{source}_units") for source in sources()}


def partition_key(connection: str, unit: str) -> str:
    return f"{connection}/{unit}"


def parse_partition_key(settings: Settings, key: str) -> tuple[Connection, str]:
    """Connection and unit id of a partition. Raises UsageError if the settings lack the connection."""
    connection, separator, unit = key.partition("/")
    if not separator:
        raise UsageError(f"partition {key!r} must have the form <connection>/<unit id>")
    return settings.connection(connection), unit


def register(instance: dg.DagsterInstance, connection: Connection, units: Iterable[Unit]) -> None:
    """Make partitions of units that are not partitions yet."""
    name = f"{connection.source}_units"
    known = set(instance.get_dynamic_partitions(name))
    new = [key for unit in units if (key := partition_key(connection.id, unit.id)) not in known]
    if new:
        instance.add_dynamic_partitions(name, new)
