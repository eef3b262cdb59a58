"""What was read without comments or names, once these can be had."""

from __future__ import annotations

from connectors.notion.context import NotionContext
from connectors.notion.cursor import NotionCursor, lacking_ref
from connectors.notion.part_table import COMMENTS, PEOPLE


def catch_up(cursor: NotionCursor, context: NotionContext) -> NotionCursor:
    """The cursor by which objects that lack something are read again, if that can be had now: one request for each
    part in all units. Raises AuthenticationFailed and RateLimited."""
    for part in (COMMENTS, PEOPLE):
        if cursor.lacking.of(part):
            if _is_given(part, cursor, context):
                cursor = cursor.with_lacking(part)
            else:
                cursor.lacking.rotate(part)
    return cursor


def _is_given(part: str, cursor: NotionCursor, context: NotionContext) -> bool:
    own = lacking_ref(cursor.lacking.of(part)[0]).id
    return context.parts.is_given(part, lambda: context.client.comments(own) if part == COMMENTS else context.people())
