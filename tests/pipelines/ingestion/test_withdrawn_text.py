"""Text that is taken out of a document: which points may still be shown, and from when to when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.catalog.withdrawals import permit_versions
from pipelines.chunking import chunk_document
from pipelines.index.contract import Filters
from pipelines.ingestion.publish import publish
from pipelines.ingestion.rights import read_rights
from pipelines.ingestion.sync import sync_connection, sync_unit
from pipelines.ingestion.withdrawn_text import compare_text, deleted_lines
from pipelines.retrieval import document as whole_document
from pipelines.retrieval import search
from pipelines.retrieval.schema import SearchRequest
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
FILLER = " ".join(["water"] * 338)  # with a word before it, as much as a chunk holds
MORNING, NOON, EVENING = (
    f"## {time}\n\n{word} {FILLER}" for time, word in (("9", "mill"), ("12", "weir"), ("18", "dam"))
)
DAY = document(1).id


def day(*parts: str) -> str:
    return "\n\n".join(parts)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> MemorySource:
    memory = MemorySource()
    memory.put(document(1, content=day(MORNING, NOON, EVENING)))
    memory.put(document(2, content="nobody changes this mill"))
    monkeypatch.setattr("pipelines.ingestion.sync.connect", lambda connection: memory)
    return memory


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def services(settings: Settings, source: MemorySource, embedder: FakeEmbedder) -> Iterator[Services]:
    """A day of three long messages, each a chunk, is indexed and published; then nothing can be embedded any more."""
    with Services(settings.model_copy(update={"connections": (CONNECTION,)}), embedder) as opened:
        assert sync_connection(opened, CONNECTION).errors == {}
        publish(opened)
        embedder.fail_after = embedder.requests
        yield opened


def found(services: Services) -> set[str]:
    """Which messages of the day are found; a document that is read whole must agree."""
    words, index = ("mill", "weir", "dam", "lock"), services.reader
    whole = whole_document(DAY, ("public",), index=index)
    seen = {word for word in words if whole and word in whole.text.split()}
    for word in words:
        request = SearchRequest(query=word, mode="lexical")
        results = search(request, ("public",), index=index, embedder=services.embedder).results
        shown = [chunk.text for one in results if one.document_id == DAY for chunk in one.chunks]
        assert any(word in text.split() for text in shown) is (word in seen), word
    return seen


def repair(services: Services, source: MemorySource, embedder: FakeEmbedder) -> None:
    embedder.fail_after = None
    assert sync_unit(services, CONNECTION, source, UNIT).errors == {}
    publish(services)


def test_what_is_deleted_counts_while_nothing_can_be_embedded(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    source.put(document(1, content=day(MORNING, EVENING)))
    assert sync_unit(services, CONNECTION, source, UNIT).errors == {}, "what is left is embedded already"
    assert found(services) == {"mill", "dam"}
    publish(services)
    assert found(services) == {"mill", "dam"}
    assert services.catalog.revocations.load().withdrawals == {}


def test_neighbours_in_the_same_passage_come_back_with_the_new_text(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    source.put(document(1, content=day("mill", "lock", "weir", EVENING)))
    repair(services, source, embedder)
    assert found(services) == {"mill", "lock", "weir", "dam"}
    embedder.fail_after = embedder.requests
    source.put(document(1, content=day("mill", "weir", EVENING)))
    assert sync_unit(services, CONNECTION, source, UNIT).errors
    assert found(services) == {"dam"}
    repair(services, source, embedder)
    assert found(services) == {"mill", "weir", "dam"}


def test_an_edit_leaves_the_words_of_before_until_the_new_ones_are_in(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    source.put(document(1, content=day(MORNING, NOON.replace("weir", "lock"), EVENING)))
    assert sync_unit(services, CONNECTION, source, UNIT).errors
    assert found(services) == {"mill", "weir", "dam"}
    repair(services, source, embedder)
    assert found(services) == {"mill", "lock", "dam"}


def test_after_a_deletion_that_an_event_told_no_edited_words_are_left(services: Services, source: MemorySource) -> None:
    """The last message is deleted and written anew before anybody looks: it looks like an edit."""
    source.put(document(1, content=day(MORNING, NOON, EVENING.replace("dam", "lock"))))
    read_rights(services, CONNECTION, source, UNIT, [DAY], [DAY])
    assert found(services) == {"mill", "weir"}


def test_a_deletion_counts_although_a_pass_was_faster(services: Services, source: MemorySource) -> None:
    source.put(document(1, content=day(MORNING, NOON, EVENING.replace("dam", "lock"))))
    assert sync_unit(services, CONNECTION, source, UNIT).errors
    assert found(services) == {"mill", "weir", "dam"}
    read_rights(services, CONNECTION, source, UNIT, [DAY], [DAY])
    assert found(services) == {"mill", "weir"}


def test_what_comes_after_it_is_found(services: Services, source: MemorySource, embedder: FakeEmbedder) -> None:
    """The gate is shut all the time: nothing ends the withdrawal before the last publication."""
    source.put(document(1, content=day(MORNING, NOON)))
    read_rights(services, CONNECTION, source, UNIT, [DAY], [DAY])
    embedder.fail_after = None
    sync_unit(services, CONNECTION, source, UNIT)
    source.put(document(1, content=day(MORNING, NOON, "## 20\n\nlock")))
    sync_unit(services, CONNECTION, source, UNIT)
    assert found(services) == {"mill", "weir"}
    publish(services)
    assert found(services) == {"mill", "weir", "lock"}
    assert services.catalog.revocations.load().withdrawals == {}


def test_an_older_read_brings_nothing_back(services: Services, source: MemorySource) -> None:
    """A pass that has read the text before its deletion is stored after it."""
    old = document(1, content=day(MORNING, NOON, EVENING), tags=("read before",))
    source.put(document(1, content=day(MORNING, NOON)))
    read_rights(services, CONNECTION, source, UNIT, [DAY], [DAY])
    rights = services.catalog.revocations.load().withdrawals[DAY]
    with services.catalog._engine.begin() as transaction:
        permit_versions(transaction, {DAY: old.version}, datetime(2026, 1, 1, tzinfo=UTC))
    assert services.catalog.revocations.load().withdrawals[DAY] == rights


def test_it_is_looked_at_again_where_another_process_was_faster(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between fetching and storing, a pass lands what came after the deletion."""
    fetch, fetched = source.fetch, 0

    def overtaken(unit: Unit, ids: list[str]) -> Iterator[object]:
        nonlocal fetched
        fetched += 1
        seen = list(fetch(unit, ids))
        if fetched == 1:
            source.put(document(1, content=day(MORNING, NOON, "## 20\n\nlock")))
            sync_unit(services, CONNECTION, source, UNIT)
        yield from seen

    source.put(document(1, content=day(MORNING, NOON)))
    with monkeypatch.context() as racing:
        racing.setattr(source, "fetch", overtaken)
        read_rights(services, CONNECTION, source, UNIT, [DAY], [DAY])
    found_now = services.catalog.revocations.load().withdrawals[DAY]
    assert (fetched, found_now.versions) == (2, {source.objects[DAY].version})  # type: ignore[union-attr]
    assert found(services) == {"mill", "weir"}


