"""OpenAI's vector stores over HTTP: the store is the assistant whose key is sent."""

from fastapi import APIRouter, Response

from pipelines.retrieval.explore.facets import FacetRequest
from pipelines.retrieval.schema import Text
from pipelines.service.asking import AskedBy, Key, PersonQuery, Service, body_example
from pipelines.service.authentication import Principal
from pipelines.service.errors import Problem, problem_responses
from pipelines.service.interfaces import DocumentId
from pipelines.service.openai.vector_stores import (
    EXAMPLE,
    FileContentPage,
    VectorStore,
    VectorStoreList,
    VectorStorePage,
    VectorStoreSearch,
    content_page,
    search_page,
    store_of,
)
from pipelines.service.search_service import NOT_VISIBLE, SearchService

router = APIRouter(tags=["openai"], dependencies=[Key])
_REFUSALS = (400, 401, 403, 404, 429, 503)


@router.post(
    "/v1/vector_stores/{assistant}/search",
    openapi_extra=body_example(EXAMPLE),
    responses=problem_responses(*_REFUSALS, 411, 413),
)
def search_vector_store(
    assistant: Text, body: VectorStoreSearch, principal: AskedBy, service: Service, response: Response
) -> VectorStorePage:
    """The same search in the form of OpenAI's vector stores.

    Warnings, such as that no source knows the person, are in the header `X-Headrace-Warnings`.
    """
    _require_own(assistant, principal)
    page, warnings = search_page(body, service, principal.on_behalf_of(body.user))
    if warnings:
        response.headers["X-Headrace-Warnings"] = "; ".join(warnings)
    return page


@router.get("/v1/vector_stores", responses=problem_responses(*_REFUSALS))
def list_vector_stores(principal: AskedBy, service: Service, user: PersonQuery = None) -> VectorStoreList:
    """The stores that a key may search, of which there is one."""
    store = _store(principal.on_behalf_of(user), service)
    return VectorStoreList(data=[store], first_id=store.id, last_id=store.id)


@router.get("/v1/vector_stores/{assistant}", responses=problem_responses(*_REFUSALS))
def get_vector_store(assistant: Text, principal: AskedBy, service: Service, user: PersonQuery = None) -> VectorStore:
    """The assistant whose key is sent, with how many documents it may search for whoever asks."""
    _require_own(assistant, principal)
    return _store(principal.on_behalf_of(user), service)


@router.get("/v1/vector_stores/{assistant}/files/{document_id:path}/content", responses=problem_responses(*_REFUSALS))
def get_file_content(
    assistant: Text, document_id: DocumentId, principal: AskedBy, service: Service, user: PersonQuery = None
) -> FileContentPage:
    """The whole text of a document, under the same rights as search."""
    _require_own(assistant, principal)
    found = service.document(document_id, principal.on_behalf_of(user))
    if found is None:
        raise Problem(404, "Not found", NOT_VISIBLE)
    return content_page(found)


def _require_own(assistant: str, principal: Principal) -> None:
    if assistant != principal.assistant.id:
        raise Problem(404, "Not found", "There is no such vector store, or it is not this key's: use its assistant.")


def _store(principal: Principal, service: SearchService) -> VectorStore:
    found = service.facets(FacetRequest(fields=("sources",), like="", limit=100), principal)
    return store_of(principal, sum(one.documents for one in found.sources))
