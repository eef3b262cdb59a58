"""Documents that move from one unit to another: whichever is looked at first, they are found in the second one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pytest
from pydantic import SecretStr

from connectors.contract import (
    Checkpoint,
    Cursor,
    Deleted,
    DocumentReaders,
    Item,
    ListingEntry,
    PartState,
    RightsItem,
    Window,
)
from connectors.errors import Unavailable
from connectors.github.settings import GitHubConnection
from connectors.model import Document, Unit
from pipelines.index.contract import Filters
from pipelines.ingestion.options import Mode, SyncOptions
from pipelines.ingestion.paused_rights import follow_rights
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.retrieval.search import document as document_for
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
A, B = Unit("a", "A"), Unit("b", "B")
MOVED = document(1).id
ADA, BO, CY = "user:ada@example.com", "user:bo@example.com", "user:cy@example.com"
MODES: tuple[Mode, ...] = ("changes", "reconcile")


@dataclass
class TwoUnits(MemorySource):
    """Gives of each unit what is in it. A single object of another unit it gives with that unit, or calls gone from
    this one, to the other or without a word about where it is; one that `feeds` tells of a move in the unit that it
    went to."""

    says: Literal["document", "gone to", "gone"] = "document"
    feeds: bool = True
    fails: bool = False
    told: list[RightsItem | Checkpoint] = field(default_factory=list)
    """Of rights without contents."""

    def move(self, key: str, unit: Unit) -> None:
        changed, item = self.changed[key], self.objects[key]
        assert isinstance(item, Document)
        self.put(document(1, unit=unit.id, fingerprint=item.fingerprint, readers=("public",)))
        if not self.feeds:
            self.changed[key] = changed

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        for item in super().read(unit, cursor, window):
            if not isinstance(item, Document) or item.unit == unit.id:
                yield item

    def listing(self, unit: Unit) -> Iterator[ListingEntry | PartState]:
        for entry in super().listing(unit):
            if isinstance(entry, PartState) or self.objects[entry.document_id].unit == unit.id:  # type: ignore[union-attr]
                yield entry

    def read_rights(self, unit: Unit, cursor: Cursor | None = None) -> Iterator[RightsItem | Checkpoint]:
        yield from self.told

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        if self.fails:
            raise Unavailable("https://api.test", "HTTP 502")
        for item in super().fetch(unit, document_ids):
            if self.says != "document" and isinstance(item, Document) and item.unit != unit.id:
                yield Deleted(MOVED, moved_to=str(item.unit) if self.says == "gone to" else "")
            else:
                yield item


@pytest.fixture
def source() -> TwoUnits:
    source = TwoUnits()
    for number in range(1, 13):
        source.put(document(number, unit="a", fingerprint="f"))
    source.put(document(20, unit="b", fingerprint="f"))
    return source


@pytest.fixture
def services(settings: Settings, source: TwoUnits) -> Iterator[Services]:
    with Services(settings.model_copy(update={"connections": (CONNECTION,)}), FakeEmbedder()) as opened:
        opened.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [A, B])
        for unit in (A, B):
            run(opened, source, unit, "changes")
        yield opened


def run(services: Services, source: TwoUnits, unit: Unit, mode: Mode) -> None:
    report = sync_unit(services, CONNECTION, source, unit, SyncOptions(mode=mode))
    assert (report.errors, report.documents.failed) == ({}, 0)
    publish(services)


def where(services: Services) -> tuple[str, str] | None:
    """The unit and the status of the document that moved, as the catalog has it; None where nobody finds it."""
    if not services.reader.document(MOVED, Filters(readers=("public",))):
        return None
    state = services.catalog.documents.states([MOVED])[MOVED]
    return state.unit, state.status


@pytest.mark.each_pair
@pytest.mark.parametrize("second", MODES)
@pytest.mark.parametrize("first", MODES)
@pytest.mark.parametrize("units", [(A, B), (B, A)], ids=["old-first", "new-first"])
@pytest.mark.parametrize("says", ["document", "gone to", "gone"])
def test_it_is_found_in_the_unit_that_it_went_to(
    services: Services,
    source: TwoUnits,
    units: tuple[Unit, Unit],
    first: Mode,
    second: Mode,
    says: Literal["document", "gone to", "gone"],
) -> None:
    source.says = says
    source.move(MOVED, B)
    modes = dict(zip(units, (first, second), strict=True))
    for unit, mode in modes.items():
        run(services, source, unit, mode)
        if unit is B:
            assert where(services) == ("b", "indexed")
    assert where(services) == ("b", "indexed")


@pytest.mark.each_pair
@pytest.mark.parametrize("second", MODES)
@pytest.mark.parametrize("feeds", [True, False])
@pytest.mark.parametrize("says", ["document", "gone to"])
def test_without_a_feed_the_old_unit_tells_the_new_one(
    services: Services, source: TwoUnits, second: Mode, feeds: bool, says: Literal["document", "gone to"]
) -> None:
    source.feeds, source.says = feeds, says
    source.move(MOVED, B)
    run(services, source, A, "reconcile")
    assert where(services) is None, "its readers in the other unit are not told yet"
    assert services.catalog.parents.doubtful_units("acme") == {"b"}, "a schedule reads that one"
    run(services, source, B, second)
    assert where(services) == ("b", "indexed")


def test_the_listing_of_the_new_unit_alone_finds_it(services: Services, source: TwoUnits) -> None:
    source.feeds = False
    source.move(MOVED, B)
    run(services, source, B, "reconcile")
    assert where(services) == ("b", "indexed")
    requests = source.requests
    run(services, source, B, "reconcile")
    assert source.requests == requests + 1, "it is read once"


@pytest.mark.parametrize("feeds", [True, False])
def test_it_comes_back_as_it_was(services: Services, source: TwoUnits, feeds: bool) -> None:
    source.move(MOVED, B)
    run(services, source, A, "reconcile")
    source.feeds = feeds
    source.move(MOVED, A)
    run(services, source, B, "reconcile")
    run(services, source, A, "changes")
    assert where(services) == ("a", "indexed")


def test_one_that_is_named_and_cannot_be_read_now_stays_hidden_until_it_is(
    services: Services, source: TwoUnits
) -> None:
    source.move(MOVED, B)
    source.feeds = False
    run(services, source, A, "reconcile")
    source.fails = True
    assert sync_unit(services, CONNECTION, source, B, SyncOptions(mode="reconcile")).errors
    assert where(services) is None
    source.fails = False
    run(services, source, B, "reconcile")
    assert where(services) == ("b", "indexed")


def test_what_one_unit_has_lost_another_one_keeps(services: Services, source: TwoUnits) -> None:
    """A feed that tells the unit before of the removal, after the other unit has read it."""
    source.move(MOVED, B)
    run(services, source, B, "changes")
    source.gone.append(MOVED)
    run(services, source, A, "changes")
    assert where(services) == ("b", "indexed")


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("mode", "tells"),
    [("reconcile", False), ("reconcile", True), ("changes", True)],
    ids=["handed-over", "handed-over-and-told", "told"],
)
def test_readers_of_a_paused_unit_see_nothing_of_what_it_has_not_read(
    services: Services, source: TwoUnits, mode: Mode, tells: bool
) -> None:
    """The text that is indexed is that of the unit before, whose readers are others."""
    source.put(document(1, unit="a", readers=(BO, CY)))
    run(services, source, A, "changes")
    services.catalog.units.pause("acme", "b", True)
    source.put(document(1, unit="b", readers=(ADA, CY), content="Written in the other unit."))
    run(services, source, A, mode)
    source.told = [DocumentReaders(MOVED, (ADA, CY))] if tells else []
    follow_rights(services.catalog, CONNECTION, source, B)
    publish(services)
    assert [readable(services, one) for one in (ADA, BO, "public")] == [None, None, None]
    services.catalog.units.pause("acme", "b", False)
    run(services, source, B, "changes")
    assert [readable(services, one) for one in (ADA, BO)] == ["Written in the other unit.", None]


def readable(services: Services, token: str) -> str | None:
    """What somebody reads of the document that moved."""
    found = document_for(MOVED, (token,), index=services.reader)
    return found.text if found else None


def move_all(source: TwoUnits, numbers: range) -> None:
    for number in numbers:
        source.put(document(number, unit="b", fingerprint="f", readers=("public",)))


def test_what_moves_is_no_mass_delete_however_much_it_is(services: Services, source: TwoUnits) -> None:
    """The other unit reads it next; what has gone besides is removed as ever."""
    move_all(source, range(1, 9))
    source.remove(document(9).id)
    run(services, source, A, "reconcile")
    run(services, source, B, "reconcile")
    states = services.catalog.documents.states(document(number).id for number in range(1, 10))
    assert [states[document(number).id].unit for number in range(1, 9)] == ["b"] * 8
    assert states[document(9).id].status == "deleted"


def test_what_is_gone_beside_what_has_moved_is_still_kept_until_somebody_allows_it(
    services: Services, source: TwoUnits
) -> None:
    move_all(source, range(1, 4))
    for number in range(4, 9):
        source.remove(document(number).id)
    report = sync_unit(services, CONNECTION, source, A, SyncOptions(mode="reconcile"))
    assert "allow-mass-delete" in report.errors["acme/a"]
    states = services.catalog.documents.states(document(number).id for number in range(4, 9))
    assert {state.status for state in states.values()} == {"indexed"}


def test_a_dry_run_hands_nothing_over(services: Services, source: TwoUnits) -> None:
    source.move(MOVED, B)
    options = SyncOptions(mode="reconcile", dry_run=True, stages=("documents",))
    report = sync_unit(services, CONNECTION, source, A, options)
    assert (report.would_delete, where(services)) == ([], ("a", "indexed"))