@pytest.mark.parametrize(
    ("before", "now", "deleted"),
    [
        pytest.param("abc", "abc", "", id="nothing"),
        pytest.param("abc", "ac", "b", id="one in the middle"),
        pytest.param("abc", "bc", "a", id="the first"),
        pytest.param("abc", "ab", "c", id="the last"),
        pytest.param("abc", "", "abc", id="all"),
        pytest.param("abc", "aBc", "", id="edited"),
        pytest.param("abc", "abcd", "", id="one more"),
        pytest.param("abcd", "abDe", "", id="the last are others"),
        pytest.param("abcd", "acd!", "b", id="one deleted, one more"),
        pytest.param("abcd", "aBd", "", id="two became one"),
        pytest.param("abc", "cab", "", id="moved"),
        pytest.param("abab", "ab", "", id="still there once"),
    ],
)
def test_lines_are_deleted_where_nothing_comes_in_their_place(before: str, now: str, deleted: str) -> None:
    assert deleted_lines(list(before), list(now)) == set(deleted)


@pytest.mark.parametrize(
    ("content", "is_deletion", "points"),
    [
        pytest.param("", False, 0, id="nothing is left"),
        pytest.param(b"\x00\xff", False, None, id="cannot be read, and may be as it was"),
        pytest.param(b"\x00\xff", True, 0, id="cannot be read after a deletion"),
    ],
)
def test_what_cannot_be_cut(content: str | bytes, is_deletion: bool, points: int | None) -> None:
    media_type = "text/markdown" if isinstance(content, str) else "application/pdf"
    now = document(1, content=content, content_type=media_type)
    lost = compare_text(chunk_document(document(1)), now, is_deletion=is_deletion)
    assert (None if lost is None else len(lost.points)) == points


def test_a_heading_that_is_gone_hides_what_stands_under_it() -> None:
    rest = "\n\n".join([*(f"{number} {FILLER}" for number in range(3)), f"# Rest\n\n{FILLER}"])
    before = chunk_document(document(1, content=f"# Bo's salary\n\n{rest}"))
    lost = compare_text(before, document(1, content=rest), is_deletion=False)
    assert [chunk.headings for chunk in before[1:3]] == [("Bo's salary",)] * 2
    assert [lost is not None and chunk.id in lost.points for chunk in before] == [False, False, False, True]


def test_no_filter_of_the_index_shows_it(services: Services, source: MemorySource) -> None:
    source.put(document(1, content=day(MORNING)))
    read_rights(services, CONNECTION, source, UNIT, [DAY], [DAY])
    assert len(services.reader.document(DAY, Filters(readers=None))) == 1
