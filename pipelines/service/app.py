"""The application: search, documents, health and the search page."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest

from pipelines.embedding.base import Embedder
from pipelines.index.base import IndexReader
from pipelines.retrieval import document as find_document
from pipelines.retrieval import search as search_index
from pipelines.retrieval.identity import Memberships
from pipelines.retrieval.model import DocumentResponse, Person, SearchRequest, SearchResponse
from pipelines.service import problems
from pipelines.service.audit import audit
from pipelines.service.authentication import Authenticator, scope_of
from pipelines.service.problems import Problem
from pipelines.settings import Assistant, Settings

PAGE = Path(__file__).with_name("page.html")

EXAMPLE = {
    "query": "how do we roll back a firmware release?",
    "user": "ada@example.com",
    "top_k": 5,
    "filters": {"sources": ["notion", "github"], "updated_after": "2026-01-01T00:00:00Z"},
}


def create_app(settings: Settings, *, index: IndexReader, embedder: Embedder, memberships: Memberships) -> FastAPI:
    """The HTTP application over these parts. Handlers block, so they run in the server's thread pool."""
    app = FastAPI(title="Headrace", description="Passages of a company's knowledge, fresh and permitted.")
    problems.install(app)
    authenticator = Authenticator(settings, memberships)
    registry = CollectorRegistry()
    seconds = Histogram("headrace_search_seconds", "Time to answer a search", ["assistant"], registry=registry)
    caller = Annotated[Assistant, Depends(authenticator.assistant)]

    @app.post("/v1/search", openapi_extra=_example(EXAMPLE), responses=problems.described(400, 401, 403, 413, 422, 503))
    def search(request: Request, body: SearchRequest, assistant: caller) -> SearchResponse:
        """Documents with their best passages, as the person or service that asks may see them."""
        readers = authenticator.readers(assistant, body.user)
        with seconds.labels(assistant.id).time():
            found = search_index(body, readers, index=index, embedder=embedder, scope=scope_of(assistant))
        audit(request.state.id, assistant, body, [one.document_id for one in found.results], found.took_ms)
        return found

    @app.get("/v1/documents/{document_id:path}", responses=problems.described(401, 403, 404, 422, 503))
    def document(
        document_id: str,
        assistant: caller,
        user: Annotated[Person | None, Query()] = None,
    ) -> DocumentResponse:
        """A whole document, under the same rights as search."""
        readers = authenticator.readers(assistant, user)
        found = find_document(document_id, readers, index=index, scope=scope_of(assistant))
        if found is None:
            raise Problem(404, "Not found", "There is no such document, or it is not visible to whoever asks.")
        return found

    @app.get("/healthz", response_class=PlainTextResponse)
    def healthz() -> str:
        """Whether the process lives."""
        return "ok"

    @app.get("/readyz", response_class=PlainTextResponse, responses=problems.described(503))
    def readyz() -> str:
        """Whether there is a published index to search."""
        if not index.info().points:
            raise Problem(503, "Not ready", "Nothing is published yet: run `headrace sync`.")
        return "ok"

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/", include_in_schema=False)
    def page() -> HTMLResponse:
        return HTMLResponse(html, headers=headers)

    html = PAGE.read_text(encoding="utf-8")
    headers = _page_headers(html)
    return app


def _page_headers(html: str) -> dict[str, str]:
    """Nothing but the page's own script and style may run, and nobody may frame it."""
    script, style = (_hashes(html, tag) for tag in ("script", "style"))
    policy = f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; img-src data:; "
    return {
        "Content-Security-Policy": policy + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _hashes(html: str, tag: str) -> str:
    bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def _example(example: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": example}}}}
