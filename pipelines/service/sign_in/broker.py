"""Headrace as an authorization server: what the handlers of the MCP SDK ask of a provider (OAuth 2.1, RFC 6749, 7636).

Imported when a client first asks, since the SDK takes two seconds to import.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from anyio import to_thread
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    AuthorizeError,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    RegistrationError,
    TokenError,
)
from mcp.shared.auth import InvalidRedirectUriError, OAuthClientInformationFull, OAuthToken
from pydantic import AnyUrl, PrivateAttr

from pipelines.audit import audit
from pipelines.catalog.grants import Grant, Grants, Replayed, Stage
from pipelines.catalog.oauth_clients import OAuthClient, TooManyClients
from pipelines.service.errors import Problem
from pipelines.service.sign_in.clients import Clients, RegistrationRefused, not_allowed
from pipelines.service.sign_in.redirects import is_same
from pipelines.service.sign_in.seal import CONSENT_PATH, ClientRequest, Seal
from pipelines.service_settings import SignInSettings

PUBLIC = "none"
"""How clients prove themselves: not at all, since one that many people have on their machines keeps no secret."""
LONGEST_REQUEST = 2_500
"""Characters of a sealed request: with the rest it has to fit in a cookie of 4,096."""


class BrokerClient(OAuthClientInformationFull):
    """A client as the SDK's handlers ask it."""

    _clients: Clients = PrivateAttr()
    _known: OAuthClient = PrivateAttr()

    @classmethod
    def of(cls, known: OAuthClient, clients: Clients) -> BrokerClient:
        uris = [AnyUrl(uri) for uri in known.redirect_uris]
        client = cls(client_id=known.id, client_name=known.name, redirect_uris=uris, token_endpoint_auth_method=PUBLIC)
        client._clients, client._known = clients, known
        return client

    def validate_scope(self, requested_scope: str | None) -> list[str] | None:
        """Any: what may be searched is a matter of the settings and of the person's rights, not of scopes."""
        return requested_scope.split() if requested_scope else None

    def validate_redirect_uri(self, redirect_uri: AnyUrl | None) -> AnyUrl:
        if redirect_uri is None:
            redirect_uri = super().validate_redirect_uri(None)
        elif not any(is_same(one, str(redirect_uri)) for one in self._known.redirect_uris):
            raise InvalidRedirectUriError(f"{self.client_name} has not registered the redirect {redirect_uri}.")
        if not self._clients.allows(str(redirect_uri)):
            raise InvalidRedirectUriError(not_allowed(str(redirect_uri)))
        return redirect_uri


class Broker(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """Codes and refresh tokens are used once: showing one again ends its grant."""

    def __init__(self, settings: SignInSettings, public_url: str, clients: Clients, grants: Grants, seal: Seal) -> None:
        self._settings = settings
        self._public_url = public_url
        self._clients = clients
        self._grants = grants
        self._seal = seal

    async def get_client(self, client_id: str) -> BrokerClient | None:
        known = await to_thread.run_sync(self._clients.find, client_id)
        return BrokerClient.of(known, self._clients) if known else None

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        """Without a secret, whatever the client asked for (RFC 7591, section 3.2.1): PKCE protects its codes."""
        uris = [str(uri) for uri in client_info.redirect_uris or ()]
        try:
            registered = await to_thread.run_sync(
                self._clients.register, client_info.client_id, client_info.client_name, uris
            )
        except RegistrationRefused as refused:
            raise RegistrationError("invalid_redirect_uri", str(refused)) from None
        except TooManyClients:
            detail = "Too many clients have registered within the last hour; try again later."
            raise Problem(429, "Too many requests", detail, {"Retry-After": "600"}) from None
        client_info.redirect_uris = [AnyUrl(uri) for uri in registered.redirect_uris]
        client_info.token_endpoint_auth_method = PUBLIC
        client_info.client_secret = client_info.client_secret_expires_at = None

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        """The address of the page that asks for consent."""
        if params.resource is not None and not self.is_resource(params.resource):
            raise AuthorizeError("invalid_target", f"This server is {self._public_url}, not the resource asked for.")
        request = ClientRequest(
            client_id=client.client_id,
            client_name=client.client_name or "",
            redirect_uri=str(params.redirect_uri),
            explicit=params.redirect_uri_provided_explicitly,
            state=params.state,
            code_challenge=params.code_challenge,
            scopes=tuple(params.scopes or ()),
            resource=params.resource,
        )
        sealed = self._seal.close(request)
        if len(sealed) > LONGEST_REQUEST:
            raise AuthorizeError("invalid_request", "The state, scopes and redirect are too long together.")
        return f"{self._public_url}{CONSENT_PATH}?request={sealed}"

    def is_resource(self, asked: str) -> bool:
        """Whether a resource indicator (RFC 8707) means this server."""
        return asked.rstrip("/") in (self._public_url, f"{self._public_url}/mcp")

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        grant = await self._find(authorization_code, "code")
        if grant is None or grant.request is None:
            return None
        asked = ClientRequest.model_validate(grant.request)
        return AuthorizationCode(
            code=authorization_code,
            scopes=list(asked.scopes),
            expires_at=grant.expires_at.timestamp(),
            client_id=grant.client,
            code_challenge=asked.code_challenge,
            redirect_uri=AnyUrl(asked.redirect_uri),
            redirect_uri_provided_explicitly=asked.explicit,
            resource=asked.resource,
            subject=grant.person,
        )

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        ends = datetime.now(UTC) + timedelta(days=self._settings.refresh_days)
        return await self._renew(client, authorization_code.code, "code", ends)

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        grant = await self._find(refresh_token, "refresh")
        if grant is None or grant.request is None:
            return None
        scopes = list(ClientRequest.model_validate(grant.request).scopes)
        return RefreshToken(token=refresh_token, client_id=grant.client, scopes=scopes, subject=grant.person)

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        return await self._renew(client, refresh_token.token, "refresh", None)

    async def load_access_token(self, token: str) -> AccessToken | None:
        raise NotImplementedError  # asked by no handler that is served

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        raise NotImplementedError  # asked by no handler that is served

    async def _find(self, token: str, stage: Stage) -> Grant | None:
        # The handlers compare the client that asks with the grant's.
        found: Grant | None = await self._unless_replayed(lambda: self._grants.find(token, stage, datetime.now(UTC)))
        return found

    async def _renew(
        self, client: OAuthClientInformationFull, token: str, stage: Stage, ends: datetime | None
    ) -> OAuthToken:
        lifetime = timedelta(minutes=self._settings.access_token_minutes)
        pair = await self._unless_replayed(
            lambda: self._grants.renew(token, stage, datetime.now(UTC), lifetime, expires_at=ends)
        )
        if pair is None:
            raise TokenError("invalid_grant", "This was used before, has ended or was revoked: sign in again.")
        await to_thread.run_sync(self._clients.mark_used, client.client_id)
        seconds = int(lifetime.total_seconds())
        return OAuthToken(access_token=pair.access, refresh_token=pair.refresh, expires_in=seconds)

    async def _unless_replayed(self, ask: Callable[[], Any]) -> Any:
        try:
            return await to_thread.run_sync(ask)
        except Replayed as replayed:
            grant = replayed.grant
            reason = "a code or refresh token was used twice"
            audit("grant_revoked", person=grant.person, client=grant.client, grant=grant.id, reason=reason)
            return None
