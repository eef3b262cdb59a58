"""Which keys may be served where."""

from __future__ import annotations

from pipelines.errors import SettingsError
from pipelines.loopback import is_loopback
from pipelines.settings import DEMO_KEY, Settings


def require_own_keys(settings: Settings, host: str) -> None:
    """Raises SettingsError if others than this machine could use the demo's key, which everybody knows."""
    if is_loopback(host):
        return
    for place, one in enumerate(settings.assistants):
        if one.api_key.get_secret_value() == DEMO_KEY:
            reason = f"everybody knows the demo's key: choose another one, or serve on 127.0.0.1 and not on {host}"
            raise SettingsError(f"assistants[{place}].api_key", reason)
