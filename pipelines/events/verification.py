"""Setting up the webhooks of a source that makes their secret itself, and sends it once to the address given to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.registry import source
from pipelines.audit import audit
from pipelines.errors import HeadraceError, UsageError
from pipelines.services import Services
from pipelines.settings import Settings

_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class OfferedSecret:
    """What the source, or somebody who says so, wants the deliveries to a connection to be verified with."""

    connection: str
    secret: str


def wait_for_secret(settings: Settings, connection_id: str, on_open: Callable[[str, datetime], None]) -> OfferedSecret:
    """Open a window, and give the first secret that is offered in it. The window ends with it, or with this call.
    `on_open` is told the URL to which the source is to send it, and when the window ends.

    Raises UsageError for a connection that offers none, and HeadraceError where none comes in time.
    """
    connection = settings.connection(connection_id)
    if not source(connection.source).offers_secret:
        raise UsageError(f"{connection.source} offers no secret: choose one, and set it there and as `webhook_secret`")
    with Services(settings) as services:
        windows = services.catalog.verification_windows
        ends_at = windows.open(connection.id)
        audit("verification_opened", connection=connection.id, until=ends_at.isoformat())
        on_open(_url(settings, connection_id), ends_at)
        try:
            while datetime.now(UTC) < ends_at:
                if secret := windows.offered(connection.id):
                    return OfferedSecret(connection.id, secret)
                time.sleep(_LOOK_SECONDS)
        finally:
            windows.close(connection.id)
    raise HeadraceError(
        f"no verification of {connection.id} came: does the source reach {_url(settings, connection.id)}?"
    )


def _url(settings: Settings, connection_id: str) -> str:
    """Where the source delivers; without `public_url` only the path is known."""
    return f"{settings.public_url or '<address of headrace serve>'}/webhooks/{connection_id}"
