"""Sign-in at the company's OpenID provider: for clients, through Headrace as their authorization server; for the search
page; and for programs that hold the provider's own access tokens. `docs/sign-in.md` says how to set it up.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines.catalog import Catalog
from pipelines.service.authentication import Proof, ProvenPerson, challenge, scope_filters
from pipelines.service.errors import Problem
from pipelines.service.sign_in import metadata
from pipelines.service.sign_in.access_tokens import Introspection, ProviderTokens
from pipelines.service.sign_in.browser import BrowserSignIn
from pipelines.service.sign_in.claims import ClaimRefused
from pipelines.service.sign_in.client_documents import ClientDocuments
from pipelines.service.sign_in.clients import Clients
from pipelines.service.sign_in.fetching import open_client
from pipelines.service.sign_in.handlers import ClientEndpoints
from pipelines.service.sign_in.provider import CALLBACK_PATH, OpenIdProvider, ProviderTrouble
from pipelines.service.sign_in.seal import CONSENT_PATH, Seal
from pipelines.service.sign_in.sessions import read_session
from pipelines.service_settings import SignInSettings
from pipelines.settings import Settings


class SignIn:
    """Knows people by their tokens and sessions, and serves the ways by which they get them."""

    def __init__(self, settings: Settings, sign_in: SignInSettings, public_url: str, catalog: Catalog) -> None:
        self._challenge = challenge(settings, has_token=True)
        self._settings = sign_in
        self._scope = scope_filters(sign_in.may_search.sources, sign_in.may_search.parents_in)
        self._public_url = public_url
        self._grants = catalog.grants
        self._oauth_clients = catalog.oauth_clients
        client = open_client()
        self._provider = OpenIdProvider(sign_in, public_url, client)
        asked = sign_in.introspection
        introspection = Introspection(asked, sign_in.audience, self._provider, client) if asked else None
        self._provider_tokens = ProviderTokens(sign_in, self._provider, introspection) if sign_in.audience else None

    def verify(self, token: str) -> ProvenPerson | None:
        """Raises a 401 problem that says what is wrong with a token of the provider, and a 503 if that is away."""
        if grant := self._grants.find_access(token, datetime.now(UTC)):
            return self._proven(grant.person, "sign-in", grant.client)
        if self._provider_tokens is None:
            return None
        try:
            email = self._provider_tokens.address(token)
        except ClaimRefused as refused:
            headers = {"WWW-Authenticate": self._challenge}
            raise Problem(401, "Unauthorized", f"The token is refused: {refused}.", headers) from None
        except ProviderTrouble as trouble:
            raise Problem(503, "Service unavailable", f"The token cannot be verified now: {trouble}.") from None
        return self._proven(email, "token", None) if email else None

    def person(self, request: Request) -> ProvenPerson | None:
        """Who is signed in on the search page; nobody for `/mcp`, where no page asks."""
        if not request.url.path.startswith("/v1/"):
            return None
        session = read_session(request, self._public_url, self._grants)
        return self._proven(session.person, "sign-in", None) if session else None

    def install(self, app: FastAPI) -> None:
        """Serve it."""
        described = {f"{metadata.PROTECTED_RESOURCE}{path}": self._describe_resource(path) for path in ("", "/mcp")}
        if self._settings.client_id:
            described |= self._describe_server()
            app.router.routes.extend(self._broker_routes())
        for path, found in described.items():
            app.router.routes.append(Route(path, partial(_describe, found), methods=["GET"]))

    def _describe_resource(self, path: str) -> metadata.Metadata:
        return metadata.protected_resource(self._public_url, path, self._settings)

    def _describe_server(self) -> dict[str, metadata.Metadata]:
        """Also where clients look that take `/mcp` for the issuer."""
        found = metadata.authorization_server(self._public_url, self._settings)
        return {f"{metadata.AUTHORIZATION_SERVER}{path}": found for path in ("", "/mcp")}

    def _broker_routes(self) -> list[Route]:
        secret = self._settings.client_secret
        seal = Seal(secret.get_secret_value() if secret else "")
        clients = Clients(self._oauth_clients, ClientDocuments(), self._settings.redirects)
        asked = ClientEndpoints(self._settings, self._public_url, clients, self._grants, seal)
        seen = BrowserSignIn(self._settings, self._public_url, self._provider, self._grants, seal)
        return [
            Route(metadata.AUTHORIZE, asked.authorize, methods=["GET", "POST"]),
            Route(metadata.TOKEN, asked.token, methods=["POST"]),
            Route(metadata.REGISTER, asked.register, methods=["POST"]),
            Route(metadata.REVOKE, asked.revoke, methods=["POST"]),
            Route(CONSENT_PATH, seen.ask_consent, methods=["GET"]),
            Route(CONSENT_PATH, seen.take_consent, methods=["POST"]),
            Route(CALLBACK_PATH, seen.come_back, methods=["GET"]),
            Route("/sign-in", seen.sign_in, methods=["GET"]),
            Route("/sign-in/person", seen.tell_person, methods=["GET"]),
            Route("/sign-out", seen.sign_out, methods=["POST"]),
        ]

    def _proven(self, email: str, proof: Proof, client: str | None) -> ProvenPerson:
        return ProvenPerson(email, proof, client, self._scope)


def _describe(found: metadata.Metadata, _: Request) -> Response:
    # Clients that run in a browser read it as well.
    headers = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
    return JSONResponse(found, headers=headers)
