"""What is taken away from a container is taken away from all that is in it, until each is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
from pydantic import SecretStr

from connectors.contract import Item, Skipped, all_below
from connectors.github.settings import GitHubConnection
from connectors.model import Document, Parent, Unit
from pipelines.index.contract import Filters
from pipelines.ingestion.options import DEFAULT, SyncOptions
from pipelines.ingestion.publish import publish
from pipelines.ingestion.rights import read_rights
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
ADA, BOB = "user:ada@acme.test", "user:bob@acme.test"
TOP, MIDDLE, LEAF, BESIDE = (document(number).id for number in (1, 2, 3, 4))
FOLDER = "github:acme/acme/api/folder"
"""A container that is no document."""


def inside(number: int, *containers: str, readers: tuple[str, ...] = (ADA, BOB)) -> Document:
    parents = tuple(Parent(one, "Container") for one in containers)
    return document(number, title="Zebra", content=f"zebra {number}", parents=parents, readers=readers)


@pytest.fixture
def source() -> MemorySource:
    """Document 1 is in a folder, 2 in 1, 3 in 2, and 4 to 30 in none."""
    source = MemorySource()
    for one in (inside(1, FOLDER), inside(2, FOLDER, TOP), inside(3, FOLDER, TOP, MIDDLE)):
        source.put(one)
    for number in range(4, 31):
        source.put(inside(number))
    return source


@pytest.fixture
def services(settings: Settings, source: MemorySource) -> Iterator[Services]:
    with Services(settings.model_copy(update={"connections": (CONNECTION,)}), FakeEmbedder()) as opened:
        opened.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
        sync(opened, source)
        publish(opened)
        yield opened


def sync(services: Services, source: MemorySource, options: SyncOptions = DEFAULT) -> None:
    report = sync_unit(services, CONNECTION, source, UNIT, options)
    assert report.errors == {}


def look(services: Services, source: MemorySource, *ids: str) -> None:
    read_rights(services, CONNECTION, source, UNIT, ids)


def found(services: Services, person: str) -> set[str]:
    """The first four of what a person finds."""
    hits = (services.reader.document(one, Filters(readers=(person,))) for one in (TOP, MIDDLE, LEAF, BESIDE))
    return {str(chunks[0].payload["document_id"]) for chunks in hits if chunks}


def forget_parents(services: Services) -> None:
    """As an earlier release left the catalog."""
    with services.catalog._engine.begin() as transaction:
        transaction.exec_driver_sql("DELETE FROM parents")


def test_all_that_is_in_a_document_that_is_gone_is_hidden_by_one_request(
    services: Services, source: MemorySource
) -> None:
    source.remove(TOP)
    before = source.requests
    look(services, source, TOP, all_below(TOP))
    assert (found(services, ADA), source.requests - before) == ({BESIDE}, 1)


@pytest.mark.parametrize("known", [True, False])
def test_an_empty_document_says_nothing_of_who_reads_what_is_in_it(
    services: Services, source: MemorySource, known: bool
) -> None:
    """It is a container without readers of its own, so that the source is asked."""
    if not known:
        forget_parents(services)
    source.put(Skipped(TOP, "Zebra", "empty"))
    before = source.requests
    look(services, source, TOP, all_below(TOP))
    assert source.requests - before == 2


def test_a_container_that_is_no_document_hides_what_is_in_it_until_that_is_looked_at(
    services: Services, source: MemorySource
) -> None:
    seen: list[set[str]] = []
    watched = Watched(source.objects, source.changed, source.clock, gone=[FOLDER])
    watched.before_fetch = lambda: seen.append(found(services, ADA))
    sync(services, watched)
    assert (seen, found(services, ADA)) == ([{BESIDE}], {TOP, MIDDLE, LEAF, BESIDE})


def test_what_a_catalog_does_not_know_to_be_below_is_asked_for(services: Services, source: MemorySource) -> None:
    forget_parents(services)
    source.remove(TOP)
    before = source.requests
    look(services, source, TOP, all_below(TOP))
    assert source.requests - before == 2  # the second for all that is below, which this source does not know


def test_a_reader_that_a_document_loses_is_lost_by_what_is_in_it(services: Services, source: MemorySource) -> None:
    source.put(inside(1, FOLDER, readers=(ADA,)))
    look(services, source, TOP, all_below(TOP))
    assert (found(services, BOB), found(services, ADA)) == ({BESIDE}, {TOP, MIDDLE, LEAF, BESIDE})


@pytest.mark.parametrize("number", [2, 3])
def test_what_had_left_a_container_before_comes_back_with_the_next_sync(
    services: Services, source: MemorySource, number: int
) -> None:
    source.remove(TOP)
    source.objects[document(number).id] = inside(number)  # no change that a read names
    look(services, source, TOP, all_below(TOP))
    assert found(services, ADA) == {BESIDE}
    sync(services, source)
    publish(services)
    assert found(services, ADA) == {MIDDLE, LEAF, BESIDE}


def test_readers_that_what_is_inside_keeps_come_back_with_the_next_sync(
    services: Services, source: MemorySource
) -> None:
    source.put(inside(1, FOLDER, readers=(ADA,)))
    look(services, source, TOP, all_below(TOP))
    sync(services, source)
    assert found(services, BOB) == {MIDDLE, LEAF, BESIDE}


def test_much_of_a_unit_that_is_hidden_is_looked_at_by_a_listing_and_kept(
    services: Services, source: MemorySource
) -> None:
    for number in range(5, 15):
        source.put(inside(number, TOP))
    sync(services, source)
    for gone in [TOP, *(document(number).id for number in range(5, 14))]:
        source.remove(gone)
    look(services, source, TOP, all_below(TOP))
    before = source.requests
    sync(services, source)
    publish(services)
    hidden = {document(number).id for number in range(5, 14)}
    assert source.requests - before < 5
    assert {one for one in hidden if services.reader.document(one, Filters(readers=(ADA,)))} == set()
    assert found(services, ADA) == {MIDDLE, LEAF, BESIDE}
    assert services.reader.document(document(14).id, Filters(readers=(ADA,)))
    states = services.catalog.documents.states(hidden)
    assert {state.status for state in states.values()} == {"indexed"}
    before = source.requests
    sync(services, source)
    assert source.requests - before < 2


def test_a_move_is_known_to_the_next_event(services: Services, source: MemorySource) -> None:
    source.put(inside(2))
    sync(services, source)
    source.remove(TOP)
    look(services, source, TOP, all_below(TOP))
    assert found(services, ADA) == {MIDDLE, LEAF, BESIDE}


def test_a_listing_fills_in_what_an_earlier_release_did_not_keep(services: Services, source: MemorySource) -> None:
    forget_parents(services)
    sync(services, source, SyncOptions(mode="reconcile"))
    source.remove(TOP)
    look(services, source, TOP, all_below(TOP))
    assert found(services, ADA) == {BESIDE}


def test_what_is_missing_from_a_listing_is_hidden_before_it_is_looked_at(
    services: Services, source: MemorySource
) -> None:
    seen: list[set[str]] = []
    watched = Watched(source.objects, source.changed, source.clock)
    watched.before_fetch = lambda: seen.append(found(services, ADA))
    watched.remove(LEAF)
    sync(services, watched, SyncOptions(mode="reconcile"))
    assert seen == [{TOP, MIDDLE, BESIDE}]


def test_the_items_of_one_read_count_before_what_the_catalog_knew(services: Services, source: MemorySource) -> None:
    """A document leaves a container that goes, and both are told by the same read."""
    source.put(replace(inside(3), content="zebra 3, moved"))
    source.remove(TOP)
    source.gone.append(TOP)
    sync(services, source)
    publish(services)
    assert found(services, ADA) == {MIDDLE, LEAF, BESIDE}


@dataclass
class Watched(MemorySource):
    """Calls a function before it answers for single objects."""

    before_fetch: Callable[[], None] = lambda: None

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        self.before_fetch()
        yield from super().fetch(unit, document_ids)


OTHER = Unit("other", "Other")


def test_what_is_in_a_document_comes_along_to_its_other_unit(services: Services, source: MemorySource) -> None:
    """Of what is in it nothing has changed, and no read names it. What was taken elsewhere before stays there."""
    services.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT, OTHER])
    moved = MemorySource()
    for one in (inside(1, FOLDER), inside(3, FOLDER, TOP, MIDDLE)):
        moved.put(replace(one, unit=OTHER.id))
    moved.put(replace(inside(2, FOLDER, TOP), unit=OTHER.id))
    assert sync_unit(services, CONNECTION, moved, OTHER, SyncOptions(mode="documents", documents=(TOP,))).errors == {}
    ids = {"unit": {BESIDE}, "other": {TOP, MIDDLE, LEAF}}
    assert {
        unit: set(services.catalog.documents.missing_from("acme", unit, None)) & {TOP, MIDDLE, LEAF, BESIDE}
        for unit in ids
    } == ids
