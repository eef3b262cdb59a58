"""Search as OpenAI's vector stores offer it, so that OpenAI's own clients work unchanged.

Request and response follow https://platform.openai.com/docs/api-reference/vector-stores/search
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from pipelines.retrieval.schema import DocumentResult, Person, QuestionText, SearchFilters, SearchRequest
from pipelines.service.authentication import Principal
from pipelines.service.errors import Problem
from pipelines.service.openai.filters import AttributeFilter, FilterError, search_filters
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

Attributes: TypeAlias = dict[str, str | int | float]


class RankingOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    ranker: Literal["none", "auto", "default-2024-11-15"] = Field(
        default="auto", description="Taken for compatibility: the service ranks as its settings say"
    )
    score_threshold: float = Field(
        default=0, ge=0, allow_inf_nan=False, description="Leave out documents whose `score` is lower"
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
    score: float
    attributes: Attributes
    content: list[VectorStoreContent]


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
    filters = _filters(body)
    requests = [SearchRequest(query=query, top_k=body.max_num_results, filters=filters) for query in queries]
    answered = [service.search(request, principal) for request in requests]
    results = _merge([one.results for one in answered])
    good = [one for one in results if one.score >= body.ranking_options.score_threshold]
    page = VectorStorePage(search_query=queries, data=[_result(one) for one in good[: body.max_num_results]])
    return page, list(dict.fromkeys(warning for one in answered for warning in one.warnings))


def _filters(body: VectorStoreSearch) -> SearchFilters:
    try:
        return search_filters(body.filters)
    except FilterError as problem:
        raise Problem(422, "Invalid request", str(problem), field=problem.where) from None


def _merge(answered: Sequence[list[DocumentResult]]) -> list[DocumentResult]:
    """Each document once, as the question that fits it best found it."""
    best: dict[str, DocumentResult] = {}
    for one in (result for results in answered for result in results):
        if one.document_id not in best or one.score > best[one.document_id].score:
            best[one.document_id] = one
    return sorted(best.values(), key=lambda one: -one.score)


def _result(one: DocumentResult) -> VectorStoreResult:
    return VectorStoreResult(
        file_id=one.document_id,
        filename=one.title,
        score=one.score,
        attributes=_attributes(one),
        content=[VectorStoreContent(text=chunk.text) for chunk in one.chunks],
    )


def _attributes(one: DocumentResult) -> Attributes:
    """OpenAI knows text, numbers and truth values here; times are seconds since 1970. The page is that of the best
    passage."""
    texts = {name: getattr(one, name) for name in ("url", "source", "connection", "unit", "kind", "author")}
    times: dict[str, datetime | None] = {"created_at": one.created_at, "updated_at": one.updated_at}
    best = max(one.chunks, key=lambda chunk: chunk.score)
    page: Attributes = {"page": best.page} if best.page is not None else {}
    return texts | page | {name: moment.timestamp() for name, moment in times.items() if moment}
