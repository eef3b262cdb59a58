"""The application: search in three forms, documents, health, figures and the pages."""

import hmac
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from fastapi.security import HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import SecretStr
from starlette.routing import Route

from pipelines.catalog import Catalog
from pipelines.catalog.assistants import hash_key
from pipelines.catalog.lookup import present_spellings
from pipelines.catalog.restoring import Restoring
from pipelines.embedding.base import Embedder
from pipelines.events.spool import Spool
from pipelines.index.contract import IndexReader
from pipelines.metrics import watch_catalog
from pipelines.operations.health import SUMMARIES, Health, read_health
from pipelines.retrieval.principals import MembershipReader
from pipelines.retrieval.reranking import Reranker
from pipelines.retrieval.schema import DocumentResponse, Person, SearchRequest, SearchResponse, Text
from pipelines.service import errors, mcp, request_guard, throttling, webhooks
from pipelines.service.authentication import PERSON_HEADER, Authenticator, Principal, StoredAssistants
from pipelines.service.errors import Problem, problem_responses
from pipelines.service.metered_embedder import MeteredEmbedder
from pipelines.service.metrics import Metrics
from pipelines.service.openai import vector_stores
from pipelines.service.openai.vector_stores import VectorStorePage, VectorStoreSearch
from pipelines.service.pages import StaticPage
from pipelines.service.request_guard import ANY_HOST, BrowserHosts
from pipelines.service.search_service import NOT_VISIBLE, SearchService
from pipelines.service.throttling import RequestRate
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.service.sign_in import SignIn

DESCRIPTION = f"""Passages of a company's knowledge, fresh and permitted.

**Who asks.** Every request bears the key of an assistant. A key with `identity: user` acts for a person, who must be
named by e-mail address: as `user` in the request, or in the header `{PERSON_HEADER}`, which works on every interface.
Name the person from what your program knows (a signed-in session), never from what a model wrote. The key of one
person, and that of a service, take no name.

Where people sign in at the company's provider, an access token stands in the key's place (`{mcp.PATH}` leads clients to
it), and the page's session does on the page; both are their person's alone.

**OpenAI's clients** work with their `base_url` set to this server's `/v1`, and the id of the assistant as the vector
store: `client.vector_stores.search("my-assistant", query="…", extra_headers={{"{PERSON_HEADER}": "ada@example.com"}})`
(or `extra_body={{"user": …}}`, or `default_headers` of the client).

**MCP** (streamable HTTP) is at `{mcp.PATH}`, with the tools `search` and `fetch`, the key as bearer token and the
person in the header `{PERSON_HEADER}`.

Errors are problem details (RFC 9457) that name the field that was wrong, and the id of the request.
"""

_NOT_KEPT = "webhooks are refused: neither the catalog nor the disk of this server takes them"

EXAMPLE = {
    "query": "how do we roll back a firmware release?",
    "user": "ada@example.com",
    "top_k": 5,
    "filters": {"sources": ["notion", "github"], "updated_after": "2026-01-01T00:00:00Z"},
}


