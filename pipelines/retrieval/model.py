"""Requests and responses of retrieval, as they stand on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

LONGEST_QUERY = 10_000
"""Characters. What is longer is a document, not a question."""
MOST_DOCUMENTS = 100


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SearchFilters(_Request):
    """Conditions that all hold; a list matches any of its values."""

    sources: list[Literal["notion", "drive", "github", "slack"]] = []
    connections: list[str] = []
    units: list[str] = []
    kinds: list[str] = []
    authors: list[str] = []
    parents_in: list[str] = Field(default=[], description="Ids of containers, at any depth above the document")
    parents_not: list[str] = []
    tags_in: list[str] = []
    tags_not: list[str] = []
    updated_after: datetime | None = Field(default=None, description="Inclusive; UTC where no zone is given")
    updated_before: datetime | None = Field(default=None, description="Exclusive; UTC where no zone is given")


class SearchRequest(_Request):
    """A question to the index."""

    query: str = Field(min_length=1, max_length=LONGEST_QUERY)
    top_k: int = Field(default=10, ge=1, le=MOST_DOCUMENTS, description="How many documents to return at most")
    user: str | None = Field(default=None, max_length=320, description="E-mail of the person who asks")
    mode: Literal["hybrid", "dense", "lexical"] = "hybrid"
    filters: SearchFilters = SearchFilters()
    recency_half_life_days: float | None = Field(
        default=None, gt=0, description="A document this many days old counts half as much as one of today"
    )
    target_document_tokens: int | None = Field(
        default=None, ge=1, le=100_000, description="Fill each document with chunks around its hits up to this"
    )


class ChunkResult(BaseModel):
    """A passage. `score` is 0 for neighbours that were added to reach `target_document_tokens`."""

    text: str
    score: float
    position: int
    headings: list[str]


class DocumentMetadata(BaseModel):
    """What is known of a document."""

    document_id: str
    title: str
    url: str
    source: str
    connection: str
    unit: str
    kind: str
    parents: list[str]
    author: str
    created_at: datetime | None
    updated_at: datetime | None


class DocumentResult(DocumentMetadata):
    """A document that was found, with its best chunks in reading order."""

    score: float
    chunks: list[ChunkResult]


class SearchResponse(BaseModel):
    results: list[DocumentResult]
    took_ms: float


class DocumentResponse(DocumentMetadata):
    """A whole document."""

    tags: list[str]
    text: str
