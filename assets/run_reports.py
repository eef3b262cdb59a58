"""What a run did, told by its own history to the command that has launched it: they share no memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import dagster as dg
from dagster._core.events.log import EventLogEntry
from dagster._utils.error import SerializableErrorInfo  # type: ignore[attr-defined]
from pydantic import TypeAdapter

from assets.keys import asset_key
from assets.metadata import Metadata, read_stage_metadata
from connectors.model import Unit
from connectors.settings import Connection
from pipelines.errors import UsageError
from pipelines.ingestion.observer import Observer, StageDone
from pipelines.ingestion.options import STAGES, Stage
from pipelines.ingestion.report import SyncReport

logger = logging.getLogger(__name__)

REPORT_TAG = "headrace/report"
"""On a run that a command waits for: its last step tells the whole report, which no other run keeps."""
_REPORT = "report"

TOLD_BY = {
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_OBSERVATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.ENGINE_EVENT,
}
"""Types of the events that `RunHistory` takes."""


def report_metadata(run: dg.DagsterRun, report: SyncReport) -> Metadata:
    """The report, if a command waits for it."""
    told = _adapter().dump_python(report, mode="json")
    return {_REPORT: dg.MetadataValue.json(told)} if REPORT_TAG in run.tags else {}


@dataclass(slots=True)
class RunHistory:
    """What the events of a connection's run have told so far.

    Units whose stages have changed are told to the observer once their vectors are done, or the run has ended; of
    those that are as before nothing is in a history.
    """

    connection: Connection
    observer: Observer
    _report: SyncReport | None = None
    _made: SyncReport = field(default_factory=SyncReport)
    _stages: dict[str, dict[Stage, SyncReport]] = field(default_factory=dict)
    _why: str = ""
    _status: dg.DagsterRunStatus | None = None

    def show_status(self, run: str, status: dg.DagsterRunStatus) -> None:
        """Log where the run is, once for each status."""
        if status != self._status:
            waits = "; Dagster's daemon starts it" if status == dg.DagsterRunStatus.QUEUED else ""
            logger.info("%s: run %s is %s%s", self.connection.id, run, status.value.lower(), waits)
        self._status = status

    def take(self, entry: EventLogEntry) -> None:
        """Raises UsageError where the run has."""
        event = entry.dagster_event
        if entry.asset_materialization:
            self._take_made(entry.asset_materialization)
        elif entry.asset_observation:
            self._take_observed(entry.asset_observation)
        elif event and (error := _error(event)):
            self._take_error(error)
        elif event and event.is_failure:
            self._why = self._why or event.message or ""

    def end(self, run: str, status: dg.DagsterRunStatus) -> SyncReport:
        """The whole report, or as much of it as is known of a run that has not come to its last step."""
        for unit in list(self._stages):
            self._tell(unit)
        report = self._report or self._made
        if status == dg.DagsterRunStatus.CANCELED:
            report.errors[self.connection.id] = f"the run {run} was cancelled"
        elif status != dg.DagsterRunStatus.SUCCESS and not report.errors:
            why = self._why or "Dagster's page shows its events"
            report.errors[self.connection.id] = f"the run {run} has failed: {why}"
        return report

    def _take_made(self, made: dg.AssetMaterialization) -> None:
        if made.asset_key == asset_key(self.connection.id, "units"):
            requests = made.metadata["requests"].value
            self._made.requests[self.connection.id] = requests if isinstance(requests, int) else 0
        for stage in STAGES:
            if made.partition and made.asset_key == asset_key(self.connection.id, stage):
                report = read_stage_metadata(stage, made.metadata)
                self._made.add(report)
                self._stages.setdefault(made.partition, {})[stage] = report
                if stage == STAGES[-1]:
                    self._tell(made.partition)

    def _tell(self, partition: str) -> None:
        done, unit = self._stages.pop(partition), Unit(partition, partition)
        for stage in STAGES:
            self.observer.stage_done(StageDone(self.connection, unit, stage, done.get(stage) or SyncReport()))

    def _take_observed(self, observed: dg.AssetObservation) -> None:
        told = observed.metadata.get(_REPORT)
        if told and observed.asset_key == asset_key(self.connection.id, "units"):
            self._report = _adapter().validate_python(told.value)

    def _take_error(self, error: SerializableErrorInfo) -> None:
        *_, innermost = _causes(error)
        said = innermost.message.partition(": ")[2].strip() or innermost.message.strip()
        if innermost.cls_name == UsageError.__name__:
            raise UsageError(said)
        self._why = self._why or said


def _adapter() -> TypeAdapter[SyncReport]:
    # The report names it, and imports it for type checkers alone.
    from pipelines.catalog.failures import Cause  # noqa: F401

    return TypeAdapter(SyncReport)


def _error(event: dg.DagsterEvent) -> SerializableErrorInfo | None:
    if event.is_step_failure:
        return event.step_failure_data.error
    return event.engine_event_data.error if event.is_engine_event else None


def _causes(error: SerializableErrorInfo) -> Iterator[SerializableErrorInfo]:
    cause: SerializableErrorInfo | None = error
    while cause:
        yield cause
        cause = cause.cause
