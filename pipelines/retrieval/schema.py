"""Requests and responses of retrieval, as they are sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from connectors.addresses import LONGEST_ADDRESS, normalize_address
from connectors.registry import SourceName, sources

LONGEST_QUERY = 10_000
"""Characters. What is longer is a document, not a question."""
MOST_DOCUMENTS = 100
UNKNOWN_PERSON = (
    "no source knows the person who asks by this address, so that only what everybody may see was searched; "
    "check how the address is spelled, and that `headrace check` finds memberships readable"
)


def _storable(text: str) -> str:
    """Neither store nor catalog can hold NUL or half a surrogate pair, which JSON can spell."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must be text without NUL and without half a surrogate pair")
    return text


def _address(text: str) -> str:
    """As it is compared; blank where nobody is named."""
    return normalize_address(text) if text.strip() else ""


def _utc(moment: datetime) -> datetime:
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError("must be between the years 1 and 9999 in UTC") from None


def _source_named(value: object) -> object:
    """The name of a source for its name or label in any case."""
    if not isinstance(value, str):
        return value
    asked = value.strip().casefold()
    return next((name for name, one in sources().items() if asked in (name, one.label.casefold())), value)


def _is_empty(value: object) -> bool:
    """Whether a field that only some answers have is left out of this one."""
    return not value


_Storable = AfterValidator(_storable)
Text: TypeAlias = Annotated[str, _Storable]
QuestionText: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_QUERY), _Storable
]
Person: TypeAlias = Annotated[
    str,
    Field(max_length=LONGEST_ADDRESS, description="E-mail address of the person who asks"),
    _Storable,
    AfterValidator(_address),
]
AskedSource: TypeAlias = Annotated[SourceName, BeforeValidator(_source_named)]
Moment: TypeAlias = Annotated[datetime, AfterValidator(_utc)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SearchFilters(_Request):
    """Conditions that all hold; a list matches any of its values."""

    sources: list[AskedSource] = []
    connections: list[Text] = []
    units: list[Text] = []
    kinds: list[Text] = []
    authors: list[Text] = []
    parents_in: list[Text] = Field(default=[], description="Ids of containers, at any depth above the document")
    parents_not: list[Text] = []
    tags_in: list[Text] = []
    tags_not: list[Text] = []
    updated_after: Moment | None = Field(default=None, description="Inclusive; UTC where no zone is given")
    updated_before: Moment | None = Field(default=None, description="Exclusive; UTC where no zone is given")


class SearchRequest(_Request):
    """A question to the index."""

    query: QuestionText
    top_k: int = Field(
        default=10, strict=True, ge=1, le=MOST_DOCUMENTS, description="How many documents to return at most"
    )
    user: Person | None = None
    mode: Literal["hybrid", "dense", "lexical"] = "hybrid"
    filters: SearchFilters = SearchFilters()
    recency_half_life_days: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="A document this many days old counts half as much as one of today: score * 0.5 ** (age / this)",
    )
    target_document_tokens: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=100_000,
        description="Fill each document with chunks around its hits up to this",
    )
    explain: bool = Field(default=False, strict=True, description="Say why each document was found")


class ChunkResult(BaseModel):
    """A passage. `score` is 0 for neighbours that were added to reach `target_document_tokens`."""

    text: str
    score: float
    position: int
    headings: list[str]
    page: int | None = Field(
        default=None, exclude_if=_is_empty, description="Page, slide or sheet that it stands on, from 1; where known"
    )


class DocumentMetadata(BaseModel):
    """What is known of a document. `breadcrumb` holds the names of its `parents`, from the outermost on, and `author`
    the name of whoever has written it, or a login where no name is known."""

    document_id: str
    title: str
    url: str
    source: str
    connection: str
    unit: str
    unit_name: str = Field(default="", description="What people call the unit now; its id where that must not be told")
    kind: str
    parents: list[str]
    breadcrumb: list[str]
    author: str
    created_at: datetime | None
    updated_at: datetime | None


class Why(BaseModel):
    """Why a document was found. A rank is None where it was not looked for, or is beyond what was looked at."""

    dense_rank: int | None = Field(description="Its place among documents by meaning alone, from 1")
    lexical_rank: int | None = Field(description="Its place among documents by words alone, from 1")
    rerank_score: float | None = Field(default=None, description="The reranker's, where one is configured")
    recency: float | None = Field(
        default=None,
        description="Factor by which its age, or its distance from the time that was asked for, made the score smaller",
    )
    time_words: str | None = Field(
        default=None, description="Words of the question by which time counted: `last week`, `the latest`"
    )


class DocumentResult(DocumentMetadata):
    """A document that was found, with its best chunks in reading order."""

    score: float
    chunks: list[ChunkResult]
    why: Why | None = Field(default=None, exclude_if=_is_empty, description="Only where the request says `explain`")


class SearchResponse(BaseModel):
    """`warnings` say what was left out of the way to the answer, such as a reranker that does not answer."""

    results: list[DocumentResult]
    took_ms: float
    person: Literal["unknown"] | None = Field(
        default=None, exclude_if=_is_empty, description="`unknown`: no source knows the address of the person who asks"
    )
    warnings: list[str] = Field(default=[], exclude_if=_is_empty)

    def to_unknown_person(self) -> SearchResponse:
        """The same answer, saying that no source knows who asks: else it looks as if there were nothing to find."""
        return self.model_copy(update={"person": "unknown", "warnings": [*self.warnings, UNKNOWN_PERSON]})


class PageStart(BaseModel):
    """Where a page begins in a document's text: `start` counts characters from 0."""

    page: int
    start: int


class DocumentResponse(DocumentMetadata):
    """A whole document."""

    tags: list[str]
    text: str
    pages: list[PageStart] = Field(
        default=[], exclude_if=_is_empty, description="Of a document with pages, slides or sheets"
    )
