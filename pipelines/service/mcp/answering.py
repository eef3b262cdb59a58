"""What was found, as the tools answer it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.chunking.tokens import BYTES_PER_TOKEN, estimate_tokens
from pipelines.index.contract import Hit
from pipelines.retrieval.explore.schema import (
    ChangesResponse,
    ChildrenResponse,
    RelatedDocument,
    RelatedResponse,
    SourcesResponse,
)
from pipelines.retrieval.schema import ChunkResult, DocumentMetadata, DocumentResult, SearchResponse
from pipelines.retrieval.text_parts import TextPart
from pipelines.service.mcp.tool_answers import (
    ChangedDocument,
    ChangesAnswer,
    ChildPlace,
    ChildrenAnswer,
    FetchedDocument,
    FetchMetadata,
    FoundDocument,
    LinkedDocument,
    RelatedAnswer,
    SearchResults,
    SourcesAnswer,
)


def search_results(found: SearchResponse, budget: int) -> SearchResults:
    """The results for which there is room with their titles and places, the best first; of the first one at least a
    beginning."""
    results: list[FoundDocument] = []
    for rank, one in enumerate(found.results, start=1):
        place = FoundDocument(**_place(one), rank=rank, positions=[], text="")
        budget -= estimate_tokens(place.model_dump_json())
        chunks = _fitting(one, budget // (2 if rank == 1 and len(found.results) > 1 else 1), is_first=rank == 1)
        if not chunks:
            break
        text = "\n\n".join(map(_with_page, chunks))
        budget -= estimate_tokens(text)
        positions = [chunk.position for chunk in chunks]
        results.append(place.model_copy(update={"positions": positions, "text": text}))
    return SearchResults(results=results, warnings=found.warnings, left_out=len(found.results) - len(results))


def fetched_document(hits: Sequence[Hit], told: DocumentMetadata, part: TextPart) -> FetchedDocument:
    metadata = FetchMetadata(**told.model_dump(include=set(FetchMetadata.model_fields)), tags=hits[0].payload["tags"])
    return FetchedDocument(
        id=told.document_id,
        title=told.title,
        part=f"part {part.number} of {part.count}",
        page=part.page,
        offset=part.offset,
        tokens=part.tokens,
        total_tokens=part.total_tokens,
        next_offset=part.next_offset,
        text=part.text,
        url=told.url,
        metadata=metadata,
    )


def sources_answer(found: SourcesResponse) -> SourcesAnswer:
    return SourcesAnswer(connections=found.connections)


def children_answer(found: ChildrenResponse) -> ChildrenAnswer:
    children = [
        ChildPlace(
            id=one.id,
            title=one.title,
            documents=one.documents,
            kind=one.document.kind if one.document else "",
            url=one.document.url if one.document else "",
            updated_at=one.document.updated_at if one.document else None,
        )
        for one in found.children
    ]
    return ChildrenAnswer(
        id=found.id, path=found.path, total=found.total, next_offset=found.next_offset, children=children
    )


def changes_answer(found: ChangesResponse) -> ChangesAnswer:
    changes = [ChangedDocument(**_place(one), text=one.excerpt) for one in found.changes]
    return ChangesAnswer(changes=changes, next_cursor=found.next_cursor)


def related_answer(found: RelatedResponse) -> RelatedAnswer:
    def places(links: Sequence[RelatedDocument]) -> list[LinkedDocument]:
        return [LinkedDocument(**_place(one), text=one.mention) for one in links]

    mentions, mentioned_by = places(found.mentions), places(found.mentioned_by)
    return RelatedAnswer(
        id=found.id,
        title=found.title,
        mentions=mentions,
        more_mentions=found.more_mentions,
        mentioned_by=mentioned_by,
        more_mentioned_by=found.more_mentioned_by,
    )


def _place(one: DocumentMetadata) -> dict[str, object]:
    return {
        "id": one.document_id,
        "title": one.title,
        "url": one.url,
        "source": one.source,
        "kind": one.kind,
        "unit": one.unit_name,
        "path": one.breadcrumb,
        "author": one.author,
        "updated_at": one.updated_at,
    }


def _fitting(one: DocumentResult, budget: int, *, is_first: bool) -> list[ChunkResult]:
    """The best passages that fit, in reading order."""
    chosen: list[ChunkResult] = []
    for chunk in sorted(one.chunks, key=lambda chunk: -chunk.score):
        budget -= estimate_tokens(chunk.text)
        if budget < 0 and (chosen or not is_first):
            break
        chosen.append(chunk)
    if chosen and budget < 0:
        room = estimate_tokens(chosen[0].text) + budget
        chosen = [chosen[0].model_copy(update={"text": chosen[0].text[: max(room, 1) * BYTES_PER_TOKEN]})]
    return sorted(chosen, key=lambda chunk: chunk.position)


def _with_page(chunk: ChunkResult) -> str:
    """A passage below the page that it stands on, so that a model can cite it."""
    return f"[page {chunk.page}]\n{chunk.text}" if chunk.page is not None else chunk.text
