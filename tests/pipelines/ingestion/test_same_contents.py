"""Documents of which the source says, without their content, that it is what was landed: only rights are another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.contract import ChangeItem, Checkpoint, Cursor, Failed, FindLanded, LandedContent, SameContent
from connectors.errors import Unavailable
from connectors.github.settings import GitHubConnection
from connectors.model import Document, Parent, Unit
from pipelines.index.contract import Filters
from pipelines.ingestion.load_writer import LoadWriter
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.publish import publish
from pipelines.ingestion.report import DocumentCounts, SyncReport
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
ADA, EVE = "user:ada@example.com", "user:eve@example.com"
ONE, TWO = document(1).id, document(2).id


def same(key: str, readers: tuple[str, ...], content_key: str = "k1", **changes: Any) -> SameContent:
    return SameContent(key, content_key, readers, **changes)


@dataclass
class ComparingSource(MemorySource):
    """Tells of changes what it is `told` to; `found` is what it was told of what is landed."""

    told: list[ChangeItem] = field(default_factory=list)
    found: dict[str, LandedContent] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    before_end: Callable[[], object] = lambda: None

    def read_changes(self, unit: Unit, cursor: Cursor, find_landed: FindLanded) -> Iterator[ChangeItem]:
        self.found = dict(find_landed([ONE, TWO]))
        yield from self.told
        self.before_end()
        yield Checkpoint({"clock": self.clock})

    def fetch(self, unit: Unit, document_ids: Any) -> Iterator[Any]:
        self.fetched += document_ids
        yield from super().fetch(unit, document_ids)


@pytest.fixture
def source() -> ComparingSource:
    source = ComparingSource()
    for number in (1, 2):
        source.put(document(number, readers=(ADA,), content_key="k1", fingerprint="f1"))
    return source


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def services(settings: Settings, source: ComparingSource, embedder: FakeEmbedder) -> Iterator[Services]:
    """Both documents are indexed and published."""
    with Services(settings.model_copy(update={"connections": (CONNECTION,)}), embedder) as opened:
        opened.catalog.units.replace_listing("acme", "github", [UNIT])
        sync(opened, source)
        yield opened


def sync(services: Services, source: ComparingSource, **options: Any) -> SyncReport:
    report = sync_unit(services, CONNECTION, source, UNIT, SyncOptions(**options))
    assert report.errors == {}
    publish(services)
    return report


def text(services: Services, number: int, reader: str) -> str:
    """What somebody finds of a document; empty where that is nothing."""
    return " ".join(
        hit.payload["text"] for hit in services.reader.document(document(number).id, Filters(readers=(reader,)))
    )


def test_readers_are_another_and_nothing_else_is_written(
    services: Services, source: ComparingSource, embedder: FakeEmbedder
) -> None:
    embedded, loads = embedder.requests, services.catalog.loads.paths()
    source.told = [same(ONE, (ADA, EVE), fingerprint="f2", parents=("github:acme/other",)), same(TWO, (EVE,))]
    report = sync(services, source)
    assert source.found == {one: LandedContent("k1", (ADA,)) for one in (ONE, TWO)}
    assert (report.documents.read, report.documents.changed) == (2, 2)
    assert [bool(text(services, number, reader)) for number in (1, 2) for reader in (ADA, EVE)] == [1, 1, 0, 1]
    assert (embedder.requests, services.catalog.loads.paths(), source.fetched) == (embedded, loads, [])
    states = services.catalog.documents.states([ONE, TWO])
    assert (states[ONE].fingerprint, states[ONE].content_key) == ("f2", "k1")
    assert services.catalog.parents.children("acme", "github:acme/other", 10) == [ONE]
    source.told = [same(TWO, (EVE,))]
    assert sync(services, source).documents.unchanged == 1


def test_what_is_lost_counts_before_the_read_has_ended(services: Services, source: ComparingSource) -> None:
    found = list[str]()
    source.told = [same(ONE, (EVE,)), Checkpoint({"clock": 1})]
    source.before_end = lambda: found.append(text(services, 1, ADA))
    sync(services, source)
    assert found == [""]


def land(services: Services, item: Document) -> None:
    """As another process does that has read it."""
    writer = LoadWriter(services, CONNECTION, UNIT, DocumentCounts())
    writer.take(item)
    writer.flush()


def test_somebody_new_gets_no_text_that_another_process_has_landed_meanwhile(
    services: Services, source: ComparingSource
) -> None:
    """Nor the one before: the document is read, and is as it is then."""
    source.told = [same(ONE, (ADA, EVE))]
    now = document(1, content="Other words.", readers=(ADA,), content_key="k2")
    source.objects[ONE] = replace(now, content="Cleaned words.", readers=(ADA, EVE), content_key="k3")
    source.before_end = lambda: land(services, now)
    sync(services, source)
    assert source.fetched == [ONE]
    assert "Cleaned words." in text(services, 1, EVE)
    assert services.catalog.documents.states([ONE])[ONE].content_key == "k3"


@pytest.mark.parametrize("content_key", ["k2", ""])
def test_readers_told_for_other_content_than_is_landed_are_none(
    services: Services, source: ComparingSource, monkeypatch: pytest.MonkeyPatch, content_key: str
) -> None:
    """Where the process ends before the document is read as well; what it has lost counts."""
    source.told = [same(ONE, (EVE,), content_key, fingerprint="f2")]
    with monkeypatch.context() as patched:
        patched.setattr(source, "fetch", is_away)
        assert sync_unit(services, CONNECTION, source, UNIT).errors
    publish(services)
    assert (text(services, 1, ADA), text(services, 1, EVE)) == ("", "")
    assert services.catalog.documents.states([ONE])[ONE].fingerprint == "f1", "so that a reconcile finds it"
    source.put(document(1, content="Cleaned words.", readers=(EVE,), content_key="k2", fingerprint="f2"))
    sync(services, source, mode="reconcile")
    assert text(services, 1, ADA) == ""
    assert "Cleaned words." in text(services, 1, EVE)


def is_away(*_: object) -> Iterator[Any]:
    raise Unavailable("https://api.test/issues", "does not answer")


def test_what_a_container_has_lost_is_lost_by_what_is_in_it_but_for_what_was_told(
    services: Services, source: ComparingSource
) -> None:
    inside = (Parent(ONE, "Issue 1"),)
    source.put(document(1, readers=(ADA, EVE), content_key="k1"))
    source.put(document(2, readers=(ADA, EVE), content_key="k2", parents=inside))
    source.put(document(3, readers=(ADA, EVE), parents=inside))
    sync(services, source, mode="full")
    source.told = [same(ONE, (ADA,)), same(TWO, (ADA, EVE), "k2", parents=(ONE,))]
    sync(services, source)
    assert (text(services, 1, EVE), bool(text(services, 2, EVE))) == ("", True)
    assert source.fetched == [document(3).id], "nobody said who may read it now"


def test_whom_the_unit_has_shut_out_since_it_was_listed_what_comes_without_content_tells(
    services: Services, source: ComparingSource
) -> None:
    """Documents follow their unit, which lets nobody in any more whom none of them names."""
    listed = replace(UNIT, readers=(ADA, EVE))
    services.catalog.units.replace_listing("acme", "github", [listed], documents_follow=True)
    source.told = [same(number, (ADA,), fingerprint="f1") for number in (ONE, TWO)]
    assert sync_unit(services, CONNECTION, source, listed, SyncOptions()).errors == {}
    publish(services)
    assert [bool(text(services, number, reader)) for number in (1, 2) for reader in (ADA, EVE)] == [1, 0, 1, 0]


def test_what_the_catalog_does_not_know_is_read(services: Services, source: ComparingSource) -> None:
    source.put(document(3, readers=(EVE,), content_key="k1"))
    source.told = [same(document(3).id, (EVE,))]
    assert sync(services, source).documents.new == 1
    assert text(services, 3, EVE)


def test_a_full_read_and_a_first_one_ask_for_contents(services: Services, source: ComparingSource) -> None:
    source.told = [same(ONE, (EVE,))]
    assert sync(services, source, mode="full").documents.read == 2
    assert (source.found, bool(text(services, 1, ADA))) == ({}, True)


def test_keys_are_kept_of_what_was_landed_without_and_forgotten_with_their_content(
    services: Services, source: ComparingSource
) -> None:
    def put(**changes: Any) -> dict[str, LandedContent]:
        source.told = [document(1, readers=(ADA,), **changes)]
        sync(services, source)
        return services.catalog.contents.find([ONE])

    assert put(content_key="") == {}, "the version is as it was, and nothing stands for it any more"
    assert put(content_key="k2")[ONE].content_key == "k2"
    assert put(content_key="k3", content="Other words.")[ONE].content_key == "k3"
    source.told = [Failed(ONE, "Issue 1", "boom")]
    sync(services, source)
    assert services.catalog.contents.find([ONE]) == {}, "what failed is read again, whatever its key"


def test_what_cannot_be_admitted_is_nobodys(services: Services, source: ComparingSource) -> None:
    source.told = [same(ONE, [ADA, EVE])]  # type: ignore[arg-type]
    sync(services, source)
    assert (text(services, 1, ADA), bool(text(services, 2, ADA))) == ("", True)


def test_a_document_that_is_hidden_is_read(services: Services, source: ComparingSource) -> None:
    services.catalog.rights.hide("acme", "unit", [ONE], "out of reach")
    source.told = [same(ONE, (ADA, EVE))]
    source.objects[ONE] = document(1, readers=(ADA, EVE), content_key="k1")
    sync(services, source)
    assert (set(source.found), source.fetched) == ({TWO}, [ONE])
    assert text(services, 1, EVE)


def test_documents_are_as_they_were(source: ComparingSource) -> None:
    """A key is no part of the version, which decides what is embedded."""
    before = source.objects[ONE]
    assert isinstance(before, Document)
    assert replace(before, content_key="k2").version == before.version
