"""One line in the log for each query: who asked what for whom, and which documents came. Never a key."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from pipelines.retrieval.model import SearchRequest
from pipelines.settings import Assistant

logger = logging.getLogger("headrace.audit")


def audit(
    request_id: str, assistant: Assistant, request: SearchRequest, documents: Sequence[str], milliseconds: float
) -> None:
    """Log a query as one JSON object."""
    entry = {
        "request": request_id,
        "assistant": assistant.id,
        "user": request.user,
        "filters": request.filters.model_dump(mode="json", exclude_defaults=True),
        "documents": list(documents),
        "milliseconds": milliseconds,
    }
    logger.info(json.dumps(entry, ensure_ascii=False))
