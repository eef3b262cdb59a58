"""An organisation: each person's Drive, a directory of the people, and a service account that may act for all of them.

https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/list
https://developers.google.com/identity/protocols/oauth2/service-account#delegatingauthority
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs

import httpx
from starlette.responses import JSONResponse, Response

from tests.emulators.drive import service
from tests.emulators.drive.query import Payload
from tests.emulators.drive.responses import error, refusal
from tests.emulators.drive.sign_in import TOKEN
from tests.emulators.drive.store import GoogleDrive


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
        def respond(request: httpx.Request) -> httpx.Response:
            response = self._answer(request)
            return httpx.Response(response.status_code, headers=dict(response.headers), content=bytes(response.body))

        return httpx.MockTransport(respond)

    def _answer(self, request: httpx.Request) -> Response:
        path = request.url.path.removeprefix(f"{service.PREFIX}/")
        if path == "token":
            return self._issue(request.content)
        person = request.headers["authorization"].removeprefix("Bearer for ")
        if person not in self.drives:
            return error(401, "authError")
        if path.startswith("directory/") and (how := self.drives[person].refused.get("directory")):
            return refusal(how)
        match path.split("/"):
            case ["directory", "users"]:
                return JSONResponse({"users": self.users})
            case ["directory", "groups", name, "members"]:
                members = [one for one in self.users if one["primaryEmail"] in self.groups[name]]
                told = [{"id": one["id"], "email": one["primaryEmail"], "type": "USER"} for one in members]
                return JSONResponse({"members": [one | {"status": "ACTIVE"} for one in told]})
            case ["directory", "groups"]:
                return JSONResponse({"groups": []})
        return service.answer(self.drives[person], request.url, f"Bearer {TOKEN}", request.content)

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
