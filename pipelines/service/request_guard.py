"""What every request passes before it reaches the application: an id, and bounds on its head, body and origin."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

from fastapi import FastAPI, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.pushed_documents import LARGEST_FILE
from pipelines.loopback import is_loopback
from pipelines.service.authentication import PERSON_HEADER
from pipelines.service.connections import MOST_HEAD_BYTES
from pipelines.service.errors import DOCUMENTS_PATH, RETRY_AFTER_SECONDS, WEBHOOKS_PATH, Problem, problem_response

MOST_BYTES = 256 * 1024
"""Of a request's body."""
_MOST_PUSHED_BYTES = LARGEST_FILE + 1024 * 1024
"""Of a document that is pushed: a file, and what is said of it."""
_BROWSER_PATHS = ("/", "/docs", "/mcp")
"""What a page of another site might want to reach through somebody's browser, beside all that a cookie opens."""
_ONCE = ("Authorization", PERSON_HEADER)
"""Who says twice who asks may mean either: a proxy and the service might each take another."""
_TAKEN_TO_ITS_END = 64 * 1024
"""Bytes of a refused body. The rest of a longer one is not waited for: the connection is closed."""


@dataclass(frozen=True, slots=True)
class BrowserHosts:
    """Under which host names browsers may reach the service.

    `public` is the origin of `public_url`. Where it is known, or the server listens on loopback alone, no other name
    than that and those of loopback is taken: a page could have its own name point here. Else any is, and a page may
    ask only the server that it came from.
    """

    public: str = ""
    is_closed: bool = False

    @classmethod
    def of(cls, public_url: str | None, listens_on: str) -> BrowserHosts:
        return cls((public_url or "").lower(), bool(public_url) or is_loopback(listens_on))

    def refuse(self, headers: Headers) -> Problem | None:
        """Why a request must not be answered, by its Host and Origin."""
        host, origin = headers.get("host", "").lower(), headers.get("origin", "").lower()
        if self.is_closed and not (is_loopback_name(host) or host == _netloc(self.public)):
            return Problem(
                421,
                "Misdirected request",
                "This name is not one of the service's: use the `public_url` of the settings, or set it to this one; "
                "a proxy must pass on the name that was asked for.",
            )
        if origin and not self._may_ask(origin, host, has_cookie="cookie" in headers):
            return Problem(403, "Forbidden", "Requests from pages of other sites are refused.")
        return None

    def _may_ask(self, origin: str, host: str, *, has_cookie: bool) -> bool:
        """A page on loopback is a developer's tool. To cookies, all ports of a machine are one site."""
        place = _netloc(origin)
        if origin == self.public or (place and place == host):
            return True
        return is_loopback_name(place) and not has_cookie


ANY_HOST = BrowserHosts()
_ENDING = Problem(
    503,
    "Service unavailable",
    "The server is being stopped; try again later.",
    {"Retry-After": RETRY_AFTER_SECONDS, "Connection": "close"},
)


def install(app: FastAPI, hosts: BrowserHosts) -> None:
    app.add_middleware(_RequestGuard, hosts=hosts)
    app.add_exception_handler(ClientDisconnect, _gone)


class _RequestGuard:
    """Refuses what can be refused by the head alone, before anything of the body is read."""

    def __init__(self, app: ASGIApp, hosts: BrowserHosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request_id = request.state.id = uuid4().hex
        has_more, has_begun = not _ends_soon(request.headers), False

        async def send_with_id(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                if has_more and message["status"] >= 400:
                    headers["Connection"] = "close"
            await send(message)

        problem = _refuse(request, self._hosts)
        refusal = problem_response(request, problem) if problem else None
        try:
            await (refusal or self._app)(scope, receive, send_with_id)
        except asyncio.CancelledError:  # the server ends, and this took longer than it waits; it would answer 500
            if has_begun:
                raise
            await problem_response(request, _ENDING)(scope, receive, send_with_id)


def _head_bytes(request: Request) -> int:
    """The request line and all header fields, with `: ` and the line's end of each."""
    target = len(request.scope.get("raw_path") or b"") + len(request.scope["query_string"])
    return target + sum(len(name) + len(value) + 4 for name, value in request.headers.raw)


def _refuse(request: Request, hosts: BrowserHosts) -> Problem | None:
    headers, path = request.headers, request.url.path
    if _head_bytes(request) > MOST_HEAD_BYTES:
        return Problem(431, "Request header fields too large", f"A head may have at most {MOST_HEAD_BYTES} bytes.")
    if twice := [name for name in _ONCE if len(headers.getlist(name)) > 1]:
        return Problem(400, "Bad request", f"Send the header {twice[0]} once.")
    if path.startswith(WEBHOOKS_PATH):
        return None  # deliveries are longer than questions, and are measured as they arrive
    if "transfer-encoding" in headers:
        return Problem(411, "Length required", "Send the body with a Content-Length.")
    most = _MOST_PUSHED_BYTES if request.method == "PUT" and path.startswith(DOCUMENTS_PATH) else MOST_BYTES
    if not has_length(headers, most):
        return Problem(413, "Content too large", f"The body may have at most {most} bytes.")
    return hosts.refuse(headers) if path in _BROWSER_PATHS or "cookie" in headers else None


def _ends_soon(headers: Headers) -> bool:
    return "transfer-encoding" not in headers and has_length(headers, _TAKEN_TO_ITS_END)


def has_length(headers: Headers, most: int) -> bool:
    """Whether a body is no longer than that, by what its head says."""
    length = headers.get("content-length", "0")
    return length.isascii() and length.isdigit() and len(length) < 12 and int(length) <= most


def _netloc(origin: str) -> str:
    return origin.partition("://")[2]


def is_loopback_name(netloc: str) -> bool:
    """Whether a host, with its port or without, is this machine by a name that leads nowhere else."""
    try:
        return is_loopback(urlsplit(f"//{netloc}").hostname or "")
    except ValueError:
        return False


async def _gone(request: Request, error: Exception) -> Response:
    """The client left before its request was whole; nobody reads this."""
    return Response(status_code=400)
