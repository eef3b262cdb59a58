"""The checks that an index must pass before assistants see it, and the figures that are reported with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.model import PUBLIC
from connectors.settings import Connection
from pipelines.catalog import Catalog
from pipelines.catalog.freshness import freshness
from pipelines.catalog.indexed_documents import IndexedUnit
from pipelines.catalog.lookup import resolve_ids
from pipelines.errors import EmbeddingError, UsageError
from pipelines.evaluation.questions import expected_names, read_questions
from pipelines.evaluation.run import Ask, Run, evaluate
from pipelines.index.contract import Filters, IndexReader
from pipelines.ingestion.index_contents import IndexContents
from pipelines.retrieval.principals import person_tokens
from pipelines.retrieval.retriever import Retriever
from pipelines.retrieval.schema import SearchRequest, SearchResponse
from pipelines.services import Services

NAMED_IN_DETAIL = 5
UNREADABLE_SAMPLE = 200
"""How many documents without readers are asked for as a stranger."""
STRANGER = (PUBLIC, "user:nobody@invalid")


@dataclass(frozen=True, slots=True)
class PublishCheck:
    """One condition of publishing; `detail` says what was found."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """What the index holds of one source, and how fresh it is.

    `newest` is the latest time of a document at its source, `lag_seconds` the time since the unit that was read
    longest ago; None where nothing is known.
    """

    documents: int
    points: int
    newest: str | None
    last_sync: str | None
    lag_seconds: float | None


def check_agreement(found: IndexContents, catalog: Catalog) -> PublishCheck:
    """The index holds exactly the points that the catalog knows of; documents on their way do not count, nor do those
    that a restore has hidden until their unit is read again."""
    expected = found.expected
    differing = [one for one in expected.keys() | found.points.keys() if expected.get(one, 0) != found.points[one]]
    states = catalog.documents.states(differing)
    wrong = sorted(one for one in differing if one not in states or states[one].status != "pending")
    if wrong:
        unread = {(one.connection, one.unit.id) for one in catalog.units.all() if one.last_sync is None}
        wrong = [one for one in wrong if one in states or found.unreadable.get(one) not in unread]
    if not wrong:
        seen = "" if found.whole else f", {len(found.points)} of them looked at: those that have changed"
        return PublishCheck("index agrees with catalog", True, f"{found.documents} documents{seen}")
    shown = ", ".join(f"{one} ({found.points[one]} points, not {expected.get(one, 0)})" for one in _first(wrong))
    return PublishCheck(
        "index agrees with catalog",
        False,
        f"{len(wrong)} documents differ: {shown}; `headrace restore` puts it right",
    )


def check_closed_by_default(found: IndexContents, preview: IndexReader, catalog: Catalog) -> PublishCheck:
    """A document without readers is visible to nobody, and all points of a document have the same readers."""
    name = "no document without readers is visible"
    closed = {*found.unreadable, *(() if found.whole else catalog.indexed_documents.closed(UNREADABLE_SAMPLE))}
    count = len(found.unreadable) if found.whole else catalog.indexed_documents.count_closed()
    stranger = Filters(readers=STRANGER)
    visible = [one for one in _first(sorted(closed), UNREADABLE_SAMPLE) if preview.document(one, stranger)]
    if visible or found.unequal:
        wrong = ", ".join(_first([*visible, *sorted(found.unequal)]))
        return PublishCheck(name, False, f"visible, or with points of different readers: {wrong}")
    return PublishCheck(name, True, f"{count} documents have no reader")


def check_golden(services: Services, preview: IndexReader) -> tuple[PublishCheck, Run | None]:
    """The golden questions find enough of their documents. Without any configured there is nothing to fail."""
    name, configured = "golden questions", services.settings.golden
    if configured is None:
        return PublishCheck(name, True, "none configured"), None
    try:
        questions = read_questions(services.settings.directory / configured.file)
        ids = resolve_ids(services.catalog, expected_names(questions))
        run = evaluate(questions, _ask_preview(services, preview), model=services.embedder.model, ids=ids)
    except (EmbeddingError, UsageError) as error:
        return PublishCheck(name, False, f"could not be asked: {error}"), None
    recall = run.total.recall_at_10
    detail = f"recall@10 {recall:.3f} over {len(questions)} questions, {configured.recall_at_10:.3f} required"
    passed = recall >= configured.recall_at_10
    worst = "; ".join(repr(one.query) for one in run.worst(NAMED_IN_DETAIL) if one.missing)
    if not passed and worst:
        detail += f"; without their documents: {worst}"
    return PublishCheck(name, passed, detail), run


def source_figures(units: Iterable[IndexedUnit], services: Services) -> dict[str, SourceFigures]:
    """Figures of each source that is configured or indexed."""
    catalog = services.catalog
    connections: dict[str, list[Connection]] = {}
    for connection in services.settings.connections:
        connections.setdefault(connection.source, []).append(connection)
    sources = {(state.connection, state.unit.id): state.source for state in catalog.units.all()}
    indexed: dict[str, list[IndexedUnit]] = {source: [] for source in connections}
    for one in units:
        indexed.setdefault(sources[one.connection, one.unit], []).append(one)
    return {
        source: SourceFigures(
            sum(one.documents for one in own),
            sum(one.points for one in own),
            _newest(own),
            *_last_sync(catalog, connections.get(source, [])),
        )
        for source, own in sorted(indexed.items())
    }


def _newest(units: Iterable[IndexedUnit]) -> str | None:
    moment = max((one.newest for one in units if one.newest), default=None)
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def _last_sync(catalog: Catalog, connections: list[Connection]) -> tuple[str | None, float | None]:
    """The oldest last sync of some connections, and how long ago that is; None if one was never read."""
    syncs = [freshness(catalog, connection).last_sync for connection in connections]
    known = [sync for sync in syncs if sync]
    if not known or len(known) < len(syncs):
        return None, None
    oldest = min(known)
    return oldest.isoformat(), round((datetime.now(UTC) - oldest).total_seconds(), 1)


def _ask_preview(services: Services, preview: IndexReader) -> Ask:
    """A search as the evaluation asks it, in what is not published yet."""

    retriever = Retriever(preview, services.embedder, services.reranker, services.catalog)

    def ask(fields: Mapping[str, Any]) -> SearchResponse:
        request = SearchRequest.model_validate(dict(fields))
        readers = person_tokens(request.user, services.settings, services.catalog) if request.user else None
        return retriever.search(request, readers, scope=None)

    return ask


def _first(names: list[str], count: int = NAMED_IN_DETAIL) -> list[str]:
    return names[:count]
