"""Every connection as a dlt source, to be run into any destination:

    import dlt
    from connectors.dlt_source import dlt_source

    pipeline = dlt.pipeline("acme_slack", destination="duckdb", dataset_name="acme_slack")
    pipeline.run(dlt_source({"id": "acme-slack", "source": "slack", "token": dlt.secrets["slack_token"]}))

`documents` is merged by `id`, and what is gone at the source is deleted; `memberships` and `units` are replaced. Where
a destination cannot merge, dlt appends every version, and `removed` marks what is gone. Where each unit continues is
kept in dlt's state of the pipeline, so that a second run reads only what changed. Give each connection a pipeline and
a dataset of its own.

What a source shows only in a complete listing (an issue deleted on GitHub, a unit that the connection no longer reads)
leaves with a full load: `pipeline.run(source, refresh="drop_sources")`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from connectors.admission import Refused, admit
from connectors.contract import Checkpoint, Connector, Deleted, Failed, Membership, PartState, Skipped, UnreadableGroup
from connectors.errors import AuthenticationFailed, RateLimited, SourceError, TransientError, UnreadableUnits
from connectors.isolation import FAILURES_IN_A_ROW
from connectors.model import Document, Unit
from connectors.registry import connect, parse_connection
from connectors.settings import Connection
from connectors.tables import (
    DOCUMENTS,
    MEMBERSHIPS,
    UNITS,
    Row,
    document_batches,
    documents_schema,
    membership_table,
    unit_table,
)
from connectors.units import list_units

if TYPE_CHECKING:
    import pyarrow as pa
    from dlt.sources import DltResource, DltSource

logger = logging.getLogger(__name__)

Disposition: TypeAlias = Literal["append", "merge", "replace"]
UnitState: TypeAlias = dict[str, Any]
"""What dlt's state keeps of a unit: `shown` (what every document shows of it), `cursor`, and `failed` (error by id)."""

_SECTION = "headrace"
_CONTRACT: dict[str, str] = {"tables": "evolve", "columns": "freeze", "data_type": "freeze"}
"""Tables come into being by the first load; their columns are those of `connectors.tables`."""


def dlt_source(connection: Connection | Mapping[str, Any]) -> DltSource:
    """A dlt source named after the connection's source, with the resources `documents`, `memberships` and `units`.

    `connection` is an entry of `connections` in the settings. Raises pydantic's ValidationError. The resources
    raise SourceError, and then nothing of that run is loaded; only a unit's own trouble is logged, and the unit goes
    on from the same place in the next run. To load documents although memberships cannot be read, name the resource:
    `dlt_source(…).with_resources("documents")`.
    """
    settings = parse_connection(connection)
    return _source(
        settings.source,
        documents_resource(lambda: _read_documents(settings), write_disposition="merge"),
        _resource(lambda: _read_memberships(settings), MEMBERSHIPS, "replace"),
        _resource(lambda: _read_units(settings), UNITS, "replace"),
    )


def landing_source(source: str, rows: Iterable[Row]) -> DltSource:
    """The same source for rows that have been read already: `documents` alone, every version appended."""
    return _source(source, documents_resource(lambda: document_batches(rows), write_disposition="append"))


def documents_resource(batches: Callable[[], Iterable[pa.Table]], *, write_disposition: Disposition) -> DltResource:
    """The resource `documents`, from batches in the columns of `documents_schema`."""
    resource = _resource(batches, DOCUMENTS, write_disposition)
    if write_disposition == "merge":
        hints: Any = {"removed": {"hard_delete": True}, "sequence": {"dedup_sort": "desc"}}
        # The batches bring their columns; declaring them too shows them before the first run, for 8 ms of every load.
        resource.apply_hints(primary_key="id", columns=documents_schema())
        resource.apply_hints(columns=hints)
    return resource


def _read_documents(connection: Connection) -> Iterator[pa.Table]:
    import dlt

    # Each resource opens its own connector: dlt takes from them in turns, and a connector does one thing at a time.
    state = dlt.current.resource_state().setdefault(connection.id, {})
    with closing(connect(connection)) as connector:
        yield from document_batches(read_changes(connection, connector, state))


def _read_memberships(connection: Connection) -> Iterator[pa.Table]:
    with closing(connect(connection)) as connector:
        yield membership_table(connection, _memberships(connection, connector))


