"""Who asks: an assistant, by its bearer key, and the person it acts for."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias

from starlette.requests import Request

from connectors.addresses import InvalidAddress, normalize_address
from pipelines.audit import Actor
from pipelines.catalog.assistants import StoredAssistant, hash_key
from pipelines.index.contract import Filters, IndexReader
from pipelines.retrieval.principals import MembershipReader, is_known, person_tokens, service_tokens
from pipelines.service.audit import interface_of
from pipelines.service.errors import Problem
from pipelines.service.key_rules import is_forwarded
from pipelines.service.key_usage import KeyUsage
from pipelines.settings import DEMO_KEY, SIGN_IN, AssistantSettings, Settings

PERSON_HEADER = "X-Headrace-User"
"""Names the person on every interface, for clients whose request bodies are fixed."""

NO_PERSON = (
    f"This is the key of a service, which sees what it is granted whoever asks: leave out `user` and {PERSON_HEADER}, "
    "or use the key of an assistant with `identity: user`, or one made with `headrace assistants add --for`."
)
DEMO_ONLY_HERE = "Everybody knows the demo's key: it is not taken through a proxy. Give the assistant another one."
OTHER_PERSON = f"Whoever asks here is proved to be another person: leave out `user` and {PERSON_HEADER}."

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
    person: str | None = None
    """Whose key it is, where it is one person's."""


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

    @property
    def actor(self) -> Actor:
        return Actor(self.request_id, self.interface, self.assistant.id, self.user, self.proof, self.client)

    def on_behalf_of(self, user: str | None) -> Principal:
        """With the person that the header, body or query names, as `pipelines.retrieval.schema.Person` has it.

        Raises a 403 problem if none may be named, or only the proven one; and a 400 if two are named.
        """
        if not user or user == self.user:
            return self
        if self.assistant.identity == "service":
            raise Problem(403, "Forbidden", NO_PERSON)
        if self.user and self.proof != "named":
            raise Problem(403, "Forbidden", OTHER_PERSON)
        if self.user:
            raise Problem(400, "Bad request", f"The request names one person in `user` and another in {PERSON_HEADER}.")
        return replace(self, user=user, proof="named")


class StoredAssistants(Protocol):
    def active(self) -> Sequence[tuple[str, StoredAssistant]]:
        """Assistants made by command that may ask now, each behind the hash of its key."""

    def record_use(self, assistant_id: str) -> None:
        """The key of this assistant is used now."""


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
        self._usage = KeyUsage(stored)
        self._verifier = verifier
        self._sessions = sessions
        keys = ((one.api_key.get_secret_value(), one) for one in settings.assistants)
        # An assistant whose key is empty in the settings is nobody's to use.
        self._configured = [(hash_key(key), _of_settings(one)) for key, one in keys if key]

    def principal(self, request: Request, person: str | None) -> Principal:
        """Who sends a request, for the person that its header names. Raises a 401, 403 or 400 problem."""
        assistant, proven = self._identify(request)
        asking = Principal(assistant, assistant.person, request.state.id, interface_of(request))
        if proven:
            asking = replace(asking, user=_proven_address(proven), proof=proven.proof, client=proven.client)
        elif assistant.person:
            asking = replace(asking, proof="key")
        request.state.actor = asking.actor  # for the audit line, should this be refused
        return asking.on_behalf_of(person)

    def _identify(self, request: Request) -> tuple[Assistant, ProvenPerson | None]:
        """By key, by token, or by the page's session. Raises a 401 or 403 problem."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        if assistant := self._holder(token):
            if token == DEMO_KEY and is_forwarded(request):
                raise Problem(403, "Forbidden", DEMO_ONLY_HERE)
            return assistant, None
        proven = None
        if token and self._verifier:
            proven = self._verifier.verify(token)
        elif self._sessions and "authorization" not in request.headers:
            proven = self._sessions.person(request)
        if proven is None:
            raise _unauthorized(self._settings, has_token=bool(token))
        return Assistant(SIGN_IN, "person", (), proven.scope), proven

    def _holder(self, key: str) -> Assistant | None:
        # Read at each request: a key that was revoked counts from the next one on.
        stored = [(key_hash, _of_catalog(one)) for key_hash, one in self._stored.active()]
        found = _find(hash_key(key), (*self._configured, *stored))
        if found and any(found is one for _, one in stored):
            self._usage.note(found.id)
        return found

    def readers(self, principal: Principal) -> tuple[str, ...]:
        """Reader tokens of a request. Raises a 403 problem if a person is needed and none is named."""
        if principal.assistant.identity == "service":
            return service_tokens(principal.assistant.readers)
        if not principal.user:
            detail = f"This key acts for a person: name them by e-mail address in `user` or in {PERSON_HEADER}."
            raise Problem(403, "Forbidden", detail)
        return person_tokens(principal.user, self._settings, self._memberships)

    def is_known(self, principal: Principal, readers: tuple[str, ...], index: IndexReader, dimensions: int) -> bool:
        """Whether any source knows the person who asks; a service needs not to be known."""
        if not principal.user:
            return True
        return is_known(principal.user, readers, self._settings, index, dimensions)


def _proven_address(proven: ProvenPerson) -> str:
    """Raises a 403 problem for an address that no document can name as a reader."""
    try:
        return normalize_address(proven.email)
    except InvalidAddress as error:
        raise Problem(403, "Forbidden", f"The address of whoever is signed in {error}.") from None


def _unauthorized(settings: Settings, *, has_token: bool) -> Problem:
    detail = "Send the key of an assistant: Authorization: Bearer <key>"
    if has_token and settings.sign_in:
        detail = "This token is unknown, has ended or was revoked: sign in again, or send the key of an assistant."
    elif settings.sign_in:
        detail = "Sign in, or send the key of an assistant: Authorization: Bearer <key>"
    return Problem(401, "Unauthorized", detail, {"WWW-Authenticate": challenge(settings, has_token=has_token)})


def challenge(settings: Settings, *, has_token: bool) -> str:
    """What a 401 asks for: with an error where a token was sent (RFC 6750, section 3.1).

    Where people sign in, it leads clients to what describes how (RFC 9728, section 5.1).
    """
    described = f"{settings.public_url}/.well-known/oauth-protected-resource/mcp"
    told = [f'resource_metadata="{described}"'] if settings.sign_in else []
    return " ".join(["Bearer", ", ".join([*told, 'error="invalid_token"'] if has_token else told)]).strip()


def _find(key_hash: str, known: Iterable[tuple[str, Assistant]]) -> Assistant | None:
    found = None
    for one, assistant in known:  # all of them, so that time tells nothing
        if hmac.compare_digest(one, key_hash):
            found = assistant
    return found


def _of_settings(one: AssistantSettings) -> Assistant:
    return Assistant(one.id, one.identity, one.readers, scope_filters(one.scope.sources, one.scope.parents_in))


def _of_catalog(one: StoredAssistant) -> Assistant:
    return Assistant(one.id, one.identity, one.readers, scope_filters(one.sources, one.parents_in), one.person)


def scope_filters(sources: tuple[str, ...], parents_in: tuple[str, ...]) -> Filters | None:
    """What an assistant's scope leaves to be searched; None for everything."""
    return Filters(sources=sources, parents_in=parents_in) if sources or parents_in else None
