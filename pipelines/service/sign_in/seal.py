"""What travels through a browser while somebody signs in, sealed so that it comes back as it was.

Nothing is stored before the provider has proved a person: whoever opens a thousand sign-ins fills no disk.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TypeVar

import jwt
from pydantic import BaseModel, ConfigDict

CONSENT_PATH = "/sign-in/consent"
LIFETIME = 600
"""Seconds in which somebody has to sign in."""
_ALGORITHM = "HS256"
ModelT = TypeVar("ModelT", bound=BaseModel)


class _Sealed(BaseModel):
    model_config = ConfigDict(frozen=True)


class ClientRequest(_Sealed):
    """What a client asked for at `/authorize`, checked."""

    client_id: str
    client_name: str
    redirect_uri: str
    explicit: bool
    state: str | None
    code_challenge: str
    scopes: tuple[str, ...]
    resource: str | None


class SignInAttempt(_Sealed):
    """One way of a browser to the provider and back. Without a `request` it is the search page that signs in."""

    state: str
    nonce: str
    verifier: str
    request: ClientRequest | None = None


class Seal:
    """Signs with a key that is made of the client's secret, so that it holds in every process and after a restart."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"headrace sign-in", hashlib.sha256)

    def close(self, model: BaseModel) -> str:
        body = {"for": type(model).__name__, "exp": int(time.time()) + LIFETIME, "body": model.model_dump()}
        return jwt.encode(body, self._key, _ALGORITHM)

    def open(self, sealed: str, expected: type[ModelT]) -> ModelT | None:
        """None for what was not sealed here, was sealed as something else, or is too old."""
        try:
            opened = jwt.decode(sealed, self._key, [_ALGORITHM], options={"require": ["exp"]})
        except jwt.InvalidTokenError:
            return None
        return expected.model_validate(opened["body"]) if opened.get("for") == expected.__name__ else None
