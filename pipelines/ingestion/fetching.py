"""Documents that are asked for by their ids, and which unit they are in by now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from connectors.admission import wrong_id
from connectors.contract import ChangeItem, Deleted, Failed, Item
from connectors.errors import AccessDenied, NotFound
from connectors.model import Document
from pipelines.ingestion.diff import UNFOUND
from pipelines.ingestion.unit_task import UnitTask


@dataclass(frozen=True, slots=True)
class Fetching:
    """Asks the source for single documents of a unit. What is in another unit is handed over to that one."""

    task: UnitTask

    def fetch(self, document_ids: Iterable[str]) -> Iterator[Item]:
        """Documents as they are now, but for those that are in another unit."""
        ids = list(dict.fromkeys(document_ids))
        items = self.task.connector.fetch(self.task.unit, ids) if ids else iter(())
        return (item for item in items if not self._hand_over(item))

    def refetch(self, document_ids: list[str]) -> Iterator[Item]:
        """Each document as it is now; deleted if the unit itself is out of reach. What is neither listed nor found is
        gone."""
        try:
            for item in self.fetch(document_ids):
                yield Deleted(item.document_id) if isinstance(item, Deleted) else item
        except (NotFound, AccessDenied):  # the unit itself: a document that is gone is an item
            yield from map(Deleted, document_ids)

    def leaves(self, item: ChangeItem) -> bool:
        """Whether a read tells a document to be in another unit that is listed. What is below it is looked at next: it
        has gone along, or was taken elsewhere before."""
        if not (isinstance(item, Deleted) and self._hand_over(item)):
            return False
        if not self.task.options.dry_run:
            self.task.catalog.parents.hide_below(*self.task.own, [item.document_id])
        return True

    def keep_unfound(self, items: Iterable[ChangeItem], listed: Collection[str] = ()) -> Iterator[ChangeItem]:
        """What is not found, though it is `listed` or what holds it shows it, is not gone; but nobody sees it until it
        is found. What the catalog does not have was never there for these credentials."""
        for item in items:
            if isinstance(item, Deleted) and item.is_unfound and self._is_shown(item.document_id, listed):
                yield Failed(item.document_id, "", UNFOUND, hides=True)
            else:
                yield item

    def _is_shown(self, document_id: str, listed: Collection[str]) -> bool:
        return document_id in listed or bool(self.task.catalog.documents.present([document_id]))

    def _hand_over(self, item: ChangeItem) -> bool:
        """Whether an item is a document of another unit that is listed; what the catalog has of it here is that unit's
        from now on."""
        document_id, unit = _place_now(item)
        if unit in ("", self.task.unit.id) or wrong_id(document_id, self.task.connection):
            return False
        other = self.task.catalog.units.get(self.task.connection.id, unit)
        if other is None or other.gone:
            return False
        if not self.task.options.dry_run:
            self.task.catalog.rights.hand_over(*self.task.own, document_id, other.unit.id)
        return True


def _place_now(item: ChangeItem) -> tuple[str, str]:
    """A document's id, and the unit that it is in as far as its source tells."""
    match item:
        case Document():
            return item.id, str(item.unit)
        case Deleted():
            return item.document_id, item.moved_to
    return "", ""
