"""Parts of a unit: which its source told of, and which were not complete before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.contract import PartState, id_prefix
from pipelines.ingestion.unit_task import UnitTask


@dataclass(frozen=True, slots=True)
class ToldParts:
    """The parts of a unit that its source told of during a read, by name, and the names of those that were `incomplete`
    when the unit was read last."""

    task: UnitTask
    told: dict[str, PartState] = field(default_factory=dict)
    incomplete: set[str] = field(default_factory=set)

    def take(self, states: Sequence[PartState]) -> None:
        """Note what was told of parts; the last word counts."""
        self.told.update({state.part: state for state in states})

    def is_untold(self, document_id: str) -> bool:
        """Whether a listing tells nothing of a document, by the word of its part."""
        return any(document_id.startswith(state.id_prefixes) for state in self.told.values())

    def is_unlisted(self) -> bool:
        """Whether the listing said that it tells of none of the unit's documents."""
        every = id_prefix(self.task.connection.source, self.task.connection.id)
        untold = (set(one.id_prefixes) for one in self.told.values() if one.status != "complete")
        return any({every, f"{every}{self.task.unit.id}/"} & prefixes for prefixes in untold)

    def report(self) -> None:
        """Let the ledger and the report tell of the parts that were asked for. What one that fails lacks is missing
        from the unit, which is not up to date; one that is refused waits for a permission. Single documents that were
        looked at tell nothing of that."""
        name, report = f"{self.task.connection.id}/{self.task.unit.id}", self.task.report
        if not self.task.options.dry_run:
            self.task.catalog.parts.record(*self.task.own, self.told.values())
        for state in self.told.values():
            if state.status == "refused":
                report.refused.setdefault(name, {})[state.part] = state.reason
            elif state.status == "failing" and name not in report.errors and self.task.options.mode != "documents":
                report.record_error(name, f"{state.part}: {state.reason}", "source_unavailable")
