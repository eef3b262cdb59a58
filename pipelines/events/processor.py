"""Processes what events point at: reads it again, connection by connection and unit by unit."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from connectors.contract import Connector, Dependents, in_unit, is_in_any_unit
from connectors.errors import SourceError
from connectors.model import Unit
from connectors.settings import Connection
from connectors.webhooks import Invalidation
from pipelines.catalog.failures import Cause
from pipelines.catalog.units import UnitState
from pipelines.errors import CatalogUnavailable, HeadraceError, UnitBusy
from pipelines.events.outcomes import BackendAway, Deferred, Errored, Ignored, Outcome, Processed, combine, stopped_by
from pipelines.events.places import known_units
from pipelines.ingestion.causes import describe_error, find_cause
from pipelines.ingestion.connection_rights import apply_all_rights, refresh_memberships
from pipelines.ingestion.observer import Observer, StageDone
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.rights import read_rights
from pipelines.ingestion.source_requests import counting_requests
from pipelines.ingestion.unit_listing import sync_units
from pipelines.ingestion.unit_sync import run_stages
from pipelines.services import Services

logger = logging.getLogger(__name__)

UNKNOWN_SECONDS = 300.0
_READ = SyncOptions(scheduled=True)
"""What has changed: events come by the dozen, and what failed before waits for its next attempt."""


@dataclass(frozen=True, slots=True)
class ProcessedEvents:
    """What became of each invalidation, and the figures of all that ran."""

    outcomes: dict[Invalidation, Outcome]
    report: SyncReport

    @property
    def errors(self) -> dict[Invalidation, str]:
        return {
            one: outcome.error for one, outcome in self.outcomes.items() if isinstance(outcome, Errored | BackendAway)
        }


class UnknownUnits:
    """A negative cache: units that events name and that are not read. For a while no listing is asked for any of a
    connection, however many units events name.

    A unit that is new says so by an event of its own, which asks for the listing in any case.
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def are_listed(self, connection: str) -> bool:
        """Whether the units were listed not long ago for one that nobody knew."""
        return self._until.get(connection, 0.0) > time.monotonic()

    def note_listing(self, connection: str) -> None:
        self._until[connection] = time.monotonic() + UNKNOWN_SECONDS


