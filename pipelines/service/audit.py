"""Audit lines of the service about who was refused."""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request

from pipelines.audit import Actor, audit

REFUSALS = (401, 403, 429)
_LONGEST_NAME = 64
"""Characters of an interface."""


def audit_refusal(request: Request, status: int, reason: str) -> None:
    """`reason` is a text of our own. Where the key was right, `request.state.actor` says whose it is."""
    actor: Actor = getattr(request.state, "actor", None) or Actor(request.state.id, interface_of(request))
    remote = request.client.host if request.client else None
    audit("refusal", **asdict(actor), remote=remote, status=status, reason=reason)


def interface_of(request: Request) -> str:
    """search, documents, vector_stores, mcp, or whatever else the path begins with, which anybody chooses."""
    return request.url.path.removeprefix("/v1").split("/")[1][:_LONGEST_NAME]
