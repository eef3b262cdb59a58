"""Who asks: an assistant, by its bearer key, and the person it acts for."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from pipelines.catalog.assistants import StoredAssistant, hash_key
from pipelines.index.contract import Filters
from pipelines.retrieval.principals import MembershipReader, person_tokens, service_tokens
from pipelines.service.errors import Problem
from pipelines.settings import AssistantSettings, Settings

PERSON_HEADER = "X-Headrace-User"
"""Names the person on every interface, for clients whose request bodies are fixed."""


@dataclass(frozen=True, slots=True)
class Assistant:
    """An assistant that has shown its key. `scope` narrows what it may search at all; None for everything."""

    id: str
    identity: str
    readers: tuple[str, ...]
    scope: Filters | None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks in one request: an assistant, on behalf of the person `user` where the request names one."""

    assistant: Assistant
    user: str | None
    request_id: str
    interface: str

    def on_behalf_of(self, user: str | None) -> Principal:
        """With the person that the body or query names. Raises a 400 problem if the header names another."""
        named = address(user)
        if named and self.user and named != self.user:
            raise Problem(400, "Bad request", f"The request names one person in `user` and another in {PERSON_HEADER}.")
        return Principal(self.assistant, named or self.user, self.request_id, self.interface)


class StoredAssistants(Protocol):
    def active(self) -> Sequence[tuple[str, StoredAssistant]]:
        """Assistants made by command that may ask now, each behind the hash of its key."""


class Authenticator:
    """Knows the assistants of the settings; those made by command are read at each request."""

    def __init__(self, settings: Settings, memberships: MembershipReader, stored: StoredAssistants) -> None:
        self._settings = settings
        self._memberships = memberships
        self._stored = stored
        keys = ((one.api_key.get_secret_value(), one) for one in settings.assistants)
        # An assistant whose key is empty in the settings is nobody's to use.
        self._configured = [(hash_key(key), _of_settings(one)) for key, one in keys if key]

    def principal(self, request: Request, person: str | None) -> Principal:
        """Who sends a request, for the person that its header names. Raises a 401 problem."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        assistant = self.assistant(key if scheme.lower() == "bearer" else "")
        return Principal(assistant, address(person), request.state.id, _interface(request.url.path))

    def assistant(self, key: str) -> Assistant:
        """The assistant that the key belongs to. Raises a 401 problem."""
        # Read at each request: a key that was revoked counts from the next one on.
        stored = ((key_hash, _of_catalog(one)) for key_hash, one in self._stored.active())
        found = _find(hash_key(key.strip()), (*self._configured, *stored))
        if found is None:
            raise Problem(
                401,
                "Unauthorized",
                "Send the key of an assistant: Authorization: Bearer <key>",
                {"WWW-Authenticate": "Bearer"},
            )
        return found

    def readers(self, principal: Principal) -> tuple[str, ...]:
        """Reader tokens of a request. Raises a 403 problem if a person is needed and none is named."""
        if principal.assistant.identity == "service":
            return service_tokens(principal.assistant.readers)
        if not principal.user:
            detail = f"This key acts for a person: name them by e-mail address in `user` or in {PERSON_HEADER}."
            raise Problem(403, "Forbidden", detail)
        return person_tokens(principal.user, self._settings, self._memberships)


def address(user: str | None) -> str | None:
    """A person's e-mail address as it is compared; None where nobody is named."""
    return (user or "").strip().lower() or None


def _interface(path: str) -> str:
    """search, documents, vector_stores or mcp."""
    return path.removeprefix("/v1").split("/")[1]


def _find(key_hash: str, known: Iterable[tuple[str, Assistant]]) -> Assistant | None:
    found = None
    for one, assistant in known:  # all of them, so that time tells nothing
        if hmac.compare_digest(one, key_hash):
            found = assistant
    return found


def _of_settings(one: AssistantSettings) -> Assistant:
    return Assistant(one.id, one.identity, one.readers, _scope(one.scope.sources, one.scope.parents_in))


def _of_catalog(one: StoredAssistant) -> Assistant:
    return Assistant(one.id, one.identity, one.readers, _scope(one.sources, one.parents_in))


def _scope(sources: tuple[str, ...], parents_in: tuple[str, ...]) -> Filters | None:
    return Filters(sources=sources, parents_in=parents_in) if sources or parents_in else None
