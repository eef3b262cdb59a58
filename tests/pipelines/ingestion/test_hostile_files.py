"""Files that take too much, or end who reads them: counted before, told at once, tried a few times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from connectors.github.settings import GitHubConnection
from connectors.model import Document, Unit
from pipelines.catalog import tables
from pipelines.catalog.documents import DocumentState
from pipelines.catalog.outcomes import MOST_READINGS, UNFINISHED
from pipelines.chunking.isolated import process
from pipelines.errors import ReadingAborted
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.ingestion.version_chunking import chunk_version
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.chunking import files
from tests.pipelines.chunking.pdf_files import Pdf
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with Services(Settings(directory=tmp_path, connections=(CONNECTION,)), FakeEmbedder()) as opened:
        opened.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
        yield opened


def pdf(number: int, data: bytes | None = None) -> Document:
    return document(number, content=data or files.pdf(f"file {number}"), content_type=files.PDF)


@pytest.fixture
def source() -> MemorySource:
    return MemorySource()


def sync(services: Services, source: MemorySource, *found: Document) -> None:
    for one in found:
        source.put(one)
    report = sync_unit(services, CONNECTION, source, UNIT)
    assert report.errors == {}


def state(services: Services, number: int) -> DocumentState:
    return services.catalog.documents.states([document(number).id])[document(number).id]


def test_what_takes_too_much_is_failed_with_its_figures_and_tried_a_few_times(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as strict:
        strict.setattr(process, "ELAPSED_SECONDS", 0.0)
        strict.setattr(process, "_SECONDS_PER_LOOK", 0.0)  # however quick it is
        for attempt in range(1, MOST_READINGS + 1):
            sync(services, source, pdf(1), document(2))
            found = state(services, 1)
            assert (found.status, found.attempts) == ("failed", attempt)
            assert (found.next_attempt is None) == (attempt == MOST_READINGS)
            _make_due(services)
    assert "too expensive: " in str(found.reason)
    assert state(services, 2).status == "indexed"
    sync(services, source, pdf(1))
    assert state(services, 1).status == "indexed"


def _make_due(services: Services) -> None:
    services.chunkers._aborted.clear()  # as after a minute
    with services.catalog._engine.begin() as database:
        database.execute(update(tables.documents).values(next_attempt=None))


class _Killed(BaseException):
    """As kill -9 does, it leaves the catalog no chance."""


def test_an_attempt_is_counted_before_it_is_made(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[DocumentState] = []

    def look(*_: object) -> None:
        seen.append(state(services, 1))
        raise _Killed

    sync(services, source, document(2))
    with monkeypatch.context() as dying:
        dying.setattr(services.chunkers, "_work", look)
        with pytest.raises(_Killed):
            sync(services, source, pdf(1))
    assert [(one.reason, one.attempts) for one in seen] == [(UNFINISHED, 1)]


@pytest.mark.parametrize(("attempts", "is_read"), [(MOST_READINGS - 1, True), (MOST_READINGS, False)])
def test_a_file_that_ended_the_process_too_often_is_not_read_again(
    services: Services, source: MemorySource, attempts: int, is_read: bool
) -> None:
    sync(services, source, document(2))
    left = replace(state(services, 2), attempts=attempts, reason=UNFINISHED)
    if is_read:
        assert chunk_version(services, pdf(2), None, left).chunks
    else:
        with pytest.raises(ReadingAborted, match=r"has ended Headrace's own process 3 times"):
            chunk_version(services, pdf(2), None, left)


def test_an_orderly_end_counts_no_attempt(services: Services, source: MemorySource) -> None:
    sync(services, source, pdf(1))
    assert (state(services, 1).attempts, state(services, 1).reason, state(services, 1).status) == (0, None, "indexed")


def test_a_document_that_is_read_in_part_is_indexed_and_says_so(services: Services, source: MemorySource) -> None:
    sync(services, source, pdf(1, Pdf().page("words").page(image=1.0).data()))
    (told,) = services.catalog.documents.troubled()
    assert (told["status"], told["reason"]) == ("indexed", "partly read: page 2 holds a picture only")
    sync(services, source, pdf(1, Pdf().page("words").data()))
    assert list(services.catalog.documents.troubled()) == []


def test_points_have_the_page_of_their_passage(services: Services, source: MemorySource) -> None:
    sync(services, source, pdf(1, files.pdf("first", "second")), document(2))
    with services.store() as store:
        points = store.points([document(1).id, document(2).id]).values()
    assert {point["text"]: point.get("page") for point in points} == {"first": 1, "second": 2, "Text of issue 2.": None}
