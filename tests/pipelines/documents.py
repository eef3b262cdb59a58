"""Documents for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connectors.model import MARKDOWN, Document, Parent

_BASE = Document(
    id="github:acme/acme/api/issues/1",
    source="github",
    connection="acme",
    unit="unit",
    kind="issue",
    title="The gateway drops readings",
    url="https://example.com/1",
    content="The gateway drops readings when the certificate expires.",
    content_type=MARKDOWN,
    author="ada",
    created_at=datetime(2026, 1, 2, tzinfo=UTC),
    updated_at=datetime(2026, 1, 3, tzinfo=UTC),
    parents=(Parent("github:acme/acme/api", "acme/api"),),
    tags=("bug",),
    readers=("public",),
)


def document(number: int = 1, /, **changes: Any) -> Document:
    """A document with an id of its own; `changes` replace fields."""
    key = f"github:acme/acme/api/issues/{number}"
    return replace(_BASE, **({"id": key, "title": f"Issue {number}", "content": f"Text of issue {number}."} | changes))