class EventProcessor:
    """One pass over invalidations of one connection."""

    def __init__(
        self,
        services: Services,
        connection: Connection,
        connector: Connector,
        observer: Observer,
        unknown_units: UnknownUnits | None = None,
        rights_known: Collection[Invalidation] = (),
    ) -> None:
        """`rights_known` are those of which an earlier pass has read what they have lost."""
        self._services = services
        self._connection = connection
        self._connector = connector
        self._observer = observer
        self._unknown_units = unknown_units or UnknownUnits()
        self._rights_known = rights_known
        self._outcomes: dict[Invalidation, list[Outcome]] = {}
        self._report = SyncReport()

    def process(self, invalidations: Iterable[Invalidation]) -> ProcessedEvents:
        """Read all of these again. Memberships come first: a right that was taken away must not last any longer."""
        own, catalog = self._connection.id, self._services.catalog
        with counting_requests(catalog, own, self._connector, lambda: self._report.requests.get(own, 0)):
            self._process(invalidations)
        outcomes = {one: combine(found) for one, found in self._outcomes.items()}
        return ProcessedEvents(outcomes, self._report)

    def index_held(self, units: Iterable[Unit]) -> SyncReport:
        """Index what waits in these units until the connection's budget has room, where no other process does."""
        for unit in units:
            with suppress(UnitBusy, _UnitFailed):
                self._run(unit, SyncOptions(stages=("vectors",), mode="documents"), [])
        return self._report

    def _process(self, invalidations: Iterable[Invalidation]) -> None:
        by_scope: dict[str, list[Invalidation]] = {}
        for one in invalidations:
            by_scope.setdefault(one.scope, []).append(one)
        if memberships := by_scope.get("memberships"):
            with self._record(memberships):
                refresh_memberships(self._services, self._connection, self._connector)
        if units := by_scope.get("units"):
            with self._record(units) as stages:
                self._process_listing(units, stages)
        self._process_contents(by_scope.get("unit", []), by_scope.get("document", []))

    def _process_listing(self, invalidations: Sequence[Invalidation], stages: list[StageDone]) -> None:
        """Read new units, and those that show something new, as a whole.

        One that is gone is hidden by the listing; it loses its documents where the provider says that it was deleted.
        """
        sync_units(self._services, self._connection, self._connector)
        apply_all_rights(self._services, self._connection, self._report)
        named = {one.unit for one in invalidations}
        deleted = {one.unit for one in invalidations if one.unit_deleted}
        for state in self._services.catalog.units.all(self._connection.id):
            if state.paused:
                continue
            if state.gone and state.unit.id in deleted:
                # Each document is fetched once more; a unit that the provider itself says is deleted needs no operator.
                self._run(state.unit, SyncOptions(mode="gone", allow_mass_delete=True), stages)
            elif not state.gone and (not state.has_cursor or state.unit.id in named):
                self._run(state.unit, _READ, stages)

    def _process_contents(self, units: Sequence[Invalidation], documents: Sequence[Invalidation]) -> None:
        by_unit = self._expand(units)  # one lease and one pass for all that points into a unit
        for one in documents:
            with self._record_trouble([one]):
                if not (found := self._units_of(one)):
                    raise _NothingToDo(f"{one.document_id} is in no unit that is known here")
                for unit in found:
                    by_unit.setdefault(unit, []).append(one)
        for unit, invalidations in by_unit.items():
            with self._record(invalidations) as stages:
                self._process_unit(unit, invalidations, stages)
        self._process_dependents(documents)

    def _process_dependents(self, documents: Sequence[Invalidation]) -> None:
        """Read again what shows text of these documents, in whichever unit; what is paused or busy waits with them."""
        if not documents or not isinstance(self._connector, Dependents):
            return
        units = self._services.catalog.units.all(self._connection.id)
        read = {state.unit.id: state for state in units if not state.gone and not state.paused}
        cursors = self._services.catalog.units.cursors(self._connection.id, read)
        with self._record_trouble(documents):
            found = self._connector.find_dependents({one.document_id for one in documents}, cursors)
            for unit, ids in found.items():
                with self._record(documents) as stages:
                    self._process_documents(read[unit].unit, list(ids), stages)

    def _expand(self, invalidations: Sequence[Invalidation]) -> dict[str, list[Invalidation]]:
        """Invalidations of units by unit; one that names none is about all that are neither gone nor paused."""
        by_unit: dict[str, list[Invalidation]] = {}
        for one in invalidations:
            units = [one.unit] if one.unit else self._active_units()
            if not units:
                self._outcomes.setdefault(one, []).append(Deferred())  # all are paused, or none is known yet
            for unit in units:
                by_unit.setdefault(unit, []).append(one)
        return by_unit

    def _active_units(self) -> list[str]:
        states = self._services.catalog.units.all(self._connection.id)
        return [state.unit.id for state in states if not state.gone and not state.paused]

    def _process_unit(self, unit_id: str, invalidations: Sequence[Invalidation], stages: list[StageDone]) -> None:
        state = self._find_unit(unit_id)
        if state is None:
            raise _NothingToDo(f"{unit_id} is not among this connection's units")
        documents = [one for one in invalidations if one.scope == "document"]
        try:
            if state.paused:
                raise _UnitPaused(f"{unit_id} is paused")
            if documents:
                self._process_documents(state.unit, [in_unit(one.document_id, unit_id) for one in documents], stages)
            if any(one.scope == "unit" for one in invalidations):
                self._run(state.unit, _READ, stages)
        except (_UnitPaused, UnitBusy):
            # The content waits. What these have lost does not.
            self._read_rights(state.unit, documents)
            raise

    def _process_documents(self, unit: Unit, ids: Sequence[str], stages: list[StageDone]) -> None:
        """Read documents again. One that cannot be read for a passing reason is left to the ledger, unless that is the
        source's own: a source that does not even list its units is waited for."""
        report = self._run(unit, SyncOptions(mode="documents", documents=tuple(ids)), stages)
        if report.unanswered.keys() >= set(ids):
            sync_units(self._services, self._connection, self._connector)

    def _read_rights(self, unit: Unit, documents: Sequence[Invalidation]) -> None:
        if unread := [one for one in documents if one not in self._rights_known]:
            ids = [in_unit(one.document_id, unit.id) for one in unread]
            deletions = [own for own, one in zip(ids, unread, strict=True) if one.withdraws]
            read_rights(self._services, self._connection, self._connector, unit, ids, deletions)

    def _find_unit(self, unit_id: str) -> UnitState | None:
        """The unit, if it is one that is read; None otherwise."""
        units = self._services.catalog.units
        state = units.get(self._connection.id, unit_id)
        if state is None and not self._unknown_units.are_listed(self._connection.id):
            sync_units(self._services, self._connection, self._connector)
            state = units.get(self._connection.id, unit_id)
            if state is None:
                self._unknown_units.note_listing(self._connection.id)
        is_excluded = state and state.gone and not self._connection.includes(unit_id, state.unit.name)
        return None if is_excluded else state

    def _units_of(self, invalidation: Invalidation) -> Collection[str]:
        """The unit that an object is in now; for one that is gone, the unit that it was in. All of both, where an event
        does not tell which is meant."""
        if invalidation.unit:
            return [invalidation.unit]
        document_id = invalidation.document_id
        now = self._connector.unit_of(document_id)
        if now and not is_in_any_unit(document_id):
            return [now]
        return {*known_units(self._services.catalog, self._connection.id, document_id), *([now] if now else [])}

    def _run(self, unit: Unit, options: SyncOptions, stages: list[StageDone]) -> SyncReport:
        """Run all stages of a unit, and add them to `stages`. Raises UnitBusy and _UnitFailed."""

        def stage_done(done: StageDone) -> None:
            self._observer.stage_done(done)
            stages.append(done)

        observer = Observer(stage_done, self._observer.progress)
        with self._services.catalog.leases.hold(self._connection.id, unit.id):
            report = run_stages(self._services, self._connection, self._connector, unit, options, observer)
        self._report.add(report)
        if report.errors:
            raise _UnitFailed(report)
        return report

    @contextmanager
    def _record(self, invalidations: Sequence[Invalidation]) -> Iterator[list[StageDone]]:
        """Record for each of these how processing it ended; yields the list for the stages that run."""
        stages: list[StageDone] = []
        with self._record_trouble(invalidations):
            yield stages
            self._add(invalidations, Processed(tuple(stages)))

    @contextmanager
    def _record_trouble(self, invalidations: Sequence[Invalidation]) -> Iterator[None]:
        """Record for each of these what keeps it from being processed, if anything does."""
        try:
            yield
        except CatalogUnavailable:
            raise  # nothing can be recorded: the pass is made again when it is back
        except (_UnitPaused, UnitBusy) as error:
            logger.info("%s: deferred: %s", self._connection.id, error)
            self._add(invalidations, Deferred())
        except _NothingToDo as error:
            logger.info("%s: ignored: %s", self._connection.id, error)
            self._add(invalidations, Ignored(str(error)))
        except _UnitFailed as error:
            self._add(invalidations, stopped_by(error.cause, str(error)))
        except Exception as error:
            cause = find_cause(error)
            is_expected = isinstance(error, SourceError | HeadraceError) or cause != "other"
            logger.error("%s: %s", self._connection.id, describe_error(error), exc_info=not is_expected)
            self._add(invalidations, stopped_by(cause, describe_error(error)))

    def _add(self, invalidations: Sequence[Invalidation], outcome: Outcome) -> None:
        for one in invalidations:
            self._outcomes.setdefault(one, []).append(outcome)


class _UnitPaused(Exception):
    """The unit is paused."""


class _NothingToDo(Exception):
    """What an event points at is not read here."""


class _UnitFailed(Exception):
    """What stopped a unit, as its report says; `cause` is the backend that was away, if one was."""

    def __init__(self, report: SyncReport) -> None:
        awaited = (cause for cause in report.causes.values() if cause != "other")
        self.cause: Cause = next(awaited, "other")
        super().__init__("; ".join(report.errors.values()))
