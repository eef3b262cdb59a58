"""Looking again at what events point to, connection by connection and unit by unit."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from connectors.contract import Connector
from connectors.errors import SourceError
from connectors.model import Unit
from connectors.settings import Connection
from connectors.webhooks import Invalidation
from pipelines.errors import HeadraceError, UnitBusy
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import Observer, StageDone, refresh_memberships, run_stages, sync_units
from pipelines.services import Services

logger = logging.getLogger(__name__)

STRANGE_SECONDS = 300.0


@dataclass(slots=True)
class Looked:
    """What became of each place: the stages that ran for it, or the error that stopped it.

    A place in none of the two was left for later, because another process works there.
    """

    stages: dict[Invalidation, list[StageDone]] = field(default_factory=dict)
    errors: dict[Invalidation, str] = field(default_factory=dict)
    report: SyncReport = field(default_factory=SyncReport)


class Strangers:
    """Units that events name and that are not read: for a while, no listing is asked for them again.

    A unit that is new says so by an event of its own, which looks at the listing in any case.
    """

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], float] = {}

    def knows(self, connection: str, unit: str) -> bool:
        return self._until.get((connection, unit), 0.0) > time.monotonic()

    def add(self, connection: str, unit: str) -> None:
        now = time.monotonic()
        self._until = {one: until for one, until in self._until.items() if until > now}
        self._until[connection, unit] = now + STRANGE_SECONDS


class Looking:
    """One pass over places of one connection."""

    def __init__(
        self,
        services: Services,
        connection: Connection,
        connector: Connector,
        observer: Observer,
        strangers: Strangers | None = None,
    ) -> None:
        self.looked = Looked()
        self._strangers = strangers or Strangers()
        self._services = services
        self._connection = connection
        self._connector = connector
        self._observer = observer

    def look(self, changes: Iterable[Invalidation]) -> Looked:
        """Look at all of these. Memberships come first: who may not see a thing must not for no second longer."""
        by_scope: dict[str, list[Invalidation]] = {}
        for change in changes:
            by_scope.setdefault(change.scope, []).append(change)
        if memberships := by_scope.get("memberships"):
            with self._noted(memberships):
                refresh_memberships(self._services, self._connection, self._connector)
        if units := by_scope.get("units"):
            with self._noted(units):
                self._look_at_units(units)
        self._look_inside(by_scope.get("unit", []), by_scope.get("document", []))
        for change in self.looked.errors:  # it may have gone well in another unit
            self.looked.stages.pop(change, None)
        return self.looked

    def _look_at_units(self, changes: Sequence[Invalidation]) -> None:
        """New units, and those that show something new, are read as a whole; one that is gone loses its documents."""
        sync_units(self._services, self._connection, self._connector)
        named = {change.unit for change in changes}
        for state in self._services.catalog.units.all(self._connection.id):
            if state.paused:
                continue
            if state.gone and state.unit.id in named:
                # Each document is looked at again; a unit that the provider itself says is gone needs no operator.
                self._run(state.unit, SyncOptions(mode="gone", allow_mass_delete=True), changes)
            elif not state.gone and (state.cursor is None or state.unit.id in named):
                self._run(state.unit, SyncOptions(), changes)

    def _look_inside(self, units: Sequence[Invalidation], documents: Sequence[Invalidation]) -> None:
        by_unit: dict[str, list[Invalidation]] = {}
        for change in documents:
            with self._noted([change]):
                if (unit := self._unit_of(change)) is not None:
                    by_unit.setdefault(unit, []).append(change)
        whole = self._whole(units)
        for unit in dict.fromkeys([*whole, *by_unit]):
            changes = by_unit.get(unit, []) + whole.get(unit, [])
            with self._noted(changes):
                self._look_at_unit(unit, changes)

    def _whole(self, changes: Sequence[Invalidation]) -> dict[str, list[Invalidation]]:
        """The changes of units by unit; one that names none is about all that are neither gone nor paused."""
        found: dict[str, list[Invalidation]] = {}
        for change in changes:
            states = self._services.catalog.units.all(self._connection.id)
            every = [state.unit.id for state in states if not state.gone and not state.paused]
            for unit in [change.unit] if change.unit else every:
                found.setdefault(unit, []).append(change)
        return found

    def _look_at_unit(self, unit_id: str, changes: Sequence[Invalidation]) -> None:
        unit = self._known_unit(unit_id)
        if unit is None:
            return
        ids = tuple(change.document_id for change in changes if change.scope == "document")
        if ids:
            self._run(unit, SyncOptions(mode="documents", documents=ids), changes)
        if any(change.scope == "unit" for change in changes):
            self._run(unit, SyncOptions(), changes)

    def _known_unit(self, unit_id: str) -> Unit | None:
        """The unit, if it is one that is read; None otherwise. Raises _Later where it is paused."""
        units = self._services.catalog.units
        state = units.get(self._connection.id, unit_id)
        if state is None and not self._strangers.knows(self._connection.id, unit_id):
            sync_units(self._services, self._connection, self._connector)
            state = units.get(self._connection.id, unit_id)
            if state is None:
                self._strangers.add(self._connection.id, unit_id)
        if state and state.paused:
            raise _Later(unit_id)
        return state.unit if state else None

    def _unit_of(self, change: Invalidation) -> str | None:
        """The unit that an object is in now; one that is gone is still looked at in the unit it was in."""
        if change.unit:
            return change.unit
        return self._connector.unit_of(change.document_id) or self._services.catalog.documents.unit_of(
            change.document_id
        )

    def _run(self, unit: Unit, options: SyncOptions, changes: Sequence[Invalidation]) -> None:
        def stage_done(done: StageDone) -> None:
            self._observer.stage_done(done)
            for change in changes:
                self.looked.stages.setdefault(change, []).append(done)

        observer = Observer(stage_done, self._observer.progress)
        with self._services.catalog.leases.hold(self._connection.id, unit.id):
            report = run_stages(self._services, self._connection, self._connector, unit, options, observer)
        self.looked.report.add(report)
        if report.errors:
            raise _Failed("; ".join(report.errors.values()))

    @contextmanager
    def _noted(self, changes: Sequence[Invalidation]) -> Iterator[None]:
        """Note for each of these places how looking at it ended."""
        try:
            yield
        except (_Later, UnitBusy) as error:
            logger.info("%s: later: %s", self._connection.id, error)
            for change in changes:
                self.looked.stages.pop(change, None)
        except (_Failed, SourceError, HeadraceError) as error:
            self._fail(changes, str(error))
        except Exception as error:
            logger.exception("%s: unexpected error", self._connection.id)
            self._fail(changes, f"unexpected {type(error).__name__}: {error}")
        else:
            for change in changes:
                self.looked.stages.setdefault(change, [])

    def _fail(self, changes: Sequence[Invalidation], error: str) -> None:
        for change in changes:
            self.looked.stages.pop(change, None)
            self.looked.errors[change] = error


class _Later(Exception):
    """The unit is paused."""


class _Failed(Exception):
    """What a unit's report says that stopped it."""
