"""An organisation: each person's Drive, a directory of the people, and a service account that may act for all of them.

https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/list
https://developers.google.com/identity/protocols/oauth2/service-account#delegatingauthority
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.emulators.drive import service
from tests.emulators.drive.query import Payload
from tests.emulators.drive.responses import error, refusal
from tests.emulators.drive.sign_in import TOKEN
from tests.emulators.drive.store import GoogleDrive
from tests.loopback import serve


@dataclass
class Workspace:
    """`drives` by address, `users` as the directory lists them. `closed` are those for whom nobody gets a token;
    `without_directory`, the account may act for nobody in the directory."""

    public_key: bytes
    drives: dict[str, GoogleDrive] = field(default_factory=dict)
    users: list[Payload] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    without_directory: bool = False
    issued: list[str] = field(default_factory=list)

    def person(self, own: str, email: str, **more: bool) -> GoogleDrive:
        self.users.append({"id": own, "primaryEmail": email, **more})
        self.drives[email] = GoogleDrive()
        return self.drives[email]

    def transport(self) -> httpx.MockTransport:
        """In the place of the network."""

        def respond(request: httpx.Request) -> httpx.Response:
            response = self._answer(request.url, request.headers.get("authorization", ""), request.content)
            return httpx.Response(response.status_code, headers=dict(response.headers), content=bytes(response.body))

        return httpx.MockTransport(respond)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """On loopback while the context lasts; yields the base URL of its API."""

        async def respond(request: Request) -> Response:
            authorization = request.headers.get("authorization", "")
            return self._answer(httpx.URL(str(request.url)), authorization, await request.body())

        app = Starlette(routes=[Route("/{path:path}", respond, methods=["GET", "POST"])])
        with serve(uvicorn.Config(app, log_level="error", lifespan="off", ws="none", date_header=False)) as origin:
            yield f"{origin}{service.PREFIX}"

    def _answer(self, url: httpx.URL, authorization: str, body: bytes) -> Response:
        path = url.path.removeprefix(f"{service.PREFIX}/")
        if path == "token":
            return self._issue(body)
        person = authorization.removeprefix("Bearer for ")
        if person not in self.drives:
            return error(401, "authError")
        if path.startswith("directory/") and (how := self.drives[person].refused.get("directory")):
            return refusal(how)
        match path.split("/"):
            case ["directory", "users"]:
                return JSONResponse({"users": self.users})
            case ["directory", "groups", key, "members"]:
                members = [one for one in self.users if one["primaryEmail"] in self.groups[key.removeprefix("0")]]
                told = [{"id": one["id"], "email": one["primaryEmail"], "type": "USER"} for one in members]
                return JSONResponse({"members": [one | {"status": "ACTIVE"} for one in told]})
            case ["directory", "groups"]:
                return JSONResponse({"groups": [{"id": f"0{name}", "email": name} for name in self.groups]})
        return service.answer(self.drives[person], url, f"Bearer {TOKEN}", body)

    def _issue(self, body: bytes) -> Response:
        from google.auth import jwt

        assertion = parse_qs(body.decode())["assertion"][0]
        claim = jwt.decode(assertion, certs=self.public_key)  # type: ignore[no-untyped-call]
        person = claim["sub"]
        if self.without_directory and "admin.directory" in claim["scope"]:
            return JSONResponse({"error": "unauthorized_client", "error_description": "Not these scopes"}, 401)
        if person in self.closed:
            return JSONResponse({"error": "invalid_grant", "error_description": "Invalid email or User ID"}, 400)
        self.issued.append(person)
        return JSONResponse({"access_token": f"for {person}", "expires_in": 3599, "token_type": "Bearer"})
