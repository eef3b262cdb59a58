"""Clients: those that registered themselves, and those that a document describes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from pipelines.catalog.oauth_clients import OAuthClient, OAuthClients
from pipelines.service.sign_in.client_documents import ClientDocuments, DocumentRefused, is_document_url
from pipelines.service.sign_in.redirects import is_allowed

MOST_REDIRECTS = 20
LONGEST_REDIRECT = 1_000
LONGEST_NAME = 100


class RegistrationRefused(Exception):
    """A client may not register as it wants to. The message says why."""


class Clients:
    """Blocks; safe to call from several threads."""

    def __init__(self, registered: OAuthClients, documents: ClientDocuments, redirects: Iterable[str]) -> None:
        self._registered = registered
        self._documents = documents
        self._redirects = frozenset(redirects)

    def find(self, client_id: str) -> OAuthClient | None:
        """None for a client that is unknown here, or whose document is none."""
        if "\0" in client_id:  # PostgreSQL takes it in no text
            return None
        if not is_document_url(client_id):
            return self._registered.get(client_id)
        try:
            found = self._documents.find(client_id)
        except DocumentRefused:
            return None
        return replace(found, name=displayed_name(found.name))

    def register(self, client_id: str, name: str | None, redirect_uris: Iterable[str]) -> OAuthClient:
        """Only with those redirects that are allowed. Raises RegistrationRefused if none is, and TooManyClients."""
        asked = tuple(redirect_uris)
        allowed = tuple(uri for uri in asked if len(uri) <= LONGEST_REDIRECT and self.allows(uri))[:MOST_REDIRECTS]
        if not allowed:
            raise RegistrationRefused(not_allowed(asked[0] if asked else "none"))
        client = OAuthClient(client_id, displayed_name(name), allowed)
        self._registered.add(client, datetime.now(UTC))
        return client

    def allows(self, redirect_uri: str) -> bool:
        return is_allowed(redirect_uri, self._redirects)

    def mark_used(self, client_id: str) -> None:
        self._registered.mark_used(client_id, datetime.now(UTC))


def not_allowed(redirect_uri: str) -> str:
    return (
        f"The redirect {redirect_uri[:200]} is not among those allowed; whoever runs Headrace can add its host, or all "
        "of it, to sign_in.redirects."
    )


def displayed_name(name: str | None) -> str:
    """A client chooses its name: without what would hide or turn round the words beside it."""
    plain = "".join(character if character.isprintable() else " " for character in name or "")
    return " ".join(plain.split())[:LONGEST_NAME] or "A client without a name"
