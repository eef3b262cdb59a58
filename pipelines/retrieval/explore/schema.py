"""What looking around answers, as it is sent."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from pipelines.retrieval.schema import DocumentMetadata


def _is_empty(value: object) -> bool:
    return not value


class FacetValue(BaseModel):
    """A value that a filter can ask for, and how many documents have it that whoever asks may see."""

    value: str = Field(description="What to send as the filter's value")
    name: str = Field(description="What people call it")
    documents: int
    source: str = Field(default="", exclude_if=_is_empty, description="Of a unit: the source that it is in")
    connection: str = Field(default="", exclude_if=_is_empty, description="Of a unit: the connection that it is in")


class FacetsResponse(BaseModel):
    """The values of each filter that was asked for, those with the most documents first."""

    sources: list[FacetValue] = []
    connections: list[FacetValue] = []
    units: list[FacetValue] = []
    kinds: list[FacetValue] = []
    authors: list[FacetValue] = []
    parents: list[FacetValue] = []
    tags: list[FacetValue] = []


class UnitSummary(BaseModel):
    """A unit of which whoever asks may see something. `read_at` is when it was read as a whole last."""

    id: str
    name: str
    url: str
    documents: int
    read_at: datetime | None


class ConnectionSummary(BaseModel):
    """`more_units` counts those that are not listed, because they have fewer documents."""

    connection: str
    source: str
    documents: int
    kinds: dict[str, int]
    updated_at: datetime | None = Field(description="When the newest of these documents was updated")
    units: list[UnitSummary]
    more_units: int = Field(default=0, exclude_if=_is_empty)


class SourcesResponse(BaseModel):
    connections: list[ConnectionSummary]


class Child(BaseModel):
    """What is in a container: a document, a container, or both. `documents` counts those below it."""

    id: str
    title: str
    documents: int = Field(default=0, exclude_if=_is_empty)
    document: DocumentMetadata | None = Field(default=None, exclude_if=_is_empty)


class ChildrenResponse(BaseModel):
    """`path` holds the titles from the outermost container on; `total` counts all children, of which these are some."""

    id: str
    path: list[str]
    children: list[Child]
    total: int
    next_offset: int | None = None


class Change(DocumentMetadata):
    """A document that was changed, and how its text begins."""

    excerpt: str


class ChangesResponse(BaseModel):
    """The newest first. `next_cursor` is what to ask with for those before, where there are more."""

    changes: list[Change]
    next_cursor: str | None = None


class RelatedDocument(DocumentMetadata):
    """`mention` is the passage that has the link."""

    mention: str


class RelatedResponse(BaseModel):
    """`mentions` are documents that this one links to, and `mentioned_by` those that link to it; so many `more` were
    found, and left out."""

    id: str
    title: str
    mentions: list[RelatedDocument]
    mentioned_by: list[RelatedDocument]
    more_mentions: int = 0
    more_mentioned_by: int = 0
