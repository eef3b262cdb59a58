"""The endpoints that clients speak to: `/authorize`, `/token`, `/register` and `/revoke`."""

from __future__ import annotations

import json
import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipelines.audit import audit
from pipelines.catalog.grants import Grants
from pipelines.errors import CatalogUnavailable
from pipelines.service.sign_in.clients import Clients
from pipelines.service.sign_in.notices import trouble_page
from pipelines.service.sign_in.seal import Seal
from pipelines.service.throttling import RegistrationRate
from pipelines.service_settings import SignInSettings

if TYPE_CHECKING:
    from pipelines.service.sign_in.broker import Broker


def _is_news(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], CatalogUnavailable))


# The SDK logs a catalog that is away with its traceback, asks again, and then leaves it to our own handler.
logging.getLogger("mcp.server.auth.handlers.authorize").addFilter(_is_news)


class ClientEndpoints:
    """The MCP SDK's handlers over the broker; imported when a client first asks."""

    def __init__(self, settings: SignInSettings, public_url: str, clients: Clients, grants: Grants, seal: Seal) -> None:
        self._settings = settings
        self._public_url = public_url
        self._clients = clients
        self._grants = grants
        self._seal = seal
        self._rate = RegistrationRate()

    async def authorize(self, request: Request) -> Response:
        """Checks what a client asks for, and leads to the page that asks for consent."""
        from mcp.server.auth.handlers.authorize import AuthorizationHandler

        await request.form()  # kept by the request; the handler would log a client that leaves meanwhile as an error
        response: Response = await AuthorizationHandler(await self._get_broker()).handle(request)
        if response.status_code == 400:  # it may not be sent back, so that a person reads it
            return trouble_page(_description(response), 400)
        location = response.headers.get("location", "")
        if not location.startswith(f"{self._public_url}/"):  # RFC 9207 wants it beside errors too
            response.headers["location"] = str(URL(location).include_query_params(iss=self._public_url))
        return response

    async def token(self, request: Request) -> Response:
        """Codes and refresh tokens become access tokens."""
        from mcp.server.auth.handlers.token import TokenHandler
        from mcp.server.auth.middleware.client_auth import ClientAuthenticator

        broker = await self._get_broker()
        form = await request.form()  # kept by the request, for the handler
        if not all(broker.is_resource(str(one)) for one in form.getlist("resource")):
            return _invalid_target(self._public_url)
        response: Response = await TokenHandler(broker, ClientAuthenticator(broker)).handle(request)
        return response

    async def register(self, request: Request) -> Response:
        """A client becomes known (RFC 7591). Raises a 429 problem where too many do."""
        self._rate.take(request)
        from mcp.server.auth.handlers.register import RegistrationHandler
        from mcp.server.auth.settings import ClientRegistrationOptions

        await request.body()  # as above
        return await RegistrationHandler(await self._get_broker(), ClientRegistrationOptions(enabled=True)).handle(
            request
        )

    async def revoke(self, request: Request) -> Response:
        """A client gives its tokens back (RFC 7009). The SDK's own handler refuses clients without a secret."""
        form = await request.form()
        token, client = str(form.get("token", "")), str(form.get("client_id", ""))
        if not token or not client or "\0" in client:
            return JSONResponse({"error": "invalid_request", "error_description": "Send token and client_id."}, 400)
        if grant := await to_thread.run_sync(self._grants.revoke_token, token, client):
            audit("grant_revoked", person=grant.person, client=client, grant=grant.id, reason="by the client")
        return Response(headers={"Cache-Control": "no-store"})

    async def _get_broker(self) -> Broker:
        return await to_thread.run_sync(lambda: self._broker)

    @cached_property
    def _broker(self) -> Broker:
        from pipelines.service.sign_in.broker import Broker

        return Broker(self._settings, self._public_url, self._clients, self._grants, self._seal)


def _invalid_target(public_url: str) -> Response:
    """Tokens are made for this server alone (RFC 8707, section 2)."""
    told = {"error": "invalid_target", "error_description": f"Tokens are for {public_url}, not the resource asked for."}
    return JSONResponse(told, 400, {"Cache-Control": "no-store"})


def _description(response: Response) -> str:
    found: dict[str, Any] = json.loads(bytes(response.body))
    return f"The client did not ask as it should: {found.get('error_description') or found.get('error')}"
