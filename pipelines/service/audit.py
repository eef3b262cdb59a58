"""Audit lines of the service: who asked what for whom and which documents came, and who was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from starlette.requests import Request

from pipelines.audit import audit

REFUSALS = (401, 403, 429)
_LONGEST_NAME = 64
"""Characters of an interface."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks in one request, by ids alone. `assistant` is empty where nobody is recognised."""

    request: str
    interface: str
    assistant: str = ""
    person: str | None = None
    proof: str | None = None
    client: str | None = None


def audit_query(actor: Actor, documents: Sequence[str], milliseconds: float, **asked: Any) -> None:
    """`asked` is what was asked for, as plain values, without the question itself."""
    audit("query", **asdict(actor), **asked, documents=list(documents), milliseconds=milliseconds)


def audit_refusal(request: Request, status: int, reason: str) -> None:
    """`reason` is a text of our own. Where the key was right, `request.state.actor` says whose it is."""
    actor: Actor = getattr(request.state, "actor", None) or Actor(request.state.id, interface_of(request))
    remote = request.client.host if request.client else None
    audit("refusal", **asdict(actor), remote=remote, status=status, reason=reason)


def interface_of(request: Request) -> str:
    """search, documents, vector_stores, mcp, or whatever else the path begins with, which anybody chooses."""
    return request.url.path.removeprefix("/v1").split("/")[1][:_LONGEST_NAME]
