"""The gate before publishing: what shuts it, what stays live, and what it tells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.catalog import tables
from pipelines.index.conditions import Conditions
from pipelines.index.contract import DocumentChange, Filters, Point
from pipelines.ingestion.publish import check_and_publish, publish, publish_blockers
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import GoldenQuestions, Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
KEY = "github:acme/acme/api/issues/{}"
EVERYTHING = Filters(readers=None)
LONG = "\n\n".join(f"# Part {part}\n\n{'words of it ' * 150}" for part in range(3))


@pytest.fixture
def source() -> MemorySource:
    memory = MemorySource()
    memory.put(document(1, content="The penstock valve leaks."))
    memory.put(document(2, content="The turbine hums.", readers=()))
    return memory


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    with Services(settings.model_copy(update={"connections": (CONNECTION,)}), FakeEmbedder()) as opened:
        opened.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
        yield opened


def live(services: Services) -> set[int]:
    return {number for number in range(1, 9) if services.reader.document(KEY.format(number), EVERYTHING)}


def write(services: Services, number: int, position: int = 0, **payload: Any) -> None:
    """A point that no stage wrote."""
    shared = {
        "document_id": KEY.format(number),
        "version": "v",
        "source": "github",
        "position": position,
        "readers": ["public"],
        "updated_at": None,
    }
    one = Point(f"00000000-0000-0000-{position:04}-{number:012}", [1.0] + [0.0] * 63, "text", shared | payload)
    with services.store() as store:
        store.apply([DocumentChange(KEY.format(number), [one])])


def golden(services: Services, tmp_path: Path, recall: float, *lines: dict[str, Any]) -> None:
    """The services with golden questions."""
    (tmp_path / "golden.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    wanted = GoldenQuestions(file="golden.jsonl", recall_at_10=recall)
    services.settings = services.settings.model_copy(update={"golden": wanted})


def test_a_sound_index_is_published_with_its_figures(services: Services, source: MemorySource) -> None:
    sync_unit(services, CONNECTION, source, UNIT)
    done = check_and_publish(services)
    assert (done.published, done.reasons, live(services)) == (True, [], {1, 2})
    assert [check.passed for check in done.checks] == [True, True, True]
    figures = done.sources["github"]
    assert (figures.documents, figures.points, figures.newest) == (2, 2, "2026-01-03T00:00:00Z")
    assert figures.last_sync is not None
    assert figures.lag_seconds is not None
    assert (done.info.model, done.info.bytes > 0, done.golden) == ("fake-words", True, None)
    assert json.loads(json.dumps(done.as_json()))["sources"]["github"]["points"] == 2


def test_a_source_that_was_never_read_has_no_figures(services: Services) -> None:
    figures = check_and_publish(services).sources["github"]
    assert (figures.documents, figures.newest, figures.last_sync, figures.lag_seconds) == (0, None, None, None)


def test_points_that_the_catalog_does_not_know_shut_the_gate(services: Services, source: MemorySource) -> None:
    sync_unit(services, CONNECTION, source, UNIT)
    publish(services)
    write(services, 3)
    done = check_and_publish(services)
    assert (done.published, live(services)) == (False, {1, 2})
    assert done.reasons == publish_blockers(services)
    assert "issues/3 (1 points, not 0)" in done.reasons[0]


def test_what_has_not_changed_is_compared_by_how_much_there_is(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A point that is lost shuts the gate at once, whichever document it is of; two faults that make up for each other
    wait for the night, when all is read."""
    for number in range(3, 23):
        source.put(document(number))
    sync_unit(services, CONNECTION, source, UNIT)
    assert check_and_publish(services).published
    a_day_passes(services)
    with services.store() as store:
        point = next(iter(store.points([KEY.format(1)])))
        store.apply([DocumentChange(KEY.format(1), stale=[point])])
    assert "issues/1 (0 points, not 1)" in check_and_publish(services).reasons[0]
    write(services, 1, connection="acme", unit="unit")
    assert check_and_publish(services).published
    a_day_passes(services)
    with services.store() as store:
        store.apply([DocumentChange(KEY.format(1), stale=list(store.points([KEY.format(1)])))])
    write(services, 3, 1, connection="acme", unit="unit")
    assert check_and_publish(services).published
    [wrong, *_] = check_and_publish(services, whole=True).reasons
    assert "issues/1 (0 points, not 1), github:acme/acme/api/issues/3 (2 points, not 1)" in wrong


