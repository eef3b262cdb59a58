"""The token that requests carry: the configured one, or one made for an installation of a GitHub App.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeAlias, TypeVar

from pydantic import SecretStr

from connectors.errors import AuthenticationFailed, InvalidResponse
from connectors.github.payloads.parsing import time_or_none
from connectors.github.payloads.rest import InstallationGrant
from connectors.github.settings import GitHubConnection

T = TypeVar("T")

JWT_SECONDS = 540
"""How long a signed claim holds; GitHub takes at most ten minutes, by its own clock."""
CLOCK_DRIFT = 60
"""Seconds by which a claim is dated back, "to protect against clock drift"."""
RENEWAL_SECONDS = 600
"""An installation token, good for an hour, is replaced so long before its end: a request can be retried for minutes."""

Exchange: TypeAlias = Callable[[str, str], InstallationGrant]
"""Asks for an installation token: path and signed claim to GitHub's answer."""


class Credentials(Protocol):
    """What a request shows. `name` tells accounts apart where limits are shared; it is never sent."""

    name: str

    def authorization(self) -> str:
        """Value of the `Authorization` header. Raises SourceError."""

    def invalidate(self) -> bool:
        """The server has refused it: returns whether there will be a new one to try with."""


def with_renewal(credentials: Credentials, send: Callable[[str], T]) -> T:
    """What `send` makes of the `Authorization` header's value; once more with new credentials, where these were refused
    and can be renewed. Raises SourceError."""
    try:
        return send(credentials.authorization())
    except AuthenticationFailed:
        if not credentials.invalidate():
            raise
    return send(credentials.authorization())


class StaticToken:
    """The token that the settings give."""

    def __init__(self, token: SecretStr) -> None:
        self.name = f"Bearer {token.get_secret_value().strip()}"

    def authorization(self) -> str:
        return self.name

    def invalidate(self) -> bool:
        return False


class InstallationToken:
    """A token of an installation, renewed before it expires and after it was refused."""

    def __init__(self, app_id: str, installation_id: str, private_key: SecretStr, exchange: Exchange) -> None:
        self.name = f"installation {installation_id} of app {app_id}"
        self._app_id = app_id
        self._path = f"app/installations/{installation_id}/access_tokens"
        self._private_key = private_key
        self._exchange = exchange
        self._token = ""
        self._good_until = 0.0
        self._lock = threading.Lock()

    def authorization(self) -> str:
        with self._lock:
            if time.time() >= self._good_until - RENEWAL_SECONDS:
                self._renew()
            return f"Bearer {self._token}"

    def invalidate(self) -> bool:
        with self._lock:
            self._good_until = 0.0
        return True

    def _renew(self) -> None:
        grant = self._exchange(self._path, self._claim())
        expiry = time_or_none(grant.expires_at)
        if not grant.token or expiry is None:
            raise InvalidResponse(self._path, "no `token` with `expires_at`")
        self._token, self._good_until = grant.token, expiry.timestamp()

    def _claim(self) -> str:
        """A JSON web token that says which app asks, signed with its key."""
        from google.auth import crypt, jwt

        now = int(time.time())
        claim = {"iat": now - CLOCK_DRIFT, "exp": now + JWT_SECONDS, "iss": self._app_id}
        # One line of an environment file holds the key with its line breaks written as \\n.
        pem = self._private_key.get_secret_value().replace("\\n", "\n").strip()
        try:
            signer = crypt.RSASigner.from_string(pem)  # type: ignore[no-untyped-call]
        except ValueError:
            reason = "`private_key` is not an RSA key in PEM form"
            raise AuthenticationFailed(self.name, reason) from None  # the error may quote the key
        return bytes(jwt.encode(signer, claim)).decode()  # type: ignore[no-untyped-call]


def credentials_of(connection: GitHubConnection, exchange: Exchange) -> Credentials:
    """The credentials that the settings give; `exchange` is used only where they are an app's."""
    if connection.app_id and connection.installation_id and connection.private_key:
        return InstallationToken(connection.app_id, connection.installation_id, connection.private_key, exchange)
    return StaticToken(connection.token)
