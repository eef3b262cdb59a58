"""One object's trouble is its own; the credentials' and the limit's are everybody's."""

from __future__ import annotations

from collections.abc import Callable

from connectors.errors import AuthenticationFailed, RateLimited, SourceError
from connectors.model import Failed, Item


def guarded(document_id: str, title: str, read: Callable[[], Item]) -> Item:
    """What `read` returns, or Failed where the object cannot be read."""
    try:
        return read()
    except (AuthenticationFailed, RateLimited):
        raise
    except SourceError as error:
        return Failed(document_id, title, str(error))
