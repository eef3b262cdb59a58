"""The audit log: one JSON object a line for each query, refusal, change of a key, sign-in and revocation.

Whoever calls `audit` gives facts, never a secret and never a text that somebody wrote: a question is one too.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

logger = logging.getLogger("headrace.audit")


def audit(event: str, **fields: Any) -> None:
    """Write one line: when, what happened (`query`, `refused`, `key_added`), and `fields` as plain JSON values."""
    entry = {"time": datetime.now(UTC).isoformat(), "log": logger.name, "event": event, **fields}
    # Pure ASCII: no line separator and no control code of a name that somebody chose stands in the log as itself.
    logger.info(json.dumps(entry, default=str))
