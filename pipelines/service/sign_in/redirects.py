"""Where clients may have people sent, with the code that stands for them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from pipelines.loopback import is_loopback

KNOWN_HOSTS = ("claude.ai", "claude.com", "chatgpt.com", "vscode.dev", "insiders.vscode.dev")


def is_allowed(uri: str, redirects: Iterable[str]) -> bool:
    """Whether a redirect URI leads to a known host, to this machine, or to a host or URI of the settings."""
    parts = _split(uri)
    if parts is None or parts.fragment or parts.username is not None or parts.password is not None:
        return False
    if uri in redirects:
        return True
    if parts.scheme == "http":
        return is_loopback(parts.hostname or "")
    return parts.scheme == "https" and parts.port in (None, 443) and parts.hostname in (*KNOWN_HOSTS, *redirects)


def is_same(registered: str, asked: str) -> bool:
    """Whether a client registered the URI that it asks for. Programs on a person's machine learn their port when they
    start, so ports of loopback are not compared (RFC 8252, section 7.3)."""
    if registered == asked:
        return True
    one, other = _split(registered), _split(asked)
    if one is None or other is None or not (one.scheme == other.scheme == "http"):
        return False
    same = (one.hostname, one.path or "/", one.query) == (other.hostname, other.path or "/", other.query)
    return same and is_loopback(one.hostname or "")


def destination(uri: str) -> str:
    """Where a redirect URI leads, as a person reads it."""
    parts = urlsplit(uri)
    if parts.scheme == "http":
        return f"a program on this computer ({parts.netloc})"
    return parts.hostname or "" if parts.scheme == "https" else f"an app on this computer ({parts.scheme}:)"


def _split(uri: str) -> SplitResult | None:
    # Browsers read a backslash as a slash and skip white space, so that what is compared would not be where they go.
    if any(character in '\\"<>' or character.isspace() or not character.isprintable() for character in uri):
        return None
    try:
        parts = urlsplit(uri)
        return parts if parts.port != 0 else None
    except ValueError:
        return None
