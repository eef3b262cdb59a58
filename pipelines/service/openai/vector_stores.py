"""Search as OpenAI's vector stores offer it, so that OpenAI's own clients work unchanged.

Request and response follow https://platform.openai.com/docs/api-reference/vector-stores/search
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from math import exp
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from pipelines.retrieval.attribute_filters import AttributeFilter
from pipelines.retrieval.schema import DocumentResponse, DocumentResult, Person, QuestionText, SearchRequest
from pipelines.service.authentication import Principal
from pipelines.service.search_service import SearchService

EXAMPLE = {
    "query": "how do we roll back a firmware release?",
    "max_num_results": 5,
    "filters": {
        "type": "and",
        "filters": [
            {"type": "in", "key": "source", "value": ["notion", "github"]},
            {"type": "gte", "key": "updated_at", "value": 1767225600},
        ],
    },
    "user": "ada@example.com",
}

_TEXTS = ("title", "url", "source", "connection", "unit", "unit_name", "kind", "author")
Attributes: TypeAlias = dict[str, str | int | float]


class RankingOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    ranker: Literal["none", "auto", "default-2024-11-15"] = Field(
        default="auto", description="Taken for compatibility: the service ranks as its settings say"
    )
    score_threshold: float = Field(
        default=0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Leave out documents whose `score` is lower. With a reranker that says how well a document "
        "answers; without one, how near it comes to the best that there is for the question, however good that is",
    )


class VectorStoreSearch(BaseModel):
    """A question, or several whose answers are put together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    query: QuestionText | Annotated[list[QuestionText], Field(min_length=1, max_length=10)]
    max_num_results: int = Field(default=10, strict=True, ge=1, le=50)
    filters: AttributeFilter | None = None
    ranking_options: RankingOptions = RankingOptions()
    rewrite_query: bool = Field(
        default=False, description="Questions are asked as they are; `search_query` in the response repeats them"
    )
    user: Person | None = None


class VectorStoreContent(BaseModel):
    type: Literal["text"] = "text"
    text: str


class VectorStoreResult(BaseModel):
    """A document. `file_id` is its id, `content` its best passages."""

    file_id: str
    filename: str
    score: float = Field(
        ge=0,
        le=1,
        description="The reranker's, in its scale where that is 0 to 1, and as 1 / (1 + exp(-score)) otherwise. "
        "Without one, 1 is a document that is first both by meaning and by words; age or the time asked for lowers it",
    )
    attributes: Attributes
    content: list[VectorStoreContent]


class FileCounts(BaseModel):
    in_progress: int = 0
    completed: int
    failed: int = 0
    cancelled: int = 0
    total: int


class VectorStore(BaseModel):
    """An assistant. `file_counts` are of the documents that it may search for whoever asks."""

    id: str
    object: Literal["vector_store"] = "vector_store"
    created_at: int = Field(default=0, description="Not known")
    name: str
    status: Literal["completed"] = "completed"
    usage_bytes: int = Field(default=0, description="Not counted")
    file_counts: FileCounts
    metadata: dict[str, str] = {}


class VectorStoreList(BaseModel):
    """All stores that a key may search: its assistant."""

    object: Literal["list"] = "list"
    data: list[VectorStore]
    first_id: str
    last_id: str
    has_more: Literal[False] = False


class FileContentPage(BaseModel):
    """The whole text of a document."""

    object: Literal["vector_store.file_content.page"] = "vector_store.file_content.page"
    data: list[VectorStoreContent]
    has_more: Literal[False] = False
    next_page: None = None


class VectorStorePage(BaseModel):
    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    search_query: list[str]
    data: list[VectorStoreResult]
    has_more: Literal[False] = False
    next_page: None = None


def search_page(
    body: VectorStoreSearch, service: SearchService, principal: Principal
) -> tuple[VectorStorePage, list[str]]:
    """A page, and the warnings about it, for which OpenAI's form has no place.

    Raises a 422 problem for filters that cannot be asked.
    """
    queries = [body.query] if isinstance(body.query, str) else body.query
    requests = [SearchRequest(query=query, top_k=body.max_num_results) for query in queries]
    answered = [service.search(request, principal, body.filters) for request in requests]
    merged = _merge([one.results for one in answered])
    share = _share([one.score for one in merged])
    results = [_result(one, share(one.score)) for one in merged]
    good = [one for one in results if one.score >= body.ranking_options.score_threshold]
    page = VectorStorePage(search_query=queries, data=good[: body.max_num_results])
    return page, list(dict.fromkeys(warning for one in answered for warning in one.warnings))


def store_of(principal: Principal, documents: int) -> VectorStore:
    """The assistant that asks, as the store of all that it may search for whoever it asks for."""
    counts = FileCounts(completed=documents, total=documents)
    return VectorStore(id=principal.assistant.id, name=principal.assistant.id, file_counts=counts)


def content_page(one: DocumentResponse) -> FileContentPage:
    return FileContentPage(data=[VectorStoreContent(text=one.text)])


def _merge(answered: Sequence[list[DocumentResult]]) -> list[DocumentResult]:
    """Each document once, as the question that fits it best found it."""
    best: dict[str, DocumentResult] = {}
    for one in (result for results in answered for result in results):
        if one.document_id not in best or one.score > best[one.document_id].score:
            best[one.document_id] = one
    return sorted(best.values(), key=lambda one: -one.score)


def _share(scores: Sequence[float]) -> Callable[[float], float]:
    """Scores as OpenAI's form has them, from 0 to 1, in the same order. Rerankers may give logits."""
    if all(0 <= score <= 1 for score in scores):
        return lambda score: score
    return lambda score: 1 / (1 + exp(-min(max(score, -_SURE), _SURE)))


_SURE = 30.0
"""A logit beyond which a share is 0 or 1 to any reader, and no overflow."""


def _result(one: DocumentResult, score: float) -> VectorStoreResult:
    return VectorStoreResult(
        file_id=one.document_id,
        filename=one.title,
        score=score,
        attributes=_attributes(one),
        content=[VectorStoreContent(text=chunk.text) for chunk in one.chunks],
    )


def _attributes(one: DocumentResult) -> Attributes:
    """OpenAI knows text, numbers and truth values here; times are seconds since 1970. The page is that of the best
    passage."""
    texts = {
        name: getattr(one, name)
        for name in ("title", "url", "source", "connection", "unit", "unit_name", "kind", "author")
    }
    times: dict[str, datetime | None] = {"created_at": one.created_at, "updated_at": one.updated_at}
    best = max(one.chunks, key=lambda chunk: chunk.score)
    page: Attributes = {"page": best.page} if best.page is not None else {}
    return texts | page | {name: moment.timestamp() for name, moment in times.items() if moment}
