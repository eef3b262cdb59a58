"""Scans through an API: each page once, counted, waited for, and its refusals one page's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from connectors.github.settings import GitHubConnection
from connectors.model import Document, Unit
from pipelines.ingestion.publish import publish
from pipelines.ingestion.report import ScanCounts, SyncReport
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.operations.connection_checks import check_all
from pipelines.retrieval import search
from pipelines.retrieval.schema import ChunkResult, SearchRequest
from pipelines.services import Services
from pipelines.settings import PartitionSettings, Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.emulators.unstructured_api import PATH, UnstructuredServer, serving
from tests.pipelines.chunking import files
from tests.pipelines.chunking.pdf_files import Pdf
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
SCANS = Pdf().page("Typed words.").page(image=1.0).page(image=1.0).data()
PNG = b"\x89PNG\r\n\x1a\n..."


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> UnstructuredServer:
    monkeypatch.setattr("pipelines.scans.unstructured._RETRY_MS", (1, 1, 1))
    return UnstructuredServer()


@pytest.fixture
def url(server: UnstructuredServer) -> Iterator[str]:
    with serving(server) as found:
        yield found


@contextmanager
def opened(directory: Path, url: str = "", **more: str) -> Iterator[Services]:
    partition = PartitionSettings.model_validate({"provider": "unstructured", "url": url, **more}) if url else None
    settings = Settings(directory=directory, connections=(CONNECTION,), partition=partition)
    with Services(settings, FakeEmbedder()) as services:
        services.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
        yield services


def file(number: int, content: bytes = SCANS, content_type: str = files.PDF, **changes: str) -> Document:
    return document(number, content=content, content_type=content_type, **changes)


def sync(services: Services, source: MemorySource, *found: Document) -> SyncReport:
    for one in found:
        source.put(one)
    return sync_unit(services, CONNECTION, source, UNIT)


def found(services: Services, query: str) -> list[ChunkResult]:
    publish(services)
    request = SearchRequest(query=query, mode="lexical")
    answer = search(request, None, index=services.reader, embedder=services.embedder)
    return [chunk for result in answer.results for chunk in result.chunks]


def reasons(services: Services) -> dict[str, tuple[str, str]]:
    return {one["id"]: (one["status"], one["reason"]) for one in services.catalog.documents.troubled()}


def test_scanned_pages_among_others_are_sent_one_by_one_and_found_by_their_page(
    tmp_path: Path, server: UnstructuredServer, url: str
) -> None:
    with opened(tmp_path, url + PATH, strategy="hi_res", api_key="secret") as services:
        report = sync(services, MemorySource(), file(1))
        assert report.errors == {}
        assert report.scans == ScanCounts(requests=2, pages=2)
        assert [(one.strategy, one.key) for one in server.sent] == [("hi_res", "secret")] * 2
        assert all(one.name.endswith(f"-{page}.pdf") for one, page in zip(server.sent, (2, 3), strict=True))
        assert [(one.page, "scanned words" in one.text) for one in found(services, "scanned")] == [(2, True), (3, True)]
        assert reasons(services) == {}


def test_no_page_is_paid_twice(tmp_path: Path, server: UnstructuredServer, url: str) -> None:
    source = MemorySource()
    with opened(tmp_path, url) as services:
        sync(services, source, file(1))
        report = sync(services, source, file(1, title="Another title"))
        assert report.documents.changed == 1
        assert (report.scans.requests, report.scans.cached >= 2) == (0, True)
        assert len(server.sent) == 2


def test_a_picture_is_read(tmp_path: Path, server: UnstructuredServer, url: str) -> None:
    with opened(tmp_path, url) as services:
        sync(services, MemorySource(), file(1, PNG, "image/png"))
        assert [one.name.rpartition(".")[2] for one in server.sent] == ["png"]
        assert [one.page for one in found(services, "scanned")] == [1]


def test_without_an_api_pages_and_pictures_are_told(tmp_path: Path) -> None:
    with opened(tmp_path) as services:
        scanned = Pdf().page(image=1.0).data()
        report = sync(services, MemorySource(), file(1), file(2, PNG, "image/png"), file(3, scanned))
        assert report.scans == ScanCounts()
        assert reasons(services) == {
            file(1).id: ("indexed", "partly read: pages 2-3 hold pictures only"),
            file(2).id: ("skipped", "unsupported type: image/png"),
            file(3).id: ("skipped", "no text layer: it holds pictures only"),
        }


@pytest.mark.one_case
@pytest.mark.parametrize("status", [401, 429, 500])
def test_an_api_that_is_away_is_waited_for(tmp_path: Path, server: UnstructuredServer, url: str, status: int) -> None:
    source, server.status = MemorySource(), status
    with opened(tmp_path, url) as services:
        report = sync(services, source, file(1))
        assert report.causes == {"acme/unit": "partition"}
        assert f"partition.url: the API at 127.0.0.1:{url.split(':')[2].split('/')[0]}" in report.errors["acme/unit"]
        assert services.catalog.documents.totals() == {("acme", "unit"): {"pending": 1}}
        server.status = 200
        assert sync(services, source).errors == {}
        assert services.catalog.documents.totals() == {("acme", "unit"): {"indexed": 1}}


def test_what_the_api_refuses_is_that_page_alone(tmp_path: Path, server: UnstructuredServer, url: str) -> None:
    server.refuses = lambda content: content == PNG
    with opened(tmp_path, url) as services:
        report = sync(services, MemorySource(), file(1), file(2, PNG, "image/png"))
        assert report.errors == {}
        refused = "the API that reads scans refuses it: HTTP 422: File type not supported"
        assert reasons(services) == {file(2).id: ("failed", refused)}


def test_a_picture_without_words_is_not_found_by_its_name(tmp_path: Path, server: UnstructuredServer, url: str) -> None:
    silent = file(1, PNG + b"without words", "image/png", title="Photograph")
    with opened(tmp_path, url) as services:
        report = sync(services, MemorySource(), silent)
        assert (report.errors, len(server.sent)) == ({}, 1)
        assert reasons(services) == {silent.id: ("skipped", "empty: there is no text in it")}


def test_check_says_whether_the_api_answers(tmp_path: Path, server: UnstructuredServer, url: str) -> None:
    for status, ok in ((200, True), (401, False)):
        server.status = status
        with opened(tmp_path, url) as services:
            (finding,) = (one for one in check_all(services.settings) if one.subject == "partition")
            assert finding.ok is ok


def test_the_hosted_api_wants_a_key() -> None:
    hosted = {"provider": "unstructured", "url": "https://api.unstructuredapp.io"}
    with pytest.raises(ValidationError, match="the hosted API wants one"):
        PartitionSettings.model_validate(hosted)
    assert PartitionSettings.model_validate(hosted | {"api_key": "k"}).strategy == "auto"
