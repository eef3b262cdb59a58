"""Which keys may be served where."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from pipelines.errors import SettingsError
from pipelines.loopback import is_loopback
from pipelines.settings import DEMO_KEY, Settings

_FORWARDED = frozenset(("forwarded", "x-forwarded-for"))


def require_own_keys(settings: Settings, host: str) -> None:
    """Raises SettingsError if others than this machine could use the demo's key, which everybody knows."""
    public = urlsplit(settings.public_url or "").hostname
    if is_loopback(host) and (public is None or is_loopback(public)):
        return
    found = f"is served on {host}" if not is_loopback(host) else f"has the public_url {settings.public_url}"
    for place, one in enumerate(settings.assistants):
        if one.api_key.get_secret_value() == DEMO_KEY:
            reason = (
                f"everybody knows the demo's key, and this service {found}: choose another key, or keep to 127.0.0.1"
            )
            raise SettingsError(f"assistants[{place}].api_key", reason)


def is_forwarded(request: Request) -> bool:
    """Whether a proxy brings a request, whose sender may be anywhere. See RFC 7239."""
    return not _FORWARDED.isdisjoint(request.headers.keys())
