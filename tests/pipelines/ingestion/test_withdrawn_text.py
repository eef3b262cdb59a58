"""Text that is taken out of a document: which points may still be shown, and from when to when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import SecretStr

from connectors.contract import Failed
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.catalog.withdrawals import permit_versions
from pipelines.chunking import chunk_document
from pipelines.chunking.blocks import Block
from pipelines.chunking.formats import read_blocks
from pipelines.index.contract import Filters, Payload
from pipelines.ingestion.options import STAGES, Stage, SyncOptions
from pipelines.ingestion.publish import publish
from pipelines.ingestion.rights import read_rights
from pipelines.ingestion.sync import sync_connection
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.ingestion.withdrawn_text import compare_texts, deleted_lines, find_withdrawal
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
FILLER = " ".join(["water runs"] * 184)  # with a word before it, as much as a chunk holds
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


def points(services: Services, document_id: str) -> list[Payload]:
    return [hit.payload for hit in services.reader.document(document_id, Filters(readers=None))]


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


def test_what_is_deleted_beside_an_edit_counts_at_once(services: Services, source: MemorySource) -> None:
    """No event tells of it, and something else is there in its place."""
    source.put(document(1, content=day(MORNING, NOON, "## 19\n\nThe lock opens again.")))
    assert sync_unit(services, CONNECTION, source, UNIT).errors
    assert found(services) == {"mill", "weir"}


def test_a_document_that_changes_is_chunked_once(
    services: Services, source: MemorySource, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []

    def count(content: str | bytes, content_type: str) -> list[Block]:
        read.append(content)
        return read_blocks(content, content_type)

    monkeypatch.setattr("pipelines.chunking.chunker.read_blocks", count)
    changed, new = document(1, content=day(MORNING, "## 12\n\nlock")), document(3, content="a new one")
    source.put(changed)
    source.put(new)
    repair(services, source, embedder)
    assert sorted(map(str, read)) == sorted(map(str, (changed.content, new.content)))
    assert found(services) == {"mill", "lock"}
    assert [one["document_id"] for one in points(services, document(3).id)] == [document(3).id]


def test_what_was_chunked_for_the_comparison_is_what_the_landing_gives(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    """With a time of another zone and half a character, which the landing keeps otherwise."""
    when = datetime(2026, 1, 3, 1, tzinfo=timezone(timedelta(hours=2)))
    source.put(document(1, content=f"half \ud83d a character\n\n{FILLER}", updated_at=when))
    repair(services, source, embedder)
    compared = points(services, DAY)
    services.catalog.start_reindex()
    for load in services.catalog.loads.pending("acme", UNIT.id, "landed"):
        services.landing.files.remove(services.landing.chunks_path("acme", load.id))
    repair(services, source, embedder)
    assert points(services, DAY) == compared
    assert compared[0]["updated_at"] == "2026-01-02T23:00:00Z"


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


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_document_that_was_deleted_comes_back_without_its_old_text(
    services: Services,
    source: MemorySource,
    embedder: FakeEmbedder,
    monkeypatch: pytest.MonkeyPatch,
    is_killed: bool,
) -> None:
    """Nothing was published since: the gate is shut, or the process was killed before the index could follow."""
    source.remove(DAY)
    stages: tuple[Stage, ...] = ("documents",) if is_killed else STAGES
    assert sync_unit(services, CONNECTION, source, UNIT, SyncOptions(mode="full", stages=stages)).errors == {}
    assert found(services) == set()
    source.put(document(1, content=day(NOON, "## 20\n\nlock")))
    assert sync_unit(services, CONNECTION, source, UNIT).errors, "the new text waits to be embedded"
    assert found(services) == set()
    repair(services, source, embedder)
    assert found(services) == {"weir", "lock"}
    assert services.catalog.revocations.load().withdrawals == {}


def test_a_document_that_comes_back_as_it_was_is_found_at_once(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    before, embedded = source.objects[DAY], embedder.requests
    source.remove(DAY)
    assert sync_unit(services, CONNECTION, source, UNIT, SyncOptions(mode="full")).errors == {}
    assert found(services) == set()
    source.put(before)
    assert sync_unit(services, CONNECTION, source, UNIT).errors == {}
    assert found(services) == {"mill", "weir", "dam"}, "also in what was published before"
    publish(services)
    assert (found(services), embedder.requests) == ({"mill", "weir", "dam"}, embedded)


def test_what_is_deleted_after_a_failed_read_is_compared_with_the_read_before(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    source.put(Failed(DAY, "Day", "HTTP 502"))
    assert sync_unit(services, CONNECTION, source, UNIT).documents.failed == 1
    assert found(services) == {"mill", "weir", "dam"}
    source.put(document(1, content=day(MORNING, NOON, "## 20\n\nlock")))
    assert sync_unit(services, CONNECTION, source, UNIT).errors, "the new text waits to be embedded"
    assert found(services) == {"mill", "weir"}
    repair(services, source, embedder)
    assert found(services) == {"mill", "weir", "lock"}


A, B, C, D = "The mill stands.", "The weir is closed today.", "The dam holds.", "The lock opens at noon."
EDITED, OTHER = "The weir is closed tonight.", "Lunch was late."


@pytest.mark.parametrize(
    ("before", "now", "deleted"),
    [
        pytest.param([A, B, C], [A, B, C], [], id="nothing"),
        pytest.param([A, B, C], [A, C], [B], id="one in the middle"),
        pytest.param([A, B, C], [B, C], [A], id="the first"),
        pytest.param([A, B, C], [A, B], [C], id="the last"),
        pytest.param([A, B, C], [], [A, B, C], id="all"),
        pytest.param([A, B, C], [A, EDITED, C], [], id="edited"),
        pytest.param([A, B, C], [A, B, C, D], [], id="one more"),
        pytest.param([A, B, C], [A, B, OTHER, D], [C], id="the last deleted before others came"),
        pytest.param([A, B, C, D], [A, C, D, OTHER], [B], id="one deleted, one more elsewhere"),
        pytest.param([A, B, C, D], [A, EDITED, D], [C], id="one deleted beside one that is edited"),
        pytest.param([A, B, C, D], [A, f"{B} {C}", D], [], id="two became one"),
        pytest.param([A, f"{B} {C}", D], [A, EDITED, C, D], [], id="one became two"),
        pytest.param([A, B, C], [C, A, B], [], id="moved"),
        pytest.param([A, B, A, B], [A, B], [], id="still there once"),
        pytest.param([A, "| 1 | 4711 |"], [A, "| 1 | 4712 |"], [], id="numbers alone"),
        pytest.param([A, "| 1 | 4711 |"], [A], ["| 1 | 4711 |"], id="numbers alone, deleted"),
        pytest.param([A, "水車は今日止まっている"], [A, "水車は今日動いている"], [], id="edited, without spaces"),
        pytest.param(
            [A, "水車は今日止まっている"], [A, "昼食"], ["水車は今日止まっている"], id="deleted, without spaces"
        ),
        pytest.param(
            ["**Ada** (2026-01-02 09:12): The password is 4711"],
            ["**Ada** (2026-01-02 09:15): Lunch at noon"],
            ["**Ada** (2026-01-02 09:12): The password is 4711"],
            id="another message of the same person",
        ),
    ],
)
def test_lines_are_deleted_where_other_words_come_in_their_place(
    before: list[str], now: list[str], deleted: list[str]
) -> None:
    assert deleted_lines(before, now) == set(deleted)


@pytest.mark.parametrize(
    ("content", "is_deletion", "points"),
    [
        pytest.param("", False, 1, id="nothing is left but its title"),
        pytest.param(b"\x00\xff", False, None, id="cannot be read, and may be as it was"),
        pytest.param(b"\x00\xff", True, 0, id="cannot be read after a deletion"),
    ],
)
def test_what_cannot_be_chunked(
    services: Services, content: str | bytes, is_deletion: bool, points: int | None
) -> None:
    media_type = "text/markdown" if isinstance(content, str) else "application/pdf"
    now = document(1, content=content, content_type=media_type)
    states = services.catalog.documents.states([DAY])
    lost = compare_texts(services, states, [now], [DAY] if is_deletion else ()).withdrawals.get(DAY)
    assert (None if lost is None else len(lost.points)) == points


def test_a_heading_that_is_gone_hides_what_stands_under_it() -> None:
    rest = "\n\n".join([*(f"{number} {FILLER}" for number in range(3)), f"# Rest\n\n{FILLER}"])
    before = chunk_document(document(1, content=f"# Bo's salary\n\n{rest}"))
    lost = find_withdrawal(before, chunk_document(document(1, content=rest)), "v2", is_deletion=False)
    assert [chunk.headings for chunk in before[1:3]] == [("Bo's salary",)] * 2
    assert [lost is not None and chunk.id in lost.points for chunk in before] == [False, False, False, True]


@pytest.mark.parametrize(
    ("title", "rest", "is_deletion", "is_hidden"),
    [
        pytest.param("#board: takeover", "lunch", True, True, id="gone by an event"),
        pytest.param("#board: takeover", "lunch", False, True, id="gone with its line"),
        pytest.param("Handbook", "lunch", False, False, id="renamed"),
        pytest.param("#board: lunch", "lunch", True, False, id="the same"),
    ],
)
def test_a_title_that_was_deleted_hides_all_that_stands_under_it(
    title: str, rest: str, is_deletion: bool, is_hidden: bool
) -> None:
    """Every passage is shown under the title, and found by it."""
    before = chunk_document(document(1, content=day("**Ada**: takeover", f"{FILLER} {rest}")))
    now = chunk_document(document(1, content=f"{FILLER} {rest}"))
    lost = find_withdrawal(before, now, "v2", (title, "#board: lunch"), is_deletion=is_deletion)
    assert lost is not None
    assert (lost.points == frozenset()) == is_hidden


def test_no_filter_of_the_index_shows_it(services: Services, source: MemorySource) -> None:
    source.put(document(1, content=day(MORNING)))
    read_rights(services, CONNECTION, source, UNIT, [DAY], [DAY])
    assert len(services.reader.document(DAY, Filters(readers=None))) == 1
