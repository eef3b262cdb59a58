"""Rights in paused units: what a source tells of them without contents takes away, and never gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from connectors.contract import Checkpoint, Cursor, Deleted, DocumentReaders, Failed, RightsItem, Skipped
from connectors.errors import Unavailable
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.catalog import Catalog
from pipelines.errors import UnitBusy
from pipelines.ingestion.paused_rights import ITEMS_AT_ONCE, follow_rights, paused_units
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
ADA, BO, CY = "user:ada@example.com", "user:bo@example.com", "user:cy@example.com"
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass
class FeedSource(MemorySource):
    """Tells of rights what it is given to tell, and where it was asked to go on."""

    told: list[RightsItem | Checkpoint | Exception] = field(default_factory=list)
    asked: list[Cursor | None] = field(default_factory=list)

    def read_rights(self, unit: Unit, cursor: Cursor | None = None) -> Iterator[RightsItem | Checkpoint]:
        self.asked.append(cursor)
        for item in self.told:
            if isinstance(item, Exception):
                raise item
            yield item


@pytest.fixture
def source() -> FeedSource:
    memory = FeedSource()
    for number in range(4):
        memory.put(document(number, readers=(ADA, BO)))
    return memory


@pytest.fixture
def catalog(settings: Settings, source: FeedSource) -> Iterator[Catalog]:
    """Of documents that were read, and of a unit that is paused since."""
    with Services(settings.model_copy(update={"connections": (CONNECTION,)}), FakeEmbedder()) as services:
        services.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
        sync_unit(services, CONNECTION, source, UNIT)
        services.catalog.units.pause("acme", "unit", True)
        yield services.catalog


def told(number: int, *readers: str) -> DocumentReaders:
    return DocumentReaders(document(number).id, readers)


def readers(catalog: Catalog) -> list[set[str] | None]:
    """Of the documents in order; None of one that is hidden."""
    states = catalog.documents.states([document(number).id for number in range(4)])
    found = [states[document(number).id] for number in range(4)]
    return [None if one.hidden else set(one.readers or ()) for one in found]


def revoked(catalog: Catalog) -> dict[str, frozenset[str]]:
    return {key[-1]: one.tokens for key, one in catalog.revocations.load().documents.items()}


def test_readers_are_lost_and_never_won(catalog: Catalog, source: FeedSource) -> None:
    source.told = [told(0, ADA, CY), told(1, ADA, BO, CY), told(2), Checkpoint({"at": 1})]
    follow_rights(catalog, CONNECTION, source, UNIT)
    assert readers(catalog) == [{ADA}, {ADA, BO}, set(), {ADA, BO}]
    assert revoked(catalog) == {"0": frozenset({BO}), "2": frozenset({ADA, BO})}


@pytest.mark.parametrize(
    "item",
    [
        Deleted(document(0).id),
        Failed(document(0).id, "", "HTTP 500"),
        Skipped(document(0).id, "", "too large"),
        DocumentReaders(document(0).id, ("half \ud83d",)),
    ],
)
def test_what_is_gone_or_was_not_told_is_nobodys_until_it_is_told(
    catalog: Catalog, source: FeedSource, item: RightsItem
) -> None:
    source.told = [item]
    follow_rights(catalog, CONNECTION, source, UNIT)
    assert (readers(catalog)[0], revoked(catalog)) == (None, {"0": frozenset({""})})
    source.told = [told(0, ADA)]
    follow_rights(catalog, CONNECTION, source, UNIT)
    assert (readers(catalog)[0], revoked(catalog)) == ({ADA}, {"0": frozenset({BO})})


def test_reading_goes_on_where_it_ended_and_from_content_that_was_read_since(
    catalog: Catalog, source: FeedSource
) -> None:
    source.told = [Checkpoint({"at": 1}), told(0, ADA), Unavailable("https://api.test", "HTTP 500")]
    with pytest.raises(Unavailable):
        follow_rights(catalog, CONNECTION, source, UNIT)
    assert readers(catalog)[0] == {ADA}, "what was told before the trouble counts"
    source.told = []
    follow_rights(catalog, CONNECTION, source, UNIT)
    catalog.units.set_cursor("acme", "unit", {"clock": 99})
    follow_rights(catalog, CONNECTION, source, UNIT)
    assert source.asked == [{"clock": 4}, {"at": 1}, {"clock": 99}]


def test_what_a_complete_naming_lacks_is_nobodys(catalog: Catalog, source: FeedSource) -> None:
    source.told = [told(0, ADA, BO), Failed(document(1).id, "", "no"), told(3, ADA), Checkpoint({"at": 1}, True)]
    follow_rights(catalog, CONNECTION, source, UNIT)
    assert readers(catalog) == [{ADA, BO}, None, None, {ADA}]


def test_ends_come_and_move_nearer_and_never_further_away(catalog: Catalog, source: FeedSource) -> None:
    sooner = LATER.replace(year=2090)
    for end, expected in ((LATER, LATER), (sooner, sooner), (LATER, sooner)):
        source.told = [DocumentReaders(document(0).id, (ADA, BO), ((BO, end),))]
        follow_rights(catalog, CONNECTION, source, UNIT)
        assert catalog.revocations.load().ends[document(0).id] == {BO: expected.timestamp()}


def test_much_that_is_told_counts_before_the_rest_is(catalog: Catalog, source: FeedSource) -> None:
    def look() -> Iterator[RightsItem]:
        yield told(0, ADA)
        yield from (told(number, ADA) for number in range(100, 100 + ITEMS_AT_ONCE))
        assert readers(catalog)[0] == {ADA}

    source.read_rights = lambda unit, cursor=None: look()  # type: ignore[method-assign]
    follow_rights(catalog, CONNECTION, source, UNIT)


def test_a_slow_source_is_not_waited_for(catalog: Catalog, source: FeedSource, monkeypatch: pytest.MonkeyPatch) -> None:
    def look() -> Iterator[RightsItem]:
        yield told(0, ADA)
        assert readers(catalog)[0] == {ADA}
        yield told(1, ADA)

    monkeypatch.setattr("pipelines.ingestion.paused_rights.SECONDS_AT_ONCE", 0)
    source.read_rights = lambda unit, cursor=None: look()  # type: ignore[method-assign]
    follow_rights(catalog, CONNECTION, source, UNIT)


def test_other_connections_documents_are_left_alone(catalog: Catalog, source: FeedSource) -> None:
    source.told = [DocumentReaders("github:other/acme/api/issues/1", ()), Deleted("github:other/x"), document(0)]  # type: ignore[list-item]
    follow_rights(catalog, CONNECTION, source, UNIT)
    assert (readers(catalog)[0], revoked(catalog)) == ({ADA, BO}, {})


def test_a_unit_is_read_by_one_process(catalog: Catalog, source: FeedSource) -> None:
    with catalog.leases.hold("acme", "unit"), pytest.raises(UnitBusy):
        follow_rights(catalog, CONNECTION, source, UNIT)


@pytest.mark.parametrize(("connection", "unit", "expected"), [(True, False, 1), (False, True, 1), (False, False, 0)])
def test_units_are_paused_alone_or_with_their_connection(
    catalog: Catalog, connection: bool, unit: bool, expected: int
) -> None:
    catalog.connections.pause("acme", connection)
    catalog.units.pause("acme", "unit", unit)
    assert len(paused_units(catalog, CONNECTION)) == expected


def test_a_source_of_which_nothing_was_read_has_nothing_to_lose(settings: Settings) -> None:
    with Services(settings, FakeEmbedder()) as services:
        services.catalog.units.replace_listing("acme", "github", [UNIT])
        services.catalog.connections.pause("acme", True)
        assert paused_units(services.catalog, CONNECTION) == []


def test_what_was_read_before_a_right_was_lost_does_not_give_it_back(catalog: Catalog, source: FeedSource) -> None:
    """A page is read at once, and what it tells is written in parts. The next reading tells of it again."""

    def look() -> Iterator[RightsItem | Checkpoint]:
        yield from (told(number, ADA) for number in range(100, 100 + ITEMS_AT_ONCE))
        yield Checkpoint({"at": 1})
        catalog.rights.revoke("acme", "unit", {document(0).id: (BO,)})
        yield from (told(number, ADA) for number in range(300, 300 + ITEMS_AT_ONCE))
        yield told(0, ADA, BO)
        yield Checkpoint({"at": 2})
        yield Checkpoint({"at": 3})

    with pytest.MonkeyPatch.context() as racing:
        racing.setattr(source, "read_rights", lambda unit, cursor=None: look())
        follow_rights(catalog, CONNECTION, source, UNIT)
    assert revoked(catalog) == {"0": frozenset({BO})}
    source.told = [told(0, ADA, BO), Checkpoint({"at": 3})]
    follow_rights(catalog, CONNECTION, source, UNIT)
    follow_rights(catalog, CONNECTION, source, UNIT)
    assert (revoked(catalog), source.asked) == ({}, [{"at": 1}, {"at": 3}])
