"""One line in the log for each query: who asked what for whom, and which documents came. Never a key."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from pipelines.service.authentication import Principal

logger = logging.getLogger("headrace.audit")


def audit(principal: Principal, documents: Sequence[str], milliseconds: float, **asked: Any) -> None:
    """Log a query as one JSON object. `asked` is what was asked for, as plain values, without the question itself."""
    entry = {
        "request": principal.request_id,
        "interface": principal.interface,
        "assistant": principal.assistant.id,
        "user": principal.user,
        **asked,
        "documents": list(documents),
        "milliseconds": milliseconds,
    }
    logger.info(json.dumps(entry, ensure_ascii=False))