def a_day_passes(services: Services) -> None:
    """Since all that was indexed."""
    with services.catalog._engine.begin() as transaction:
        transaction.execute(update(tables.documents).values(changed_at=datetime.now(UTC) - timedelta(days=1)))


def test_what_has_changed_is_read_and_no_more(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3, 23):
        source.put(document(number))
    sync_unit(services, CONNECTION, source, UNIT)
    assert check_and_publish(services).published
    a_day_passes(services)
    source.put(document(3, content="Something else."))
    sync_unit(services, CONNECTION, source, UNIT)
    with services.store() as store:
        monkeypatch.setattr(type(store), "scan", _killed)
    done = check_and_publish(services)
    assert (done.published, done.info.documents) == (True, 22)
    assert done.checks[0].detail == "22 documents, 1 of them looked at: those that have changed"
    assert done.checks[1].detail == "1 documents have no reader"
    assert (done.sources["github"].documents, done.sources["github"].points) == (22, 22)


def test_while_it_is_shut_small_changes_wait_too_until_it_opens(
    services: Services, source: MemorySource, caplog: pytest.LogCaptureFixture
) -> None:
    sync_unit(services, CONNECTION, source, UNIT)
    publish(services)
    write(services, 3)
    check_and_publish(services)
    source.put(document(4))
    sync_unit(services, CONNECTION, source, UNIT)
    publish(services)
    assert live(services) == {1, 2}
    assert "not published" in caplog.text
    with services.store() as store:
        store.apply([DocumentChange(KEY.format(3), stale=list(store.points([KEY.format(3)])))])
    publish(services)
    assert (live(services), publish_blockers(services)) == ({1, 2, 4}, [])


def test_a_document_on_its_way_does_not_shut_it(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a killed run leaves it: points are written that the catalog has not noted."""
    sync_unit(services, CONNECTION, source, UNIT)
    source.put(document(1, content=LONG))
    monkeypatch.setattr(services.catalog.documents, "record_indexed", _killed)
    assert "acme/unit" in sync_unit(services, CONNECTION, source, UNIT).errors
    assert check_and_publish(services).published


def _killed(_: object) -> None:
    raise RuntimeError("killed")


def test_points_of_a_document_with_different_readers_shut_it(services: Services) -> None:
    write(services, 5, 0, readers=["user:ada@example.com"])
    write(services, 5, 1, readers=["public"])
    closed = check_and_publish(services).checks[1]
    assert (closed.passed, KEY.format(5) in closed.detail) == (False, True)


def test_documents_without_readers_are_looked_at_as_a_stranger(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_unit(services, CONNECTION, source, UNIT)
    monkeypatch.setattr("pipelines.index.embedded.shard_reader.conditions", _without_readers)
    done = check_and_publish(services)
    assert (done.published, done.checks[1].passed) == (False, False)
    assert KEY.format(2) in done.checks[1].detail


def _without_readers(filters: Filters) -> Conditions:
    from pipelines.index.filters import conditions

    return conditions(replace(filters, readers=None))


@pytest.mark.parametrize(("wanted", "published"), [(0.5, True), (0.6, False)])
def test_golden_questions_decide(
    services: Services, source: MemorySource, tmp_path: Path, wanted: float, published: bool
) -> None:
    sync_unit(services, CONNECTION, source, UNIT)
    expected = {"query": "penstock valve", "documents": [KEY.format(1)]}
    golden(services, tmp_path, wanted, expected, {"query": "what is lost?", "documents": ["notion:x"]})
    done = check_and_publish(services)
    assert (done.published, live(services)) == (published, {1, 2} if published else set())
    assert done.golden is not None
    assert done.golden.recall_at_10 == 0.5
    assert published or "'what is lost?'" in done.reasons[0]


def test_golden_questions_are_asked_as_their_person(services: Services, source: MemorySource, tmp_path: Path) -> None:
    sync_unit(services, CONNECTION, source, UNIT)
    hidden = {"query": "turbine", "documents": [KEY.format(2)]}
    golden(services, tmp_path, 1.0, hidden)
    assert check_and_publish(services).published
    golden(services, tmp_path, 1.0, hidden | {"user": "ada@example.com"})
    assert not check_and_publish(services).published


def test_golden_questions_that_cannot_be_asked_shut_it(
    services: Services, source: MemorySource, tmp_path: Path
) -> None:
    sync_unit(services, CONNECTION, source, UNIT)
    golden(services, tmp_path, 0.0, {"query": "x"})
    assert "could not be asked" in check_and_publish(services).reasons[0]