def _memberships(connection: Connection, connector: Connector) -> Iterator[Membership]:
    """Those that can be told: a table that is replaced holds nothing of other groups."""
    try:
        for one in connector.memberships():
            if isinstance(one, Membership):
                yield one
            elif isinstance(one, UnreadableGroup):
                logger.warning("%s: members of the group %s cannot be read: %s", connection.id, one.group, one.reason)
    except UnreadableUnits as error:
        if not error.gaps:
            raise
        logger.warning("%s: not all groups are told of: %s", connection.id, error)


def _read_units(connection: Connection) -> Iterator[pa.Table]:
    with closing(connect(connection)) as connector:
        yield unit_table(connection, _units(connection, connector))


def _units(connection: Connection, connector: Connector) -> list[Unit]:
    found, unreadable, gaps = list_units(connector)
    for gap in gaps:
        logger.warning("%s: not all units are listed: %s", connection.id, gap.reason)
    for one in unreadable:
        logger.warning("%s: %s could not be looked at: %s", connection.id, one.name, one.reason)
    return found


def read_changes(connection: Connection, connector: Connector, state: dict[str, UnitState]) -> Iterator[Row]:
    """Rows of what changed in all units since `state`, which is moved on as they are taken.

    Raises SourceError where units cannot be listed, and AuthenticationFailed. A source that goes down on the way, or
    that allows no more requests, is left after a few units: what was read until then is good, and the next run goes on.
    """
    in_a_row = 0
    for unit in _units(connection, connector):  # listed to the end: a connector does one thing at a time
        try:
            yield from _read_unit(connection, connector, unit, _unit_state(state, unit))
            in_a_row = 0
        except AuthenticationFailed:
            raise
        except SourceError as error:
            logger.warning("%s/%s: %s; the next run goes on from here", connection.id, unit.id, error)
            in_a_row = in_a_row + 1 if isinstance(error, TransientError) else 0
            if isinstance(error, RateLimited) or in_a_row == FAILURES_IN_A_ROW:
                logger.warning("%s: the units that follow are left to the next run", connection.id)
                return


def _unit_state(state: dict[str, UnitState], unit: Unit) -> UnitState:
    """A unit's own state; without a cursor where it is new, or its documents show something else of it now."""
    shown = [unit.name, unit.url, list(unit.readers)]
    known = state.setdefault(unit.id, {})
    if known.get("shown") != shown:
        known.pop("cursor", None)
        known["shown"] = shown
    return known


def _read_unit(connection: Connection, connector: Connector, unit: Unit, known: UnitState) -> Iterator[Row]:
    """Rows of one unit. What does not fit the contract is logged and kept out of the tables, as what failed is."""
    failed = known.setdefault("failed", {})
    retried = connector.fetch(unit, list(failed)) if failed else ()
    for item in chain(retried, connector.read(unit, known.get("cursor"))):
        match item if isinstance(item, Checkpoint | PartState) else admit(item, connection, unit):
            case PartState(part, status, reason):
                if status != "complete":
                    logger.warning("%s/%s: %s: %s", connection.id, unit.id, part, reason)
            case Checkpoint(cursor):
                known["cursor"] = cursor
            case Refused(named, _, reason):  # not among the failed: it has no id by which to fetch it
                logger.warning("%s/%s: %s: %s", connection.id, unit.id, named, reason)
            case Failed(document_id, _, error):  # its row stays as it is
                logger.warning("%s/%s: %s: %s; the next run tries again", connection.id, unit.id, document_id, error)
                failed[document_id] = error
            case Skipped(document_id) | Deleted(document_id):
                failed.pop(document_id, None)
                yield Deleted(document_id)
            case Document() as document:
                failed.pop(document.id, None)
                yield document


def _source(name: str, *resources: DltResource) -> DltSource:
    import dlt
    from dlt.sources import DltSource

    schema = dlt.Schema(name)
    schema.set_schema_contract(_CONTRACT)  # type: ignore[arg-type]
    source = DltSource(schema, _SECTION, resources)
    source.max_table_nesting = 0  # lists are values: tables of their own would be no use to anybody
    return source


def _resource(tables: Callable[[], Iterable[pa.Table]], name: str, write_disposition: Disposition) -> DltResource:
    """A resource of Arrow tables, which dlt loads without looking at each value."""
    import dlt

    resource: DltResource = dlt.resource(tables, name=name, section=_SECTION, write_disposition=write_disposition)
    return resource
