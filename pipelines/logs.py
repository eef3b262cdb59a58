"""Where log lines go: standard error, so that standard output is the command's own."""

from __future__ import annotations

import logging

from stamina.instrumentation import RetryDetails, set_on_retry_hooks

logger = logging.getLogger(__name__)

LONG_WAIT = 5.0
"""Seconds. A shorter pause before another attempt is nothing that a person needs to know."""


def to_standard_error(level: int = logging.WARNING) -> None:
    """Log to standard error, retries included, with less from libraries that log every request."""
    handler = logging.StreamHandler()
    handler.setLevel(level)
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=[handler])
    for chatty in ("httpx", "httpcore", "dlt", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    log_retries()


def log_retries() -> None:
    """Log each retry; stamina alone would print it through structlog, to standard output."""
    set_on_retry_hooks([_log_retry])


def _log_retry(details: RetryDetails) -> None:
    level = logging.WARNING if details.wait_for >= LONG_WAIT else logging.INFO
    logger.log(level, "%s; attempt %d in %.1f s", details.caused_by, details.retry_num + 1, details.wait_for)
