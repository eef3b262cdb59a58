"""What the tools take, as it is told to models. All but the first field of each may be left out."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipelines.retrieval.explore.changes_cursor import ListCursor
from pipelines.retrieval.schema import MOST_DOCUMENTS, AskedSource, Moment, QuestionText, SearchFilters, Text
from pipelines.retrieval.text_parts import MOST_TOKENS

DEFAULT_TOKENS = 4_000
"""Of a search's passages, together."""


def _without_nulls(value: Any) -> Any:
    """Models write null for what they leave out, those with strict schemas for each argument."""
    return {name: one for name, one in value.items() if one is not None} if isinstance(value, dict) else value


Id: TypeAlias = Annotated[Text, Field(min_length=1, max_length=2_000)]
Name: TypeAlias = Annotated[Text, Field(max_length=500)]


def _readable(value: str) -> str:
    ListCursor.parse(value)
    return value


Cursor: TypeAlias = Annotated[Text, Field(max_length=100), AfterValidator(_readable)]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")

    _given = model_validator(mode="before")(_without_nulls)


class SearchArguments(_Arguments):
    """What `search` takes. A model may leave out all but `query`."""

    query: QuestionText = Field(
        description="What to look for: a question in plain words, or exact terms such as an error code or a file name"
    )
    top_k: int = Field(default=10, ge=1, le=MOST_DOCUMENTS, description="How many documents to return at most")
    filters: Annotated[SearchFilters | None, BeforeValidator(_without_nulls)] = Field(
        default=SearchFilters(),
        description="Conditions that all hold; leave them out unless the question names them. Units, people and kinds "
        "are given by name; `list_sources` tells which there are",
    )
    max_tokens: int = Field(
        default=DEFAULT_TOKENS, ge=200, le=MOST_TOKENS, description="How long the passages may be together, in tokens"
    )


class FetchArguments(_Arguments):
    """What `fetch` takes."""

    id: Id = Field(description="The `id` of a document")
    offset: int = Field(default=0, ge=0, description="Where to begin, in tokens: `next_offset` of the part before")
    limit: int = Field(default=MOST_TOKENS, ge=200, le=MOST_TOKENS, description="How long a part may be, in tokens")
    around: int | None = Field(
        default=None, ge=0, description="The `position` of a passage that `search` found, to read what is around it"
    )


class SourcesArguments(_Arguments):
    """What `list_sources` takes."""

    max_units: int = Field(default=20, ge=0, le=500, description="How many units of each connection to list at most")


class BrowseArguments(_Arguments):
    """What `browse` takes."""

    container: Id = Field(description="The id or title of a folder or page, or the name or id of a unit")
    offset: int = Field(default=0, ge=0, description="How many to leave out: `next_offset` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="How many to list at most")


class ChangesArguments(_Arguments):
    """What `recent_changes` takes."""

    since: Moment | None = Field(default=None, description="From when on; UTC where no zone is given")
    until: Moment | None = Field(default=None, description="Before when; UTC where no zone is given")
    source: AskedSource | None = Field(default=None, description="Only of this source")
    unit: Name | None = Field(default=None, description="Only in this repository, channel or other unit, by name or id")
    person: Name | None = Field(default=None, description="Only by this person: a name, login or e-mail address")
    cursor: Cursor | None = Field(default=None, description="To go on: `next_cursor` of the page before")
    limit: int = Field(default=20, ge=1, le=100, description="How many to list at most")

    @property
    def after(self) -> ListCursor | None:
        return ListCursor.parse(self.cursor) if self.cursor else None

    @property
    def filters(self) -> SearchFilters:
        return SearchFilters(
            sources=[self.source] if self.source else [],
            units=[self.unit] if self.unit else [],
            authors=[self.person] if self.person else [],
            updated_after=self.since,
            updated_before=self.until,
        )


class RelatedArguments(_Arguments):
    """What `related` takes."""

    id: Id = Field(description="The `id` of a document")
