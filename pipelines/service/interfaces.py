"""Search, documents and the values of filters, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from pipelines.retrieval.explore.facets import MOST_VALUES, FacetName, FacetRequest
from pipelines.retrieval.explore.schema import FacetsResponse
from pipelines.retrieval.schema import DocumentResponse, SearchRequest, SearchResponse, Text
from pipelines.service.asking import AskedBy, Key, PersonQuery, Service, body_example
from pipelines.service.errors import Problem, problem_responses
from pipelines.service.search_service import NOT_VISIBLE

EXAMPLE = {
    "query": "how do we roll back a firmware release?",
    "user": "ada@example.com",
    "top_k": 5,
    "filters": {"sources": ["notion", "github"], "updated_after": "2026-01-01T00:00:00Z"},
}

DocumentId = Annotated[
    Text, Path(max_length=2_000, openapi_examples={"issue": {"value": "github:acme/1296269/issues/12"}})
]
FacetNames = Annotated[list[FacetName], Query(max_length=7, description="Which filters; repeatable")]
Part = Annotated[Text, Query(max_length=200, description="A part of the names or values to be listed, in any case")]
Most = Annotated[int, Query(ge=1, le=MOST_VALUES, description="How many values of each filter at most")]

router = APIRouter(tags=["search"], dependencies=[Key])


@router.post(
    "/v1/search",
    openapi_extra=body_example(EXAMPLE),
    responses=problem_responses(400, 401, 403, 411, 413, 422, 429, 503),
)
def search(body: SearchRequest, principal: AskedBy, service: Service) -> SearchResponse:
    """Documents with their best passages, as the person or service that asks may see them.

    Units, people and all other values of filters can be given by name, in any case. A value that does not exist among
    what may be seen is an error that lists near ones.
    """
    return service.search(body, principal.on_behalf_of(body.user))


@router.get("/v1/documents/{document_id:path}", responses=problem_responses(400, 401, 403, 404, 422, 429, 503))
def get_document(
    document_id: DocumentId, principal: AskedBy, service: Service, user: PersonQuery = None
) -> DocumentResponse:
    """A whole document, under the same rights as search."""
    found = service.document(document_id, principal.on_behalf_of(user))
    if found is None:
        raise Problem(404, "Not found", NOT_VISIBLE)
    return found


@router.get("/v1/facets", responses=problem_responses(400, 401, 403, 422, 429, 503))
def list_facets(
    principal: AskedBy,
    service: Service,
    fields: FacetNames = ["sources", "connections", "units", "kinds", "authors", "tags"],  # noqa: B006  never changed
    like: Part = "",
    limit: Most = 20,
    user: PersonQuery = None,
) -> FacetsResponse:
    """The values that filters can have, with names and counts: those of documents that whoever asks may see."""
    asked = FacetRequest(fields=tuple(dict.fromkeys(fields)), like=like, limit=limit)
    return service.facets(asked, principal.on_behalf_of(user))
