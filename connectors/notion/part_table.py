"""What is asked of Notion, and the capability that each part needs.

https://developers.notion.com/reference/capabilities
"""

from __future__ import annotations

from connectors.errors import AccessDenied, SourceError
from connectors.part_watch import PartWatch
from connectors.source_parts import Part

SEARCH, BLOCKS, ROWS, COMMENTS, PEOPLE = "search", "blocks", "rows", "comments", "people"

PARTS = (
    Part(
        SEARCH,
        "Read content",
        "new, changed and deleted pages are found by their events alone",
        "POST /v1/search",
    ),
    Part(BLOCKS, "Read content", "what pages hold is not found", "GET /v1/blocks/{id}/children"),
    Part(
        ROWS,
        "Read content",
        "rows that search does not name are not found",
        "POST /v1/data_sources/{id}/query",
    ),
    Part(COMMENTS, "Read comments", "what is said about pages is not found", "GET /v1/comments"),
    Part(
        PEOPLE,
        "Read user information including email addresses",
        "authors and people have no names, and the workspace's people read nothing by `readers: [workspace]`",
        "GET /v1/users",
    ),
)


PARTS_BY_NAME = {one.name: one for one in PARTS}


def watch_parts() -> PartWatch:
    """For one pass over all units, or one look at what events point at."""
    return PartWatch(PARTS, _is_capability, dispensable=(ROWS, COMMENTS, PEOPLE), own=(BLOCKS,))


def _is_capability(part: str, error: SourceError) -> bool:
    """Whether the integration lacks a capability: what is not shared with it is not found, and not refused. People are
    asked for all at once.

    https://developers.notion.com/reference/status-codes
    """
    return part == PEOPLE or isinstance(error, AccessDenied)
