"""Who asks: an assistant, by its bearer key, and the person it acts for."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias

from starlette.requests import Request

from pipelines.catalog.assistants import StoredAssistant, hash_key
from pipelines.index.contract import Filters
from pipelines.retrieval.principals import MembershipReader, person_tokens, service_tokens
from pipelines.service.errors import Problem
from pipelines.settings import AssistantSettings, Settings

PERSON_HEADER = "X-Headrace-User"
"""Names the person on every interface, for clients whose request bodies are fixed."""

SIGN_IN = "sign-in"
"""Id of the assistant as which whoever is signed in asks; no assistant of the settings has it."""

Proof: TypeAlias = Literal["named", "key", "sign-in", "token"]
"""How a person is known: named by a trusted assistant, by a key of their own, signed in at the company's provider
through Headrace, or by an access token of that provider itself."""


@dataclass(frozen=True, slots=True)
class Assistant:
    """An assistant that may ask. `scope` narrows what it may search at all; None for everything."""

    id: str
    identity: str
    readers: tuple[str, ...]
    scope: Filters | None


@dataclass(frozen=True, slots=True)
class ProvenPerson:
    """A person who needs no assistant to name them. `client` is the OAuth client that they use, where there is one."""

    email: str
    proof: Proof
    client: str | None
    scope: Filters | None


class BearerVerifier(Protocol):
    def verify(self, token: str) -> ProvenPerson | None:
        """Whose bearer token this is; None if it is nobody's. Asked for what is no assistant's key."""


class SessionReader(Protocol):
    def person(self, request: Request) -> ProvenPerson | None:
        """Who is signed in on the page that sends a request. Asked where a request bears no Authorization."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks in one request: an assistant, on behalf of the person `user` where there is one.

    `proof` says how the person is known, and is None where there is none. `client` is the OAuth client's id.
    """

    assistant: Assistant
    user: str | None
    request_id: str
    interface: str
    proof: Proof | None = None
    client: str | None = None

    def on_behalf_of(self, user: str | None) -> Principal:
        """With the person that the header, body or query names.

        Raises a 403 problem if it is another one than the proven one, and a 400 if two are named.
        """
        named = address(user)
        if not named or named == self.user:
            return self
        if self.user and self.proof != "named":
            raise Problem(403, "Forbidden", "Whoever asks here is known already: leave out the name of another person.")
        if self.user:
            raise Problem(400, "Bad request", f"The request names one person in `user` and another in {PERSON_HEADER}.")
        return replace(self, user=named, proof="named")


class StoredAssistants(Protocol):
    def active(self) -> Sequence[tuple[str, StoredAssistant]]:
        """Assistants made by command that may ask now, each behind the hash of its key."""


class Authenticator:
    """Knows the assistants of the settings; those made by command are read at each request."""

    def __init__(
        self,
        settings: Settings,
        memberships: MembershipReader,
        stored: StoredAssistants,
        verifier: BearerVerifier | None = None,
        sessions: SessionReader | None = None,
    ) -> None:
        self._settings = settings
        self._memberships = memberships
        self._stored = stored
        self._verifier = verifier
        self._sessions = sessions
        keys = ((one.api_key.get_secret_value(), one) for one in settings.assistants)
        # An assistant whose key is empty in the settings is nobody's to use.
        self._configured = [(hash_key(key), _of_settings(one)) for key, one in keys if key]

    def principal(self, request: Request, person: str | None) -> Principal:
        """Who sends a request, for the person that its header names. Raises a 401, 403 or 400 problem."""
        assistant, proven = self._identify(request)
        asking = Principal(assistant, None, request.state.id, _interface(request.url.path))
        if proven:
            asking = replace(asking, user=proven.email, proof=proven.proof, client=proven.client)
        return asking.on_behalf_of(person)

    def _identify(self, request: Request) -> tuple[Assistant, ProvenPerson | None]:
        """By key, by token, or by the page's session. Raises a 401 problem."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        if assistant := self._holder(token):
            return assistant, None
        proven = None
        if token and self._verifier:
            proven = self._verifier.verify(token)
        elif self._sessions and "authorization" not in request.headers:
            proven = self._sessions.person(request)
        if proven is None:
            raise _unauthorized(self._settings)
        return Assistant(SIGN_IN, "person", (), proven.scope), proven

    def _holder(self, key: str) -> Assistant | None:
        # Read at each request: a key that was revoked counts from the next one on.
        stored = ((key_hash, _of_catalog(one)) for key_hash, one in self._stored.active())
        return _find(hash_key(key), (*self._configured, *stored))

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


def _unauthorized(settings: Settings) -> Problem:
    detail = "Send the key of an assistant: Authorization: Bearer <key>"
    return Problem(401, "Unauthorized", detail, {"WWW-Authenticate": challenge(settings.sign_in and settings.public_url)})


def challenge(public_url: str | None) -> str:
    """Where people sign in, it leads clients to what describes how (RFC 9728, section 5.1)."""
    return f'Bearer resource_metadata="{public_url}/.well-known/oauth-protected-resource/mcp"' if public_url else "Bearer"


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
