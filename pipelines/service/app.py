"""The application: search in three forms, documents, health, figures and the pages."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import SecretStr
from starlette.routing import Route

from pipelines.catalog import Catalog
from pipelines.catalog.lookup import present_spellings
from pipelines.catalog.restoring import Restoring
from pipelines.embedding.base import Embedder
from pipelines.events.spool import Spool
from pipelines.index.contract import IndexReader
from pipelines.metrics import watch_catalog
from pipelines.operations.health import Health, read_health
from pipelines.operations.incidents import SUMMARIES
from pipelines.pushed import DocumentIntake
from pipelines.retrieval.principals import MembershipReader
from pipelines.retrieval.reranking import Reranker
from pipelines.retrieval.retriever import Retriever
from pipelines.service import errors, feedback, interfaces, mcp, pushing, request_guard, throttling, webhooks
from pipelines.service.asking import requires_key
from pipelines.service.authentication import Authenticator, StoredAssistants
from pipelines.service.description import OPEN, describe
from pipelines.service.errors import Problem, problem_responses
from pipelines.service.metered_embedder import MeteredEmbedder
from pipelines.service.metrics import Metrics
from pipelines.service.openai import interface as openai
from pipelines.service.pages import routes as pages
from pipelines.service.request_guard import ANY_HOST, BrowserHosts
from pipelines.service.search_service import SearchService
from pipelines.service.throttling import RequestRate
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.service.sign_in import SignIn

_NOT_KEPT = "webhooks are refused: neither the catalog nor the disk of this server takes them"


def create_app(
    settings: Settings,
    *,
    index: IndexReader,
    embedder: Embedder,
    reranker: Reranker | None,
    memberships: MembershipReader,
    assistants: StoredAssistants,
    inbox: Catalog,
    intake: DocumentIntake | None = None,
    metrics: Metrics | None = None,
    hosts: BrowserHosts = ANY_HOST,
) -> FastAPI:
    """The HTTP application over these parts. Handlers block, so they run in the server's thread pool. Without an
    `intake` no documents are taken."""
    app = describe(settings.public_url)
    errors.install(app)
    throttling.install(app)
    request_guard.install(app, hosts)  # the outermost: what it refuses goes no further
    sign_in, metrics = _sign_in(settings, inbox), metrics or Metrics()
    authenticator = Authenticator(settings, memberships, assistants, sign_in, sign_in)
    watch_catalog(metrics.registry, inbox, settings)
    service = SearchService(
        Retriever(index, MeteredEmbedder(embedder, metrics), reranker, inbox),
        authenticator,
        metrics,
        partial(present_spellings, inbox.unit_names),
        partial(authenticator.is_known, index=index, dimensions=embedder.dimensions),
    )
    rate = RequestRate(settings.limits.requests_per_minute)
    app.state.authenticator, app.state.request_rate, app.state.search_service = authenticator, rate, service
    app.include_router(interfaces.router)
    app.include_router(openai.router)
    app.include_router(feedback.router)
    app.state.feedback = inbox.feedback
    app.router.routes.append(Route(mcp.PATH, mcp.McpEndpoint(service, authenticator, rate), methods=["POST"]))
    app.state.spool = spool = Spool(settings.state_path)
    metrics.watch_spool(spool.count)
    _add_operations(app, index, partial(read_health, inbox, settings), inbox.restoring, spool)
    _add_metrics(app, settings.metrics.key, metrics)
    pages.install(app, pages.PageParts(settings, inbox, index))
    if sign_in:
        sign_in.install(app)
    webhooks.install(app, settings, inbox, spool, metrics)
    pushing.install(app, settings.connections, intake)
    return app


def _sign_in(settings: Settings, catalog: Catalog) -> "SignIn | None":
    if not (settings.sign_in and settings.public_url):
        return None
    from pipelines.service.sign_in import SignIn

    return SignIn(settings, settings.sign_in, settings.public_url, catalog)


def _add_operations(
    app: FastAPI, index: IndexReader, health: Callable[[], Health], restoring: Restoring, spool: Spool
) -> None:
    @app.get(
        "/healthz",
        tags=["operations"],
        openapi_extra=OPEN,
        response_class=PlainTextResponse,
        responses=problem_responses(431),
    )
    def healthz() -> str:
        """Whether the process lives."""
        return "ok"

    @app.get(
        "/readyz",
        tags=["operations"],
        openapi_extra=OPEN,
        response_class=PlainTextResponse,
        responses=problem_responses(431, 503),
    )
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
    has_key = requires_key(key, "Send the key of `metrics` in the settings as bearer token.")

    @app.get("/metrics", include_in_schema=False, dependencies=[Depends(has_key)])
    def figures() -> Response:
        return Response(metrics.as_text(), media_type=CONTENT_TYPE_LATEST)
