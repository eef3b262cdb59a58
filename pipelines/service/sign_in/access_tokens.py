"""Access tokens of the provider itself, which programs hold already: JWTs, or what only the provider can read."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import httpx
import jwt

from pipelines.catalog.assistants import hash_key
from pipelines.service.sign_in.claims import ClaimRefused, Claims, verified_address
from pipelines.service.sign_in.fetching import FetchFailed, fetch_object
from pipelines.service.sign_in.provider import LEEWAY, OpenIdProvider, ProviderTrouble, check_is_secure
from pipelines.service_settings import IntrospectionSettings, SignInSettings

INTROSPECTION_LIFETIME = 60
"""Seconds for which an answer of introspection counts."""
_MOST_REMEMBERED = 10_000
_ID_TOKEN_CLAIMS = ("nonce", "at_hash", "c_hash", "s_hash", "events")
"""Of ID tokens, and `events` of logout tokens. See RFC 9068, section 2.2, for what an access token holds."""


class ProviderTokens:
    """Whom an access token of the provider proves. Blocks; safe to call from several threads."""

    def __init__(self, settings: SignInSettings, provider: OpenIdProvider, introspection: Introspection | None) -> None:
        self._settings = settings
        self._provider = provider
        self._introspection = introspection

    def address(self, token: str) -> str | None:
        """The person's address; None for what is no token of a provider. Raises ClaimRefused and ProviderTrouble."""
        if token.count(".") == 2:
            return verified_address(self._claims(token), self._settings)
        if self._introspection is None:
            return None
        return verified_address(self._introspection.claims(token), self._settings)

    def _claims(self, token: str) -> Claims:
        audience = list(self._settings.audience)
        claims = self._provider.verify_jwt(token, audience, required=("exp", "iss", "aud", "sub"))
        check_is_access_token(jwt.get_unverified_header(token), claims, self._settings.client_id)
        return claims


def check_is_access_token(head: Claims, claims: Claims, client_id: str | None) -> None:
    """An ID token tells a client who signed in, and passes through browsers: it opens nothing. Raises ClaimRefused."""
    kind = str(head.get("typ", "JWT")).lower().removeprefix("application/")
    if kind == "at+jwt":
        return
    # `typ` of the claims is Keycloak's, `token_use` Amazon Cognito's.
    said = (claims.get("typ", "Bearer"), claims.get("token_use", "access"))
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    known_otherwise = any(name in claims for name in _ID_TOKEN_CLAIMS) or client_id in audience
    if kind != "jwt" or said != ("Bearer", "access") or known_otherwise:
        raise ClaimRefused("this is no access token: an ID token opens nothing")


class Introspection:
    """Asks the provider about a token (RFC 7662), and about the same one not again for a minute."""

    def __init__(
        self,
        settings: IntrospectionSettings,
        audience: tuple[str, ...],
        provider: OpenIdProvider,
        client: httpx.Client,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._audience = audience
        self._provider = provider
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._remembered: OrderedDict[str, tuple[float, Claims]] = OrderedDict()

    def claims(self, token: str) -> Claims:
        """Raises ClaimRefused for a token that is not in force, or was made for others; and ProviderTrouble."""
        key, now = hash_key(token), self._clock()
        with self._lock:
            asked_at, claims = self._remembered.get(key, (0.0, {}))
        if now - asked_at >= INTROSPECTION_LIFETIME:
            claims = self._ask(token)
            self._remember(key, now, claims)
        self._check(claims, now)
        return claims

    def _remember(self, key: str, now: float, claims: Claims) -> None:
        with self._lock:
            self._remembered[key] = (now, claims)
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)

    def _check(self, claims: Claims, now: float) -> None:
        audience = claims.get("aud", ())
        expires_at, begins_at = claims.get("exp"), claims.get("nbf", 0)
        if claims.get("active") is not True:
            raise ClaimRefused("the provider says that the token is not in force")
        if not isinstance(expires_at, int | float) or expires_at + LEEWAY < now or begins_at - LEEWAY > now:
            raise ClaimRefused("the token has ended, or does not say when it will")
        if not set(self._audience) & set([audience] if isinstance(audience, str) else audience):
            raise ClaimRefused("the token was made for others than sign_in.audience")
        if claims.get("iss", self._provider.issuer) != self._provider.issuer or not claims.get("sub"):
            raise ClaimRefused("the token is of another issuer, or of nobody")

    def _ask(self, token: str) -> dict[str, Any]:
        url = self._settings.url or self._provider.document.introspection_endpoint
        if url is None:
            raise ProviderTrouble("the provider names no introspection endpoint: set sign_in.introspection.url")
        check_is_secure(url)
        asked = self._client.build_request("POST", url, data={"token": token, "token_type_hint": "access_token"})
        basic = httpx.BasicAuth(self._settings.client_id, self._settings.client_secret.get_secret_value())
        try:
            return fetch_object(self._client, next(basic.auth_flow(asked)))
        except FetchFailed as failed:
            raise ProviderTrouble(f"the provider does not say what a token is worth: {failed}") from None
