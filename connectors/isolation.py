"""One object's trouble is its own; the credentials' and the limit's are everybody's."""

from __future__ import annotations

from collections.abc import Callable

from connectors.contract import Failed, Item
from connectors.errors import AuthenticationFailed, RateLimited, SourceError

_MALFORMED = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)
"""What reading runs into where a payload is not what Slack documents."""


def guarded(document_id: str, title: str, read: Callable[[], Item]) -> Item:
    """What `read` returns, or Failed where the object cannot be read."""
    try:
        return read()
    except (AuthenticationFailed, RateLimited):
        raise
    except SourceError as error:
        return Failed(document_id, title, str(error))
    except _MALFORMED as error:
        return Failed(document_id, title, f"not as Slack documents it: {type(error).__name__}: {error}")
