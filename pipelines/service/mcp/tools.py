"""The tools: what each does, takes and gives.

The form of `search` and `fetch` follows https://platform.openai.com/docs/mcp: `search` takes `query` and answers
`{results: [{id, title, url}]}`, `fetch` takes `id` and answers `{id, title, text, url, metadata}`, as JSON in one text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipelines.retrieval.passages import position
from pipelines.retrieval.schema import SearchFilters, SearchRequest
from pipelines.retrieval.text_parts import cut_part
from pipelines.service.authentication import Principal
from pipelines.service.errors import Problem
from pipelines.service.mcp.answering import (
    changes_answer,
    children_answer,
    fetched_document,
    related_answer,
    search_results,
    sources_answer,
)
from pipelines.service.mcp.arguments import (
    BrowseArguments,
    ChangesArguments,
    FetchArguments,
    RelatedArguments,
    SearchArguments,
    SourcesArguments,
)
from pipelines.service.mcp.tool_answers import (
    ChangesAnswer,
    ChildrenAnswer,
    FetchedDocument,
    RelatedAnswer,
    SearchResults,
    SourcesAnswer,
    ToolAnswer,
)
from pipelines.service.search_service import NOT_VISIBLE, SearchService
from pipelines.validation import first_problem

if TYPE_CHECKING:
    from mcp_types import Tool

M = TypeVar("M", bound=BaseModel)


_ARGUMENTS = {"filters.units.0": "unit", "filters.authors.0": "person"}
"""Of `recent_changes`, by the filter that each is."""


class ToolError(Exception):
    """Something that the model can put right, or must accept. Its message goes to the model."""


@dataclass(frozen=True, slots=True)
class ServedTool:
    """What a tool does, and the models of what it takes and gives. One that is long is answered once, as text: some
    clients show models the text, and some the structured form."""

    title: str
    run: Callable[[Any, SearchService, Principal], ToolAnswer]
    takes: type[BaseModel]
    gives: type[ToolAnswer]
    description: str
    is_long: bool = False


def run_tool(name: str, arguments: dict[str, Any], service: SearchService, principal: Principal) -> ToolAnswer:
    """Raises ToolError, and what the service raises."""
    if name not in TOOLS:
        raise ToolError(f"There is no tool {name!r}; available tools: {', '.join(TOOLS)}.")
    tool = TOOLS[name]
    return tool.run(_validate(tool.takes, arguments), service, principal)


def fetch(asked: FetchArguments, service: SearchService, principal: Principal) -> FetchedDocument:
    hits = service.passages(asked.id, principal)
    if not hits:
        raise ToolError(NOT_VISIBLE)
    if asked.around is not None and asked.around > (last := position(hits[-1])):
        raise ToolError(f"around: the document has no passage {asked.around}; its last one is {last}")
    part = cut_part(hits, offset=asked.offset, limit=asked.limit, around=asked.around)
    if asked.offset and part.offset == part.total_tokens:
        raise ToolError(f"offset: is behind the end of the document, which has {part.total_tokens} tokens")
    return fetched_document(hits, service.described(hits[0]), part)


def _search(asked: SearchArguments, service: SearchService, principal: Principal) -> SearchResults:
    request = SearchRequest(query=asked.query, top_k=asked.top_k, filters=asked.filters or SearchFilters())
    return search_results(service.search(request, principal), asked.max_tokens)


def _list_sources(asked: SourcesArguments, service: SearchService, principal: Principal) -> SourcesAnswer:
    return sources_answer(service.sources(principal, asked.max_units))


def _browse(asked: BrowseArguments, service: SearchService, principal: Principal) -> ChildrenAnswer:
    found = service.children(asked.container, principal, offset=asked.offset, limit=asked.limit)
    return children_answer(found)


def _recent_changes(asked: ChangesArguments, service: SearchService, principal: Principal) -> ChangesAnswer:
    try:
        return changes_answer(service.changes(asked.filters, principal, asked.after, asked.limit))
    except Problem as problem:
        wrong = problem.errors[0].field if problem.errors else ""
        if wrong not in _ARGUMENTS:
            raise
        raise ToolError(f"{_ARGUMENTS[wrong]}: {problem.detail}") from None


def _related(asked: RelatedArguments, service: SearchService, principal: Principal) -> RelatedAnswer:
    found = service.related(asked.id, principal)
    if found is None:
        raise ToolError(NOT_VISIBLE)
    return related_answer(found)


TOOLS = {
    "search": ServedTool(
        "Search",
        _search,
        SearchArguments,
        SearchResults,
        "Search the company's documents and discussions. Returns the documents that fit best, each with its id, title, "
        "url, date, author, place and best passages. Use `fetch` to read on.",
    ),
    "fetch": ServedTool(
        "Fetch",
        fetch,
        FetchArguments,
        FetchedDocument,
        "Read a document by its id, in parts where it is long: part x of y, with where the next one begins. "
        "With `around`, what stands around a passage that `search` found.",
        is_long=True,
    ),
    "list_sources": ServedTool(
        "List sources",
        _list_sources,
        SourcesArguments,
        SourcesAnswer,
        "What there is to search: connections, their repositories, channels, drives and pages by name, the kinds of "
        "documents, how many there are, and how fresh.",
    ),
    "browse": ServedTool(
        "Browse",
        _browse,
        BrowseArguments,
        ChildrenAnswer,
        "What is in a folder, page, repository, channel or drive: its documents and containers by title.",
    ),
    "recent_changes": ServedTool(
        "Recent changes",
        _recent_changes,
        ChangesArguments,
        ChangesAnswer,
        "What was written or changed lately, the newest first; in one channel or repository, by one person, or since a "
        "moment.",
    ),
    "related": ServedTool(
        "Related",
        _related,
        RelatedArguments,
        RelatedAnswer,
        "What a document links to, and what links to it: the thread that led to a pull request, the issue that a page "
        "is about.",
    ),
}


def describe_tools() -> list[Tool]:
    from mcp_types import Tool, ToolAnnotations

    return [
        Tool(
            name=name,
            title=tool.title,
            description=tool.description,
            input_schema=tool.takes.model_json_schema(),
            output_schema=None if tool.is_long else tool.gives.model_json_schema(mode="serialization"),
            annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
        )
        for name, tool in TOOLS.items()
    ]


def _validate(model: type[M], arguments: dict[str, Any]) -> M:
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        raise ToolError(": ".join(first_problem(error))) from None
