"""What was read without comments, names or what is inside of a block, once these can be had."""

from __future__ import annotations

from connectors.errors import AuthenticationFailed, RateLimited, SourceError
from connectors.notion.context import NotionContext
from connectors.notion.cursor import NotionCursor, lacking_ref
from connectors.notion.objects import Ref
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
    return _catch_up_with_hidden(cursor, context)


def _catch_up_with_hidden(cursor: NotionCursor, context: NotionContext) -> NotionCursor:
    """One is asked for each time, and all are read again once one is shown: trouble of Notion's passes for all of them,
    and what is not shared stays hidden."""
    hidden = cursor.next_hidden()
    return cursor.with_hidden() if hidden and _is_shown(hidden, context) else cursor


def _is_shown(ref: Ref, context: NotionContext) -> bool:
    try:
        if ref.kind == "block":
            context.client.children(ref.id)
        else:
            context.client.retrieve(ref)
    except (AuthenticationFailed, RateLimited):
        raise
    except SourceError:
        return False
    return True


def _is_given(part: str, cursor: NotionCursor, context: NotionContext) -> bool:
    own = lacking_ref(cursor.lacking.of(part)[0]).id
    return context.parts.is_given(part, lambda: context.client.comments(own) if part == COMMENTS else context.people())
