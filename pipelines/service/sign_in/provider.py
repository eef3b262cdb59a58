"""The company's OpenID provider: what it publishes, the way through its sign-in, and the ID token that ends it.

See OpenID Connect Core 1.0 and Discovery 1.0, https://openid.net/developers/specs/
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import jwt
from pydantic import BaseModel, ConfigDict, ValidationError

from connectors.contract import Finding
from pipelines.loopback import is_loopback
from pipelines.printable import printable
from pipelines.service.sign_in.claims import ClaimRefused, Claims
from pipelines.service.sign_in.fetching import FetchFailed, fetch_object, open_client
from pipelines.service.sign_in.keys import ALGORITHMS, ProviderKeys, UnknownKey
from pipelines.service.sign_in.seal import SignInAttempt
from pipelines.service_settings import SignInSettings

SCOPE = "openid email profile"
CALLBACK_PATH = "/sign-in/callback"
DOCUMENT_LIFETIME = 3600
"""Seconds for which what the provider publishes about itself counts."""
LEEWAY = 10
"""Seconds by which clocks may differ."""
_LONGEST_REASON = 200
"""Characters: PyJWT's messages quote what a token says."""


class ProviderTrouble(Exception):
    """The provider does not do its part. The message says which, for whoever runs Headrace."""


class ProviderDocument(BaseModel):
    """What a provider publishes about itself, as far as it is used here."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    introspection_endpoint: str | None = None


class OpenIdProvider:
    """Blocks; safe to call from several threads."""

    def __init__(
        self,
        settings: SignInSettings,
        public_url: str,
        client: httpx.Client,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self.callback = public_url + CALLBACK_PATH
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._document: ProviderDocument | None = None
        self._read_at = float("-inf")
        self.keys = ProviderKeys(self.read_keys, clock)

    @property
    def issuer(self) -> str:
        return self._settings.issuer

    @property
    def document(self) -> ProviderDocument:
        """Raises ProviderTrouble."""
        with self._lock:
            if self._document is None or self._clock() - self._read_at >= DOCUMENT_LIFETIME:
                self._document, self._read_at = self._read_document(), self._clock()
            return self._document

    def authorization_url(self, attempt: SignInAttempt) -> str:
        """Where somebody signs in. Raises ProviderTrouble."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id or "",
            "redirect_uri": self.callback,
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = self.document.authorization_endpoint
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"

    def redeem(self, code: str, attempt: SignInAttempt) -> Claims:
        """The claims of the ID token that a code stands for. Raises ProviderTrouble and ClaimRefused."""
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "code_verifier": attempt.verifier,
        }
        answer = self._ask_token_endpoint(asked)
        if not isinstance(id_token := answer.get("id_token"), str):
            raise ProviderTrouble("the provider gave no ID token: is the client allowed the scope openid?")
        return self._verify(id_token, attempt.nonce)

    def _ask_token_endpoint(self, asked: dict[str, str]) -> dict[str, Any]:
        """Providers differ in how they want the client to prove itself, and many refuse the other way; the code stays
        good where the client was not believed."""
        endpoint, secret = self.document.token_endpoint, self._settings.client_secret
        client_id, client_secret = self._settings.client_id or "", secret.get_secret_value() if secret else ""
        basic = httpx.BasicAuth(quote(client_id, safe=""), quote(client_secret, safe=""))
        build = partial(self._client.build_request, "POST", endpoint)
        in_body = build(data={**asked, "client_id": client_id, "client_secret": client_secret})
        in_head = next(basic.auth_flow(build(data=asked)))
        try:
            return fetch_object(self._client, in_head)
        except FetchFailed as failed:
            if failed.error not in ("invalid_client", "unauthorized_client"):
                raise ProviderTrouble(f"the provider does not redeem the code: {failed}") from None
        try:
            return fetch_object(self._client, in_body)
        except FetchFailed as failed:
            hint = "; are sign_in.client_id and client_secret right?" if failed.error == "invalid_client" else ""
            raise ProviderTrouble(f"the provider does not redeem the code: {failed}{hint}") from None

    def _verify(self, id_token: str, nonce: str) -> Claims:
        """See OpenID Connect Core 1.0, section 3.1.3.7."""
        client_id = self._settings.client_id
        claims = self.verify_jwt(id_token, audience=[client_id or ""], required=("exp", "iat", "iss", "aud", "sub"))
        if claims.get("nonce") != nonce:
            raise ClaimRefused("the ID token belongs to another sign-in: begin again")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != client_id:
            raise ClaimRefused("the ID token was made for another client")
        return claims

    def verify_jwt(self, token: str, audience: list[str], required: tuple[str, ...]) -> Claims:
        """The claims of a token that the provider signed. Raises ClaimRefused and ProviderTrouble."""
        try:
            key = self.keys.find(jwt.get_unverified_header(token).get("kid"))
            claims: Claims = jwt.decode(
                token,
                key,
                list(ALGORITHMS),
                audience=audience,
                issuer=self._settings.issuer,
                leeway=LEEWAY,
                options={"require": list(required)},
            )
        except (jwt.InvalidTokenError, UnknownKey) as wrong:
            raise ClaimRefused(f"the token is not valid: {printable(wrong)[:_LONGEST_REASON]}") from None
        except (FetchFailed, jwt.PyJWKSetError) as failed:
            raise ProviderTrouble(f"the provider's keys cannot be read: {failed}") from None
        return claims

    def _read_document(self) -> ProviderDocument:
        """See OpenID Connect Discovery 1.0, section 4."""
        issuer = self._settings.issuer
        url = issuer.removesuffix("/") + "/.well-known/openid-configuration"
        try:
            found = fetch_object(self._client, self._client.build_request("GET", url))
            document = ProviderDocument.model_validate(found)
        except FetchFailed as failed:
            raise ProviderTrouble(f"the provider's discovery fails: {failed}") from None
        except ValidationError:
            raise ProviderTrouble(f"{url} does not describe an OpenID provider") from None
        if document.issuer != issuer:
            raise ProviderTrouble(f"{url} is of the issuer {document.issuer!r}: set sign_in.issuer to that, exactly")
        for endpoint in (document.authorization_endpoint, document.token_endpoint, document.jwks_uri):
            check_is_secure(endpoint)
        return document

    def read_keys(self) -> jwt.PyJWKSet:
        """Raises ProviderTrouble, FetchFailed, and PyJWKSetError where there is none."""
        request = self._client.build_request("GET", self.document.jwks_uri)
        return jwt.PyJWKSet.from_dict(fetch_object(self._client, request))


def check_provider(settings: SignInSettings, public_url: str) -> Finding:
    """Whether the provider describes itself and shows its keys; and which redirect it has to know."""
    provider = OpenIdProvider(settings, public_url, open_client())
    try:
        keys = len(list(provider.read_keys()))
    except (ProviderTrouble, FetchFailed, jwt.PyJWKSetError) as trouble:
        return Finding("sign_in", False, str(trouble))
    return Finding(
        "sign_in", True, f"{settings.issuer}, {keys} keys; its client needs the redirect {provider.callback}"
    )


def check_is_secure(url: str) -> None:
    """Raises ProviderTrouble for what is neither https nor on loopback: secrets and tokens are sent there."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ProviderTrouble(f"the provider names {url}, which is not https")
