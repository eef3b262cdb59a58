"""URLs in the settings at which keys and documents cross a network unencrypted. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from connectors.contract import Finding
from pipelines.loopback import is_loopback
from pipelines.settings import Settings

_WARNING = (
    "warning: keys and documents cross the network to {host} unencrypted; use https, unless nobody else is on the way"
)


def warn_of_unencrypted(settings: Settings) -> list[Finding]:
    """A finding for each `http://` URL of another host, at its place in the settings; a warning, and no failure."""
    urls = _urls(settings.model_dump(), "")
    hosts = ((path, urlsplit(url).hostname or "") for path, url in urls)
    return [Finding(path, True, _WARNING.format(host=host)) for path, host in hosts if not is_loopback(host)]


def _urls(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """All settings of whatever source and provider: those of plugins too, which nothing here names."""
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from _urls(entry, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for place, entry in enumerate(value):
            yield from _urls(entry, f"{path}[{place}]")
    elif isinstance(value, str) and value.lower().startswith("http://"):
        yield path, value
