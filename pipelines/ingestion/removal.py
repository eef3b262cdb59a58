"""What a complete listing lacks: hidden at once, looked at once more, and removed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from connectors.errors import AccessDenied, NotFound
from pipelines.errors import MassDelete
from pipelines.ingestion.document_writing import DocumentWriting
from pipelines.ingestion.fetching import Fetching
from pipelines.ingestion.told_parts import ToldParts
from pipelines.ingestion.unit_task import UnitTask

_LOOKED_AT_FOR_MOVES = 200
"""So many documents that are in no other unit tell that most of what a listing lacks has not moved."""
_OUT_OF_REACH = "missing from the source's listing"


@dataclass(frozen=True, slots=True)
class Removal:
    """Hides and removes what a unit has no more."""

    task: UnitTask
    fetching: Fetching
    parts: ToldParts
    writing: DocumentWriting

    def remove(self, listing: str | None) -> None:
        """Remove what is missing from a complete listing and, fetched once more, is gone; without a listing the
        whole unit.

        Raises MassDelete if that would be more than a tenth of the unit and nobody has allowed it: then they are kept,
        and nobody sees them.
        """
        missing = self.hide_missing(listing)
        live = self.task.catalog.documents.count_live(*self.task.own)
        if listing and is_mass(len(missing), live) and not self.task.options.allow_mass_delete:
            self._hand_over_moved(missing, live)
            missing = self.missing(listing)
        if is_mass(len(missing), live) and not self.task.options.allow_mass_delete:
            raise MassDelete(f"{self.task.connection.id}/{self.task.unit.id}", len(missing), live)
        if listing is None:
            # Of a unit that comes back all is to be read again, and not only what has changed since.
            self.task.catalog.units.forget_cursor(*self.task.own)
        self.writing.write(self.fetching.refetch(missing))

    def hide_missing(self, listing: str | None) -> list[str]:
        """Nobody finds what a complete listing lacks before it is seen again; returns what that is."""
        missing = self.missing(listing)
        self.hide(missing)
        return missing

    def hide(self, missing: Sequence[str]) -> None:
        """Nobody finds these any more, of which a complete listing told nothing."""
        self.task.catalog.rights.hide(*self.task.own, missing, _OUT_OF_REACH)

    def missing(self, listing: str | None) -> list[str]:
        """Live documents that a complete listing would have named; all, where there is no listing."""
        unnamed = self.unnamed(listing)
        return [one for one in unnamed if not (listing and self.parts.is_untold(one))]

    def unnamed(self, listing: str | None) -> list[str]:
        """Live documents that a complete listing did not name, whatever its parts tell."""
        return self.task.catalog.documents.missing_from(*self.task.own, listing)

    def hide_blocked(self, reason: str) -> None:
        """As with all units that are out of reach, what it holds is removed on somebody's word alone. Should it come
        back, it is read from its beginning."""
        catalog, own = self.task.catalog, self.task.own
        states = catalog.documents.states(catalog.documents.missing_from(*own, None))
        catalog.rights.hide(*own, [one for one, state in states.items() if state.hidden is None], reason)
        if self.task.options.mode in ("full", "reconcile") and self.task.options.allow_mass_delete:
            self.remove(None)
        catalog.units.forget_cursor(*own)

    def _hand_over_moved(self, missing: Sequence[str], live: int) -> None:
        """Of what a listing lacks, give other units what is in them, which nobody has to allow. It is asked for until
        so much of it is in none that somebody has to be asked in any case."""
        items = self.fetching.fetch(missing)
        with suppress(NotFound, AccessDenied):
            for staying, _ in enumerate(items, start=1):
                if is_mass(staying, live) or staying >= _LOOKED_AT_FOR_MOVES:
                    break


def is_mass(documents: int, live: int) -> bool:
    """Whether these are too many of a unit's `live` ones to be removed unasked."""
    return documents > max(1, live // 10)