def _example(example: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": example}}}}


Key = Depends(HTTPBearer(auto_error=False, description="The key of an assistant"))
PersonHeader = Annotated[Person | None, Header(alias=PERSON_HEADER)]
DocumentId = Annotated[
    Text, Path(max_length=2_000, openapi_examples={"issue": {"value": "github:acme/1296269/issues/12"}})
]
PersonQuery = Annotated[Person | None, Query(openapi_examples={"ada": {"value": "ada@example.com"}})]


def create_app(
    settings: Settings,
    *,
    index: IndexReader,
    embedder: Embedder,
    reranker: Reranker | None,
    memberships: MembershipReader,
    assistants: StoredAssistants,
    inbox: Catalog,
    metrics: Metrics | None = None,
    hosts: BrowserHosts = ANY_HOST,
) -> FastAPI:
    """The HTTP application over these parts. Handlers block, so they run in the server's thread pool."""
    app = FastAPI(title="Headrace", description=DESCRIPTION, docs_url=None, redoc_url=None)
    errors.install(app)
    throttling.install(app)
    request_guard.install(app, hosts)  # the outermost: what it refuses goes no further
    sign_in, metrics = _sign_in(settings, inbox), metrics or Metrics()
    authenticator = Authenticator(settings, memberships, assistants, sign_in, sign_in)
    watch_catalog(metrics.registry, inbox, settings)
    service = SearchService(
        index,
        MeteredEmbedder(embedder, metrics),
        reranker,
        authenticator,
        metrics,
        partial(present_spellings, inbox.unit_names),
    )
    rate = RequestRate(settings.limits.requests_per_minute)
    app.state.authenticator, app.state.request_rate, app.state.search_service = authenticator, rate, service
    app.include_router(interfaces)
    app.router.routes.append(Route(mcp.PATH, mcp.McpEndpoint(service, authenticator, rate), methods=["POST"]))
    app.state.spool = spool = Spool(settings.state_path)
    metrics.watch_spool(spool.count)
    _add_operations(app, index, partial(read_health, inbox, settings), inbox.restoring, spool)
    _add_metrics(app, settings.metrics.key, metrics)
    _add_pages(app, can_sign_in=bool(settings.sign_in and settings.sign_in.client_id))
    if sign_in:
        sign_in.install(app)
    webhooks.install(app, settings, inbox, spool, metrics)
    return app


def _sign_in(settings: Settings, catalog: Catalog) -> "SignIn | None":
    if not (settings.sign_in and settings.public_url):
        return None
    from pipelines.service.sign_in import SignIn

    return SignIn(settings, settings.sign_in, settings.public_url, catalog)


def _principal(request: Request, person: PersonHeader = None) -> Principal:
    authenticator: Authenticator = request.app.state.authenticator
    rate: RequestRate = request.app.state.request_rate
    principal = request.state.principal = authenticator.principal(request, person)
    rate.take(principal)
    return principal


async def _search_service(request: Request) -> SearchService:
    # Not blocking, and so without a turn of the thread pool.
    service: SearchService = request.app.state.search_service
    return service


AskedBy = Annotated[Principal, Depends(_principal)]
Service = Annotated[SearchService, Depends(_search_service)]

interfaces = APIRouter()


@interfaces.post(
    "/v1/search",
    openapi_extra=_example(EXAMPLE),
    responses=problem_responses(400, 401, 403, 411, 413, 422, 429, 503),
    dependencies=[Key],
)
def search(body: SearchRequest, principal: AskedBy, service: Service) -> SearchResponse:
    """Documents with their best passages, as the person or service that asks may see them."""
    return service.search(body, principal.on_behalf_of(body.user))


@interfaces.get(
    "/v1/documents/{document_id:path}",
    responses=problem_responses(400, 401, 403, 404, 422, 429, 503),
    dependencies=[Key],
)
def document(
    document_id: DocumentId, principal: AskedBy, service: Service, user: PersonQuery = None
) -> DocumentResponse:
    """A whole document, under the same rights as search."""
    found = service.document(document_id, principal.on_behalf_of(user))
    if found is None:
        raise Problem(404, "Not found", NOT_VISIBLE)
    return found


@interfaces.post(
    "/v1/vector_stores/{assistant}/search",
    openapi_extra=_example(vector_stores.EXAMPLE),
    responses=problem_responses(400, 401, 403, 404, 411, 413, 429, 503),
    dependencies=[Key],
)
def search_vector_store(
    assistant: Text, body: VectorStoreSearch, principal: AskedBy, service: Service, response: Response
) -> VectorStorePage:
    """The same search in the form of OpenAI's vector stores; the store is the assistant whose key is sent.

    Warnings, such as that no source knows the person, are in the header `X-Headrace-Warnings`.
    """
    if assistant != principal.assistant.id:
        raise Problem(404, "Not found", "There is no such vector store, or it is not this key's: use its assistant.")
    page, warnings = vector_stores.search_page(body, service, principal.on_behalf_of(body.user))
    if warnings:
        response.headers["X-Headrace-Warnings"] = "; ".join(warnings)
    return page


def _add_operations(
    app: FastAPI, index: IndexReader, health: Callable[[], Health], restoring: Restoring, spool: Spool
) -> None:
    @app.get("/healthz", response_class=PlainTextResponse)
    def healthz() -> str:
        """Whether the process lives."""
        return "ok"

    @app.get("/readyz", response_class=PlainTextResponse, responses=problem_responses(503))
    def readyz() -> str:
        """Whether there is a catalog that says who may see what, and a published index to search; where something is
        in trouble that keeps it from becoming newer, `degraded`, and a line for each trouble."""
        found = health()
        if not index.count_points():
            raise Problem(503, "Not ready", "Nothing is published yet: run `headrace sync`.")
        lines = [one.summary for one in found.incidents]
        lines += [_NOT_KEPT] if spool.is_failing else []
        if restoring.is_lost() and not any(one.kind == "catalog_lost" for one in found.incidents):
            lines.append(SUMMARIES["catalog_lost"])  # nothing was read since, which would have found it
        return "\n".join(["degraded" if lines else "ok", *lines])


def _add_metrics(app: FastAPI, key: SecretStr | None, metrics: Metrics) -> None:
    """Figures tell who asks how much: they are shown to whoever has their key, and without one nowhere here."""
    if key is None:
        return
    expected = hash_key(f"Bearer {key.get_secret_value()}")

    @app.get("/metrics", include_in_schema=False)
    def figures(request: Request) -> Response:
        if not hmac.compare_digest(hash_key(request.headers.get("authorization", "")), expected):
            raise Problem(401, "Unauthorized", "Send the key of `metrics` in the settings as bearer token.")
        return Response(metrics.as_text(), media_type=CONTENT_TYPE_LATEST)


def _add_pages(app: FastAPI, can_sign_in: bool) -> None:
    search_page = StaticPage("page.html", drop="key" if can_sign_in else "sign-in")
    for path, page in (("/", search_page), ("/docs", StaticPage("reference.html"))):
        app.get(path, include_in_schema=False, response_class=HTMLResponse)(page.response)
