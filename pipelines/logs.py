"""Where log lines go: standard error, so that standard output is the command's own."""

from __future__ import annotations

import logging


def to_standard_error(level: int = logging.WARNING) -> None:
    """Log to standard error, retries included, with less from libraries that log every request."""
    from stamina.instrumentation import LoggingOnRetryHook, set_on_retry_hooks

    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("httpx", "httpcore", "dlt", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # stamina would otherwise print through structlog, to standard output.
    set_on_retry_hooks([LoggingOnRetryHook])
