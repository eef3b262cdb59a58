"""What people write for an object that a place counts: `pumps#71`, which stands in every text but its own. Pure."""

from __future__ import annotations

import re

from pipelines.chunking.model import Chunk

_NUMBERED = re.compile(r"/(?P<place>[^/]+)/(?:-/)?(?:issues|pull|pulls|discussions|merge_requests)/(?P<number>\d+)/?$")
"""Addresses of GitHub, and of the many that took over their form."""


def reference(url: str) -> str:
    """The reference to the object at this address, empty where there is none.

    >>> reference("https://github.com/acme/pumps/issues/71")
    'pumps#71'
    """
    found = _NUMBERED.search(url)
    return f"{found['place']}#{found['number']}" if found else ""


def lexical_text(chunk: Chunk, url: str) -> str:
    """What a chunk of the object at this address is found by. What a document is called itself counts more than that
    others name it."""
    name = reference(url)
    return f"{chunk.embedded_text}\n{name} {name}" if name else chunk.embedded_text
