"""A document of any content, cut into chunks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.model import MARKDOWN, Document, Parent
from tests.pipelines.chunking.files import MakeDocument


@pytest.fixture(scope="session")
def document() -> MakeDocument:
    def make(content: str | bytes, content_type: str = MARKDOWN, **fields: Any) -> Document:
        described: dict[str, Any] = {
            "id": "github:acme-github/acme/api/issues/12",
            "source": "github",
            "connection": "acme-github",
            "unit": "acme/api",
            "kind": "issue",
            "title": "Login fails after an upgrade",
            "url": "https://example.com/acme/api/issues/12",
            "author": "ada",
            "created_at": datetime(2026, 1, 5, 12, tzinfo=UTC),
            "parents": (Parent("github:acme-github/acme", "acme"), Parent("github:acme-github/acme/api", "acme/api")),
        }
        return Document(content=content, content_type=content_type, **{**described, **fields})

    return make
