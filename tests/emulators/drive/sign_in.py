"""Access tokens for a refresh token, or for what a service account has signed.

https://developers.google.com/identity/protocols/oauth2 · …/oauth2/service-account
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, Response

from tests.emulators.drive.query import Payload

TOKEN = "ya29.emulated"
REFRESH_TOKEN = "1//emulated"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass
class TokenEndpoint:
    """`public_key` is of a service account's key, in PEM, and `claims` are what it has signed. `valid` are the tokens
    that the API takes, `issued` how many came from here."""

    valid: set[str] = field(default_factory=lambda: {TOKEN})
    issued: int = 0
    public_key: bytes | None = None
    claims: list[Payload] = field(default_factory=list)

    def takes(self, authorization: str) -> bool:
        return authorization.removeprefix("Bearer ") in self.valid

    def answer(self, body: bytes, authorization: str) -> Response:
        match {name: values[0] for name, values in parse_qs(body.decode()).items()}:
            case _ if authorization:
                return _refuse("credentials come in the form alone")
            case {"grant_type": "refresh_token", "refresh_token": token} if token == REFRESH_TOKEN:
                return self._issue()
            case {"grant_type": grant, "assertion": assertion} if grant == JWT_BEARER and self.public_key:
                from google.auth import jwt

                self.claims.append(dict(jwt.decode(assertion, certs=self.public_key)))  # type: ignore[no-untyped-call]
                return self._issue()
        return _refuse("Bad Request")

    def _issue(self) -> Response:
        self.issued += 1
        token = f"{TOKEN}.{self.issued}"
        self.valid.add(token)
        return JSONResponse({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})


def _refuse(why: str) -> Response:
    return JSONResponse({"error": "invalid_grant", "error_description": why}, 400)
