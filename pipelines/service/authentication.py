"""Which assistant calls: bearer keys from the settings, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pipelines.index.base import Filters
from pipelines.retrieval.identity import Memberships, person_tokens, service_tokens
from pipelines.service.problems import Problem
from pipelines.settings import Assistant, Settings

_bearer = HTTPBearer(auto_error=False, description="The key of an assistant in the settings")


class Authenticator:
    """Finds the assistant of a request, and what it may see."""

    def __init__(self, settings: Settings, memberships: Memberships) -> None:
        self._settings = settings
        self._memberships = memberships
        self._assistants = [(_digest(one.api_key.get_secret_value()), one) for one in settings.assistants]

    def assistant(self, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Assistant:
        """The assistant whose key the request bears. Raises a 401 problem."""
        found = self._known(bearer.credentials.strip()) if bearer else None
        if found is None:
            raise Problem(
                401,
                "Unauthorized",
                "Send the key of an assistant: Authorization: Bearer <key>",
                {"WWW-Authenticate": "Bearer"},
            )
        return found

    def readers(self, assistant: Assistant, user: str | None) -> tuple[str, ...]:
        """Reader tokens of a request. Raises a 403 problem if a person is needed and none is named."""
        if assistant.identity == "service":
            return service_tokens(assistant.readers)
        if not user or not user.strip():
            raise Problem(403, "Forbidden", "This key acts for a person: name them in `user`, by e-mail address.")
        return person_tokens(user, self._settings, self._memberships)

    def _known(self, key: str) -> Assistant | None:
        if not key:  # an assistant whose key is empty in the settings is nobody's to use
            return None
        digest = _digest(key)
        found = None
        for known, assistant in self._assistants:  # all of them, so that time tells nothing
            if hmac.compare_digest(known, digest):
                found = assistant
        return found


def scope_of(assistant: Assistant) -> Filters | None:
    """What an assistant may search at all; None for everything."""
    sources: Sequence[str] = assistant.scope.sources
    parents = assistant.scope.parents_in
    return Filters(sources=tuple(sources), parents_in=parents) if sources or parents else None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="replace")).digest()
