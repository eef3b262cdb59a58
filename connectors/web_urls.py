"""URLs that are settings: where something is asked."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator


def check_web_url(value: str) -> SplitResult:
    """The parts of a URL that can be asked. Raises ValueError, which says why it cannot."""
    if not value.lower().startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    if not value.isprintable() or " " in value:
        raise ValueError("must be a URL with a host, without blanks")
    try:
        parts = urlsplit(value)
        port, host = parts.port, parts.hostname
    except ValueError:  # no port, or an IPv6 address that is none
        raise ValueError("must be a URL with a host, and with a port below 65536 if any") from None
    if not host or port == 0:
        raise ValueError("must be a URL with a host, and with a port below 65536 if any")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must have no user or password in it: credentials have settings of their own")
    return parts


def _checked(value: str) -> str:
    check_web_url(value)
    return value


WebUrl: TypeAlias = Annotated[str, AfterValidator(_checked)]
