"""The pages, and what their scripts ask beside the API: passages as HTML, how fresh sources are, what is where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from pipelines.catalog import Catalog
from pipelines.index.contract import IndexReader
from pipelines.operations.status import describe_status
from pipelines.retrieval.schema import Text
from pipelines.service.asking import requires_key
from pipelines.service.authentication import Authenticator, Principal
from pipelines.service.pages import StaticPage
from pipelines.service.pages.markdown import render_passages
from pipelines.settings import Settings

_MOST_PASSAGES = 200
_LONGEST_PASSAGE = 50_000
"""Characters."""


@dataclass(frozen=True, slots=True)
class PageParts:
    """What the pages are about."""

    settings: Settings
    catalog: Catalog
    reader: IndexReader


class Passages(BaseModel):
    model_config = ConfigDict(extra="forbid")

    texts: list[Annotated[Text, Field(max_length=_LONGEST_PASSAGE)]] = Field(max_length=_MOST_PASSAGES)


class RenderedPassages(BaseModel):
    """The passages in the order of the request."""

    html: list[str]


class SourceFreshness(BaseModel):
    """Since when what is told of a source has been as it is there: of its connections, the one read longest ago."""

    source: str
    as_of: datetime | None


def install(app: FastAPI, parts: PageParts) -> None:
    """Add the pages, with the one for operators where there is a key for it."""
    settings = parts.settings
    key = settings.operator_key
    signs_in = bool(settings.sign_in and settings.sign_in.client_id)
    drop = ["key" if signs_in else "sign-in", *(() if key else ("operators",))]
    pages = {"/": StaticPage("search.html", drop), "/docs": StaticPage("reference.html", drop)}
    if key:
        pages["/sources"] = StaticPage("sources.html")
        _add_sources(app, parts, key)
    for path, page in pages.items():
        app.get(path, include_in_schema=False, response_class=HTMLResponse)(page.response)
    app.state.page_parts = parts
    app.include_router(_router)


def _known(request: Request) -> Principal:
    """Whoever asks must be somebody; it counts to no limit, since a search goes before it."""
    authenticator: Authenticator = request.app.state.authenticator
    return authenticator.principal(request, None)


_router = APIRouter(prefix="/page", include_in_schema=False, dependencies=[Depends(_known)])


@_router.post("/passages")
def render(body: Passages) -> RenderedPassages:
    return RenderedPassages(html=list(render_passages(body.texts)))


@_router.get("/freshness")
def how_fresh(request: Request, principal: Annotated[Principal, Depends(_known)]) -> list[SourceFreshness]:
    parts: PageParts = request.app.state.page_parts
    scope = principal.assistant.scope
    wanted = scope.sources if scope else ()
    return [one for one in _freshness(parts) if not wanted or one.source in wanted]


def _freshness(parts: PageParts) -> Iterator[SourceFreshness]:
    told = [(one.source, parts.catalog.units.oldest_sync(one.id)) for one in parts.settings.connections]
    for source in dict.fromkeys(source for source, _ in told):
        moments = [moment for own, moment in told if own == source]
        oldest = min((moment for moment in moments if moment), default=None)
        yield SourceFreshness(source=source, as_of=None if None in moments else oldest)


def _add_sources(app: FastAPI, parts: PageParts, key: SecretStr) -> None:
    is_operator = requires_key(key, "Send `operator_key` of the settings as bearer token.")

    @app.get("/page/sources", include_in_schema=False, dependencies=[Depends(is_operator)])
    def describe() -> dict[str, Any]:
        return describe_status(parts)
