"""Documents that have moved to another unit, while what is searched still names the unit before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from connectors.model import Document, Unit
from pipelines.index.contract import Filters
from pipelines.ingestion.publish import publish
from pipelines.ingestion.rights import apply_rights
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.operations.purge import find_scope, purge
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
A, B = Unit("a", "A"), Unit("b", "B")
MOVED = document(2).id
IN_B = document(2, unit="b", content="Text of issue 2. It has moved.")


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def services(settings: Settings, embedder: FakeEmbedder) -> Iterator[Services]:
    """Document 1 is in unit A and 3 in B. Document 2 was read in B; what is searched says that it is in A, since
    nothing can be embedded."""
    with Services(settings.model_copy(update={"connections": (CONNECTION,)}), embedder) as opened:
        list_units(opened, A, B)
        read(opened, A, document(1, unit="a"), document(2, unit="a"))
        read(opened, B, document(3, unit="b"))
        publish(opened)
        embedder.fail_after = 0
        assert read(opened, B, IN_B)
        publish(opened)
        yield opened


def list_units(services: Services, *units: Unit) -> None:
    services.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, units)


def read(services: Services, unit: Unit, *documents: Document) -> dict[str, str]:
    source = MemorySource()
    for one in documents:
        source.put(one)
    services.catalog.units.set_cursor(CONNECTION.id, unit.id, {"clock": 0})
    return sync_unit(services, CONNECTION, source, unit).errors


def seen(services: Services) -> set[int]:
    filters = Filters(readers=("public",))
    return {number for number in (1, 2, 3) if services.reader.document(document(number).id, filters)}


def indexed(services: Services) -> dict[str, str]:
    with services.store() as store:
        return {payload["document_id"]: payload["unit"] for _, payload in store.scan()}


def test_what_moved_to_a_unit_is_lost_with_it(services: Services) -> None:
    assert (seen(services), indexed(services)[MOVED]) == ({1, 2, 3}, "a")
    list_units(services, A)
    assert seen(services) == {1}
    apply_rights(services, CONNECTION.id, CONNECTION.source, "b")
    publish(services)
    with services.store() as store:
        assert [payload["readers"] for _, payload in store.scan() if payload["document_id"] == MOVED] == [[]]


def test_it_is_hidden_too_where_only_the_publication_is_behind(services: Services, embedder: FakeEmbedder) -> None:
    embedder.fail_after = None
    assert read(services, B, IN_B) == {}
    assert indexed(services)[MOVED] == "b"
    list_units(services, A)
    assert seen(services) == {1}


def test_a_move_is_over_once_it_is_published(services: Services, embedder: FakeEmbedder) -> None:
    moved = services.catalog.moved_documents
    assert moved.units("acme") == {MOVED: "b"}
    embedder.fail_after = None
    assert read(services, B, IN_B) == {}
    assert moved.units("acme") == {MOVED: "b"}
    publish(services)
    assert moved.units("acme") == {}
    list_units(services, B)
    assert seen(services) == {2, 3}, "the unit before is nothing to it any more"


def test_one_that_moves_on_while_it_is_published_has_still_moved(services: Services, embedder: FakeEmbedder) -> None:
    embedder.fail_after = None
    assert read(services, B, IN_B) == {}
    carried = services.catalog.moved_documents.carried()
    read(services, A, replace(IN_B, unit="a"))
    services.catalog.moved_documents.end(carried)
    assert services.catalog.moved_documents.units("acme") == {MOVED: "a"}


def test_an_excluded_unit_takes_along_what_moved_to_it(services: Services) -> None:
    excluding = CONNECTION.model_copy(update={"exclude": ("B",)})
    with Services(services.settings.model_copy(update={"connections": (excluding,)}), services.embedder) as later:
        assert seen(later) == {1}


def test_a_purge_takes_along_what_moved_to_the_unit(services: Services) -> None:
    purged = purge(services, find_scope(services, "acme/b"))
    assert (purged.documents, purged.points) == (2, 2)
    assert (seen(services), indexed(services)) == ({1}, {document(1).id: "a"})
    publish(services)
    assert services.catalog.moved_documents.units("acme") == {}


def test_what_moved_away_outlives_the_purge_of_the_unit_before(services: Services, embedder: FakeEmbedder) -> None:
    purge(services, find_scope(services, "acme/a"))
    assert seen(services) == {3}
    embedder.fail_after = None
    assert read(services, B) == {}
    publish(services)
    assert (seen(services), indexed(services)) == ({2, 3}, {MOVED: "b", document(3).id: "b"})
