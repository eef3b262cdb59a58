"""The `Authorization` header: a token as it is, or one made from Google credentials and renewed in time.

A connection's token is an access token, or the JSON text of a service account's key or of an authorised
user's refresh token, as Google's console and tools write them.
Source: https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, cast

import httpx

from connectors.drive.settings import DriveConnection
from connectors.errors import AuthenticationFailed, Unavailable
from connectors.http import trusted

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

SCOPE = "https://www.googleapis.com/auth/drive.readonly"


class Authorization(httpx.Auth):
    """Adds the credentials to each request; once more with a renewed token where one was refused.

    Tokens are asked for as the requests are sent: through the proxy of the environment, unless there is a `transport`.
    """

    def __init__(self, connection: DriveConnection, *scopes: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(transport=transport, verify=trusted())
        self._lock = threading.Lock()
        self._token = connection.token.get_secret_value().strip()
        self._token_uri = connection.token_uri
        self._subject = connection.subject
        self._scopes = list(scopes)
        self._credentials: Credentials | None = None

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self._current_token()
        response = yield _with_token(request, token)
        if response.status_code == 401 and (renewed := self._current_token(refused=token)) != token:
            yield _with_token(request, renewed)

    def close(self) -> None:
        self._http.close()

    def _current_token(self, refused: str | None = None) -> str:
        """A token that is valid for now and, where it can be renewed, not `refused`."""
        if not self._token.startswith("{"):
            return self._token
        with self._lock:
            self._credentials = self._credentials or _load_credentials(
                self._token, self._token_uri, self._subject, self._scopes
            )
            if not self._credentials.valid or self._credentials.token == refused:
                self._renew(self._credentials)
            return str(self._credentials.token)

    def _renew(self, credentials: Credentials) -> None:
        from google.auth.exceptions import GoogleAuthError, TransportError

        try:
            credentials.refresh(self._send)  # type: ignore[no-untyped-call]
        except TransportError as error:
            raise Unavailable(self._token_uri, str(error)) from error
        except GoogleAuthError as error:
            reason = str(error.args[0])[:200] if error.args else type(error).__name__
            raise AuthenticationFailed(self._token_uri, reason) from None

    def _send(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> _TokenResponse:
        """What google-auth asks of a transport: https://googleapis.dev/python/google-auth/latest/"""
        from google.auth.exceptions import TransportError

        try:
            response = self._http.request(method, url, content=body, headers=headers, timeout=timeout or 30.0)
        except httpx.HTTPError as error:
            raise TransportError(f"{type(error).__name__}: {error}") from error  # type: ignore[no-untyped-call]
        if response.status_code == 429 or response.status_code >= 500:  # says nothing about the credentials
            raise TransportError(f"HTTP {response.status_code}")  # type: ignore[no-untyped-call]
        return _TokenResponse(response)


class _TokenResponse:
    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.data = response.content


def _with_token(request: httpx.Request, token: str) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


def _load_credentials(text: str, token_uri: str, subject: str | None, scopes: list[str]) -> Credentials:
    """Raises AuthenticationFailed for JSON that holds no credentials. Its content never shows in the error."""
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2 import credentials, service_account

    try:
        info = {**json.loads(text), "token_uri": token_uri}
        if info.get("type") == "service_account":
            key = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                info, scopes=scopes, subject=subject
            )
            return cast("Credentials", key)
        return credentials.Credentials(  # type: ignore[no-untyped-call]
            None,
            refresh_token=info["refresh_token"],
            token_uri=token_uri,
            client_id=info["client_id"],
            client_secret=info["client_secret"],
            scopes=scopes,
        )
    except (ValueError, KeyError, TypeError, GoogleAuthError):
        raise AuthenticationFailed(
            "token", "JSON, but neither the key of a service account nor an authorised user's credentials"
        ) from None
